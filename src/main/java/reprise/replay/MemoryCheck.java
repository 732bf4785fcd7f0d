package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.trace.Event;
import reprise.tracee.PageHash;
import reprise.tracee.Tracee;

/** Compares memory with recorded checksums. */
final class MemoryCheck {
    private static final int PAGE = 4096;
    private static final int BATCH = 256;
    private static final int REPORTED = 16;

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment pages = arena.allocate((long) BATCH * PAGE, PAGE);
    private final PageHash hash = new PageHash(pages);
    private final MemorySegment local = arena.allocate(16, 8);
    private final MemorySegment remote = arena.allocate(16L * BATCH, 8);
    private long verified;

    /** Pages compared so far. */
    long verified() {
        return verified;
    }

    /**
     * Compares.
     *
     * @param places tells what is mapped at an address
     * @throws Mismatch that lists the pages which differ
     */
    void verify(Event.Checksum checksum, Tracee tracee, Places places) {
        long[] addresses = checksum.pages();
        StringBuilder differing = new StringBuilder();
        int count = 0;
        for (int from = 0; from < addresses.length; from += BATCH) {
            int to = Math.min(addresses.length, from + BATCH);
            boolean whole = readBatch(tracee, addresses, from, to);
            for (int i = from; i < to; i++) {
                MemorySegment page = pages.asSlice((long) (i - from) * PAGE, PAGE);
                boolean readable = whole || tracee.read(addresses[i], page, PAGE) == PAGE;
                long seen = readable ? hash.hash((i - from) * PAGE) : 0;
                if (!readable || seen != checksum.hashes()[i]) {
                    if (count++ < REPORTED) {
                        describe(differing, addresses[i], checksum.hashes()[i], readable, seen, places);
                    }
                }
            }
        }
        verified += addresses.length;
        if (count > 0) {
            throw new Mismatch(count + " of " + addresses.length + " pages of memory differ:\n" + differing
                    + (count > REPORTED ? "  and " + (count - REPORTED) + " more\n" : ""));
        }
    }

    /** Whether all pages have these hashes; ends at the first that has not. */
    boolean matches(long[] addresses, long[] hashes, Tracee tracee) {
        for (int i = 0; i < addresses.length; i++) {
            if (tracee.read(addresses[i], pages, PAGE) != PAGE || hash.hash(0) != hashes[i]) {
                return false;
            }
        }
        verified += addresses.length;
        return true;
    }

    private boolean readBatch(Tracee tracee, long[] addresses, int from, int to) {
        int count = to - from;
        local.set(JAVA_LONG, 0, pages.address());
        local.set(JAVA_LONG, 8, (long) count * PAGE);
        for (int i = 0; i < count; i++) {
            remote.set(JAVA_LONG, 16L * i, addresses[from + i]);
            remote.set(JAVA_LONG, 16L * i + 8, PAGE);
        }
        long result = Syscall.call(
                SyscallNumber.PROCESS_VM_READV, tracee.tid(), local.address(), 1, remote.address(), count, 0);
        return result == (long) count * PAGE;
    }

    private static void describe(
            StringBuilder text, long address, long recorded, boolean readable, long seen, Places places) {
        text.append(String.format("  0x%x in %s: ", address, places.describe(address)));
        text.append(
                readable
                        ? String.format("recorded hash %016x, replayed %016x%n", recorded, seen)
                        : String.format("recorded hash %016x, not mapped in the replay%n", recorded));
    }
}
