package reprise.replay;

/**
 * A mapping of a process of the recording.
 *
 * @param start first address
 * @param end address behind it
 * @param protection PROT_ bits: 1 read, 2 write, 4 execute
 * @param offset byte offset in the file
 * @param path the file's path while recording, {@code [stack]}, or empty for anonymous memory
 */
public record MemoryRegion(long start, long end, int protection, boolean shared, long offset, String path) {
    /** Whether a mapping is more of the same right behind this one. */
    boolean continuesAs(MemoryRegion next) {
        return end == next.start
                && protection == next.protection
                && shared == next.shared
                && path.equals(next.path)
                && (path.isEmpty() || path.equals("[stack]") || offset + end - start == next.offset);
    }

    /** This and more of the same, up to an address. */
    MemoryRegion upTo(long address) {
        return new MemoryRegion(start, address, protection, shared, offset, path);
    }
}
