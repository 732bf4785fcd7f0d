package reprise.replay;

/**
 * A watchpoint.
 *
 * @param process thread group whose memory is watched
 * @param address first byte; a multiple of {@code length}
 * @param length 1, 2, 4 or 8 bytes
 */
public record Watch(int process, long address, int length, Access access) {
    /** What triggers it. The processor cannot tell reads alone: {@code READ} is triggered by writes too. */
    public enum Access {
        WRITE,
        READ,
        READ_OR_WRITE
    }
}
