package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.runtime.CodeReads;
import reprise.runtime.Probe;
import reprise.runtime.ProbeCheck;
import reprise.runtime.ProbePlanner;
import reprise.tracee.ProcMaps;
import reprise.tracee.Tracee;
import reprise.x86.Registers;

/**
 * A {@link Probe} in the memory of a carrier, from planting it to taking it away.
 *
 * <p>Between two events the program makes no system call and meets no fault, so it cannot see the mapping. It could see
 * the changed bytes only by reading its code as data. Code that the program can write, there or by way of another mapping of
 * the same object, is made read-only meanwhile, if whoever plants can do with a probe that has to be taken away when it is
 * written, and left alone otherwise. Others that share it do not run.
 */
final class PlantedProbe {
    private static final int MMAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE = 0x10_0022;
    private static final long PAGE = 4096;
    private static final int SEGV_ACCERR = 2;
    /** Offset of si_addr in siginfo. */
    private static final int FAULT_ADDRESS = 16;

    private final Carrier carrier;
    private final PointState wanted;
    private final Probe probe;
    /** What is kept from being written. */
    private final List<Guard> guards = new ArrayList<>();

    /** A range of pages, and how it is protected but for the probe. */
    private record Guard(long start, long end, int protection) {}

    /** The pages of the code, if it is shared: there even the tracer can write only what the program could. Else null. */
    private final Guard shared;

    private PlantedProbe(Carrier carrier, PointState wanted, Probe probe, ProcMaps.Region code) {
        this.carrier = carrier;
        this.wanted = wanted;
        this.probe = probe;
        long end = Math.min(code.end(), probe.site() + probe.jump().length + PAGE - 1 & -PAGE);
        shared = code.shared() ? new Guard(probe.site() & -PAGE, end, code.protection()) : null;
    }

    /**
     * Plants one at the instruction at which the carrier stands, and sends it on, past the comparison. Where the code can be
     * written the carrier may stop at that, see {@link #isAboutToBeWritten}.
     *
     * @return null if that is not possible there; then nothing has changed
     */
    static PlantedProbe plant(Carrier carrier, PointState wanted) {
        List<ProcMaps.Region> regions = ProcMaps.read(carrier.tid());
        PlantedProbe planted = plant(carrier, regions, wanted, false, true);
        if (planted != null) {
            planted.guard(regions);
        }
        return planted;
    }

    /** As {@link #plant(Carrier, PointState)}, of a kind that leaves the flags alone, and in code that cannot be written only. */
    static PlantedProbe plantInvisible(Carrier carrier, PointState wanted) {
        return plant(carrier, ProcMaps.read(carrier.tid()), wanted, true, false);
    }

    private static PlantedProbe plant(
            Carrier carrier,
            List<ProcMaps.Region> regions,
            PointState wanted,
            boolean invisible,
            boolean evenChanging) {
        // What cannot be written tells no instant from another, and may be the code that the jump to the probe
        // replaces. What calls in between unmap or protect could not be read.
        List<long[]> changing = carrier.buffer().changesToCome();
        List<ProbeCheck> checks = wanted.checks().stream()
                .filter(check -> !(check instanceof ProbeCheck.Word word)
                        || isWritable(regions, word.address())
                                && !isAtJump(regions, word.address(), wanted.site())
                                && !overlaps(changing, word.address(), Long.BYTES))
                .toList();
        PlantedProbe planted = plant(
                carrier,
                regions,
                wanted.site(),
                wanted,
                evenChanging,
                (planner, code) -> invisible
                        ? planner.planInvisible(wanted.site(), code, checks)
                        : planner.plan(wanted.site(), code, checks));
        if (planted != null) {
            planted.pass();
        }
        return planted;
    }

    /**
     * Plants one that triggers when its instruction is executed for the nth time from now on. If the carrier stands at the
     * instruction that is not counted.
     *
     * @return null if that is not possible there; then nothing has changed
     */
    static PlantedProbe plantCounter(Carrier carrier, long site, long count) {
        PlantedProbe planted = plant(
                carrier,
                ProcMaps.read(carrier.tid()),
                site,
                null,
                false,
                (planner, code) -> planner.planCounter(site, code));
        if (planted != null) {
            Tracee tracee = carrier.tracee();
            tracee.writeWord(planted.probe.counter(), count);
            tracee.set(Registers.RIP, planted.probe.moved(tracee.get(Registers.RIP)));
        }
        return planted;
    }

