package reprise.record;

import java.util.List;
import reprise.trace.Event;
import reprise.tracee.AddressSpace;
import reprise.tracee.ProcMaps;

/**
 * Private mappings of a file whose size changes. Replay shows the file's copy in the trace, which keeps its size; where the
 * mapping can be accessed now, or cannot any more, it is changed there.
 */
final class PrivateSizes {
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20;
    /** A whole number of pages behind the end of any file. */
    private static final long BEHIND_END = 1L << 50;

    private PrivateSizes() {}

    /** Adds the changes that replay needs in the task's address space. */
    static void follow(RecordedTask task, MappedFile file, long size, List<Event.MappingChange> changes) {
        long before = pages(file.privateSize);
        long now = pages(size);
        file.privateSize = size;
        if (before == now) {
            return;
        }
        List<ProcMaps.Region> regions = null;
        for (AddressSpace.Range<MappedFile> range : task.process.memory.mappings.ranges()) {
            long from = Math.max(range.offset(), Math.min(before, now));
            long to = Math.min(range.endOffset(), now > before ? now : Long.MAX_VALUE);
            if (range.file() != file || range.shared() || from >= to) {
                continue;
            }
            regions = regions == null ? ProcMaps.read(task.tid()) : regions;
            long shift = range.start() - range.offset();
            for (ProcMaps.Region region : regions) {
                long start = Math.max(from + shift, region.start());
                long end = Math.min(to + shift, region.end());
                if (start < end) {
                    changes.add(now > before ? appeared(region, start, end) : gone(file, region, start, end));
                }
            }
        }
    }

    private static long pages(long length) {
        return length + 4095 & ~4095L;
    }

    private static Event.Map appeared(ProcMaps.Region region, long start, long end) {
        return new Event.Map(new Event.Mapping(
                start,
                end - start,
                region.protection(),
                MAP_PRIVATE | MAP_ANONYMOUS,
                new Event.Anonymous(),
                region.path()));
    }

    /** Access raises SIGBUS. */
    private static Event.Map gone(MappedFile file, ProcMaps.Region region, long start, long end) {
        return new Event.Map(new Event.Mapping(
                start,
                end - start,
                region.protection(),
                MAP_PRIVATE,
                new Event.PrivateFile(file.stored, BEHIND_END),
                region.path()));
    }
}
