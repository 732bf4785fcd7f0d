package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import reprise.linux.ProcessMemory;
import reprise.linux.SyscallNumber;
import reprise.runtime.BufferLayout;
import reprise.runtime.CodeWindow;
import reprise.runtime.Patch;
import reprise.runtime.PatchPlan;
import reprise.runtime.PatchPlanner;
import reprise.runtime.SyscallStub;
import reprise.trace.Event;
import reprise.trace.TraceWriter;
import reprise.tracee.AddressSpace;
import reprise.tracee.ProcMaps;
import reprise.x86.Registers;

/** Patches system call instructions that trap often, so that they lead to the stub. */
final class SitePatcher {
    private static final long WINDOW = 4096;
    private static final long ZONE = 0x8000;
    /** What must be free behind a zone, so that it does not take the place of something that grows. */
    private static final long MARGIN = 0x100000;

    private static final long REACH = 0x7000_0000L;
    private static final long TRAMPOLINE_ALIGNMENT = 16;
    private static final long LOWEST = 0x10000;
    private static final long USER_END = 0x7fff_ffff_f000L;

    private final Recorder recorder;
    private final TraceWriter trace;
    private final SyscallBuffers buffers;
    private final int traps;
    private final PatchPlanner planner = new PatchPlanner(SyscallStub::hook);
    private final MemorySegment window = Arena.global().allocate(2 * WINDOW + 16, 16);
    private final MemorySegment bytes = Arena.global().allocate(4096, 16);

    /** {@code traps}: how often a site traps before it is patched; 0 for never. */
    SitePatcher(Recorder recorder, TraceWriter trace, SyscallBuffers buffers, int traps) {
        this.traps = traps;
        this.recorder = recorder;
        this.trace = trace;
        this.buffers = buffers;
    }

    /**
     * The current task is at the exit of a system call that stopped it; its event is in the trace. Patches the call's site if
     * it is time: when it has trapped as often as was asked for, or at once if that was so in another process.
     */
    void trapped(RecordedTask task) {
        PatchedCode code = task.process.memory.code;
        long site = Registers.get(task.entry, Registers.RIP) - Registers.SYSCALL_LENGTH;
        if (traps == 0 || !task.process.memory.bufferable || task.ownFilters || code.isTrampoline(site)) {
            return;
        }
        int count = code.countTrap(site);
        if (count != 1 && count != traps) {
            return;
        }
        AddressSpace.Range<MappedFile> text = fileText(task, site);
        if (text == null) {
            return;
        }
        long offset = text.offset() + site - text.start();
        boolean known = text.file().patched.contains(offset);
        if ((known || count == traps) && patch(task, site) && !known) {
            text.file().patched.add(offset);
        }
    }

    /** The private mapping of a file that an address is in; null if it is in other memory, where code may change at any time. */
    private static AddressSpace.Range<MappedFile> fileText(RecordedTask task, long site) {
        List<AddressSpace.Range<MappedFile>> ranges =
                task.process.memory.mappings.overlapping(site, site + Registers.SYSCALL_LENGTH);
        return ranges.size() == 1 && !ranges.getFirst().shared() ? ranges.getFirst() : null;
    }

    /** Returns whether it is patched now. */
    private boolean patch(RecordedTask task, long site) {
        PatchedCode code = task.process.memory.code;
        PatchedCode.Zone zone = code.zoneNear(site, REACH);
        PatchedCode.Zone fresh = null;
        if (zone == null) {
            fresh = findZone(task, site);
            zone = fresh;
            if (zone == null) {
                return false;
            }
        }
        CodeWindow around = window(task, site);
        PatchPlan plan = planner.plan(around, site, zone.next());
        if (!(plan instanceof Patch patch)) {
            return false;
        }
        if (patch.trampoline().length > zone.end() - zone.next() || standsInside(task, patch)) {
            code.countAgain(site);
            return false;
        }
        if (fresh != null && !map(task, fresh) || !task.process.memory.buffered && !buffers.install(task)) {
            task.process.memory.bufferable = false;
            return false;
        }
        apply(task, patch, fresh);
        code.add(patch, zone, TRAMPOLINE_ALIGNMENT);
        task.process.memory.buffered = true;
        return true;
    }

    private static boolean map(RecordedTask task, PatchedCode.Zone zone) {
        // PROT_READ|PROT_EXEC; MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED_NOREPLACE
        return task.tracee.remote(SyscallNumber.MMAP, zone.start(), zone.end() - zone.start(), 5, 0x100022, -1, 0)
                == zone.start();
    }

