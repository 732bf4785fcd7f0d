package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.function.Supplier;
import reprise.trace.Event;
import reprise.x86.Registers;

/**
 * Moves about at random in the recording of a program that is too long to be stepped through. What is right is not known
 * beforehand, but moves have to agree with each other: positions of one name are one state, also on another timeline; a
 * step and a step back lead to where they began; and so do going back to a stop and on to the next.
 */
final class ProgramMoves implements AutoCloseable {
    private static final int MOST_FAILURES = 5;
    /** Moves between two looks at the same positions on a timeline that knows nothing. */
    private static final int CHECKED = 100;

    private static final int MOST_BREAKPOINTS = 6;
    private static final int MOST_STEPS = 40;
    private static final int REGISTERS = 15;

    private final Path trace;
    private final Timeline timeline;
    private final Random random;
    private final Map<Position, Long> known = new LinkedHashMap<>();
    private final List<Position> kept = new ArrayList<>();
    private final List<Long> addresses = new ArrayList<>();
    private final TreeSet<Long> breakpoints = new TreeSet<>();
    private final TreeSet<Integer> seenProcesses = new TreeSet<>();
    private final List<Watch> watches = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();
    private final List<String> log = new ArrayList<>();
    private final MemorySegment block = Arena.ofAuto().allocate(Registers.SIZE, 16);
    private long slowest;
    private String slowestMove = "";

    ProgramMoves(Path trace, long seed) {
        this.trace = trace;
        this.timeline = Timeline.open(trace, ReplayOptions.QUIET);
        this.random = new Random(seed);
        timeline.setCatches(Catches.NONE);
    }

    /** What was wrong; empty if all was right. */
    List<String> make(int moves) {
        seek();
        for (int move = 1; move <= moves && failures.size() < MOST_FAILURES; move++) {
            switch (random.nextInt(14)) {
                case 0 -> seek();
                case 1 -> seekKnown();
                case 2, 3 -> stepAndBack();
                case 4, 5 -> stepsBackAndForth();
                case 6 -> changeBreakpoints();
                case 7 -> changeWatches();
                case 8 -> resume();
                case 9 -> runToEvent();
                case 10 -> keepOrRestart();
                case 11 -> reverseStepOfAny();
                default -> backAndOnAgain();
            }
            if (move % CHECKED == 0) {
                compareWithAnother();
            }
        }
        compareWithAnother();
        return failures;
    }

    /** The move that took longest. */
    String slowest() {
        return slowest / 1000 + " us for " + slowestMove;
    }

    /** The moves, one in a line. */
    List<String> log() {
        return log;
    }

    // ---- moves ----

    private void seek() {
        long event = random.nextLong(1, timeline.lastEvent());
        move("seek " + event, () -> {
            timeline.seek(new Position(event));
            return null;
        });
    }

    private void seekKnown() {
        if (!known.isEmpty()) {
            seek(List.copyOf(known.keySet()).get(random.nextInt(known.size())));
        }
    }

    private void seek(Position position) {
        move("seek " + position, () -> {
            timeline.seek(Position.parse(position.toString()));
            return null;
        });
        expect(known.get(position), "where it was before");
    }

    private void stepAndBack() {
        int tid = timeline.currentTask();
        if (tid == 0 || isInCall(tid)) {
            return;
        }
        noteAddress(tid);
        long before = registers(tid);
        Stop stop = move("step " + tid, () -> timeline.step(tid));
        if (isPlain(stop, tid) && !afterSignal()) {
            move("step back " + tid, () -> timeline.reverseStep(tid));
            expectRegisters(tid, before);
        }
    }

    /** Inside a system call, where a step back goes to the instruction that made it. */
    private boolean isInCall(int tid) {
        List<Position.Move> path = timeline.position().path();
        return !path.isEmpty() && path.getLast() instanceof Position.ToEvent
                || timeline.present().isInStub()
                || timeline.tasks().stream().anyMatch(task -> task.tid() == tid && task.inKernel());
    }

    /** Where a signal strikes, the step back ends at the instant of its delivery, at which nothing had begun. */
    private boolean afterSignal() {
        return timeline.position().isAtEvent() && timeline.present().applied() instanceof Event.SignalDelivered;
    }

