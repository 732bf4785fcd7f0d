package reprise.replay;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reprise.trace.Event;
import reprise.tracee.PageHash;
import reprise.tracee.ProcMaps;
import reprise.tracee.Tracee;
import reprise.x86.Registers;
import reprise.x86.VectorState;

/** Instants in mid-computation that nothing but their state names: described as the recording describes its own. */
final class Marks {
    private static final int PAGE = 4096;
    /** Pages of memory that describe an instant, the stack's first. */
    private static final int MOST_PAGES = 4096;

    /**
     * An instant.
     *
     * @param remaining bytes of buffered system calls that are still to be made before the next event: registers and memory do not
     *     tell how many were
     */
    record Mark(Event.ExecutionPoint point, long remaining) {
        /** The instruction that is about to be executed. */
        long address() {
            return Registers.get(point.registers(), Registers.RIP);
        }
    }

    private final Map<Long, Mark> marks = new HashMap<>();
    private final MemorySegment page = Arena.ofAuto().allocate(PAGE, 8);
    private final PageHash hash = new PageHash(page);
    private final MemorySegment extendedState = Arena.ofAuto().allocate(65536, 64);

    /** The description of a mark. */
    Mark get(long number) {
        Mark mark = marks.get(number);
        if (mark == null) {
            throw new IllegalArgumentException("there is no mark " + number);
        }
        return mark;
    }

    /** Describes where a playback's running task stands; the number of the new mark. */
    long add(Playback playback) {
        ReplayTask task = playback.running();
        Carrier carrier = task.carrier();
        Tracee tracee = carrier.tracee();
        carrier.breakpoints().removeSoftware();
        MemorySegment registers = Arena.ofAuto().allocate(Registers.SIZE, 16);
        registers.copyFrom(carrier.registers(task));
        long size = tracee.extendedState(extendedState);
        List<Long> pages = new ArrayList<>();
        long stack = Registers.get(registers, Registers.RSP);
        List<ProcMaps.Region> regions = ProcMaps.read(carrier.tid());
        for (ProcMaps.Region region : regions) {
            if (region.start() <= stack && stack < region.end()) {
                collect(region, Math.max(region.start(), stack / PAGE * PAGE - PAGE), pages);
            }
        }
        for (ProcMaps.Region region : regions) {
            if (!(region.start() <= stack && stack < region.end())) {
                collect(region, region.start(), pages);
            }
        }
        long[] addresses = new long[pages.size()];
        long[] hashes = new long[pages.size()];
        int count = 0;
        for (long address : pages) {
            if (tracee.read(address, page, PAGE) == PAGE) {
                addresses[count] = address;
                hashes[count++] = hash.hash(0);
            }
        }
        long number = marks.size() + 1L;
        Event.ExecutionPoint point = new Event.ExecutionPoint(
                new Event.Header(playback.event() + 1, 0, task.tid(), playback.nanos()),
                registers,
                VectorState.hash(extendedState.asSlice(0, size)),
                false,
                Arrays.copyOf(addresses, count),
                Arrays.copyOf(hashes, count),
                new long[0],
                new long[0],
                0,
                0);
        marks.put(number, new Mark(point, carrier.buffer().remaining()));
        return number;
    }

    /** The number of the mark that was added last. */
    long last() {
        return marks.size();
    }

    private static void collect(ProcMaps.Region region, long from, List<Long> pages) {
        if ((region.protection() & ProcMaps.WRITE) == 0
                || region.start() < Carrier.OWN_END && region.end() > Carrier.SCRATCH) {
            return;
        }
        for (long at = from; at < region.end() && pages.size() < MOST_PAGES; at += PAGE) {
            pages.add(at);
        }
    }
}
