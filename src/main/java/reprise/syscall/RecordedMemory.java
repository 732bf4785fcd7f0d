package reprise.syscall;

/** The memory that was recorded with a system call. */
@FunctionalInterface
public interface RecordedMemory {
    /** The bytes that were recorded from an address on; null if none were. */
    byte[] at(long address);
}
