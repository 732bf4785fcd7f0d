package reprise.trace;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Events for tests: every kind, with usual and with extreme values. */
final class SampleTrace {
    static final TraceHeader HEADER = new TraceHeader(
            "0b5c5a3e-0000-4000-8000-000000000001",
            1_700_000_000_123L,
            "6.12.0",
            "Some \"CPU\" \\ 3 GHz",
            List.of("fpu", "sse2"),
            0x2e7,
            8,
            Map.of(435, 38, -1, 1),
            "/home/somebody/with\ttab",
            List.of("prog", "", "ärgument", "\ud83d\ude00"),
            List.of("PATH=/bin", "EMPTY=", "ODD=\u0001\u007f\n"));

    private SampleTrace() {}

    /** A directory in {@code parent} as a recorder finds it. */
    static Path directory(Path parent) throws java.io.IOException {
        Path directory = Files.createDirectories(parent.resolve("trace"));
        Files.createDirectories(directory.resolve("files"));
        return directory;
    }

    static MemorySegment bytes(long seed, long size) {
        MemorySegment segment = Arena.ofAuto().allocate(Math.max(size, 1), 8).asSlice(0, size);
        Random random = new Random(seed);
        for (long i = 0; i < size; i++) {
            segment.set(JAVA_BYTE, i, (byte) random.nextInt());
        }
        return segment;
    }

    static MemorySegment registers(long seed) {
        MemorySegment segment = bytes(seed, 216);
        segment.set(JAVA_LONG, 128, 0x55550000L + seed * 2);
        return segment;
    }

    /** The kinds of events that {@link #everything} has. */
    static List<Event> everything() {
        List<Event> all = new ArrayList<>();
        all.add(new Event.FileStored(at(0, 0), 1, "/usr/lib/libc.so.6", "files/1-libc.so.6", 1L << 40));
        all.add(new Event.FileStored(at(-1, -1), Integer.MIN_VALUE, "", "", -1));
        all.add(new Event.SharedObject(at(1, 2), 7, 0, 4096, "/memfd:x (deleted)"));
        all.add(new Event.SharedObject(at(1, 2), Integer.MAX_VALUE, -5, Long.MIN_VALUE, "ÿ\ud83d\ude00"));
        all.add(new Event.Exec(
                at(1, 10),
                11,
                9,
                "/bin/sh",
                List.of("sh", "-c", ""),
                registers(1),
                bytes(2, 2696),
                List.of(
                        new Event.Mapping(0x1000, 0x2000, 5, 2, new Event.PrivateFile(1, 0x3000), "/bin/sh"),
                        new Event.Mapping(-0x1000, 0x1000, -1, -1, new Event.Shared(-1, -1), "[vsyscall]"),
                        new Event.Mapping(0x8000, 0x1000, 3, 0x22, new Event.Anonymous(), "")),
                List.of(
                        new Event.MemoryWrite(10, 0x7fff_ffff_0000L, bytes(3, 4096)),
                        new Event.MemoryWrite(-10, -1, bytes(3, 0)),
                        new Event.MemoryWrite(10, 0, bytes(3, 1)))));
        all.add(new Event.Exec(at(1, 10), 10, 0, "", List.of(), registers(5), bytes(6, 0), List.of(), List.of()));
        all.add(new Event.SyscallEnter(at(64, 12), registers(7)));
        all.add(new Event.SyscallExit(at(63, 12), registers(8), 0, 17, null, null, 1, List.of(), List.of(), null));
        all.add(new Event.SyscallExit(
                at(65, 12),
                null,
                -1,
                Long.MIN_VALUE,
                registers(9),
                bytes(10, 11000),
                2,
                List.of(
                        new Event.Map(new Event.Mapping(1, 2, 3, 4, new Event.Anonymous(), "n")),
                        new Event.Unmap(-1, Long.MAX_VALUE),
                        new Event.Protect(5, 6, 7),
                        new Event.Remap(1, 2, 3, 4, 5),
                        new Event.Discard(8, 9, 4)),
                List.of(new Event.MemoryWrite(12, 99, bytes(11, 77))),
                new Event.NewTask(13, 65, 0xffff_ffff_ffffL, true, registers(12))));
        for (Event.SignalPoint point : Event.SignalPoint.values()) {
            for (Event.SignalEffect effect : Event.SignalEffect.values()) {
                all.add(new Event.SignalDelivered(
                        at(1, 12),
                        64,
                        point,
                        effect,
                        registers(13),
                        bytes(14, 128),
                        effect == Event.SignalEffect.FATAL ? null : registers(15),
                        effect == Event.SignalEffect.FATAL ? null : bytes(16, 832),
                        List.of(new Event.MemoryWrite(12, 5, bytes(17, 1031)))));
            }
        }
        for (Event.TrappedInstruction instruction : Event.TrappedInstruction.values()) {
            all.add(new Event.InstructionTrapped(
                    at(1, 12), instruction, registers(18), Long.MAX_VALUE, Long.MIN_VALUE, 0, -1));
        }
        all.add(new Event.TaskExit(at(1, 12), 0x8b, List.of(new Event.MemoryWrite(12, 4, bytes(19, 4)))));
        all.add(new Event.TaskExit(at(1, 12), 0, List.of()));
        all.add(new Event.CoreBound(at(1, 12), -1));
        all.add(new Event.Checksum(at(1, 12), true, new long[] {4096, -4096}, new long[] {1, -1}));
        all.add(new Event.ExecutionPoint(
                at(1, 12),
                registers(5),
                -7,
                false,
                new long[] {4096, 8192},
                new long[] {1, -1},
                new long[] {3, 4104, -8},
                new long[] {0, 7, -1},
                0x8001,
                2));
        all.add(new Event.BufferedCalls(at(1, 12), true, bytes(7, 48)));
        all.add(new Event.BufferedCalls(at(1, 12), false, bytes(7, 0)));
        all.add(new Event.CodePatched(
                at(1, 12),
                0x4000,
                new long[] {5, 6},
                List.of(new Event.Unmap(1, 2)),
                List.of(new Event.MemoryWrite(12, 9, bytes(3, 5)))));
        all.add(new Event.Checksum(at(1, 12), false, new long[0], new long[0]));
        all.add(new Event.Note(at(1, 12), "system call 9999 is not known"));
        all.add(new Event.Note(at(1, 12), ""));
        all.add(new Event.End(at(1, 10), 0x100));
        return all;
    }

