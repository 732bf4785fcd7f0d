package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reprise.x86.Registers;

@DisplayName("On a timeline")
class TimelineTest {
    private static final int ROUNDS = 20;

    @TempDir
    static Path directory;

    private static RecordedFixture written;
    private static long twice;
    private static long milestone;
    private static long watched;

    private final MemorySegment block = Arena.ofAuto().allocate(Registers.SIZE, 16);
    private Timeline timeline;
    private int main;

    @BeforeAll
    static void record() throws Exception {
        written = new RecordedFixture(directory, "memory_written_by_code_and_kernel");
        twice = written.symbol("twice");
        milestone = written.symbol("milestone");
        watched = written.symbol("watched");
    }

    @BeforeEach
    void open() {
        timeline = Timeline.open(written.trace(), ReplayOptions.QUIET);
        main = timeline.currentTask();
    }

    @AfterEach
    void close() {
        timeline.close();
    }

    private long register(int register) {
        timeline.registers(main, block);
        return Registers.get(block, register);
    }

    private long watchedValue() {
        MemorySegment value = Arena.ofAuto().allocate(8, 8);
        assertThat(timeline.readMemory(main, watched, value, 8)).isEqualTo(8);
        return value.get(JAVA_LONG, 0);
    }

    @Test
    @DisplayName("a breakpoint stops at each of its executions, forwards and backwards")
    void breakpoint() {
        timeline.insertBreakpoint(main, milestone);
        for (long round = 0; round < ROUNDS; round++) {
            assertThat(timeline.resume()).isEqualTo(new Stop.Breakpoint(main, milestone));
            assertThat(register(Registers.RDI)).isEqualTo(round);
        }
        assertThat(timeline.resume()).isInstanceOf(Stop.Signal.class);
        for (long round = ROUNDS - 1; round >= 0; round--) {
            assertThat(timeline.reverseResume()).isEqualTo(new Stop.Breakpoint(main, milestone));
            assertThat(register(Registers.RDI)).isEqualTo(round);
        }
        assertThat(timeline.reverseResume()).isInstanceOf(Stop.Start.class);
    }

    @Test
    @DisplayName("more breakpoints than the processor has are seen neither by the program nor by readers of memory")
    void manyBreakpoints() {
        MemorySegment before = Arena.ofAuto().allocate(64, 8);
        MemorySegment after = Arena.ofAuto().allocate(64, 8);
        timeline.readMemory(main, twice, before, 64);
        timeline.insertBreakpoint(main, twice);
        timeline.insertBreakpoint(main, milestone);
        timeline.resume();
        List<Long> steps = new ArrayList<>();
        for (int step = 0; step < 12; step++) {
            steps.add(register(Registers.RIP));
            timeline.step(main);
        }
        steps.forEach(address -> timeline.insertBreakpoint(main, address));
        timeline.seekToStart();
        for (long address : steps) {
            assertThat(timeline.resume()).isEqualTo(new Stop.Breakpoint(main, address));
        }
        timeline.readMemory(main, twice, after, 64);
        assertThat(after.mismatch(before)).isEqualTo(-1);
    }

    @Test
    @DisplayName("a watchpoint tells of writes by instructions, by system calls and of signal handlers")
    void watchpoint() {
        assertThat(timeline.insertWatchpoint(new Watch(main, watched, 8, Watch.Access.WRITE)))
                .isTrue();
        timeline.setCatches(Catches.NONE);
        List<Long> values = new ArrayList<>();
        for (int write = 0; write < 2 * ROUNDS + 1; write++) {
            assertThat(timeline.resume()).isInstanceOf(Stop.Watchpoint.class);
            values.add(watchedValue());
        }
        assertThat(values.subList(0, 4)).containsExactly(0L, 500L, 1L, 501L);
        assertThat(values.getLast()).isEqualTo(1010);
        for (int write = 2 * ROUNDS - 1; write >= 0; write--) {
            // Backwards, it stops where the write has not happened.
            assertThat(timeline.reverseResume()).isInstanceOf(Stop.Watchpoint.class);
            assertThat(watchedValue()).isEqualTo(values.get(write));
        }
    }

    @Test
    @DisplayName("signals, system calls, forks and exits are stops, the same ones in both directions")
    void catches() {
        timeline.setCatches(new Catches(signal -> true, number -> number == 61, true, true, true));
        List<Class<?>> forwards = new ArrayList<>();
        Stop stop = timeline.resume();
        for (; !(stop instanceof Stop.End); stop = timeline.resume()) {
            forwards.add(stop.getClass());
        }
        assertThat(forwards).contains(Stop.Signal.class, Stop.Fork.class, Stop.SyscallReturn.class);
        assertThat(forwards.stream().filter(kind -> kind == Stop.Exit.class)).hasSize(2);
        List<Class<?>> backwards = new ArrayList<>();
        for (stop = timeline.reverseResume(); !(stop instanceof Stop.Start); stop = timeline.reverseResume()) {
            backwards.addFirst(stop.getClass());
        }
        // The start of the program is before all that one can go forward from.
        assertThat(backwards).isEqualTo(forwards);
    }

