package reprise.record;

import java.lang.foreign.MemorySegment;
import reprise.linux.Errno;
import reprise.linux.SyscallNumber;
import reprise.runtime.BufferRecord;

/**
 * Tells a task that waits actively, through system calls, from one that gets on. Collectors and pools of threads do that:
 * they ask for the time and try a lock, again and again. On a core of their own it costs nothing; where tasks take turns it
 * keeps up the one that has the lock.
 */
final class Polls {
    /** Fewer calls in a turn are no sign of it. */
    private static final int AT_LEAST = 16;

    private Polls() {}

    /** Whether some buffered calls are many, and each only asks for the time or whether something is there that is not. */
    static boolean areAll(MemorySegment records) {
        BufferRecord record = new BufferRecord(records);
        int count = 0;
        while (record.next()) {
            if (!record.isCounter() && !isPoll(record.number(), record.result())) {
                return false;
            }
            count++;
        }
        return count >= AT_LEAST;
    }

    private static boolean isPoll(int number, long result) {
        return switch (number) {
            case SyscallNumber.CLOCK_GETTIME,
                    SyscallNumber.GETTIMEOFDAY,
                    SyscallNumber.TIME,
                    SyscallNumber.GETCPU,
                    SyscallNumber.GETPID,
                    SyscallNumber.GETTID,
                    SyscallNumber.GETRUSAGE,
                    SyscallNumber.SCHED_YIELD -> true;
            case SyscallNumber.POLL,
                    SyscallNumber.PPOLL,
                    SyscallNumber.SELECT,
                    SyscallNumber.PSELECT6,
                    SyscallNumber.EPOLL_WAIT,
                    SyscallNumber.EPOLL_PWAIT,
                    SyscallNumber.WAIT4 -> result == 0;
            default -> result == -Errno.EAGAIN;
        };
    }
}
