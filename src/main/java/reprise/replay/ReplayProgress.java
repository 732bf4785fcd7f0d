package reprise.replay;

/** Told by a replay where it is. */
@FunctionalInterface
public interface ReplayProgress {
    /** Tells nobody. */
    ReplayProgress NONE = (event, nanos) -> {};

    /**
     * The replay has applied an event. Called by the replaying thread every few hundred events.
     *
     * @param event its sequence number
     * @param nanos its time in the recording
     */
    void reached(long event, long nanos);
}
