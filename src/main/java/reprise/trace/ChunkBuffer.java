package reprise.trace;

import java.lang.foreign.MemorySegment;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/**
 * The memory in which a chunk's events are put together.
 *
 * <p>Address space is reserved once and made accessible as needed, so that a buffer that grows for a huge event stays
 * where it is: what was handed out for filling stays valid, and nothing is copied. Owned by the tracer's thread until
 * it is handed over, then by the {@link ChunkWriter}; only {@link #published} may be read by the latter before.
 */
final class ChunkBuffer {
    /** Address space of a buffer; more than a chunk can ever hold, since the kernel moves 2 GiB at most in a call. */
    static final long RESERVED = 1L << 33;

    /** Not a buffer: the end of a queue. */
    static final ChunkBuffer NONE = new ChunkBuffer(0);

    private static final long STEP = 1 << 20;
    private static final int PROT_READ_WRITE = 3;
    /** MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE. */
    private static final int MAP_FLAGS = 0x2 | 0x20 | 0x4000;

    private static final int MADV_DONTNEED = 4;
    private static final int EVENT_BITS = 29;
    /** Bytes from one mark to the next, at least. */
    private static final long MARK_DISTANCE = 1 << 16;

    private static final int MARKS = 16;

    final MemorySegment memory;
    private final long address;
    private long accessible;

    /** Where the next byte goes. */
    long position;
    /** Sequence number of the first event. */
    long first;
    /** Complete events in it. */
    int events;

    long domains;
    /** Time of its first event. */
    long firstNanos;
    /** Whether the last event is {@link Event.End}. */
    boolean ends;

    private volatile long published;
    /** Ends of some of the complete events, as {@link #published} has them. */
    private final long[] marks = new long[MARKS];

    private int markCount;
    private long nextMark = MARK_DISTANCE;

    private ChunkBuffer(long address) {
        this.address = address;
        memory = MemorySegment.ofAddress(address).reinterpret(address == 0 ? 0 : RESERVED);
    }

    /** A buffer with address space, but no memory yet. */
    static ChunkBuffer reserve() {
        long result = Syscall.call(SyscallNumber.MMAP, 0, RESERVED, 0, MAP_FLAGS, -1, 0);
        if (result < 0 && result > -4096) {
            throw TraceException.ofErrno("cannot reserve memory for the trace's buffers", -result);
        }
        return new ChunkBuffer(result);
    }

    /** Makes {@code length} bytes from the position on accessible. */
    void ensure(long length) {
        if (length > accessible - position) {
            grow(length);
        }
    }

    private void grow(long length) {
        if (length < 0 || length > RESERVED - STEP - position) {
            throw new TraceException("an event of more than " + RESERVED / STEP + " MiB cannot be recorded");
        }
        long size = position + length + STEP & -STEP;
        long result = Syscall.call(SyscallNumber.MPROTECT, address + accessible, size - accessible, PROT_READ_WRITE);
        if (result < 0) {
            throw TraceException.ofErrno("cannot get memory for the trace's buffers", -result);
        }
        accessible = size;
    }

    /** The event whose last byte is in front of the position is complete. */
    void publish() {
        // Words in front, events behind, so that both are seen together. An event has three words at least, a buffer
        // 2^30: both fit.
        published = position >>> 3 << EVENT_BITS | events;
        if (position >= nextMark && markCount < MARKS) {
            marks[markCount++] = published;
            nextMark = position + MARK_DISTANCE;
        }
    }

    /** The number of ends that {@link #mark} tells. */
    int marks() {
        return markCount;
    }

    /** An end of complete events, for {@link #publishedPosition} and {@link #publishedEvents}; they ascend. */
    long mark(int index) {
        return marks[index];
    }

    /** The end of the last complete event, by any thread. */
    static long publishedPosition(long published) {
        return published >>> EVENT_BITS << 3;
    }

    /** The number of complete events, by any thread. */
    static int publishedEvents(long published) {
        return (int) (published & (1L << EVENT_BITS) - 1);
    }

    /** For {@link #publishedPosition} and {@link #publishedEvents}. */
    long published() {
        return published;
    }

    /** Makes it ready for another chunk; memory that a huge event needed goes back to the kernel. */
    void clear() {
        if (accessible > 8 * STEP) {
            Syscall.call(SyscallNumber.MADVISE, address + 2 * STEP, accessible - 2 * STEP, MADV_DONTNEED);
        }
        position = 0;
        events = 0;
        domains = 0;
        ends = false;
        published = 0;
        markCount = 0;
        nextMark = MARK_DISTANCE;
    }

    /** Gives the address space back; the buffer and what was handed out of it must not be used again. */
    void free() {
        Syscall.call(SyscallNumber.MUNMAP, address, RESERVED, 0);
    }
}