    private static Event.Header at(int domain, int tid) {
        return new Event.Header(0, domain, tid, 0);
    }

    /** Writes an event the way the recorder does; its sequence number. */
    static long write(TraceWriter to, Event event) {
        int domain = event.header().domain();
        int tid = event.header().tid();
        return switch (event) {
            case Event.FileStored e -> to.fileStored(domain, tid, e.file(), e.path(), e.stored(), e.size());
            case Event.SharedObject e -> to.sharedObject(domain, tid, e.object(), e.file(), e.size(), e.name());
            case Event.Exec e -> {
                to.exec(
                        domain,
                        tid,
                        e.formerTid(),
                        e.parentTid(),
                        e.program(),
                        e.arguments(),
                        e.registers(),
                        e.extendedState());
                e.mappings().forEach(to::mapping);
                writes(to, e.writes());
                yield to.end();
            }
            case Event.SyscallEnter e -> to.syscallEnter(domain, tid, e.registers());
            case Event.SyscallExit e -> {
                to.syscallExit(
                        domain,
                        tid,
                        e.entryRegisters(),
                        e.number(),
                        e.result(),
                        e.exitRegisters(),
                        e.extendedState(),
                        e.output());
                e.changes().forEach(to::change);
                writes(to, e.writes());
                if (e.child() != null) {
                    to.child(e.child());
                }
                yield to.end();
            }
            case Event.SignalDelivered e -> {
                to.signalDelivered(
                        domain,
                        tid,
                        e.signal(),
                        e.point(),
                        e.effect(),
                        e.before(),
                        e.signalInfo(),
                        e.after(),
                        e.extendedState());
                writes(to, e.writes());
                yield to.end();
            }
            case Event.InstructionTrapped e ->
                to.instructionTrapped(domain, tid, e.instruction(), e.before(), e.rax(), e.rbx(), e.rcx(), e.rdx());
            case Event.TaskExit e -> {
                to.taskExit(domain, tid, e.waitStatus());
                writes(to, e.writes());
                yield to.end();
            }
            case Event.CoreBound e -> to.coreBound(domain, tid, e.core());
            case Event.ExecutionPoint e ->
                to.executionPoint(
                        domain,
                        tid,
                        e.registers(),
                        e.vectorHash(),
                        e.complete(),
                        e.pages(),
                        e.hashes(),
                        e.probes(),
                        e.values(),
                        e.probes().length,
                        e.registersChanging(),
                        e.probesChanging());
            case Event.BufferedCalls e ->
                to.bufferedCalls(
                        domain, tid, e.stops(), e.records(), e.records().byteSize());
            case Event.CodePatched e -> {
                to.codePatched(domain, tid, e.resumeAt(), e.places());
                e.changes().forEach(to::change);
                writes(to, e.writes());
                yield to.end();
            }
            case Event.Checksum e -> to.checksum(domain, tid, e.complete(), e.pages(), e.hashes(), e.pages().length);
            case Event.Note e -> to.note(domain, tid, e.text());
            case Event.End e -> to.end(domain, tid, e.waitStatus());
        };
    }

    private static void writes(TraceWriter to, List<Event.MemoryWrite> writes) {
        for (Event.MemoryWrite write : writes) {
            long size = write.data().byteSize();
            MemorySegment.copy(write.data(), 0, to.write(write.tid(), write.address(), size), 0, size);
        }
    }

    /** An event without sequence number and time, as text that shows every byte. */
    static String text(Object value) {
        return switch (value) {
            case null -> "null";
            case Event.Header header -> header.domain() + "/" + header.tid();
            case MemorySegment segment -> HexFormat.of().formatHex(segment.toArray(JAVA_BYTE));
            case List<?> list -> list.stream().map(SampleTrace::text).toList().toString();
            case long[] words -> java.util.Arrays.toString(words);
            case Record record -> {
                StringBuilder text = new StringBuilder(record.getClass().getSimpleName()).append('(');
                try {
                    for (RecordComponent component : record.getClass().getRecordComponents()) {
                        text.append(component.getName())
                                .append('=')
                                .append(text(component.getAccessor().invoke(record)))
                                .append(' ');
                    }
                } catch (ReflectiveOperationException e) {
                    throw new AssertionError(e);
                }
                yield text.append(')').toString();
            }
            default -> value.toString();
        };
    }

    /** All events of a trace as {@link #text}. */
    static List<String> texts(Path directory) {
        try (TraceReader reader = TraceReader.open(directory)) {
            List<String> texts = new ArrayList<>();
            for (Event event = reader.next(); event != null; event = reader.next()) {
                texts.add(text(event));
            }
            return texts;
        }
    }
}
