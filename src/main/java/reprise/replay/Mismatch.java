package reprise.replay;

/** What was seen is not what was recorded. {@link ReplaySession} makes a {@link DivergenceException} of it. */
final class Mismatch extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** {@code text}: one or more lines without event and task. */
    Mismatch(String text) {
        super(text);
    }
}