    /** How many executions a counter still waits for. */
    long left() {
        return carrier.tracee().readWord(probe.counter());
    }

    private static PlantedProbe plant(
            Carrier carrier,
            List<ProcMaps.Region> regions,
            long site,
            PointState wanted,
            boolean evenChanging,
            BiFunction<ProbePlanner, byte[], Probe> planning) {
        ProcMaps.Region region = regionOf(regions, site);
        byte[] code = region == null ? null : code(region, carrier.tracee(), site, evenChanging);
        if (code == null) {
            return null;
        }
        // The program may map memory itself before the next event.
        List<long[]> later = carrier.buffer().changesToCome();
        ProbePlanner planner = new ProbePlanner(
                (address, length) -> isFree(regions, address, length) && !overlaps(later, address, length));
        Probe probe = planning.apply(planner, code);
        if (probe == null) {
            return null;
        }
        int protection = ProcMaps.READ | ProcMaps.WRITE | ProcMaps.EXECUTE;
        int flags = MMAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE;
        carrier.remote(
                "mmap of a probe", SyscallNumber.MMAP, probe.address(), probe.image().length, protection, flags, -1, 0);
        PlantedProbe planted = new PlantedProbe(carrier, wanted, probe, region);
        planted.write(probe.address(), probe.image());
        planted.writeCode(probe.jump());
        return planted;
    }

    private static boolean isWritable(List<ProcMaps.Region> regions, long address) {
        ProcMaps.Region region = regionOf(regions, address);
        return region != null && (region.protection() & ProcMaps.WRITE) != 0;
    }

    /** The mapping that an address is in; null if there is none. */
    private static ProcMaps.Region regionOf(List<ProcMaps.Region> regions, long address) {
        for (ProcMaps.Region region : regions) {
            if (region.start() <= address && address < region.end()) {
                return region;
            }
        }
        return null;
    }

    private static boolean isFree(List<ProcMaps.Region> regions, long address, long length) {
        for (ProcMaps.Region region : regions) {
            if (region.start() < address + length && address < region.end()) {
                return false;
            }
        }
        return true;
    }

    private static boolean overlaps(List<long[]> ranges, long address, long length) {
        return ranges.stream().anyMatch(range -> range[0] < address + length && address < range[1]);
    }

    /** Whether a word may be among what the jump replaces, seen by this mapping or another. */
    private static boolean isAtJump(List<ProcMaps.Region> regions, long address, long site) {
        ProcMaps.Region code = regionOf(regions, site);
        ProcMaps.Region region = regionOf(regions, address);
        if (code == null || region == null || !showSame(region, code)) {
            return false;
        }
        long place = address - region.start() + region.offset();
        long jump = site - code.start() + code.offset();
        return place + Long.BYTES > jump && place < jump + ProbePlanner.WINDOW;
    }

    /** Whether two mappings are one, or show the same object. */
    private static boolean showSame(ProcMaps.Region one, ProcMaps.Region other) {
        return one == other
                || one.shared() && other.shared() && one.device() == other.device() && one.inode() == other.inode();
    }

    private void guard(List<ProcMaps.Region> regions) {
        long start = probe.site() & -PAGE;
        long end = probe.site() + probe.jump().length + PAGE - 1 & -PAGE;
        ProcMaps.Region code = regionOf(regions, probe.site());
        guard(regions, code, start - code.start(), Math.min(end, code.end()) - code.start());
    }

    /** Guards a part of a mapping, and whatever else shows the same bytes. */
    private void guard(List<ProcMaps.Region> regions, ProcMaps.Region code, long from, long to) {
        for (ProcMaps.Region region : regions) {
            long shift = region.start() + code.offset() - region.offset();
            long start = Math.max(region.start(), shift + from);
            long end = Math.min(region.end(), shift + to);
            if (showSame(region, code) && start < end && (region.protection() & ProcMaps.WRITE) != 0) {
                guards.add(new Guard(start, end, region.protection()));
                protect(start, end, region.protection() & ~ProcMaps.WRITE);
            }
        }
    }

    private void protect(long start, long end, int protection) {
        carrier.remote("mprotect of a probe", SyscallNumber.MPROTECT, start, end - start, protection, 0, 0, 0);
    }

