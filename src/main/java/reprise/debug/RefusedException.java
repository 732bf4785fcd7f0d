package reprise.debug;

/** What the client asks for makes sense, but cannot be done; the message says why, in words for the user. */
final class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    RefusedException(String message) {
        super(message);
    }
}
