package reprise.tracee;

/** A tracee's memory could not be read at an address. */
public final class UnreadableMemoryException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final long address;

    /** No readable memory at {@code address}. */
    public UnreadableMemoryException(long address) {
        super("no readable memory at 0x" + Long.toHexString(address));
        this.address = address;
    }

    /** The address. */
    public long address() {
        return address;
    }
}
