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
public record MemoryRegion(long start, long end, int protection, boolean shared, long offset, String path) {}