    private static boolean isPlain(Stop stop, int tid) {
        return stop.tid() == tid && (stop instanceof Stop.Stepped || stop instanceof Stop.Breakpoint);
    }

    private void stepsBackAndForth() {
        int tid = timeline.currentTask();
        int count = random.nextInt(1, MOST_STEPS);
        if (tid == 0 || isInCall(tid)) {
            return;
        }
        List<Long> states = new ArrayList<>();
        for (int step = 0; step < count; step++) {
            states.add(registers(tid));
            Stop stop = move("step back " + tid, () -> timeline.reverseStep(tid));
            if (!isPlain(stop, tid)) {
                return;
            }
            noteAddress(tid);
        }
        // A step also stops where another thread comes to a breakpoint on the way.
        for (long state : states.reversed()) {
            Stop stop = move("step " + tid, () -> timeline.step(tid));
            if (!isPlain(stop, tid) || afterSignal()) {
                return;
            }
            expectRegisters(tid, state);
        }
    }

    private void reverseStepOfAny() {
        List<TaskInfo> tasks = timeline.tasks();
        if (!tasks.isEmpty()) {
            int tid = tasks.get(random.nextInt(tasks.size())).tid();
            move("step back " + tid, () -> timeline.reverseStep(tid));
        }
    }

    private void changeBreakpoints() {
        if (breakpoints.size() > random.nextInt(MOST_BREAKPOINTS)) {
            long address = random.nextBoolean() ? breakpoints.getFirst() : breakpoints.getLast();
            breakpoints.remove(address);
            processes().forEach(process -> timeline.removeBreakpoint(process, address));
            log.add("no breakpoint 0x" + Long.toHexString(address));
        } else if (!addresses.isEmpty()) {
            long address = addresses.get(random.nextInt(addresses.size()));
            breakpoints.add(address);
            processes().forEach(process -> timeline.insertBreakpoint(process, address));
            log.add("breakpoint 0x" + Long.toHexString(address));
        }
    }

    private TreeSet<Integer> processes() {
        timeline.tasks().forEach(task -> seenProcesses.add(task.process()));
        return seenProcesses;
    }

    /** Watches a word that a register points to, or one on the stack. */
    private void changeWatches() {
        if (watches.size() > random.nextInt(3)) {
            Watch watch = watches.removeFirst();
            timeline.removeWatchpoint(watch);
            log.add("no " + watch);
            return;
        }
        int tid = timeline.currentTask();
        TaskInfo task = timeline.tasks().stream()
                .filter(one -> one.tid() == tid)
                .findFirst()
                .orElse(null);
        if (task == null) {
            return;
        }
        timeline.registers(tid, block);
        int register = random.nextInt(REGISTERS);
        long address = block.get(JAVA_LONG, register * 8L) & -8;
        boolean writable = timeline.mappings(tid).stream()
                .anyMatch(region -> (region.protection() & 2) != 0
                        && Long.compareUnsigned(region.start(), address) <= 0
                        && Long.compareUnsigned(address, region.end()) < 0);
        Watch.Access access = random.nextInt(3) == 0 ? Watch.Access.READ_OR_WRITE : Watch.Access.WRITE;
        Watch watch = new Watch(task.process(), address, 8, access);
        if (writable && !watches.contains(watch) && timeline.insertWatchpoint(watch)) {
            watches.add(watch);
            log.add(watch.toString());
        }
    }

    private void resume() {
        move("resume", timeline::resume);
    }

    /** Goes on to a system call, as {@code catch syscall} does. */
    private void runToEvent() {
        timeline.setCatches(new Catches(signal -> true, number -> number % 3 == 0, true, true, true));
        Stop first = move("resume to an event", timeline::resume);
        timeline.setCatches(Catches.NONE);
        if (first instanceof Stop.End) {
            seek();
        }
    }

    private void keepOrRestart() {
        if (kept.size() < 3) {
            Position position = timeline.keep();
            kept.add(position);
            log.add("keep " + position);
            note("keep");
        } else {
            Position position = kept.get(random.nextInt(kept.size()));
            seek(position);
            if (random.nextBoolean()) {
                timeline.forget(position);
                kept.remove(position);
                log.add("forget " + position);
            }
        }
    }

