package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import reprise.linux.Files;
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
    /** The open memory of the process that is being patched; negative while there is none. */
    private long memory = -1;

    /** {@code traps}: how often a site traps before it is patched; 0 for never. */
    SitePatcher(Recorder recorder, TraceWriter trace, SyscallBuffers buffers, int traps) {
        this.traps = traps;
        this.recorder = recorder;
        this.trace = trace;
        this.buffers = buffers;
    }

    /**
     * The current task is at the exit of a system call that stopped it; its event is in the trace. Patches the call's site if
     * it is time: when it has trapped as often as was asked for, or at once if that was so in another process. With the first
     * site of a file come those that most processes use.
     */
    void trapped(RecordedTask task) {
        if (SyscallStub.performs(task.call)) {
            trapped(task, Registers.get(task.entry, Registers.RIP) - Registers.SYSCALL_LENGTH);
        }
    }

    /**
     * As {@link #trapped(RecordedTask)}, for a site that may be an instruction reading the time stamp counter. The task stands
     * behind it.
     */
    void trapped(RecordedTask task, long site) {
        PatchedCode code = task.process.memory.code;
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
        CallSites sites = text.file().sites;
        CallSites.Site here = sites.at(text.offset() + site - text.start());
        if (count == 1) {
            here.use();
        }
        try {
            patchDue(task, count, text, here, site);
        } finally {
            if (memory >= 0) {
                Files.close(memory);
                memory = -1;
            }
        }
    }

    /** Patches what it is time for. */
    private void patchDue(
            RecordedTask task, int count, AddressSpace.Range<MappedFile> text, CallSites.Site here, long site) {
        CallSites sites = text.file().sites;
        if ((count == traps || here.isFrequent() || sites.isCommon(here))
                && patch(task, here, site)
                && count == traps) {
            here.setFrequent();
        }
        if (count == 1 && task.process.memory.code.isFirstOf(sites)) {
            sites.use();
            patchCommon(task, text, here);
        }
    }

    /** Patches the instructions of a file that most processes come to, before this one does. */
    private void patchCommon(RecordedTask task, AddressSpace.Range<MappedFile> text, CallSites.Site but) {
        CallSites sites = text.file().sites;
        sites.all().forEach((offset, site) -> {
            long address = text.start() + offset - text.offset();
            boolean mapped = address >= text.start() && address < text.end();
            if (site != but && mapped && sites.isCommon(site) && task.process.memory.bufferable) {
                site.use();
                if (!patch(task, site, address)) {
                    site.decline();
                }
            }
        });
    }

    /** The private mapping of a file that an address is in; null if it is where the program may change code at any time. */
    private static AddressSpace.Range<MappedFile> fileText(RecordedTask task, long site) {
        List<AddressSpace.Range<MappedFile>> ranges =
                task.process.memory.mappings.overlapping(site, site + Registers.SYSCALL_LENGTH);
        if (ranges.size() != 1 || task.process.memory.code.isOpen(site)) {
            return null;
        }
        AddressSpace.Range<MappedFile> range = ranges.getFirst();
        return range.shared() || range.file().inMemory ? null : range;
    }

    /** Returns whether it is patched now. */
    private boolean patch(RecordedTask task, CallSites.Site known, long site) {
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
        Patch patch = plan(task, known, site, zone.next());
        if (patch == null) {
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
        if (fresh != null) {
            buffers.occupied(task, fresh.start(), fresh.end() - fresh.start());
        }
        apply(task, patch, fresh);
        code.add(patch, zone, TRAMPOLINE_ALIGNMENT);
        task.process.memory.buffered = true;
        return true;
    }

    /** Null if it cannot be patched. */
    private Patch plan(RecordedTask task, CallSites.Site known, long site, long trampoline) {
        AddressSpace.Range<MappedFile> range = task.process
                .memory
                .mappings
                .overlapping(site, site + Registers.SYSCALL_LENGTH)
                .getFirst();
        long from = Math.max(range.start(), site - WINDOW);
        long to = Math.min(range.end(), site + Registers.SYSCALL_LENGTH + WINDOW);
        MemorySegment current = window.asSlice(0, Math.max(0, ProcessMemory.read(task.tid(), from, window, to - from)));
        Patch before = known.planned(site, trampoline, from, current);
        if (before != null) {
            return before;
        }
        byte[] bytes = current.toArray(JAVA_BYTE);
        CodeWindow around = CodeWindow.of(from, bytes, task.process.memory.code.patchesIn(from, to));
        if (!(planner.plan(around, site, trampoline) instanceof Patch patch)) {
            return null;
        }
        known.plan(patch, from, bytes);
        return patch;
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
        if (memory < 0) {
            memory = ProcessMemory.open(task.tid());
        }
        ProcessMemory.forceWriteTo(memory, address, bytes, code.length);
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
