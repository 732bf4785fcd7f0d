package reprise.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Waiting for tracees: wait4(2), restricted to those of the calling thread. */
public final class Wait {
    public static final int WNOHANG = 1;
    private static final int WALL = 0x40000000;
    private static final int WNOTHREAD = 0x20000000;

    private static final ThreadLocal<MemorySegment> STATUS =
            ThreadLocal.withInitial(() -> Arena.global().allocate(8, 8));

    private Wait() {}

    /**
     * Waits for a change of state of a tracee of this thread.
     *
     * @param tid the task, or -1 for any
     * @param options 0 or {@link #WNOHANG}
     * @return tid in the upper half, wait status in the lower; 0 if WNOHANG and nothing happened; -ECHILD without
     *     tracees. EINTR is retried.
     */
    public static long any(int tid, int options) {
        long result;
        do {
            result = interruptible(tid, options);
        } while (result == -Errno.EINTR);
        return result;
    }

    /** As {@link #any}, but -EINTR if a signal interrupted it. */
    public static long interruptible(int tid, int options) {
        MemorySegment status = STATUS.get();
        long result = Syscall.call(SyscallNumber.WAIT4, tid, status.address(), options | WALL | WNOTHREAD, 0);
        return result <= 0 ? result : result << 32 | status.get(JAVA_INT, 0) & 0xffffffffL;
    }

    /** The task of a result of {@link #any}. */
    public static int tid(long result) {
        return (int) (result >> 32);
    }

    /** The wait status of a result of {@link #any}. */
    public static int status(long result) {
        return (int) result;
    }

    /** Whether the task is stopped. */
    public static boolean isStopped(int status) {
        return (status & 0xff) == 0x7f;
    }

    /** Whether the task ended by exit. */
    public static boolean isExited(int status) {
        return (status & 0x7f) == 0;
    }

    /** Whether the task was ended by a signal. */
    public static boolean isSignaled(int status) {
        return !isStopped(status) && !isExited(status);
    }

    /** The exit status of a task that {@link #isExited}. */
    public static int exitStatus(int status) {
        return status >> 8 & 0xff;
    }

    /** The signal that ended a task that {@link #isSignaled}. */
    public static int terminatingSignal(int status) {
        return status & 0x7f;
    }

    /** The signal of a stop; SIGTRAP|0x80 for a system call stop. */
    public static int stopSignal(int status) {
        return status >> 8 & 0xff;
    }

    /** The PTRACE_EVENT_ of a stop; 0 if it is none. */
    public static int event(int status) {
        return status >> 16 & 0xff;
    }

    /** Whether this is a stop at the entry or exit of a system call. */
    public static boolean isSyscallStop(int status) {
        return isStopped(status) && stopSignal(status) == (Signal.SIGTRAP | 0x80);
    }

    /** For messages. */
    public static String describe(int status) {
        if (isExited(status)) {
            return "exit status " + exitStatus(status);
        }
        if (isSignaled(status)) {
            return "killed by " + Signal.name(terminatingSignal(status));
        }
        int event = event(status);
        return "stopped by " + (isSyscallStop(status) ? "a system call" : Signal.name(stopSignal(status)))
                + (event == 0 ? "" : ", event " + event);
    }
}
