package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import reprise.trace.Event;
import reprise.tracee.PageHash;
import reprise.x86.Registers;

/** A part of a recording, seen by stepping through it once from its beginning, one instruction after the other. */
final class EveryInstant {
    /**
     * An instant.
     *
     * @param state of all registers and memory
     * @param runner the task that is about to execute the instruction at {@code address}; 0 for none
     * @param applied the task whose event was applied right before; 0 for none
     * @param stepEnds whether a step over that event's instruction ends here
     * @param struck whether that event is a signal that struck at the instant before, where nothing was executed since
     */
    record Instant(
            Position position, long state, int runner, long address, int applied, boolean stepEnds, boolean struck) {}

    private static final MemorySegment REGISTERS = Arena.global().allocate(Registers.SIZE, 16);
    private static final MemorySegment EXTENDED = Arena.global().allocate(65536, 64);
    private static final MemorySegment MEMORY = Arena.global().allocate(1 << 19, 4096);
    private static final int PAGE = 4096;
    private static final long PART = 1 << 18;

    private final List<Instant> instants = new ArrayList<>();

    /** Steps from after {@code event} until there are {@code count} instants, or no more. */
    EveryInstant(Path trace, long event, int count) {
        try (History history = new History(trace, ReplayOptions.QUIET);
                Playback playback = history.open(new Position(event))) {
            Halt halt = Halt.APPLIED;
            while (instants.size() < count && halt != Halt.END) {
                if (halt == Halt.APPLIED) {
                    add(playback, 0, playback.applied());
                } else if (halt == Halt.ENTERED) {
                    instants.removeLast();
                    add(playback, playback.running().tid(), playback.applied());
                } else if (halt == Halt.STEPPED) {
                    add(playback, playback.running().tid(), null);
                }
                halt = playback.proceed(Playback.UNARMED, tid -> true, 0);
            }
        }
    }

    private void add(Playback playback, int runner, Event applied) {
        int tid = applied == null ? 0 : applied.header().tid();
        boolean ends = applied instanceof Event.SyscallExit
                || applied instanceof Event.InstructionTrapped
                || applied instanceof Event.BufferedCalls buffered && buffered.stops()
                || applied instanceof Event.SignalDelivered
                || applied instanceof Event.Exec;
        boolean struck =
                applied instanceof Event.SignalDelivered signal && signal.point() == Event.SignalPoint.AFTER_EVENT;
        long address = runner == 0 ? 0 : playback.address();
        instants.add(new Instant(playback.position(), state(playback.session()), runner, address, tid, ends, struck));
    }

    int size() {
        return instants.size();
    }

    Instant get(int index) {
        return instants.get(index);
    }

    /** A checksum of the registers of all tasks, and of their memory: the ends of stacks and the beginnings of the rest. */
    static long state(Timeline timeline) {
        return state(timeline.present().session());
    }

    private static long state(ReplaySession session) {
        long hash = 1;
        for (ReplayTask task : session.tasks()) {
            hash += (task.tid() * 31L + registers(task)) * 0x9e3779b97f4a7c15L;
        }
        List<Carrier> seen = new ArrayList<>();
        for (ReplayTask task : session.tasks()) {
            if (!seen.contains(task.carrier())) {
                seen.add(task.carrier());
                hash += memory(task, session) * (2L * task.process() + 1);
            }
        }
        return hash;
    }

    /** What differs between two timelines at the same position: tasks and pages. */
    static List<String> differences(Timeline one, Timeline other) {
        Map<String, Long> parts = parts(one.present().session());
        Map<String, Long> others = parts(other.present().session());
        TreeSet<String> all = new TreeSet<>(parts.keySet());
        all.addAll(others.keySet());
        return all.stream()
                .filter(name -> !Objects.equals(parts.get(name), others.get(name)))
                .toList();
    }

    private static Map<String, Long> parts(ReplaySession session) {
        Map<String, Long> parts = new HashMap<>();
        for (ReplayTask task : session.tasks()) {
            parts.put("registers of " + task.tid(), registers(task));
            for (int register = 0; register < Registers.SIZE / 8; register++) {
                parts.put("register " + register + " of " + task.tid(), REGISTERS.get(JAVA_LONG, register * 8L));
            }
            for (MemoryRegion region : new Places(task.carrier(), session.files()).regions()) {
                if ((region.protection() & 2) == 0) {
                    continue;
                }
                for (long page = region.start(); page < region.end(); page += PAGE) {
                    parts.put(
                            "page %x of %d, %s".formatted(page, task.process(), region.path()),
                            part(task.carrier(), page, page + PAGE, 3));
                }
            }
        }
        return parts;
    }

    private static long registers(ReplayTask task) {
        MemorySegment.copy(task.carrier().registers(task), 0, REGISTERS, 0, Registers.SIZE);
        // Neither is the program's: what the kernel would restart, and what lets a breakpoint be passed.
        Registers.set(REGISTERS, Registers.ORIG_RAX, 0);
        Registers.set(REGISTERS, Registers.EFLAGS, Registers.get(REGISTERS, Registers.EFLAGS) & ~Stepper.RESUME_FLAG);
        task.carrier()
                .copyExtendedState(task, EXTENDED.asSlice(0, task.carrier().extendedStateSize()));
        return hash(REGISTERS, Registers.SIZE) * 31 + reprise.x86.VectorState.hash(EXTENDED);
    }

    private static long hash(MemorySegment bytes, long length) {
        long hash = 7;
        for (long at = 0; at + 8 <= length; at += 8) {
            hash = (hash ^ bytes.get(JAVA_LONG, at)) * 0x100000001b3L;
            hash ^= hash >>> 31;
        }
        return hash;
    }

    private static long memory(ReplayTask owner, ReplaySession session) {
        Carrier carrier = owner.carrier();
        long hash = 3;
        for (MemoryRegion region : new Places(carrier, session.files()).regions()) {
            if ((region.protection() & 2) != 0) {
                hash = part(carrier, region.start(), Math.min(region.end(), region.start() + PART), hash);
                for (ReplayTask task : session.tasks()) {
                    long stack = Registers.get(task.carrier().registers(task), Registers.RSP) & -PAGE;
                    if (task.carrier() == carrier && region.start() <= stack && stack < region.end()) {
                        long from = Math.max(region.start(), stack - PAGE);
                        hash = part(carrier, from, Math.min(region.end(), stack + 4 * PAGE), hash);
                    }
                }
            }
        }
        return hash;
    }

    private static long part(Carrier carrier, long from, long to, long hash) {
        long result = hash;
        long length = carrier.tracee().read(from, MEMORY, to - from);
        carrier.breakpoints().hide(from, MEMORY, length);
        for (long at = 0; at + PAGE <= length; at += PAGE) {
            result = result * 31 + PageHash.hash(MEMORY.asSlice(at, PAGE));
        }
        return result;
    }
}
