package reprise.tracee;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * Which parts of a process's memory show something that others can change: files and shared objects.
 *
 * <p>Anonymous private memory is not listed; the kernel knows it, and nobody else can write to it. Owned by the tracer
 * thread. Addresses are those of user space, so signed comparison is right.
 *
 * @param <F> what identifies a file or shared object
 */
public final class AddressSpace<F> {
    /**
     * A mapped part of a file.
     *
     * @param end address behind it
     * @param offset byte offset in the file of its first byte
     */
    public record Range<F>(long start, long end, F file, long offset, boolean shared) {
        /** The byte offset in the file behind the range's last byte. */
        public long endOffset() {
            return offset + (end - start);
        }
    }

    private final TreeMap<Long, Range<F>> ranges = new TreeMap<>();
    private long breakAddress;

    /** The program break as last seen; 0 if it was never asked for. */
    public long breakAddress() {
        return breakAddress;
    }

    /** Notes the program break. */
    public void setBreakAddress(long address) {
        breakAddress = address;
    }

    /** A copy, as fork makes it. */
    public AddressSpace<F> copy() {
        AddressSpace<F> copy = new AddressSpace<>();
        copy.ranges.putAll(ranges);
        copy.breakAddress = breakAddress;
        return copy;
    }

    /** Notes that a range now shows a file; what was there is gone. */
    public void map(long start, long length, F file, long offset, boolean shared) {
        unmap(start, length);
        ranges.put(start, new Range<>(start, start + length, file, offset, shared));
    }

    /** Notes that a range no longer shows what it did. */
    public void unmap(long start, long length) {
        long end = start + length;
        for (Range<F> range : overlapping(start, end)) {
            ranges.remove(range.start);
            if (range.start < start) {
                ranges.put(range.start, new Range<>(range.start, start, range.file, range.offset, range.shared));
            }
            if (range.end > end) {
                ranges.put(
                        end, new Range<>(end, range.end, range.file, range.offset + (end - range.start), range.shared));
            }
        }
    }

    /** Notes an mremap; with {@code keep} the old range stays too (old length 0, or MREMAP_DONTUNMAP). */
    public void remap(long oldStart, long oldLength, long newStart, long newLength, boolean keep) {
        List<Range<F>> moved = overlapping(oldStart, oldStart + Math.max(oldLength, 1));
        if (!keep) {
            unmap(oldStart, oldLength);
        }
        unmap(newStart, newLength);
        for (Range<F> range : moved) {
            long skipped = Math.max(0, oldStart - range.start);
            long at = Math.max(0, range.start - oldStart);
            // Since Linux 6.17 several mappings can be moved at once, if their size does not change.
            boolean last = range == moved.getLast();
            long length = last ? newLength - at : range.end - range.start - skipped;
            map(newStart + at, length, range.file, range.offset + skipped, range.shared);
        }
    }

    /** The ranges that intersect [start, end), ascending. */
    public List<Range<F>> overlapping(long start, long end) {
        List<Range<F>> found = new ArrayList<>();
        Long from = ranges.floorKey(start);
        for (Range<F> range : ranges.tailMap(from == null ? start : from, true).values()) {
            if (range.start >= end) {
                break;
            }
            if (range.end > start) {
                found.add(range);
            }
        }
        return found;
    }

    /** All ranges, ascending. */
    public Iterable<Range<F>> ranges() {
        return ranges.values();
    }
}
