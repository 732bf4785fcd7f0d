package reprise.cli;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import reprise.trace.Event;
import reprise.trace.TraceHeader;
import reprise.trace.TraceWriter;
import reprise.x86.Registers;

/** A trace made by hand: what a test needs to say about it, and nothing else. */
final class SyntheticTrace implements AutoCloseable {
    static final long CLONE_VM = 0x100;
    static final long CLONE_THREAD = 0x10000;

    final Path directory;
    final TraceWriter writer;

    /** A trace in {@code parent/name}. */
    SyntheticTrace(Path parent, String name, long startedAt, String... command) {
        directory = parent.resolve(name);
        try {
            Files.createDirectories(directory.resolve("files"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        writer = TraceWriter.create(
                directory,
                new TraceHeader(
                        "00000000-0000-4000-8000-000000000000",
                        startedAt,
                        "6.1.0",
                        "Some processor",
                        List.of("fpu", "sse2"),
                        7,
                        4,
                        Map.of(),
                        "/home/somebody",
                        List.of(command),
                        List.of("PATH=/bin", "SECRET=1")));
    }

    SyntheticTrace(Path parent, String name) {
        this(parent, name, 1_000_000_000_000L, "/bin/" + name);
    }

    /** Registers at the entry of a call. */
    static MemorySegment registers(int number, long... arguments) {
        MemorySegment registers = Arena.ofAuto().allocate(Registers.SIZE, 8);
        Registers.set(registers, Registers.ORIG_RAX, number);
        Registers.set(registers, Registers.RIP, 0x401000);
        for (int i = 0; i < arguments.length; i++) {
            Registers.set(registers, Registers.argument(i), arguments[i]);
        }
        return registers;
    }

    static MemorySegment bytes(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        MemorySegment segment = Arena.ofAuto().allocate(Math.max(1, bytes.length), 8);
        MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
        return segment.asSlice(0, bytes.length);
    }

    SyntheticTrace exec(int tid, int parent, String... arguments) {
        return exec(tid, tid, parent, arguments);
    }

    SyntheticTrace exec(int tid, int former, int parent, String... arguments) {
        MemorySegment state = Arena.ofAuto().allocate(16, 8);
        writer.exec(1, tid, former, parent, arguments[0], List.of(arguments), registers(59), state);
        writer.mapping(new Event.Mapping(0x400000, 0x2000, 5, 2, new Event.PrivateFile(1, 0x1000), arguments[0]));
        writer.mapping(new Event.Mapping(0x7000, 0x1000, 3, 0x22, new Event.Anonymous(), "[stack]"));
        write(tid, 0x7000, "stack");
        writer.end();
        return this;
    }

    /** A call that wrote nothing. */
    SyntheticTrace call(int tid, int number, long result, long... arguments) {
        writer.syscallExit(1, tid, registers(number, arguments), number, result, null, null, 0);
        writer.end();
        return this;
    }

    /** A call that created a task. */
    SyntheticTrace clone(int tid, int child, long flags) {
        writer.syscallExit(1, tid, registers(56, flags), 56, child, null, null, 0);
        writer.child(new Event.NewTask(child, 2, flags, (flags & CLONE_VM) != 0, registers(56)));
        writer.end();
        return this;
    }

    SyntheticTrace exit(int tid, int waitStatus) {
        writer.taskExit(1, tid, waitStatus);
        writer.end();
        return this;
    }

    SyntheticTrace end(int tid, int waitStatus) {
        writer.end(1, tid, waitStatus);
        return this;
    }

    /** Adds memory to an open event. */
    void write(int tid, long address, String content) {
        MemorySegment bytes = bytes(content);
        writer.write(tid, address, bytes.byteSize()).copyFrom(bytes);
    }

    /** Finishes the trace; its path as a command takes it. */
    String done() {
        writer.close();
        return directory.toString();
    }

    @Override
    public void close() {
        writer.close();
    }
}
