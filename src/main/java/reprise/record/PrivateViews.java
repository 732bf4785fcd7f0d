package reprise.record;

import java.util.ArrayList;
import java.util.List;
import reprise.trace.Event;
import reprise.tracee.AddressSpace;
import reprise.tracee.MemoryScanner;
import reprise.tracee.ProcMaps;

/**
 * Private mappings of a file that becomes a shared object. Pages that were not written show what others store in it from
 * now on, so at replay they show the object instead of the file's copy in the trace.
 */
final class PrivateViews {
    private static final int MAP_PRIVATE = 2;

    private final List<long[]> own = new ArrayList<>();

    /** Adds the changes that replay needs in the task's address space. */
    void show(RecordedTask task, MappedFile file, List<Event.MappingChange> changes) {
        List<ProcMaps.Region> regions = null;
        for (AddressSpace.Range<MappedFile> range : task.process.memory.mappings.ranges()) {
            if (range.file() != file || range.shared()) {
                continue;
            }
            regions = regions == null ? ProcMaps.read(task.tid()) : regions;
            for (ProcMaps.Region region : regions) {
                long start = Math.max(range.start(), region.start());
                long end = Math.min(range.end(), region.end());
                // What the call itself has mapped over an old mapping is not that one any more.
                if (start < end && !region.shared() && region.inode() == file.inode) {
                    long offset = range.offset() + start - range.start();
                    changes.add(new Event.Map(new Event.Mapping(
                            start,
                            end - start,
                            region.protection(),
                            MAP_PRIVATE,
                            new Event.Shared(file.object, offset),
                            region.path())));
                    MemoryScanner.ownPages(task.tid(), start, end, own);
                }
            }
        }
        file.stored = 0;
    }

    /** The pages of these mappings that the program has written: start and length pairs. They are told once. */
    List<long[]> takeOwn() {
        List<long[]> pages = List.copyOf(own);
        own.clear();
        return pages;
    }
}
