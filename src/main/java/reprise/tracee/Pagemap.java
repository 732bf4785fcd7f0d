package reprise.tracee;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import reprise.linux.Errno;
import reprise.linux.Files;
import reprise.linux.LinuxException;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/**
 * Which pages of an address space are there, from /proc/PID/pagemap.
 *
 * <p>Uses the ioctl PAGEMAP_SCAN where the kernel has it (6.7), else reads the words of the file.
 */
final class Pagemap implements AutoCloseable {
    static final long WP_ALLOWED = 1;
    static final long WRITTEN = 1 << 1;
    static final long FILE = 1 << 2;
    static final long PRESENT = 1 << 3;
    static final long SWAPPED = 1 << 4;
    static final long ZERO_PAGE = 1 << 5;

    /** PM_SCAN_WP_MATCHING: write-protect what is reported, where that is tracked. */
    static final int WRITE_PROTECT = 1;

    private static final long PAGEMAP_SCAN = 0xc0606610L;
    private static final int ARGUMENT_SIZE = 96;
    private static final int REGIONS = 1024;
    private static final int REGION_SIZE = 24;
    private static final long PAGE = 4096;
    private static final int WORDS = 8192;
    private static final long WORD_PRESENT = 1L << 63;
    private static final long WORD_SWAPPED = 1L << 62;
    private static final long WORD_FILE = 1L << 61;

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment argument = arena.allocate(ARGUMENT_SIZE, 8);
    private final MemorySegment regions = arena.allocate((long) REGIONS * REGION_SIZE, 8);
    private final long descriptor;
    private final boolean scans;

    /** Takes a run of pages of equal categories, address ascending. */
    interface Sink {
        /** Pages from {@code start} to before {@code end} are of these categories. */
        void pages(long start, long end, long categories);
    }

    /**
     * Opens the one of a task.
     *
     * @throws LinuxException if the kernel does not allow it
     */
    Pagemap(int tid) {
        descriptor = Syscall.check(
                Files.open("/proc/" + tid + "/pagemap", Files.O_RDONLY, 0), "opening the pagemap of task " + tid);
        scans = scan(0, PAGE, 0, 0, 0, (start, end, categories) -> {}) >= 0;
    }

    /** Whether there is PAGEMAP_SCAN. */
    boolean scans() {
        return scans;
    }

    /**
     * Reports the pages that are present or swapped out.
     *
     * @param flags 0 or {@link #WRITE_PROTECT}
     * @param wanted categories that pages must be of
     * @param unwanted categories that pages must not be of
     * @return 0, or -errno
     */
    long scan(long from, long to, int flags, long wanted, long unwanted, Sink sink) {
        long at = from;
        while (at < to) {
            argument.fill((byte) 0);
            argument.set(JAVA_LONG, 0, ARGUMENT_SIZE);
            argument.set(JAVA_LONG, 8, flags);
            argument.set(JAVA_LONG, 16, at);
            argument.set(JAVA_LONG, 24, to);
            argument.set(JAVA_LONG, 40, regions.address());
            argument.set(JAVA_LONG, 48, REGIONS);
            argument.set(JAVA_LONG, 64, unwanted);
            argument.set(JAVA_LONG, 72, wanted | unwanted);
            argument.set(JAVA_LONG, 80, PRESENT | SWAPPED);
            argument.set(JAVA_LONG, 88, WP_ALLOWED | WRITTEN | FILE | PRESENT | SWAPPED | ZERO_PAGE);
            long count = Syscall.call(SyscallNumber.IOCTL, descriptor, PAGEMAP_SCAN, argument.address());
            if (count == -Errno.EINTR) {
                continue;
            }
            if (count < 0) {
                return count;
            }
            for (long i = 0; i < count; i++) {
                long base = i * REGION_SIZE;
                sink.pages(
                        regions.get(JAVA_LONG, base),
                        regions.get(JAVA_LONG, base + 8),
                        regions.get(JAVA_LONG, base + 16));
            }
            at = argument.get(JAVA_LONG, 32);
        }
        return 0;
    }

    /** As {@link #scan} for all that is wanted by nobody in particular, by reading the file. */
    void read(List<ProcMaps.Region> maps, Sink sink) {
        MemorySegment words = Arena.ofAuto().allocate(8L * WORDS, 8);
        for (ProcMaps.Region region : maps) {
            long from = region.start();
            while (from < region.end() && from >= 0) {
                long count = Math.min(WORDS, (region.end() - from) / PAGE);
                long bytes =
                        Syscall.call(SyscallNumber.PREAD64, descriptor, words.address(), 8 * count, from / PAGE * 8);
                if (bytes <= 0) {
                    break;
                }
                for (long i = 0; i < bytes / 8; i++) {
                    long word = words.get(JAVA_LONG, 8 * i);
                    if ((word & (WORD_PRESENT | WORD_SWAPPED)) != 0) {
                        long page = from + i * PAGE;
                        sink.pages(page, page + PAGE, PRESENT | ((word & WORD_FILE) != 0 ? FILE : 0));
                    }
                }
                from += bytes / 8 * PAGE;
            }
        }
    }

    @Override
    public void close() {
        Files.close(descriptor);
    }
}
