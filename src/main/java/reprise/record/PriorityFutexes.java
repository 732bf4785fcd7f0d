package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import reprise.linux.Errno;
import reprise.linux.SyscallNumber;
import reprise.trace.TraceWriter;

/**
 * Futexes with priority inheritance, to whose word the kernel writes task ids.
 *
 * <p>It does so inside the calls of the tasks concerned, whose exits record the word, with one exception: who has to wait sets
 * the bit that says so, and then others run. That bit is set here, in an event of its own, before the call.
 */
final class PriorityFutexes {
    private static final int OPERATION = 0x7f;
    private static final int LOCK = 6;
    private static final int LOCK_2 = 13;
    private static final long WAITERS = 0x80000000L;
    private static final long OWNER = 0x3fffffffL;

    private final TraceWriter trace;

    PriorityFutexes(TraceWriter trace) {
        this.trace = trace;
    }

    /** Whether a call locks such a futex. */
    static boolean locks(RecordedTask task, int number) {
        int operation = (int) task.argument(1) & OPERATION;
        return number == SyscallNumber.FUTEX && (operation == LOCK || operation == LOCK_2);
    }

    /** Whether a task at the entry of a call that {@link #locks} will have to wait for another. */
    static boolean waits(RecordedTask task) {
        long owner = word(task) & OWNER;
        return owner != 0 && owner != TaskStatus.visibleTid(task.tid(), task.tid());
    }

    private static long word(RecordedTask task) {
        int length = 4;
        return task.tracee.read(task.argument(0), task.word, length) == length
                ? task.word.get(JAVA_INT, 0) & 0xffffffffL
                : 0;
    }

    /** Announces a task that will have to wait, as the kernel would. For replay it is as if the call were made anew. */
    void announce(RecordedTask task) {
        long word = word(task);
        if ((word & WAITERS) != 0) {
            return;
        }
        task.word.set(JAVA_INT, 0, (int) (word | WAITERS));
        if (!task.tracee.write(task.argument(0), task.word, 4)) {
            return;
        }
        trace.syscallExit(task.domain.id, task.tid(), task.entry, task.call, -Errno.ERESTARTNOINTR, null, null, 0);
        trace.write(task.tid(), task.argument(0), 4).copyFrom(task.word.asSlice(0, 4));
        trace.end();
    }
}
