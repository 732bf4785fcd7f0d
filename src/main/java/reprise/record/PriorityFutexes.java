package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import reprise.linux.Errno;
import reprise.linux.SyscallNumber;
import reprise.trace.TraceWriter;
import reprise.tracee.TaskStatus;

/**
 * Futexes with priority inheritance, to whose word the kernel writes task ids.
 *
 * <p>Mostly it does so inside the calls of the tasks concerned, whose exits record the word. There are two other moments, both in
 * calls that have not come to their end: who has to wait sets the bit that says so and goes to sleep; and who was given the
 * lock, by another's unlocking or death, may write its own id as it wakes (futex_lock_pi and fixup_pi_owner in
 * kernel/futex/pi.c). So nobody else runs until those concerned sleep again, or have come to the end of their calls. Who goes
 * to sleep has the word recorded in an event that looks as if the call were made anew; what is given away is recorded by the call
 * or the death that gives it.
 */
final class PriorityFutexes {
    private static final int OPERATION = 0x7f;
    private static final int LOCK = 6;
    private static final int UNLOCK = 7;
    private static final int WAIT_REQUEUE = 11;
    private static final int REQUEUE = 12;
    private static final int LOCK_2 = 13;
    private static final int WORD = 4;

    private final Recorder recorder;
    private final TraceWriter trace;

    PriorityFutexes(Recorder recorder, TraceWriter trace) {
        this.recorder = recorder;
        this.trace = trace;
    }

    /** Whether the call in flight of a task locks such a futex. */
    static boolean locks(RecordedTask task) {
        int operation = operation(task);
        return operation == LOCK || operation == LOCK_2;
    }

    /** Whether the call in flight of a task may give such a futex to another. */
    static boolean handsOver(RecordedTask task) {
        int operation = operation(task);
        return operation == UNLOCK || operation == REQUEUE;
    }

    private static int operation(RecordedTask task) {
        return task.inCall && task.call == SyscallNumber.FUTEX ? (int) task.argument(1) & OPERATION : -1;
    }

    /** A task sleeps in a call that {@link #locks}: records the word if that changed it. For replay the call is made anew. */
    void slept(RecordedTask task, int before) {
        if (word(task) == before) {
            return;
        }
        trace.syscallExit(task.domain.id, task.tid(), task.entry, task.call, -Errno.ERESTARTNOINTR, null, null, 0);
        trace.write(task.tid(), address(task), WORD).copyFrom(task.word.asSlice(0, WORD));
        trace.end();
    }

    /** The word of a call that locks or waits; 0 if it cannot be read. */
    int word(RecordedTask task) {
        return task.tracee.read(address(task), task.word, WORD) == WORD ? task.word.get(JAVA_INT, 0) : 0;
    }

    private static long address(RecordedTask task) {
        return task.argument(operation(task) == WAIT_REQUEUE ? 4 : 0);
    }

    /** Waits until everybody in a domain who was given a lock has taken it. */
    void settle(Domain domain) {
        for (RecordedTask task : recorder.all()) {
            if (task.domain == domain && isWaiting(task)) {
                awaitRest(task);
            }
        }
    }

    /** Whether anybody in a domain waits. */
    boolean anyWaits(Domain domain) {
        for (RecordedTask task : recorder.all()) {
            if (task.domain == domain && isWaiting(task)) {
                return true;
            }
        }
        return false;
    }

    /** A task has ended: waits until whoever was given what it had locked has it, and adds the words to the event that is open. */
    void died(RecordedTask dead) {
        for (RecordedTask task : recorder.all()) {
            boolean waits = task != dead && task.domain == dead.domain && isWaiting(task);
            if (waits && awaitRest(task) != 'X' && task.tracee.read(address(task), task.word, WORD) == WORD) {
                trace.write(task.tid(), address(task), WORD).copyFrom(task.word.asSlice(0, WORD));
            }
        }
    }

    private static boolean isWaiting(RecordedTask task) {
        return !task.endRecorded && (locks(task) || operation(task) == WAIT_REQUEUE);
    }

    /** A task that is woken is runnable before the call that wakes it returns; it rests asleep or stopped. */
    private static char awaitRest(RecordedTask task) {
        char state;
        do {
            Thread.onSpinWait();
            state = TaskStatus.of(task.tid()).state();
        } while (state == 'R' || state == 'D');
        return state;
    }
}