    @Test
    @DisplayName("system calls that were recorded without a stop are stops as others are, in both directions")
    void bufferedCalls() throws Exception {
        Catches all = new Catches(signal -> false, number -> true, false, false, false);
        RecordedFixture stopped = new RecordedFixture(directory, "file_pread_pwrite", "-n");
        List<String> expected = callsForwards(stopped.trace(), all);
        RecordedFixture buffered = new RecordedFixture(directory, "file_pread_pwrite", "--buffer-after=1");
        assertThat(callsForwards(buffered.trace(), all)).isEqualTo(expected);
        try (Timeline back = Timeline.open(buffered.trace(), ReplayOptions.QUIET)) {
            back.setCatches(all);
            back.seekToEnd();
            List<String> calls = new ArrayList<>();
            for (Stop stop = back.reverseResume(); !(stop instanceof Stop.Start); stop = back.reverseResume()) {
                calls.addFirst(call(back, stop));
                if (stop instanceof Stop.SyscallEntry) {
                    // One step back is the instruction that makes the call.
                    back.registers(stop.tid(), block);
                    long behind = Registers.get(block, Registers.RIP);
                    Position inside = back.position();
                    back.reverseStep(stop.tid());
                    back.registers(stop.tid(), block);
                    assertThat(Registers.get(block, Registers.RIP)).isLessThan(behind);
                    back.seek(inside);
                }
            }
            assertThat(calls).isEqualTo(expected.subList(0, calls.size()));
            assertThat(expected.size() - calls.size()).isLessThan(3);
        }
    }

    private List<String> callsForwards(Path trace, Catches catches) {
        List<String> calls = new ArrayList<>();
        try (Timeline forwards = Timeline.open(trace, ReplayOptions.QUIET)) {
            forwards.setCatches(catches);
            for (Stop stop = forwards.resume(); !(stop instanceof Stop.End); stop = forwards.resume()) {
                calls.add(call(forwards, stop));
            }
        }
        return calls;
    }

    /** What a debugger sees of a system call that does not depend on where things are in memory. */
    private String call(Timeline at, Stop stop) {
        at.registers(stop.tid(), block);
        long number = Registers.get(block, Registers.ORIG_RAX);
        return switch (stop) {
            case Stop.SyscallEntry entry -> {
                assertThat(number).isEqualTo(entry.number());
                assertThat(Registers.get(block, Registers.RAX)).isEqualTo(-38);
                yield "entry of " + entry.number();
            }
            case Stop.SyscallReturn exit -> {
                assertThat(Registers.get(block, Registers.RAX)).isEqualTo(exit.result());
                yield "return of " + exit.number();
            }
            default -> throw new AssertionError(stop);
        };
    }

    @Test
    @DisplayName("a function can be called in a diversion, and nothing has happened")
    void diversion() {
        timeline.insertBreakpoint(main, milestone);
        timeline.resume();
        Position here = timeline.position();
        long state = EveryInstant.state(timeline);
        try (Diversion diversion = timeline.divert(main)) {
            diversion.registers(block);
            long back = Registers.get(block, Registers.RIP);
            long stack = (Registers.get(block, Registers.RSP) - 256 & -16) - 8;
            MemorySegment word = Arena.ofAuto().allocate(8, 8);
            word.set(JAVA_LONG, 0, back);
            assertThat(diversion.writeMemory(stack, word, 8)).isTrue();
            Registers.set(block, Registers.RSP, stack);
            Registers.set(block, Registers.RDI, 4321);
            Registers.set(block, Registers.RIP, twice);
            diversion.setRegisters(block);
            diversion.insertBreakpoint(back);
            assertThat(diversion.resume()).isEqualTo(new Stop.Breakpoint(main, back));
            diversion.registers(block);
            assertThat(Registers.get(block, Registers.RAX)).isEqualTo(8642);
            diversion.readMemory(watched, word, 8);
            assertThat(word.get(JAVA_LONG, 0)).isEqualTo(4321);
        }
        assertThat(timeline.position()).isEqualTo(here);
        assertThat(EveryInstant.state(timeline)).isEqualTo(state);
        assertThat(timeline.resume()).isEqualTo(new Stop.Breakpoint(main, milestone));
        assertThat(register(Registers.RDI)).isEqualTo(1);
    }

    @Test
    @DisplayName("what the debugger asks about tasks is what was recorded")
    void tasks() {
        TaskInfo task = timeline.tasks().getFirst();
        assertThat(task.program()).endsWith("memory_written_by_code_and_kernel");
        assertThat(task.parent()).isZero();
        assertThat(timeline.mappings(main)).anySatisfy(region -> {
            assertThat(region.path()).isEqualTo(task.program());
            assertThat(region.start()).isLessThanOrEqualTo(twice);
            assertThat(region.end()).isGreaterThan(twice);
        });
        byte[] vector = timeline.auxiliaryVector(main);
        assertThat(MemorySegment.ofArray(vector)
                        .get(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED, vector.length - 16))
                .isZero();
        timeline.setCatches(new Catches(signal -> false, number -> false, true, false, false));
        assertThat(timeline.resume()).isInstanceOfSatisfying(Stop.Fork.class, fork -> {
            assertThat(timeline.tasks()).hasSize(2).anySatisfy(other -> {
                assertThat(other.tid()).isEqualTo(fork.child());
                assertThat(other.parent()).isEqualTo(main);
            });
        });
    }

