package reprise.record;

import java.util.ArrayDeque;
import reprise.tracee.TracerClock;

/**
 * A set of tasks that share memory, of which one at a time runs user code.
 *
 * <p>Owned by the recorder's thread.
 */
final class Domain {
    final int id;
    /** The core that its tasks are bound to; -1 for none. */
    int core = -1;
    /** A core with less work, to which it moves at the next event; -1 for none. */
    int wantedCore = -1;
    /** TracerClock.nanoTime when it was found. */
    long wantedSince;
    /** TracerClock.nanoTime until which it looks for no other core. */
    long staysUntil = TracerClock.nanoTime();
    /** The task whose turn it is; null while all are in the kernel, stopped or waiting. */
    RecordedTask current;
    /** Stopped tasks that could go on, longest waiting first. */
    final ArrayDeque<RecordedTask> ready = new ArrayDeque<>();
    /** The task that entered a call last and whose entry is not yet in the trace; null if none. */
    RecordedTask entered;
    /** Whether the turn is being given already; what happens then may end it again. */
    boolean scheduling;
    /** Tasks alive. */
    int tasks;
    /** How long it takes to name an instant, in nanoseconds; 0 if not known. */
    long namingCost;
    /** TracerClock.nanoTime when the current task's turn should end, at the next event. */
    long sliceEnd;
    /** Whether it ends behind the first call at which somebody else is ready. */
    boolean eager;
    /** TracerClock.nanoTime when it should end without an event. */
    long computationEnd;

    Domain(int id) {
        this.id = id;
    }

    /** Whether some task runs user code. */
    boolean isComputing() {
        return current != null && current.state == RecordedTask.State.RUNNING && !current.inCall;
    }

    /** Takes in how long it took once. The first time may be long, and one that was disturbed says little. */
    void noteNamingCost(long nanos) {
        namingCost = namingCost == 0 ? nanos : Math.min(nanos, (3 * namingCost + nanos) / 4);
    }
}
