package reprise.record;

import reprise.linux.Ptrace;
import reprise.linux.Signal;

/**
 * A stop of a recorded task that another recorded task, its tracer, is to see.
 *
 * @param kind where the task stands, and so what has to be done for it to go on
 * @param waitStatus as wait(2) tells it to the tracer
 * @param signalInfo siginfo of the stop, 128 bytes; null where PTRACE_GETSIGINFO gives EINVAL
 * @param message what PTRACE_GETEVENTMSG gives
 */
record EmulatedStop(Kind kind, int waitStatus, byte[] signalInfo, long message) {
    enum Kind {
        /** At the entry of a system call, which is in the trace. */
        ENTRY,
        /** Right behind a system call. */
        EXIT,
        /** At an instant that an event names; nothing has to be done but to go on. */
        NAMED,
        /** In the kernel, waiting for the child of its vfork, whose event is in the trace. */
        VFORKING,
        /** In a signal-delivery stop of the kernel's, from which the signal can be delivered. */
        SIGNAL,
        /** At an instant that an event names; the signal that it stopped for has been taken away from the kernel. */
        TRAP,
        /** In a group stop. */
        GROUP,
        /** At its PTRACE_EVENT_EXIT. */
        DYING
    }

    private static final int SI_CODE = 8;

    /** A signal-delivery stop, or what looks like one. */
    static EmulatedStop ofSignal(Kind kind, int signal, byte[] info) {
        return new EmulatedStop(kind, stopped(signal), info, 0);
    }

    /** The stop of a PTRACE_EVENT_. */
    static EmulatedStop ofEvent(Kind kind, int event, int signal, long message) {
        int code = signal | event << 8;
        return new EmulatedStop(kind, stopped(code), info(signal, code), message);
    }

    /** A stop at the entry or exit of a system call. */
    static EmulatedStop ofCall(Kind kind, boolean marked) {
        int signal = marked ? Signal.SIGTRAP | 0x80 : Signal.SIGTRAP;
        // PTRACE_EVENTMSG_SYSCALL_ENTRY, PTRACE_EVENTMSG_SYSCALL_EXIT
        return new EmulatedStop(kind, stopped(signal), info(Signal.SIGTRAP, signal), kind == Kind.ENTRY ? 1 : 2);
    }

    private static int stopped(int code) {
        return code << 8 | 0x7f;
    }

    /** A siginfo with nothing but a signal and a code. */
    static byte[] info(int signal, int code) {
        byte[] info = new byte[Ptrace.SIGINFO_SIZE];
        word(info, 0, signal);
        word(info, SI_CODE, code);
        return info;
    }

    static void word(byte[] info, int offset, int value) {
        for (int index = 0; index < 4; index++) {
            info[offset + index] = (byte) (value >> 8 * index);
        }
    }
}