    @Test
    @DisplayName("a position can be kept, written down and found again")
    void positions() {
        timeline.insertBreakpoint(main, milestone);
        timeline.resume();
        timeline.resume();
        timeline.step(main);
        Position kept = timeline.keep();
        long state = EveryInstant.state(timeline);
        assertThat(Position.parse(kept.toString())).isEqualTo(kept);
        timeline.seekToEnd();
        assertThat(EveryInstant.state(timeline)).isNotEqualTo(state);
        timeline.forget(kept);
        timeline.seek(Position.parse(kept.toString()));
        assertThat(EveryInstant.state(timeline)).isEqualTo(state);
        assertThatThrownBy(() -> timeline.seek(new Position(timeline.lastEvent() + 5)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    @DisplayName("a step back over the start of a program ends at the call that started it")
    void backOverExec() throws Exception {
        // Between the call, which another task saw begin, and the new program there are events about its file.
        RecordedFixture fixture = new RecordedFixture(directory, "vfork_exec");
        int execs = 0;
        try (Timeline over = Timeline.open(fixture.trace(), ReplayOptions.QUIET)) {
            over.setCatches(new Catches(signal -> false, number -> false, false, true, false));
            for (Stop stop = over.resume(); stop instanceof Stop.Exec exec; stop = over.resume()) {
                Position behind = over.position();
                long state = EveryInstant.state(over);
                assertThat(over.reverseStep(exec.tid())).isEqualTo(new Stop.Stepped(exec.tid()));
                over.registers(exec.tid(), block);
                assertThat(Registers.get(block, Registers.RAX)).isIn(59L, 322L);
                assertThat(over.position().event()).isLessThan(behind.event());
                over.seek(behind);
                assertThat(EveryInstant.state(over)).isEqualTo(state);
                execs++;
            }
        }
        assertThat(execs).isPositive();
    }

    @Test
    @DisplayName("a loop of a million rounds is stepped back into, and forward out of it again")
    void hotLoop() throws Exception {
        RecordedFixture fixture = new RecordedFixture(directory, "computation_of_a_million_rounds");
        long behind = fixture.symbol("behind");
        long counted = fixture.symbol("counted");
        try (Timeline loop = Timeline.open(fixture.trace(), ReplayOptions.QUIET)) {
            int task = loop.currentTask();
            loop.insertBreakpoint(task, behind);
            assertThat(loop.resume()).isEqualTo(new Stop.Breakpoint(task, behind));
            loop.removeBreakpoint(task, behind);
            List<Long> states = new ArrayList<>();
            MemorySegment value = Arena.ofAuto().allocate(8, 8);
            do {
                states.add(EveryInstant.state(loop));
                loop.reverseStep(task);
                loop.readMemory(task, counted, value, 8);
            } while (value.get(JAVA_LONG, 0) > 999_998 && states.size() < 100);
            assertThat(value.get(JAVA_LONG, 0)).isEqualTo(999_998);
            Position place = loop.position();
            for (long state : states.reversed()) {
                loop.step(task);
                assertThat(EveryInstant.state(loop)).isEqualTo(state);
            }
            long state = EveryInstant.state(loop);
            loop.seek(place);
            loop.readMemory(task, counted, value, 8);
            assertThat(value.get(JAVA_LONG, 0)).isEqualTo(999_998);
            loop.insertBreakpoint(task, behind);
            loop.resume();
            assertThat(EveryInstant.state(loop)).isEqualTo(state);
        }
    }

    @ParameterizedTest(name = "random moves in {0} lead where stepping through it has been")
    @CsvSource({
        "nolibc_static_raw_syscalls, 0, 1400",
        "mutex_contended_counter, 0.5, 1200",
        "signal_handler_simple, 0.4, 1200",
        "fork_exit_status, 0.6, 1000",
        "string_instructions, 0.9, 1500",
        "spin/spin_ticket_lock, 0.6, 800",
    })
    void randomMoves(String fixture, double from, int instants) throws Exception {
        Path trace = new RecordedFixture(directory, fixture, "--buffer-after=1").trace();
        long start;
        try (Timeline whole = Timeline.open(trace, ReplayOptions.QUIET)) {
            start = Math.max(whole.position().event(), (long) (from * whole.lastEvent()));
        }
        EveryInstant every = new EveryInstant(trace, start, instants);
        try (RandomMoves moves = new RandomMoves(trace, every, Long.getLong("reprise.seed", 1))) {
            assertThat(moves.make(Integer.getInteger("reprise.moves", 100))).isEmpty();
        }
    }
}
