package reprise.syscall;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.TreeMap;
import reprise.tracee.MemoryReader;
import reprise.tracee.UnreadableMemoryException;

/** A system call in flight whose memory is what a test put there; a byte that was not put is unmapped. */
final class FakeCall implements CallView, MemoryReader {
    private final TreeMap<Long, Byte> memory = new TreeMap<>();
    private final long[] arguments = new long[6];

    FakeCall(long... values) {
        System.arraycopy(values, 0, arguments, 0, values.length);
    }

    FakeCall word(long address, long value) {
        for (int i = 0; i < 8; i++) {
            memory.put(address + i, (byte) (value >>> 8 * i));
        }
        return this;
    }

    FakeCall integer(long address, int value) {
        for (int i = 0; i < 4; i++) {
            memory.put(address + i, (byte) (value >>> 8 * i));
        }
        return this;
    }

    FakeCall mapped(long address, int length) {
        for (int i = 0; i < length; i++) {
            memory.putIfAbsent(address + i, (byte) 0);
        }
        return this;
    }

    @Override
    public long argument(int index) {
        return arguments[index];
    }

    @Override
    public MemoryReader memory() {
        return this;
    }

    @Override
    public long read(long address, MemorySegment into, long length) {
        for (long i = 0; i < length; i++) {
            Byte value = memory.get(address + i);
            if (value == null) {
                return i;
            }
            into.set(ValueLayout.JAVA_BYTE, i, value);
        }
        return length;
    }

    @Override
    public long readWord(long address) {
        return number(address, 8);
    }

    @Override
    public long readInt(long address) {
        return number(address, 4);
    }

    private long number(long address, int bytes) {
        long value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            Byte part = memory.get(address + i);
            if (part == null) {
                throw new UnreadableMemoryException(address);
            }
            value = value << 8 | part & 0xff;
        }
        return value;
    }
}
