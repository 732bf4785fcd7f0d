package reprise.linux;

/** Signal numbers of x86-64 and what the kernel does with those that nobody handles. */
public final class Signal {
    public static final int SIGHUP = 1;
    public static final int SIGINT = 2;
    public static final int SIGQUIT = 3;
    public static final int SIGILL = 4;
    public static final int SIGTRAP = 5;

    /** si_code of a SIGTRAP that follows a single step. */
    public static final int TRAP_TRACE = 2;

    /** si_code of a signal of timer_create's timers. */
    public static final int SI_TIMER = -2;

    /** si_code of what the kernel raised by itself; SIGTRAP of int3 among it. */
    public static final int SI_KERNEL = 128;

    /** si_code of a SIGTRAP raised by a breakpoint register. */
    public static final int TRAP_HWBKPT = 4;

    public static final int SIGABRT = 6;
    public static final int SIGBUS = 7;
    public static final int SIGFPE = 8;
    public static final int SIGKILL = 9;
    public static final int SIGUSR1 = 10;
    public static final int SIGSEGV = 11;
    public static final int SIGUSR2 = 12;
    public static final int SIGPIPE = 13;
    public static final int SIGALRM = 14;
    public static final int SIGTERM = 15;
    public static final int SIGSTKFLT = 16;
    public static final int SIGCHLD = 17;
    public static final int SIGCONT = 18;
    public static final int SIGSTOP = 19;
    public static final int SIGTSTP = 20;
    public static final int SIGTTIN = 21;
    public static final int SIGTTOU = 22;
    public static final int SIGURG = 23;
    public static final int SIGXCPU = 24;
    public static final int SIGXFSZ = 25;
    public static final int SIGVTALRM = 26;
    public static final int SIGPROF = 27;
    public static final int SIGWINCH = 28;
    public static final int SIGIO = 29;
    public static final int SIGPWR = 30;
    public static final int SIGSYS = 31;

    /** Those that the kernel raises for what an instruction did, as a mask. */
    public static final long SYNCHRONOUS =
            bit(SIGSEGV) | bit(SIGBUS) | bit(SIGFPE) | bit(SIGILL) | bit(SIGTRAP) | bit(SIGSYS);

    public static final int SIGRTMIN = 32;
    public static final int LIMIT = 65;

    private static final String[] NAMES = {
        "0",
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGKILL",
        "SIGUSR1",
        "SIGSEGV",
        "SIGUSR2",
        "SIGPIPE",
        "SIGALRM",
        "SIGTERM",
        "SIGSTKFLT",
        "SIGCHLD",
        "SIGCONT",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGURG",
        "SIGXCPU",
        "SIGXFSZ",
        "SIGVTALRM",
        "SIGPROF",
        "SIGWINCH",
        "SIGIO",
        "SIGPWR",
        "SIGSYS",
    };

    private Signal() {}

    /** The name with its prefix, for example {@code SIGSEGV} or {@code SIGRT_3}. */
    public static String name(int signal) {
        if (signal >= 0 && signal < NAMES.length) {
            return NAMES[signal];
        }
        return "SIGRT_" + (signal - SIGRTMIN);
    }

    /**
     * The signal of a name, with or without its prefix, or of a decimal number.
     *
     * @return 0 if there is none
     */
    public static int of(String text) {
        for (int signal = 1; signal < LIMIT; signal++) {
            String name = name(signal);
            if (name.equals(text)
                    || name.equals("SIG" + text)
                    || Integer.toString(signal).equals(text)) {
                return signal;
            }
        }
        return 0;
    }

    /** The bit of a signal in the kernel's 64-bit signal sets. */
    public static long bit(int signal) {
        return 1L << (signal - 1);
    }

    /** Whether the default action is to do nothing. */
    public static boolean isIgnoredByDefault(int signal) {
        return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH;
    }

    /** Whether the default action is to stop the process. */
    public static boolean stopsByDefault(int signal) {
        return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
    }

    /** Whether the kernel raises this signal for what an instruction did. */
    public static boolean canBeSynchronous(int signal) {
        return (SYNCHRONOUS & bit(signal)) != 0;
    }
}
