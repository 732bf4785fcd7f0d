package reprise.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reprise.trace.Event;

/** Whatever a trace says happened, the commands that show it end in plain words. */
class StrangeEventsTest {
    private static final int TRACES = 150;
    private static final int EVENTS = 40;
    private static final long[] ODD = {
        0, 1, -1, 7, 63, 64, 4095, -4095, 1L << 31, -(1L << 31), 1L << 47, Long.MAX_VALUE, Long.MIN_VALUE
    };

    @TempDir
    Path directory;

    private final Random random = new Random(17);

    @Test
    @DisplayName("dump, ps, traceinfo and timeline take thousands of strange events without a stack trace")
    void strange() {
        for (int i = 0; i < TRACES; i++) {
            SyntheticTrace trace = new SyntheticTrace(directory, "t-" + i);
            for (int k = 0; k < EVENTS; k++) {
                event(trace);
            }
            String path = trace.done();
            String page = directory.resolve("page").toString();
            for (List<String> line : List.of(
                    List.of("dump", "-v", path),
                    List.of("dump", "--json", path),
                    List.of("dump", "--stats", path),
                    List.of("ps", path),
                    List.of("traceinfo", path),
                    List.of("timeline", "--no-output", "-o", page, path),
                    List.of("timeline", "--perfetto", "-o", page, path))) {
                Console.Run run = Console.reprise(line.toArray(String[]::new));
                assertThat(run.err())
                        .as(line.toString())
                        .doesNotContain("\tat ")
                        .doesNotContain("internal fault");
                assertThat(run.status()).isIn(ExitStatus.OK, ExitStatus.FAILED);
            }
        }
    }

    private long odd() {
        return random.nextInt(3) == 0 ? random.nextLong() : ODD[random.nextInt(ODD.length)];
    }

    private int tid() {
        return random.nextInt(10) == 0 ? (int) odd() : 10 + random.nextInt(4);
    }

    private MemorySegment registers() {
        MemorySegment registers = Arena.ofAuto().allocate(216, 8);
        for (int i = 0; i < 27; i++) {
            registers.setAtIndex(ValueLayout.JAVA_LONG, i, odd());
        }
        registers.setAtIndex(ValueLayout.JAVA_LONG, 15, random.nextInt(480));
        return registers;
    }

    private MemorySegment bytes(int size) {
        MemorySegment bytes = Arena.ofAuto().allocate(Math.max(8, size), 8);
        for (int i = 0; i < size; i++) {
            bytes.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
        }
        return bytes.asSlice(0, size);
    }

    private void event(SyntheticTrace trace) {
        var writer = trace.writer;
        int tid = tid();
        int domain = (int) odd();
        switch (random.nextInt(13)) {
            case 0 -> writer.fileStored(domain, tid, (int) odd(), "/a\n\0\u0007", "../../x", odd());
            case 1 -> writer.sharedObject(domain, tid, (int) odd(), (int) odd(), odd(), "\u001b[31m");
            case 2 -> {
                writer.exec(domain, tid, tid(), tid(), "", List.of(), registers(), bytes(16));
                writer.mapping(
                        new Event.Mapping(odd(), odd(), (int) odd(), (int) odd(), new Event.Shared(-1, odd()), ""));
                memory(trace, tid);
                writer.end();
            }
            case 3 -> writer.syscallEnter(domain, tid, registers());
            case 4, 5, 6 -> {
                MemorySegment registers = registers();
                int number =
                        random.nextInt(20) == 0 ? (int) odd() : (int) registers.getAtIndex(ValueLayout.JAVA_LONG, 15);
                writer.syscallExit(domain, tid, random.nextBoolean() ? registers : null, number, odd(), null, null, 0);
                for (int argument : new int[] {14, 13, 12}) {
                    memoryAt(trace, tid, registers.getAtIndex(ValueLayout.JAVA_LONG, argument));
                }
                writer.change(new Event.Discard(odd(), odd(), (int) odd()));
                writer.change(new Event.Remap(odd(), odd(), odd(), odd(), (int) odd()));
                if (random.nextInt(4) == 0) {
                    writer.child(new Event.NewTask(tid(), domain, odd(), random.nextBoolean(), registers()));
                }
                writer.end();
            }
            case 7 -> {
                writer.signalDelivered(
                        domain,
                        tid,
                        (int) odd(),
                        Event.SignalPoint.FAULT,
                        Event.SignalEffect.HANDLER,
                        registers(),
                        bytes(128),
                        registers(),
                        bytes(64));
                memory(trace, tid);
                writer.end();
            }
            case 8 -> writer.bufferedCalls(domain, tid, true, bytes(128), 128);
            case 9 -> {
                writer.taskExit(domain, tid, (int) odd());
                writer.end();
            }
            case 10 -> writer.checksum(domain, tid, true, new long[] {odd()}, new long[] {odd()}, 1);
            case 11 -> writer.note(domain, tid, "\u0000\n\ud800");
            default ->
                writer.instructionTrapped(
                        domain, tid, Event.TrappedInstruction.CPUID, registers(), odd(), odd(), odd(), odd());
        }
    }

    private void memory(SyntheticTrace trace, int tid) {
        memoryAt(trace, tid, odd());
    }

    private void memoryAt(SyntheticTrace trace, int tid, long address) {
        MemorySegment bytes = bytes(random.nextInt(200));
        trace.writer.write(tid, address, bytes.byteSize()).copyFrom(bytes);
    }
}
