package reprise.tracee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.x86.Registers;

class MemoryScannerTest {
    private static final long CODE = 0x1000_0000L;
    private static final long BASE = 0x2000_0000L;
    private static final int PAGE = 4096;
    private static final int PAGES = 256;
    private static final int PRIVATE = 0x32;
    private static final int SHARED = 0x31;

    private Tracee tracee;
    private final Map<Long, Long> known = new HashMap<>();

    @BeforeEach
    void start() {
        tracee = Parked.spawn(Ptrace.O_TRACESYSGOOD | Ptrace.O_EXITKILL);
        // PROT_READ|PROT_WRITE|PROT_EXEC; mov [rdi], rax; int3
        map(CODE, PAGE, 7, PRIVATE);
        tracee.writeWord(CODE, 0xcc078948L);
    }

    @AfterEach
    void stop() {
        Syscall.call(SyscallNumber.KILL, tracee.tid(), Signal.SIGKILL, 0);
        Wait.any(tracee.tid(), 0);
    }

    private void map(long address, long length, int protection, int flags) {
        assertThat(tracee.remote(SyscallNumber.MMAP, address, length, protection, flags, -1, 0))
                .isEqualTo(address);
    }

    /** The tracee writes a word by an instruction of its own. */
    private void store(long address, long value) {
        tracee.set(Registers.RIP, CODE);
        tracee.set(Registers.ORIG_RAX, -1);
        tracee.set(Registers.RDI, address);
        tracee.set(Registers.RAX, value);
        tracee.resume(Ptrace.CONT, 0);
        assertThat(Wait.stopSignal(tracee.awaitStop())).isEqualTo(Signal.SIGTRAP);
    }

    /** The kernel writes on the tracee's behalf. */
    private void kernelStore(long address) {
        assertThat(tracee.remote(SyscallNumber.GETRANDOM, address, 8, 0, 0, 0, 0))
                .isEqualTo(8);
    }

    private List<Long> scan(MemoryScanner scanner) {
        MemoryScanner.Changes changes = scanner.changedPages(tracee, List.of());
        for (int i = 0; i < changes.pages().length; i++) {
            known.put(changes.pages()[i], changes.hashes()[i]);
        }
        return java.util.Arrays.stream(changes.pages()).boxed().toList();
    }

    private static Long page(int index) {
        return BASE + (long) index * PAGE;
    }

    @Test
    void listsWhatWasWrittenSinceTheLastTime() {
        listsWhatWasWritten(new MemoryScanner(tracee, false));
    }

    @Test
    void listsWhatWasWrittenSinceTheLastTimeWhenTheKernelTracksIt() {
        MemoryScanner scanner = new MemoryScanner(tracee, true);
        assumeTrue(scanner.isIncremental(), "no userfaultfd write tracking here");
        listsWhatWasWritten(scanner);
    }

