package reprise.replay;

import java.util.ArrayList;
import java.util.List;
import reprise.tracee.ProcMaps;
import reprise.tracee.RuntimePage;

/** Tells what is at an address of a carrier, in the recording's names. */
final class Places {
    private final Carrier carrier;
    private final StoredFiles files;
    private List<ProcMaps.Region> regions;

    Places(Carrier carrier, StoredFiles files) {
        this.carrier = carrier;
        this.files = files;
    }

    /** A file and offset, or another name for the memory at an address. */
    String describe(long address) {
        if (regions == null) {
            regions = ProcMaps.read(carrier.tid());
        }
        for (ProcMaps.Region region : regions) {
            if (Long.compareUnsigned(region.start(), address) <= 0 && Long.compareUnsigned(address, region.end()) < 0) {
                return describe(region, address);
            }
        }
        return "no mapping";
    }

    /**
     * All mappings of the program, ascending. Neighbours of one kind are one: whether the kernel makes one of them depends on which
     * pages were touched before a fork.
     */
    List<MemoryRegion> regions() {
        List<MemoryRegion> all = new ArrayList<>();
        for (ProcMaps.Region region : ProcMaps.read(carrier.tid())) {
            if (region.start() >= RuntimePage.ADDRESS && region.start() < Carrier.OWN_END) {
                continue;
            }
            MemoryRegion next = new MemoryRegion(
                    region.start(), region.end(), region.protection(), region.shared(), region.offset(), name(region));
            MemoryRegion last = all.isEmpty() ? null : all.getLast();
            if (last != null && last.continuesAs(next)) {
                all.set(all.size() - 1, last.upTo(next.end()));
            } else {
                all.add(next);
            }
        }
        return all;
    }

    private String name(ProcMaps.Region region) {
        if (region.inode() == 0) {
            return carrier.memory().isMainStack(region.start()) ? "[stack]" : "";
        }
        return files.recordedName(region.path());
    }

    private String describe(ProcMaps.Region region, long address) {
        String protection = ((region.protection() & ProcMaps.READ) != 0 ? "r" : "-")
                + ((region.protection() & ProcMaps.WRITE) != 0 ? "w" : "-")
                + ((region.protection() & ProcMaps.EXECUTE) != 0 ? "x" : "-")
                + (region.shared() ? "s" : "p");
        long into = address - region.start();
        if (region.inode() == 0) {
            String name = carrier.memory().isMainStack(region.start()) ? "the main stack" : "anonymous memory";
            return String.format("%s %s 0x%x+0x%x", name, protection, region.start(), into);
        }
        return String.format("%s %s+0x%x", files.recordedName(region.path()), protection, region.offset() + into);
    }
}
