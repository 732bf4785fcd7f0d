package reprise.tracee;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/**
 * Finds the pages of one address space whose content changed.
 *
 * <p>Looked at is all content that a program can have made: anonymous memory, private file pages that were written, and
 * shared mappings. Pages that were never touched, untouched private file pages and the kernel's own (vdso, vvar,
 * vsyscall) are not. All tasks of the address space must be stopped, or in the kernel and writing only to excluded
 * ranges.
 *
 * <p>After exec or fork an address space is another one and needs another scanner.
 */
public final class MemoryScanner implements AutoCloseable {
    private static final long USER_END = 0x7fff_ffff_f000L;
    private static final int PAGE = PageHash.PAGE;
    private static final int BATCH = 256;

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment content = arena.allocate((long) BATCH * PAGE, PAGE);
    private final PageHash hash = new PageHash(content);
    private final MemorySegment local = arena.allocate(16, 8);
    private final MemorySegment remote = arena.allocate(16L * BATCH, 8);
    private final PageHashes known = new PageHashes();
    private final Pagemap pagemap;
    private final WriteTracking tracking;
    private boolean first = true;
    /** Whether pages are listed that have the content they had. */
    private boolean evenUnchanged;

    // What the scan in progress found.
    private List<ProcMaps.Region> maps;
    private List<long[]> excluded;
    private int mapsAt;
    private long[] batch = new long[BATCH];
    private int batched;
    private long[] pages = new long[64];
    private long[] hashes = new long[64];
    private int found;

    /**
     * What changed.
     *
     * @param complete whether this lists all pages, not only changed ones
     * @param pages addresses
     * @param hashes in the same order, see {@link PageHash}
     */
    public record Changes(boolean complete, long[] pages, long[] hashes) {}

    /**
     * A scanner for the address space of a stopped task.
     *
     * @param incremental let the kernel keep track of written pages, where it can. It makes the task perform system
     *     calls, and keeps mappings apart which would otherwise be one.
     */
    public MemoryScanner(Tracee tracee, boolean incremental) {
        pagemap = new Pagemap(tracee.tid());
        tracking = incremental && pagemap.scans() ? WriteTracking.start(tracee) : null;
    }

    /** Adds the pages in a range of private file mappings that are not the file's any more: pairs of start and length. */
    public static void ownPages(int tid, long start, long end, List<long[]> into) {
        try (Pagemap pagemap = new Pagemap(tid)) {
            ProcMaps.Region range = new ProcMaps.Region(start, end, 0, false, 0, 0, 0, "");
            pagemap.read(List.of(range), (from, to, categories) -> {
                if ((categories & Pagemap.FILE) == 0) {
                    into.add(new long[] {from, to - from});
                }
            });
        }
    }

    /** Whether the kernel keeps track of written pages; else every page is looked at each time. */
    public boolean isIncremental() {
        return tracking != null;
    }

    /**
     * The pages that changed since the last call; in the first, all.
     *
     * @param tracee any stopped task of the address space
     * @param excluded ranges not to look at, each a start and a length
     */
    public Changes changedPages(Tracee tracee, List<long[]> excluded) {
        return scan(tracee, excluded, false);
    }

    /**
     * All pages that may have been written since the last call, also those that have the content they had then, and all of
     * shared mappings that are writable. If the kernel does not keep track: all pages.
     *
     * @param tracee any stopped task of the address space
     * @param excluded ranges not to look at, each a start and a length
     */
    public Changes writtenPages(Tracee tracee, List<long[]> excluded) {
        return scan(tracee, excluded, true);
    }

    /**
     * From here on {@link #writtenPages} lists only what is written later, where the kernel keeps track; what was written
     * before is not looked at. A scanner of which this is called must not be asked for {@link #changedPages}.
     *
     * @param tracee any stopped task of the address space
     */
    public void forgetWrites(Tracee tracee) {
        if (tracking == null) {
            return;
        }
        maps = ProcMaps.read(tracee.tid());
        registerAll();
        pagemap.scan(0, USER_END, Pagemap.WRITE_PROTECT, Pagemap.WRITTEN, Pagemap.FILE, (start, end, categories) -> {});
        first = false;
    }

    /**
     * A range is not tracked until the next scan, and its mappings are as they would be if it never had been: mremap, for
     * one, fails where one that is tracked and one that is not would otherwise be the same mapping.
     */
    public void untrack(long start, long length) {
        if (tracking != null) {
            tracking.unregister(start, length);
        }
    }

    private Changes scan(Tracee tracee, List<long[]> excluded, boolean written) {
        evenUnchanged = written;
        this.excluded = excluded;
        maps = ProcMaps.read(tracee.tid());
        found = 0;
        batched = 0;
        if (tracking != null) {
            scanWritten(tracee, written);
        } else {
            mapsAt = 0;
            Pagemap.Sink sink = (start, end, categories) -> take(tracee, start, end, categories);
            if (!pagemap.scans() || pagemap.scan(0, USER_END, 0, 0, 0, sink) < 0) {
                mapsAt = 0;
                pagemap.read(maps, sink);
            }
        }
        flush(tracee);
        boolean complete = first;
        first = false;
        return new Changes(complete, Arrays.copyOf(pages, found), Arrays.copyOf(hashes, found));
    }