    private void apply(RecordedTask task, Patch patch, PatchedCode.Zone fresh) {
        long at = task.tracee.get(Registers.RIP);
        long resumeAt = patch.movedAddress(at);
        if (resumeAt == Patch.NONE) {
            throw new IllegalStateException("task " + task.tid() + " stands inside an instruction to be patched");
        }
        trace.codePatched(task.domain.id, task.tid(), resumeAt, places(patch));
        if (fresh != null) {
            trace.change(new Event.Map(new Event.Mapping(
                    fresh.start(), fresh.end() - fresh.start(), 5, 0x22, new Event.Anonymous(), "[reprise]")));
        }
        if (!task.process.memory.buffered) {
            buffers.recordInstallation(task);
        }
        write(task, patch.trampolineAddress(), patch.trampoline());
        for (Patch.Edit edit : patch.edits()) {
            write(task, edit.address(), edit.after());
        }
        trace.end();
        task.tracee.set(Registers.RIP, resumeAt);
    }

    /** For {@link Event.CodePatched}. */
    private static long[] places(Patch patch) {
        int count = patch.places().size();
        long[] places = new long[2 * count + 2];
        for (int index = 0; index < count; index++) {
            Patch.Place place = patch.places().get(index);
            places[2 * index] = patch.trampolineAddress() + place.trampolineOffset();
            places[2 * index + 1] = place.address();
        }
        places[2 * count] = patch.trampolineAddress() + patch.trampoline().length;
        return places;
    }

    private void write(RecordedTask task, long address, byte[] code) {
        MemorySegment.copy(code, 0, bytes, JAVA_BYTE, 0, code.length);
        task.tracee.write(address, bytes, code.length);
        MemorySegment.copy(bytes, 0, trace.write(task.tid(), address, code.length), 0, code.length);
    }

    /** Whether another task of the address space stands, or returns to, where instructions will have moved away. */
    private boolean standsInside(RecordedTask task, Patch patch) {
        if (patch.strategy() == PatchPlan.Strategy.HOLE) {
            return false;
        }
        for (RecordedTask other : recorder.all()) {
            if (other == task || other.process.memory != task.process.memory) {
                continue;
            }
            boolean stopped = other.state == RecordedTask.State.READY;
            long at = stopped ? other.tracee.get(Registers.RIP) : Registers.get(other.entry, Registers.RIP);
            if (patch.movedAddress(at) != at || patch.movedAddress(at - Registers.SYSCALL_LENGTH) != at - 2) {
                return true;
            }
        }
        return false;
    }

    private CodeWindow window(RecordedTask task, long site) {
        AddressSpace.Range<MappedFile> range = task.process
                .memory
                .mappings
                .overlapping(site, site + Registers.SYSCALL_LENGTH)
                .getFirst();
        long from = Math.max(range.start(), site - WINDOW);
        long to = Math.min(range.end(), site + Registers.SYSCALL_LENGTH + WINDOW);
        long count = Math.max(0, ProcessMemory.read(task.tid(), from, window, to - from));
        byte[] current = window.asSlice(0, count).toArray(JAVA_BYTE);
        return CodeWindow.of(from, current, task.process.memory.code.patchesIn(from, to));
    }

    /** The free place for trampolines that is nearest to a site. */
    private static PatchedCode.Zone findZone(RecordedTask task, long site) {
        List<long[]> gaps = new ArrayList<>();
        long last = LOWEST;
        boolean heap = false;
        for (ProcMaps.Region region : ProcMaps.read(task.tid())) {
            if (region.start() - last >= ZONE + 2 * MARGIN && !heap) {
                gaps.add(new long[] {last, region.start()});
            }
            last = region.end();
            heap = region.path().equals("[heap]");
        }
        if (USER_END - last >= ZONE + 2 * MARGIN) {
            gaps.add(new long[] {last, USER_END});
        }
        long best = 0;
        for (long[] gap : gaps) {
            // In the middle of small gaps; of large ones at a distance from the end that is nearer. Right behind our
            // own
            // pages, which are there for programs at low addresses too.
            long middle = (gap[0] + gap[1]) / 2 & -0x1000L;
            long low = gap[0] <= BufferLayout.END && gap[1] > BufferLayout.END
                    ? BufferLayout.END + MARGIN
                    : Math.min(middle, gap[0] + 0x4000_0000L);
            long high = Math.max(middle, gap[1] - 0x4000_0000L - ZONE);
            for (long candidate : new long[] {low, high}) {
                if (Math.abs(candidate - site) < REACH
                        && (best == 0 || Math.abs(candidate - site) < Math.abs(best - site))) {
                    best = candidate;
                }
            }
        }
        return best == 0 ? null : new PatchedCode.Zone(best, best + ZONE, best);
    }
}