    /** Whether the carrier stopped because the program writes to the code where the probe is: it has to be removed. */
    boolean isAboutToBeWritten(int status) {
        if (guards.isEmpty() || Wait.event(status) != 0 || Wait.stopSignal(status) != Signal.SIGSEGV) {
            return false;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(Ptrace.SIGINFO_SIZE, 8);
            Ptrace.getSignalInfo(carrier.tid(), info);
            long address = info.get(JAVA_LONG, FAULT_ADDRESS);
            return Ptrace.codeOf(info) == SEGV_ACCERR
                    && guards.stream().anyMatch(guard -> guard.start() <= address && address < guard.end());
        }
    }

    /** Lets the program's code be seen as it is, without the jump. */
    void hide() {
        writeCode(probe.before());
    }

    /** Takes {@link #hide} back. */
    void show() {
        writeCode(probe.jump());
    }

    /** The code at a place, unless it can be written or is shared, and that is not asked for; else null. */
    private static byte[] code(ProcMaps.Region region, Tracee tracee, long site, boolean evenChanging) {
        boolean changing = region.shared() || (region.protection() & ProcMaps.WRITE) != 0;
        if (changing && !evenChanging || isRead(region, tracee, site)) {
            return null;
        }
        int length = (int) Math.min(ProbePlanner.WINDOW, region.end() - site);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(length);
            return tracee.read(site, bytes, length) == length ? bytes.toArray(JAVA_BYTE) : null;
        }
    }

    /** Whether code nearby reads as data what the jump to a probe would replace. */
    private static boolean isRead(ProcMaps.Region region, Tracee tracee, long site) {
        long from = Math.max(region.start(), site - CodeReads.REACH);
        long length = Math.min(region.end(), site + CodeReads.REACH) - from;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment around = arena.allocate(length);
            long read = Math.max(0, tracee.read(from, around, length));
            return CodeReads.touch(around.asSlice(0, read), from, site, site + ProbePlanner.JUMP);
        }
    }

    private void writeCode(byte[] bytes) {
        if (shared != null) {
            protect(shared.start(), shared.end(), shared.protection() | ProcMaps.WRITE);
        }
        write(probe.site(), bytes);
        if (shared != null) {
            protect(shared.start(), shared.end(), shared.protection() & ~ProcMaps.WRITE);
        }
    }

    private void write(long address, byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment block = arena.allocateFrom(JAVA_BYTE, bytes);
            if (!carrier.tracee().write(address, block, bytes.length)) {
                throw new Mismatch(String.format("The replayer could not write its probe at 0x%x.%n", address));
            }
        }
    }

    /** Whether the carrier stopped because all comparisons held; then it stands at the instruction. */
    boolean triggered() {
        Tracee tracee = carrier.tracee();
        if (tracee.get(Registers.RIP) != probe.trap() + 1) {
            return false;
        }
        tracee.set(Registers.RIP, probe.site());
        if (probe.flagsAreDead()) {
            // The probe used them. Whatever they were, the program's future does not depend on them.
            tracee.set(Registers.EFLAGS, wanted.flags());
        }
        return true;
    }

    /** Goes on, where it triggered but the state is not the wanted one. */
    void pass() {
        carrier.tracee().set(Registers.RIP, probe.resume());
    }

    /** Whether the carrier stopped because the program led into the middle of the jump; then it can go on. */
    boolean redirected() {
        long moved = probe.redirected(carrier.tracee().get(Registers.RIP));
        if (moved == Probe.NONE) {
            return false;
        }
        carrier.tracee().set(Registers.RIP, moved);
        return true;
    }

    /** Whether the carrier is in the midst of a comparison. */
    boolean isAtWork() {
        return probe.isAtWork(carrier.tracee().get(Registers.RIP));
    }

    /** Takes it away. Where the carrier is in its memory, it is sent to the program's own instruction. */
    void remove() {
        Tracee tracee = carrier.tracee();
        long instruction = tracee.get(Registers.RIP);
        if (probe.contains(instruction)) {
            tracee.set(Registers.RIP, probe.original(instruction));
        }
        writeCode(probe.before());
        guards.forEach(guard -> protect(guard.start(), guard.end(), guard.protection()));
        carrier.remote("munmap of a probe", SyscallNumber.MUNMAP, probe.address(), probe.image().length, 0, 0, 0, 0);
    }
}
