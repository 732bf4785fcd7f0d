package reprise.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Signal dispositions of this very process, below what the JVM offers. */
public final class Disposition {
    private static final long SIG_DFL = 0;
    private static final long SIG_IGN = 1;
    /** sa_handler, sa_flags, sa_restorer, sa_mask as the kernel takes them. */
    private static final int KERNEL_SIGACTION = 32;

    private Disposition() {}

    /** Whether nobody, the JVM included, has installed a handler and the signal is not ignored. */
    public static boolean isDefault(int signal) {
        return handler(signal) == SIG_DFL;
    }

    /** Whether the signal is ignored. */
    public static boolean isIgnored(int signal) {
        return handler(signal) == SIG_IGN;
    }

    private static long handler(int signal) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment action = arena.allocate(KERNEL_SIGACTION, 8);
            Syscall.call(SyscallNumber.RT_SIGACTION, signal, 0, action.address(), 8);
            return action.get(JAVA_LONG, 0);
        }
    }

    /** Ignores a signal from now on. */
    public static void ignore(int signal) {
        set(signal, SIG_IGN);
    }

    /** Restores the default action of a signal. */
    public static void restoreDefault(int signal) {
        set(signal, SIG_DFL);
    }

    private static void set(int signal, long handler) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment action = arena.allocate(KERNEL_SIGACTION, 8);
            action.set(JAVA_LONG, 0, handler);
            Syscall.call(SyscallNumber.RT_SIGACTION, signal, action.address(), 0, 8);
        }
    }

    /** The signals that a program executed by this process would find ignored, as a kernel mask. */
    public static long ignored() {
        long mask = 0;
        for (int signal = 1; signal < Signal.LIMIT; signal++) {
            mask |= isIgnored(signal) ? Signal.bit(signal) : 0;
        }
        return mask;
    }

    /**
     * Ends this process by a signal, so that the parent sees the same end as the recorded program had. Returns only if the
     * signal does not end a process.
     */
    public static void dieOf(int signal) {
        try (Arena arena = Arena.ofConfined()) {
            // The program left its own core file, if it was to; ours would only overwrite it.
            MemorySegment none = arena.allocate(16, 8);
            Syscall.call(SyscallNumber.SETRLIMIT, 4, none.address(), 0);
            restoreDefault(signal);
            MemorySegment unblocked = arena.allocate(8, 8);
            unblocked.set(JAVA_LONG, 0, Signal.bit(signal));
            Syscall.call(SyscallNumber.RT_SIGPROCMASK, 1, unblocked.address(), 0, 8);
            long pid = Syscall.call(SyscallNumber.GETPID, 0);
            Syscall.call(SyscallNumber.TGKILL, pid, Syscall.call(SyscallNumber.GETTID, 0), signal);
        }
    }
}
