package reprise.record;

import java.util.ArrayDeque;

/**
 * A set of tasks that share memory, of which one at a time runs user code.
 *
 * <p>Owned by the recorder's thread.
 */
final class Domain {
    final int id;
    /** The core that its tasks are bound to; -1 for none. */
    int core = -1;
    /** The task whose turn it is; null while all are in the kernel, stopped or waiting. */
    RecordedTask current;
    /** Stopped tasks that could go on, longest waiting first. */
    final ArrayDeque<RecordedTask> ready = new ArrayDeque<>();
    /** The task that entered a call last and whose entry is not yet in the trace; null if none. */
    RecordedTask entered;
    /** Tasks alive. */
    int tasks;
    /** By how much longer than usual a task may compute before it is interrupted: where naming an instant is costly. */
    long patience = 1;
    /** System.nanoTime when the current task's turn should end. */
    long sliceEnd;

    Domain(int id) {
        this.id = id;
    }
}
