package reprise.tracee;

import java.lang.foreign.MemorySegment;

/** Read access to the memory of a stopped tracee. */
public interface MemoryReader {
    /**
     * Copies tracee memory.
     *
     * @param address unsigned address in the tracee
     * @param into where to, at most its size
     * @param length bytes wanted
     * @return bytes copied from the start of the range before the first unreadable page; 0 if none
     */
    long read(long address, MemorySegment into, long length);

    /**
     * The 64-bit word at an address.
     *
     * @throws UnreadableMemoryException if it is not mapped readable
     */
    long readWord(long address);

    /**
     * The 32-bit word at an address, zero-extended.
     *
     * @throws UnreadableMemoryException if it is not mapped readable
     */
    long readInt(long address);
}
