package reprise.cli;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import reprise.linux.Signal;
import reprise.linux.Wait;
import reprise.trace.Event;
import reprise.x86.Registers;

/** Signals as strace prints them, with the point at which they struck. */
final class SignalText {
    // Offsets in siginfo_t.
    private static final int CODE = 8;
    private static final int PID = 16;
    private static final int UID = 20;
    private static final int CHILD_STATUS = 24;
    private static final int CHILD_USER_TIME = 32;
    private static final int CHILD_SYSTEM_TIME = 40;
    private static final int FAULT_ADDRESS = 16;
    private static final int TIMER = 16;
    private static final int OVERRUN = 20;
    private static final int VALUE = 24;
    private static final int BAND = 16;
    private static final int BAND_DESCRIPTOR = 24;
    private static final int CALL_ADDRESS = 16;
    private static final int CALL_NUMBER = 24;

    private static final int SI_USER = 0;
    private static final int SI_QUEUE = -1;
    private static final int SI_TKILL = -6;
    private static final int CLD_EXITED = 1;

    /** In a wait status. */
    private static final int CORE_DUMPED = 0x80;

    private static final String[] SENT = {
        "SI_USER", "SI_QUEUE", "SI_TIMER", "SI_MESGQ", "SI_ASYNCIO", "SI_SIGIO", "SI_TKILL", "SI_DETHREAD"
    };

    private SignalText() {}

    /** {@code --- SIGALRM {...} --- before the system call at 0x7f01: handler 0x7f02}. */
    static String of(Event.SignalDelivered event) {
        StringBuilder text = new StringBuilder("--- ");
        if (event.signal() != 0) {
            text.append(Signal.name(event.signal())).append(' ');
            appendInfo(text, event.signal(), event.signalInfo());
            text.append(" --- ");
        }
        text.append(
                switch (event.point()) {
                    case AFTER_EVENT -> "right after the last event, at ";
                    case AT_SYSCALL -> "before the system call at ";
                    case FAULT -> "raised at ";
                });
        text.append(hex(Registers.get(event.before(), Registers.RIP)));
        if (event.effect() == Event.SignalEffect.TRACER) {
            text.append(": its tracer ").append(event.signal() == 0 ? "acts" : "gets it");
            return event.after() == null
                    ? text.toString()
                    : text.append(", goes on at ")
                            .append(hex(Registers.get(event.after(), Registers.RIP)))
                            .toString();
        }
        if (event.after() == null) {
            return text.append(": fatal").toString();
        }
        return text.append(": handler ")
                .append(hex(Registers.get(event.after(), Registers.RIP)))
                .toString();
    }

    private static void appendInfo(StringBuilder text, int signal, MemorySegment info) {
        int code = word(info, CODE);
        text.append("{si_signo=")
                .append(Signal.name(signal))
                .append(", si_code=")
                .append(code(signal, code));
        if (code == SI_USER || code == SI_TKILL || code == SI_QUEUE) {
            appendSender(text, info);
            if (code == SI_QUEUE) {
                appendValue(text, info);
            }
        } else if (code == Signal.SI_TIMER) {
            text.append(", si_timerid=").append(word(info, TIMER));
            text.append(", si_overrun=").append(word(info, OVERRUN));
            appendValue(text, info);
        } else if (code > 0 && code != Signal.SI_KERNEL) {
            appendDetails(text, signal, code, info);
        }
        text.append('}');
    }

    private static void appendSender(StringBuilder text, MemorySegment info) {
        text.append(", si_pid=").append(word(info, PID));
        text.append(", si_uid=").append(Integer.toUnsignedString(word(info, UID)));
    }

    private static void appendValue(StringBuilder text, MemorySegment info) {
        text.append(", si_value={int=").append(word(info, VALUE));
        text.append(", ptr=").append(hex(doubleWord(info, VALUE))).append('}');
    }

