package reprise.tracee;

/** The task ended in the middle of what the tracer did with it; only SIGKILL can do that. */
public final class TraceeGoneException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int tid;
    private final int waitStatus;

    /**
     * Task {@code tid} is going.
     *
     * @param waitStatus the status that told so (an exit, or the stop at PTRACE_EVENT_EXIT); 0 if none was seen yet
     */
    public TraceeGoneException(int tid, int waitStatus) {
        super("task " + tid + " is gone", null, false, false);
        this.tid = tid;
        this.waitStatus = waitStatus;
    }

    /** The task. */
    public int tid() {
        return tid;
    }

    /** What wait(2) said; 0 if nothing yet. */
    public int waitStatus() {
        return waitStatus;
    }
}
