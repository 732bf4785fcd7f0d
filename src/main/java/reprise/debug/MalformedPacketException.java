package reprise.debug;

/** The client sent a packet that makes no sense. It is answered with an error, and changes nothing. */
final class MalformedPacketException extends RuntimeException {
    private static final long serialVersionUID = 1;

    MalformedPacketException(String message) {
        super(message);
    }
}
