package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import reprise.runtime.BufferLayout;
import reprise.trace.Event;

/**
 * The larger ranges of an address space that hold private anonymous memory and no code, or nothing: where the stub may map, unmap
 * and protect pages without a stop, since nobody but the kernel has to know of it. All other changes of mappings are traced, so that
 * these ranges are known at any time. The stub adds to them what it maps, so what is in the tracee counts once the stub is there.
 */
final class PlainRanges {
    /** A smaller one is not worth a place, in bytes. */
    private static final long SMALLEST = 0x8000;

    private static final int EXECUTE = 4;
    private static final int GROWS_DOWN = 0x100;

    private final long[] starts = new long[BufferLayout.PLAIN_RANGES_COUNT];
    private final long[] ends = new long[BufferLayout.PLAIN_RANGES_COUNT];
    private boolean changed;

    PlainRanges copy() {
        PlainRanges copy = new PlainRanges();
        System.arraycopy(starts, 0, copy.starts, 0, starts.length);
        System.arraycopy(ends, 0, copy.ends, 0, ends.length);
        return copy;
    }

    /** A traced call changed the address space. */
    void follow(Event.MappingChange change) {
        switch (change) {
            case Event.Map(Event.Mapping mapping) -> {
                long end = mapping.address() + mapping.length();
                remove(mapping.address(), end);
                if (mapping.backing() instanceof Event.Anonymous
                        && (mapping.protection() & EXECUTE) == 0
                        && (mapping.flags() & GROWS_DOWN) == 0) {
                    add(mapping.address(), end);
                }
            }
            case Event.Unmap unmap -> remove(unmap.address(), unmap.address() + unmap.length());
            case Event.Protect protect -> {
                if ((protect.protection() & EXECUTE) != 0) {
                    remove(protect.address(), protect.address() + protect.length());
                }
            }
            case Event.Remap remap -> {
                remove(remap.oldAddress(), remap.oldAddress() + remap.oldLength());
                remove(remap.newAddress(), remap.newAddress() + remap.newLength());
            }
            case Event.Resize resize -> {}
            case Event.Discard discard -> {}
        }
    }

    /** A new range, joined with those it touches; in place of the smallest where there are too many. */
    private void add(long start, long end) {
        long from = start;
        long to = end;
        for (int index = 0; index < starts.length; index++) {
            if (starts[index] < ends[index] && starts[index] <= to && from <= ends[index]) {
                from = Math.min(from, starts[index]);
                to = Math.max(to, ends[index]);
                set(index, 0, 0);
            }
        }
        int smallest = 0;
        for (int index = 1; index < starts.length; index++) {
            if (ends[index] - starts[index] < ends[smallest] - starts[smallest]) {
                smallest = index;
            }
        }
        if (to - from >= SMALLEST && to - from > ends[smallest] - starts[smallest]) {
            set(smallest, from, to);
        }
    }

    private void remove(long start, long end) {
        for (int index = 0; index < starts.length; index++) {
            long from = starts[index];
            long to = ends[index];
            if (from >= end || start >= to) {
                continue;
            }
            boolean before = start - from >= to - end;
            set(index, before ? from : end, before ? Math.max(from, start) : Math.max(end, to));
            // The smaller part is lost unless there is room.
            if (start > from && end < to) {
                add(before ? end : from, before ? to : start);
            }
        }
    }

    private void set(int index, long start, long end) {
        starts[index] = start < end ? start : 0;
        ends[index] = start < end ? end : 0;
        changed = true;
    }

    /** Whether it is other than when last asked. */
    boolean takeChanged() {
        boolean was = changed;
        changed = false;
        return was;
    }

    /** Puts it where the stub looks: pairs of start and end, some of them empty. */
    void write(MemorySegment into) {
        for (int index = 0; index < starts.length; index++) {
            into.set(JAVA_LONG, 16L * index, starts[index]);
            into.set(JAVA_LONG, 16L * index + 8, ends[index]);
        }
    }

    /** Takes over what the stub knows: it maps and unmaps by itself. */
    void read(MemorySegment from) {
        for (int index = 0; index < starts.length; index++) {
            starts[index] = from.get(JAVA_LONG, 16L * index);
            ends[index] = from.get(JAVA_LONG, 16L * index + 8);
        }
    }

    /** Something of the recorder's is in a range, which the program may take for free. */
    void exclude(long start, long end) {
        remove(start, end);
    }

    /** Whether all of a range is in one of these. */
    boolean contain(long start, long end) {
        for (int index = 0; index < starts.length; index++) {
            if (starts[index] <= start && end <= ends[index] && starts[index] < ends[index]) {
                return true;
            }
        }
        return false;
    }
}
