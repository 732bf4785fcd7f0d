package reprise.trace;

/**
 * The layout of encoded events.
 *
 * <p>A chunk's events lie one behind the other in words of eight bytes, little-endian. An event begins with three
 * words:
 *
 * <pre>
 *   kind (8 bits) | flags (8) | small (16) | number (32)
 *   domain (32)   | tid (32)
 *   nanoseconds since the previous event of the chunk; for its first, since the recording began
 * </pre>
 *
 * then come the kind's own words, then register blocks (27 words each) and blobs (length, bytes, zeros to the next
 * word), then, for kinds that have lists, any number of parts and the word {@link #PART_END}. A part's first word is
 * {@code tag (8) | small (24) | number (32)}.
 *
 * <p>Measured on the registers of 600,000 system calls of find, sort, python and sh: whole register blocks, which
 * zstd then takes apart, cost 10.4 bytes an event and 260 ns for encoding and compression together; encoding only the
 * words that differ from the previous block of the task costs 8.6 bytes and 220 ns, but twice the time on the
 * tracer's thread (and on a JVM that has just started), and the reader could not hand out blocks without copying.
 */
final class TraceFormat {
    /** Version of the format that is written, and the highest that can be read. */
    static final int VERSION = 5;

    /**
     * The lowest that can be read: format 1 relied on other code in the process, format 2 had other hashes of memory, format 4 other
     * records of buffered calls.
     */
    static final int OLDEST = 5;

    static final int FILE_STORED = 1;
    static final int SHARED_OBJECT = 2;
    static final int EXEC = 3;
    static final int SYSCALL_ENTER = 4;
    static final int SYSCALL_EXIT = 5;
    static final int SIGNAL_DELIVERED = 6;
    static final int INSTRUCTION_TRAPPED = 7;
    static final int TASK_EXIT = 8;
    static final int CORE_BOUND = 9;
    static final int CHECKSUM = 10;
    static final int NOTE = 11;
    static final int END = 12;
    static final int EXECUTION_POINT = 13;
    static final int BUFFERED_CALLS = 14;
    static final int CODE_PATCHED = 15;

    /** In the flags: which of the optional blocks are there, and yes or no. */
    static final int HAS_FIRST_REGISTERS = 1;

    static final int HAS_SECOND_REGISTERS = 2;
    static final int HAS_EXTENDED_STATE = 4;
    static final int YES = 8;

    static final int PART_END = 0;
    /** number: tid; address, length, bytes. */
    static final int PART_WRITE = 1;
    /** small: backing; number: file or object; protection|flags, address, length, offset, name. */
    static final int PART_MAPPING = 2;
    /** As {@link #PART_MAPPING}, as a change. */
    static final int PART_MAP = 3;
    /** address, length. */
    static final int PART_UNMAP = 4;
    /** number: protection; address, length. */
    static final int PART_PROTECT = 5;
    /** number: flags; old address, old length, new address, new length. */
    static final int PART_REMAP = 6;
    /** number: advice; address, length. */
    static final int PART_DISCARD = 7;
    /** number: object; size. */
    static final int PART_RESIZE = 9;
    /** small: whether memory is shared; number: tid; domain, clone flags, registers. */
    static final int PART_CHILD = 8;

    static final int BACKING_ANONYMOUS = 0;
    static final int BACKING_PRIVATE_FILE = 1;
    static final int BACKING_SHARED = 2;

    /** Bytes of a {@link #PART_WRITE} in front of the data; the length is the last word of them. */
    static final int WRITE_HEADER = 24;

    /** A block of registers, in bytes. */
    static final int REGISTERS = 216;

    /** siginfo_t, in bytes. */
    static final int SIGNAL_INFO = 128;

    private TraceFormat() {}

    /** {@code length} and the zeros behind it. */
    static long padded(long length) {
        return length + 7 & ~7L;
    }
}