    /** What the kernel tells of a signal that it raised itself. */
    private static void appendDetails(StringBuilder text, int signal, int code, MemorySegment info) {
        switch (signal) {
            case Signal.SIGCHLD -> {
                appendSender(text, info);
                int status = word(info, CHILD_STATUS);
                text.append(", si_status=").append(code == CLD_EXITED ? Integer.toString(status) : Signal.name(status));
                text.append(", si_utime=").append(doubleWord(info, CHILD_USER_TIME));
                text.append(", si_stime=").append(doubleWord(info, CHILD_SYSTEM_TIME));
            }
            case Signal.SIGSEGV, Signal.SIGBUS, Signal.SIGFPE, Signal.SIGILL, Signal.SIGTRAP ->
                text.append(", si_addr=").append(hex(doubleWord(info, FAULT_ADDRESS)));
            case Signal.SIGIO -> {
                text.append(", si_band=").append(doubleWord(info, BAND));
                text.append(", si_fd=").append(word(info, BAND_DESCRIPTOR));
            }
            case Signal.SIGSYS -> {
                text.append(", si_call_addr=").append(hex(doubleWord(info, CALL_ADDRESS)));
                text.append(", si_syscall=").append(word(info, CALL_NUMBER));
            }
            default -> {}
        }
    }

    private static String code(int signal, int code) {
        if (code == Signal.SI_KERNEL) {
            return "Signal.SI_KERNEL";
        }
        if (code <= 0) {
            return -code < SENT.length && code > Integer.MIN_VALUE ? SENT[-code] : Integer.toString(code);
        }
        String names = switch (signal) {
            case Signal.SIGCHLD -> "CLD_EXITED CLD_KILLED CLD_DUMPED CLD_TRAPPED CLD_STOPPED CLD_CONTINUED";
            case Signal.SIGSEGV -> "SEGV_MAPERR SEGV_ACCERR SEGV_BNDERR SEGV_PKUERR";
            case Signal.SIGBUS -> "BUS_ADRALN BUS_ADRERR BUS_OBJERR BUS_MCEERR_AR BUS_MCEERR_AO";
            case Signal.SIGFPE ->
                "FPE_INTDIV FPE_INTOVF FPE_FLTDIV FPE_FLTOVF FPE_FLTUND FPE_FLTRES FPE_FLTINV FPE_FLTSUB";
            case Signal.SIGILL ->
                "ILL_ILLOPC ILL_ILLOPN ILL_ILLADR ILL_ILLTRP ILL_PRVOPC ILL_PRVREG ILL_COPROC ILL_BADSTK";
            case Signal.SIGTRAP -> "TRAP_BRKPT TRAP_TRACE TRAP_BRANCH TRAP_HWBKPT TRAP_UNK";
            case Signal.SIGIO -> "POLL_IN POLL_OUT POLL_MSG POLL_ERR POLL_PRI POLL_HUP";
            case Signal.SIGSYS -> "SYS_SECCOMP SYS_USER_DISPATCH";
            default -> "";
        };
        String[] list = names.split(" ");
        return code <= list.length && !names.isEmpty() ? list[code - 1] : Integer.toString(code);
    }

    /** {@code exited with 0} or {@code killed by SIGSEGV (core dumped)}. */
    static String end(int waitStatus) {
        if (Wait.isExited(waitStatus)) {
            return "exited with " + Wait.exitStatus(waitStatus);
        }
        String core = (waitStatus & CORE_DUMPED) == 0 ? "" : " (core dumped)";
        return "killed by " + Signal.name(Wait.terminatingSignal(waitStatus)) + core;
    }

    private static int word(MemorySegment info, int offset) {
        return info.get(JAVA_INT_UNALIGNED, offset);
    }

    private static long doubleWord(MemorySegment info, int offset) {
        return info.get(JAVA_LONG_UNALIGNED, offset);
    }

    private static String hex(long value) {
        return value == 0 ? "NULL" : "0x" + Long.toHexString(value);
    }
}
