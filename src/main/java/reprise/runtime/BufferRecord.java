package reprise.runtime;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.util.List;
import reprise.syscall.CompactOutput;
import reprise.syscall.SyscallTable;

/**
 * Reads the records of buffered system calls, one after the other. A record is
 *
 * <pre>
 *   length in bytes (32 bits) | number of the call (16) | its entry in the stub's table (16)
 *   result
 *   as many arguments as it has, up to six
 *   what the kernel wrote, each piece padded to words
 * </pre>
 */
public final class BufferRecord {
    static final int RESULT = 8;
    static final int ARGUMENTS = 16;
    /** Bytes in front of what the kernel wrote, of a call with six arguments. */
    static final int LARGEST_HEADER = ARGUMENTS + 6 * 8;

    private final MemorySegment records;
    private long next;
    private long at = -1;
    private int entry;
    private int arguments;

    /** A reader in front of the first of some records. */
    public BufferRecord(MemorySegment records) {
        this.records = records;
    }

    /** Goes to the next record; false if there is none, or what is there cannot be one. */
    public boolean next() {
        if (next < 0 || records.byteSize() - next < ARGUMENTS) {
            return false;
        }
        long length = Integer.toUnsignedLong(records.get(JAVA_INT, next));
        if (length < ARGUMENTS || length > records.byteSize() - next || length % 8 != 0) {
            next = -1;
            return false;
        }
        at = next;
        entry = records.get(JAVA_SHORT, at + 6) & 0xffff;
        arguments = BufferTable.arguments(entry);
        if (length < ARGUMENTS + 8L * arguments) {
            next = -1;
            return false;
        }
        next += length;
        return true;
    }

    /** Goes back in front of the first. */
    public void rewind() {
        next = 0;
        at = -1;
    }

    /** What a {@link #number} stands for. */
    public static String name(int number) {
        return number == BufferTable.COUNTER ? "rdtsc" : SyscallTable.name(number);
    }

    /** Whether this is no system call: the program read the time stamp counter, which is the result. */
    public boolean isCounter() {
        return number() == BufferTable.COUNTER;
    }

    /** Number of the system call. */
    public int number() {
        return records.get(JAVA_SHORT, at + 4) & 0xffff;
    }

    /** Its result, -errno included. */
    public long result() {
        return records.get(JAVA_LONG, at + RESULT);
    }

    /** One of its arguments; 0 if it does not have as many. */
    public long argument(int index) {
        return index >= arguments ? 0 : records.get(JAVA_LONG, at + ARGUMENTS + 8L * index);
    }

    /** Length of the record in bytes. */
    public long length() {
        return next - at;
    }

    /** Bytes of what the kernel wrote. */
    public long writtenLength() {
        return length() - ARGUMENTS - 8L * arguments;
    }

    /** What the kernel wrote to an address; null if nothing was recorded there. */
    public MemorySegment written(long address) {
        long from = at + ARGUMENTS + 8L * arguments;
        if (result() < 0 && result() >= -4095) {
            return null;
        }
        for (CompactOutput output : outputs()) {
            long pointer = argument(output.pointer());
            long length = output.length(result(), argument(output.count()));
            if (pointer == 0 || length <= 0) {
                continue;
            }
            if (length > next - from) {
                return null;
            }
            if (pointer == address) {
                return records.asSlice(from, length);
            }
            from += length + 7 & ~7L;
        }
        return null;
    }

    private List<CompactOutput> outputs() {
        return BufferTable.outputs(entry);
    }
}
