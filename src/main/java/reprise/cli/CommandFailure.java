package reprise.cli;

import java.util.Optional;

/** A command that cannot do what it was asked, for a reason the user can act on. */
final class CommandFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;
    private final transient Optional<String> hint;

    /**
     * A failure told in one line.
     *
     * @param status the exit status
     * @param message says what is wrong, without the command's name
     */
    CommandFailure(int status, String message) {
        this(status, message, Optional.empty());
    }

    /** A failure with a second line that says what to do. */
    CommandFailure(int status, String message, Optional<String> hint) {
        super(message, null, false, false);
        this.status = status;
        this.hint = hint;
    }

    int status() {
        return status;
    }

    Optional<String> hint() {
        return hint;
    }
}