    /** The last stop before a place, the next after it, and the last before that again. */
    private void backAndOnAgain() {
        Stop back = move("reverse resume", timeline::reverseResume);
        if (back instanceof Stop.Start) {
            seek();
            return;
        }
        long there = EveryInstant.state(timeline);
        Stop on = move("resume", timeline::resume);
        if (on instanceof Stop.End) {
            return;
        }
        Stop again = move("reverse resume", timeline::reverseResume);
        // A watchpoint stops behind the access forwards and before it backwards, so this access is met again. So is a
        // breakpoint that is met together with one.
        boolean pure =
                back instanceof Stop.Breakpoint && on instanceof Stop.Breakpoint && again instanceof Stop.Breakpoint;
        if (pure || on instanceof Stop.Watchpoint && back instanceof Stop.Watchpoint && back.equals(again)) {
            expect(there, "the stop before the next stop");
        }
    }

    // ---- checks ----

    private Stop move(String name, Supplier<Stop> move) {
        Position from = timeline.position();
        long start = System.nanoTime();
        log.add(name + " from " + from + " ...");
        Stop stop;
        try {
            stop = move.get();
        } catch (RuntimeException e) {
            throw new IllegalStateException(String.join("\n", log), e);
        }
        long time = System.nanoTime() - start;
        String text = name + " from " + from + " to " + timeline.position() + (stop == null ? "" : ": " + stop);
        log.set(log.size() - 1, text + ", " + time / 1000 + " us");
        if (time > slowest) {
            slowest = time;
            slowestMove = text;
        }
        note(text);
        return stop;
    }

    private void note(String move) {
        long state = EveryInstant.state(timeline);
        Long before = known.putIfAbsent(timeline.position(), state);
        if (before != null && before != state) {
            fail(move + ": " + timeline.position() + " names two states");
            explain();
        }
    }

    private void expect(long state, String what) {
        if (EveryInstant.state(timeline) != state) {
            fail(log.getLast() + ": this is not " + what);
        }
    }

    /** What others do between two steps of a task is not on the way back and forth; what it does itself is. */
    private void expectRegisters(int tid, long registers) {
        if (registers(tid) != registers) {
            fail(log.getLast() + ": the registers are not those of the way in the other direction");
        }
    }

    private long registers(int tid) {
        timeline.registers(tid, block);
        Registers.set(block, Registers.ORIG_RAX, 0);
        long hash = 7;
        for (long at = 0; at < Registers.SIZE; at += 8) {
            hash = hash * 31 + block.get(JAVA_LONG, at);
        }
        return hash;
    }

    /** Tells in what the present differs from what another timeline has at the same position. */
    private void explain() {
        Position position = timeline.position();
        if (position.path().stream().noneMatch(part -> part instanceof Position.Mark)) {
            try (Timeline other = Timeline.open(trace, ReplayOptions.QUIET)) {
                other.seek(position);
                failures.add("different there: " + EveryInstant.differences(timeline, other));
                log.add(failures.getLast());
            }
        }
    }

    private void fail(String text) {
        failures.add(text);
        log.add("WRONG: " + text);
    }

    private void noteAddress(int tid) {
        if (timeline.tasks().stream().anyMatch(task -> task.tid() == tid)) {
            timeline.registers(tid, block);
            addresses.add(Registers.get(block, Registers.RIP));
        }
    }

    /** Some of the positions, in the order of the recording, where no checkpoint and no watchpoint is. */
    private void compareWithAnother() {
        try (Timeline other = Timeline.open(trace, ReplayOptions.QUIET)) {
            List<Position> positions = known.keySet().stream()
                    .filter(position -> position.path().stream().noneMatch(part -> part instanceof Position.Mark))
                    .filter(position -> random.nextInt(known.size()) < 30)
                    .sorted(Comparator.comparingLong(Position::event))
                    .toList();
            for (Position position : positions) {
                other.seek(position);
                if (EveryInstant.state(other) != known.get(position)) {
                    timeline.seek(position);
                    fail("another timeline has another state at " + position + " "
                            + EveryInstant.differences(timeline, other));
                    return;
                }
            }
        }
    }

    @Override
    public void close() {
        timeline.close();
    }
}
