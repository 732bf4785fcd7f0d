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
    /** How long it took to name an instant, the last time, in nanoseconds. */
    long namingCost;
    /** System.nanoTime when the current task's turn should end, at the next event. */
    long sliceEnd;
    /** System.nanoTime when it should end without an event. */
    long computationEnd;

    Domain(int id) {
        this.id = id;
    }
}
