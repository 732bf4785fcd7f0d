package reprise.replay;

/** The replay did something else than the recording; the message is a report for people. */
public final class DivergenceException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final long event;

    DivergenceException(long event, String report, Throwable cause) {
        super(report, cause);
        this.event = event;
    }

    /** Sequence number of the event at which it showed. */
    public long event() {
        return event;
    }

    /** Several lines: what was expected and seen, where, and what happened before. */
    public String report() {
        return getMessage();
    }
}