    private void listsWhatWasWritten(MemoryScanner scanner) {
        map(BASE, PAGES * PAGE, 3, PRIVATE);
        store(page(3), 1);
        assertThat(scan(scanner)).contains(CODE, page(3)).doesNotContain(RuntimePage.ADDRESS, page(4));
        assertThat(scan(scanner)).isEmpty();
        store(page(3) + 8, 2);
        store(page(5), 3);
        kernelStore(page(7));
        tracee.writeWord(page(9), 4);
        assertThat(scan(scanner)).containsExactly(page(3), page(5), page(7), page(9));
        store(page(3) + 8, 2);
        assertThat(scan(scanner)).as("written, but not changed").isEmpty();
        map(page(PAGES), PAGE, 3, PRIVATE);
        store(page(PAGES), 1);
        store(page(0), 1);
        assertThat(scan(scanner)).as("a new mapping").containsExactlyInAnyOrder(page(0), page(PAGES));
        store(page(PAGES), 2);
        assertThat(scan(scanner)).containsExactly(page(PAGES));
        map(page(3), PAGE, 3, PRIVATE);
        store(page(3), 5);
        assertThat(scan(scanner)).as("mapped over").containsExactly(page(3));
        // MADV_DONTNEED
        tracee.remote(SyscallNumber.MADVISE, page(5), PAGE, 4, 0, 0, 0);
        assertThat(scan(scanner)).isEmpty();
        store(page(5) + 8, 0);
        assertThat(scan(scanner)).as("back as zeroes").containsExactly(page(5));
        assertThat(known).containsEntry(page(5), PageHash.ZERO);
        // MREMAP_MAYMOVE|MREMAP_FIXED
        long moved = page(1000);
        tracee.remote(SyscallNumber.MREMAP, page(7), 4L * PAGE, 4L * PAGE, 3, moved, 0);
        assertThat(scan(scanner)).as("moved").contains(moved, moved + 2L * PAGE);
        store(moved, 9);
        assertThat(scan(scanner)).containsExactly(moved);
        store(moved, 10);
        assertThat(scan(scanner)).containsExactly(moved);
        map(page(2000), 4L * PAGE, 3, SHARED);
        store(page(2001), 9);
        assertThat(scan(scanner)).containsExactly(page(2001));
        store(page(2001), 10);
        assertThat(scan(scanner)).containsExactly(page(2001));
        scanner.close();
    }

    @Test
    void trackingFindsWhatLookingAtEverythingFinds() {
        MemoryScanner tracking = new MemoryScanner(tracee, true);
        assumeTrue(tracking.isIncremental(), "no userfaultfd write tracking here");
        MemoryScanner full = new MemoryScanner(tracee, false);
        Random random = new Random(4711);
        map(BASE, 4L * PAGES * PAGE, 3, PRIVATE);
        for (int round = 0; round < 300; round++) {
            for (int operation = random.nextInt(6); operation >= 0; operation--) {
                operate(random);
            }
            List<Long> expected = scan(full);
            assertThat(scan(tracking)).as("round " + round).containsExactlyInAnyOrderElementsOf(expected);
        }
        tracking.close();
        full.close();
    }

    private void operate(Random random) {
        int index = random.nextInt(4 * PAGES - 8);
        long length = PAGE * (1L + random.nextInt(8));
        switch (random.nextInt(10)) {
            case 0 -> map(page(index), length, 3, PRIVATE);
            case 1 -> tracee.remote(SyscallNumber.MADVISE, page(index), length, 4, 0, 0, 0);
            case 2 -> {
                tracee.remote(SyscallNumber.MPROTECT, page(index), length, 1, 0, 0, 0);
                tracee.remote(SyscallNumber.MPROTECT, page(index), length, 3, 0, 0, 0);
            }
            case 3 -> {
                int target = random.nextInt(4 * PAGES - 8);
                if (Math.abs(target - index) >= 8) {
                    tracee.remote(SyscallNumber.MREMAP, page(index), length, length, 3, page(target), 0);
                    map(page(index), length, 3, PRIVATE);
                }
            }
            case 4 -> kernelStore(page(index));
            case 5 -> tracee.writeWord(page(index), random.nextLong());
            default -> store(page(index) + 8, random.nextLong());
        }
    }

    @Test
    void hashesOfPagesThatDifferInOneBitDiffer() {
        MemorySegment page = Arena.ofAuto().allocate(PAGE, 8);
        assertThat(PageHash.hash(page)).isEqualTo(PageHash.ZERO);
        Map<Long, Integer> seen = new HashMap<>();
        for (int bit = 0; bit < PAGE * 8; bit++) {
            page.set(ValueLayout.JAVA_BYTE, bit / 8, (byte) (1 << bit % 8));
            assertThat(seen.put(PageHash.hash(page), bit)).isNull();
            page.set(ValueLayout.JAVA_BYTE, bit / 8, (byte) 0);
        }
    }
}
