package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.BiFunction;
import reprise.linux.SyscallNumber;
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
 * the changed bytes only by reading its code as data. Code that can be written, or that others share, is left alone.
 */
final class PlantedProbe {
    private static final int MMAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE = 0x10_0022;

    private final Carrier carrier;
    private final PointState wanted;
    private final Probe probe;

    private PlantedProbe(Carrier carrier, PointState wanted, Probe probe) {
        this.carrier = carrier;
        this.wanted = wanted;
        this.probe = probe;
    }

    /**
     * Plants one at the instruction at which the carrier stands, and sends it on, past the comparison.
     *
     * @return null if that is not possible there; then nothing has changed
     */
    static PlantedProbe plant(Carrier carrier, PointState wanted) {
        return plant(carrier, wanted, false);
    }

    /** As {@link #plant(Carrier, PointState)}, of a kind that leaves the flags alone if {@code invisible}. */
    static PlantedProbe plant(Carrier carrier, PointState wanted, boolean invisible) {
        List<ProcMaps.Region> regions = ProcMaps.read(carrier.tid());
        // What cannot be written tells no instant from another, and may be the code that the jump to the probe
        // replaces.
        List<ProbeCheck> checks = wanted.checks().stream()
                .filter(check -> !(check instanceof ProbeCheck.Word word) || isWritable(regions, word.address()))
                .toList();
        PlantedProbe planted = plant(
                carrier,
                regions,
                wanted.site(),
                wanted,
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
                carrier, ProcMaps.read(carrier.tid()), site, null, (planner, code) -> planner.planCounter(site, code));
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
            BiFunction<ProbePlanner, byte[], Probe> planning) {
        byte[] code = code(regions, carrier.tracee(), site);
        if (code == null) {
            return null;
        }
        ProbePlanner planner = new ProbePlanner((address, length) -> isFree(regions, address, length));
        Probe probe = planning.apply(planner, code);
        if (probe == null) {
            return null;
        }
        int protection = ProcMaps.READ | ProcMaps.WRITE | ProcMaps.EXECUTE;
        int flags = MMAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE;
        carrier.remote(
                "mmap of a probe", SyscallNumber.MMAP, probe.address(), probe.image().length, protection, flags, -1, 0);
        PlantedProbe planted = new PlantedProbe(carrier, wanted, probe);
        planted.write(probe.address(), probe.image());
        planted.write(probe.site(), probe.jump());
        return planted;
    }

    private static boolean isWritable(List<ProcMaps.Region> regions, long address) {
        for (ProcMaps.Region region : regions) {
            if (region.start() <= address && address < region.end()) {
                return (region.protection() & ProcMaps.WRITE) != 0;
            }
        }
        return false;
    }

    private static boolean isFree(List<ProcMaps.Region> regions, long address, long length) {
        for (ProcMaps.Region region : regions) {
            if (region.start() < address + length && address < region.end()) {
                return false;
            }
        }
        return true;
    }

    /** The code at a place that nobody writes to; null if there is another kind. */
    private static byte[] code(List<ProcMaps.Region> regions, Tracee tracee, long site) {
        for (ProcMaps.Region region : regions) {
            if (region.start() <= site && site < region.end()) {
                if (region.shared() || (region.protection() & ProcMaps.WRITE) != 0) {
                    return null;
                }
                int length = (int) Math.min(ProbePlanner.WINDOW, region.end() - site);
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment bytes = arena.allocate(length);
                    return tracee.read(site, bytes, length) == length ? bytes.toArray(JAVA_BYTE) : null;
                }
            }
        }
        return null;
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
        write(probe.site(), probe.before());
        carrier.remote("munmap of a probe", SyscallNumber.MUNMAP, probe.address(), probe.image().length, 0, 0, 0, 0);
    }
}
