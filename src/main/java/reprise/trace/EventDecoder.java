package reprise.trace;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes the events of a chunk apart. What is read is checked against the chunk's bounds, so that damaged bytes end in
 * a {@link TraceException}, whatever they are.
 */
final class EventDecoder {
    private static final Event.SignalPoint[] POINTS = Event.SignalPoint.values();
    private static final Event.SignalEffect[] EFFECTS = Event.SignalEffect.values();
    private static final Event.TrappedInstruction[] INSTRUCTIONS = Event.TrappedInstruction.values();

    private final MemorySegment events;
    private final long limit;
    private long position;
    private long sequence;
    private long nanos;

    // The parts of the event at hand.
    private List<Event.Mapping> mappings;
    private List<Event.MappingChange> changes;
    private List<Event.MemoryWrite> writes;
    private Event.NewTask child;

    /** A decoder of a chunk's {@code events}, at its first, which has the number {@code sequence}. */
    EventDecoder(MemorySegment events, long sequence) {
        this.events = events;
        this.limit = events.byteSize();
        this.sequence = sequence;
    }

    /** Sequence number of the event that {@link #next} will give. */
    long sequence() {
        return sequence;
    }

    boolean atEnd() {
        return position >= limit;
    }

    /**
     * The next event.
     *
     * @throws TraceException if the bytes make no sense
     */
    Event next() {
        long first = word();
        long who = word();
        nanos += word();
        Event.Header header = new Event.Header(sequence, (int) who, (int) (who >>> 32), nanos);
        Event event = body(header, (int) first & 0xff, (int) (first >>> 8) & 0xff, (int) (first >>> 16) & 0xffff, (int)
                (first >>> 32));
        sequence++;
        return event;
    }

    private Event body(Event.Header header, int kind, int flags, int small, int number) {
        return switch (kind) {
            case TraceFormat.FILE_STORED -> {
                long size = word();
                yield new Event.FileStored(header, number, string(), string(), size);
            }
            case TraceFormat.SHARED_OBJECT -> {
                int file = (int) word();
                yield new Event.SharedObject(header, number, file, word(), string());
            }
            case TraceFormat.EXEC -> exec(header, number);
            case TraceFormat.SYSCALL_ENTER -> new Event.SyscallEnter(header, registers());
            case TraceFormat.SYSCALL_EXIT -> syscallExit(header, flags, small, number);
            case TraceFormat.SIGNAL_DELIVERED -> signalDelivered(header, flags, small, number);
            case TraceFormat.INSTRUCTION_TRAPPED -> {
                long rax = word();
                long rbx = word();
                long rcx = word();
                long rdx = word();
                yield new Event.InstructionTrapped(
                        header, element(INSTRUCTIONS, small), registers(), rax, rbx, rcx, rdx);
            }
            case TraceFormat.TASK_EXIT -> {
                parts();
                yield new Event.TaskExit(header, number, writes);
            }
            case TraceFormat.CORE_BOUND -> new Event.CoreBound(header, number);
            case TraceFormat.CHECKSUM ->
                new Event.Checksum(header, (flags & TraceFormat.YES) != 0, words(number), words(number));
            case TraceFormat.EXECUTION_POINT -> {
                long vectors = word();
                long[] pages = words(number);
                long[] hashes = words(number);
                long counts = word();
                int words = (int) counts & 0xffff;
                long[] probes = words(words);
                long[] values = words(words);
                boolean complete = (flags & TraceFormat.YES) != 0;
                yield new Event.ExecutionPoint(
                        header,
                        registers(),
                        vectors,
                        complete,
                        pages,
                        hashes,
                        probes,
                        values,
                        (int) (counts >>> 16) & 0xffff,
                        (int) (counts >>> 32));
            }
            case TraceFormat.BUFFERED_CALLS ->
                new Event.BufferedCalls(header, (flags & TraceFormat.YES) != 0, bytes(word()));
            case TraceFormat.CODE_PATCHED -> {
                long resumeAt = word();
                parts();
                yield new Event.CodePatched(header, resumeAt, changes, writes);
            }
            case TraceFormat.NOTE -> new Event.Note(header, string());
            case TraceFormat.END -> new Event.End(header, number);
            default -> throw damaged("is of unknown kind " + kind);
        };
    }