    /**
     * Mappings that are new, or lost their registration by mremap, are tracked from now on.
     *
     * @return those with which that is not possible: their pages have to be looked at each time
     */
    private List<long[]> registerAll() {
        List<long[]> untracked = new ArrayList<>();
        mapsAt = 0;
        pagemap.scan(0, USER_END, 0, 0, Pagemap.WP_ALLOWED | Pagemap.FILE, (start, end, categories) -> {
            for (int i = mappingAt(start); i < maps.size() && maps.get(i).start() < end; i++) {
                ProcMaps.Region region = maps.get(i);
                long[] previous = untracked.isEmpty() ? null : untracked.getLast();
                if (previous == null || previous[0] != region.start()) {
                    untracked.add(new long[] {region.start(), region.end()});
                }
            }
        });
        untracked.removeIf(range -> tracking.register(range[0], range[1] - range[0]));
        return untracked;
    }

    private void scanWritten(Tracee tracee, boolean written) {
        List<long[]> untracked = registerAll();
        Pagemap.Sink sink = (start, end, categories) -> take(tracee, start, end, categories);
        mapsAt = 0;
        pagemap.scan(0, USER_END, Pagemap.WRITE_PROTECT, Pagemap.WRITTEN, Pagemap.FILE, sink);
        for (long[] range : untracked) {
            mapsAt = 0;
            pagemap.scan(range[0], range[1], 0, 0, Pagemap.FILE, sink);
        }
        // What others write to shared memory, or into a file, this address space's page tables do not tell.
        mapsAt = 0;
        for (ProcMaps.Region region : maps) {
            if (region.shared()) {
                flush(tracee);
                evenUnchanged = written && (region.protection() & ProcMaps.WRITE) != 0;
                pagemap.scan(region.start(), region.end(), 0, 0, 0, sink);
            }
        }
    }

    /** Index of the first mapping that ends behind an address; addresses must ascend. */
    private int mappingAt(long address) {
        while (mapsAt < maps.size() && maps.get(mapsAt).end() <= address) {
            mapsAt++;
        }
        return mapsAt;
    }

    private void take(Tracee tracee, long start, long end, long categories) {
        for (int i = mappingAt(start); i < maps.size(); i++) {
            ProcMaps.Region region = maps.get(i);
            if (region.start() >= end || region.start() < 0) {
                return;
            }
            boolean untouched = !region.shared() && (categories & Pagemap.FILE) != 0;
            if (untouched || isKernels(region)) {
                continue;
            }
            long to = Math.min(end, region.end());
            for (long page = Math.max(start, region.start()); page < to; page += PAGE) {
                if (isExcluded(page)) {
                    continue;
                }
                if ((categories & Pagemap.ZERO_PAGE) != 0) {
                    found(page, PageHash.ZERO);
                } else {
                    batch[batched++] = page;
                    if (batched == BATCH) {
                        flush(tracee);
                    }
                }
            }
        }
    }

    private static boolean isKernels(ProcMaps.Region region) {
        String path = region.path();
        return path.startsWith("[v")
                && (path.startsWith("[vvar") || path.equals("[vdso]") || path.equals("[vsyscall]"));
    }

    private boolean isExcluded(long page) {
        for (long[] range : excluded) {
            if (page >= range[0] && page < range[0] + range[1]) {
                return true;
            }
        }
        return false;
    }

    private void flush(Tracee tracee) {
        if (batched == 0) {
            return;
        }
        local.set(JAVA_LONG, 0, content.address());
        local.set(JAVA_LONG, 8, (long) batched * PAGE);
        for (int i = 0; i < batched; i++) {
            remote.set(JAVA_LONG, 16L * i, batch[i]);
            remote.set(JAVA_LONG, 16L * i + 8, PAGE);
        }
        long count = Syscall.call(
                SyscallNumber.PROCESS_VM_READV, tracee.tid(), local.address(), 1, remote.address(), batched, 0);
        boolean whole = count == (long) batched * PAGE;
        for (int i = 0; i < batched; i++) {
            // Pages without read permission make the kernel stop in the middle.
            if (whole || tracee.read(batch[i], content.asSlice((long) i * PAGE, PAGE), PAGE) == PAGE) {
                found(batch[i], hash.hash(i * PAGE));
            }
        }
        batched = 0;
    }

    private void found(long page, long hash) {
        if (!known.put(page, hash) && !evenUnchanged) {
            return;
        }
        if (found == pages.length) {
            pages = Arrays.copyOf(pages, found * 2);
            hashes = Arrays.copyOf(hashes, found * 2);
        }
        pages[found] = page;
        hashes[found++] = hash;
    }

    @Override
    public void close() {
        pagemap.close();
        if (tracking != null) {
            tracking.close();
        }
    }
}