    private Event exec(Event.Header header, int count) {
        long who = word();
        String program = string();
        List<String> arguments = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            arguments.add(string());
        }
        MemorySegment registers = registers();
        MemorySegment extendedState = bytes(word());
        parts();
        return new Event.Exec(
                header, (int) who, (int) (who >>> 32), program, arguments, registers, extendedState, mappings, writes);
    }

    private Event syscallExit(Event.Header header, int flags, int output, int number) {
        long result = word();
        MemorySegment entry = (flags & TraceFormat.HAS_FIRST_REGISTERS) == 0 ? null : registers();
        MemorySegment exit = (flags & TraceFormat.HAS_SECOND_REGISTERS) == 0 ? null : registers();
        MemorySegment extendedState = (flags & TraceFormat.HAS_EXTENDED_STATE) == 0 ? null : bytes(word());
        parts();
        return new Event.SyscallExit(
                header, entry, number, result, exit, extendedState, output, changes, writes, child);
    }

    private Event signalDelivered(Event.Header header, int flags, int small, int signal) {
        MemorySegment before = registers();
        MemorySegment signalInfo = bytes(TraceFormat.SIGNAL_INFO);
        MemorySegment after = (flags & TraceFormat.HAS_SECOND_REGISTERS) == 0 ? null : registers();
        MemorySegment extendedState = (flags & TraceFormat.HAS_EXTENDED_STATE) == 0 ? null : bytes(word());
        parts();
        return new Event.SignalDelivered(
                header,
                signal,
                element(POINTS, small & 0xff),
                element(EFFECTS, small >>> 8),
                before,
                signalInfo,
                after,
                extendedState,
                writes);
    }

    /** Reads parts up to their end, into the fields. */
    private void parts() {
        mappings = List.of();
        changes = List.of();
        writes = List.of();
        child = null;
        while (true) {
            long first = word();
            int small = (int) (first >>> 16) & 0xffff;
            int number = (int) (first >>> 32);
            switch ((int) first & 0xff) {
                case TraceFormat.PART_END -> {
                    return;
                }
                case TraceFormat.PART_WRITE -> {
                    long address = word();
                    writes = added(writes, new Event.MemoryWrite(number, address, bytes(word())));
                }
                case TraceFormat.PART_MAPPING -> mappings = added(mappings, mapping(small, number));
                case TraceFormat.PART_MAP -> changes = added(changes, new Event.Map(mapping(small, number)));
                case TraceFormat.PART_UNMAP -> changes = added(changes, new Event.Unmap(word(), word()));
                case TraceFormat.PART_PROTECT -> changes = added(changes, new Event.Protect(word(), word(), number));
                case TraceFormat.PART_REMAP ->
                    changes = added(changes, new Event.Remap(word(), word(), word(), word(), number));
                case TraceFormat.PART_DISCARD -> changes = added(changes, new Event.Discard(word(), word(), number));
                case TraceFormat.PART_RESIZE -> changes = added(changes, new Event.Resize(number, word()));
                case TraceFormat.PART_CHILD -> {
                    int domain = (int) word();
                    child = new Event.NewTask(number, domain, word(), small != 0, registers());
                }
                default -> throw damaged("has a part of unknown kind " + (first & 0xff));
            }
        }
    }

    private static <T> List<T> added(List<T> list, T element) {
        List<T> result = list.isEmpty() ? new ArrayList<>(4) : list;
        result.add(element);
        return result;
    }

    private Event.Mapping mapping(int backing, int number) {
        long bits = word();
        long address = word();
        long length = word();
        long offset = word();
        String name = string();
        Event.Backing shown = switch (backing) {
            case TraceFormat.BACKING_ANONYMOUS -> new Event.Anonymous();
            case TraceFormat.BACKING_PRIVATE_FILE -> new Event.PrivateFile(number, offset);
            case TraceFormat.BACKING_SHARED -> new Event.Shared(number, offset);
            default -> throw damaged("has a mapping of unknown kind " + backing);
        };
        return new Event.Mapping(address, length, (int) bits, (int) (bits >>> 32), shown, name);
    }

    private long word() {
        if (limit - position < 8) {
            throw damaged("is cut off");
        }
        long value = events.get(JAVA_LONG, position);
        position += 8;
        return value;
    }

    private MemorySegment registers() {
        return bytes(TraceFormat.REGISTERS);
    }

    private MemorySegment bytes(long length) {
        // What is behind the position is at most 2^33, so padding cannot overflow.
        if (length < 0 || length > limit - position || TraceFormat.padded(length) > limit - position) {
            throw damaged("has " + length + " bytes where only " + (limit - position) + " are");
        }
        MemorySegment slice = events.asSlice(position, length);
        position += TraceFormat.padded(length);
        return slice;
    }

    private long[] words(int count) {
        if (count < 0) {
            throw damaged("has " + count + " words");
        }
        return bytes(count * 8L).toArray(JAVA_LONG);
    }

    private String string() {
        long length = word();
        if (length > Integer.MAX_VALUE - 64) {
            throw damaged("has a text of " + length + " bytes");
        }
        return new String(bytes(length).toArray(JAVA_BYTE), StandardCharsets.UTF_8);
    }

    private <T> T element(T[] values, int index) {
        if (index >= values.length) {
            throw damaged("has a value that this version does not know");
        }
        return values[index];
    }

    private TraceException damaged(String what) {
        return new TraceException("the trace is damaged: event " + sequence + " " + what);
    }
}
