package reprise.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import reprise.runtime.BufferRecord;
import reprise.trace.Event;
import reprise.x86.Registers;

/**
 * What a timeline shows of a trace, in a form that a page can hold a million events of: a compressed stream of records.
 *
 * <p>Numbers in it are LEB128, seven bits a byte, the lowest first. A record is: nanoseconds since the previous event,
 * number of the task (as in {@link #tasks}), number of the domain, kind, and two values of the kind, the second with its
 * sign in the lowest bit.
 */
final class TimelineData {
    /** The kinds of records; the page knows them by these numbers. */
    static final int OTHER = 0;

    static final int SYSCALL = 1;
    static final int ENTER = 2;
    static final int LEAVE = 3;
    static final int SIGNAL = 4;
    static final int EXEC = 5;
    static final int EXIT = 6;
    static final int POINT = 7;
    static final int INSTRUCTION = 8;
    static final int NOTE = 9;
    static final int END = 10;
    /**
     * Its first value is a number of runs, which follow the record: number of a call, its error (0 for none), and how
     * often in succession.
     */
    static final int BUFFERED = 11;

    private static final long MAX_ERRNO = 4095;
    private static final long CLONE_THREAD = 0x10000;

    /** A task that lived; ids may be used again, so there is one of these for each life. */
    static final class Task {
        final int tid;
        final int pid;
        /** Number of the task that created it, -1 for the first. */
        final int creator;

        final long born;
        String name;
        long died = -1;
        int waitStatus;

        Task(int tid, int pid, int creator, long born, String name) {
            this.tid = tid;
            this.pid = pid;
            this.creator = creator;
            this.born = born;
            this.name = name;
        }
    }

    /** Bytes that the program wrote to its standard output (1) or error (2), with their event. */
    record Piece(long event, int descriptor, long length) {}

    private final ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    private final OutputStream records;
    private final List<Task> tasks = new ArrayList<>();
    /** The latest life of each id. */
    private final Map<Integer, Integer> latest = new HashMap<>();

    private final List<Piece> output = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private long count;
    private long nanos;

    TimelineData() {
        try {
            records = new GZIPOutputStream(compressed, 1 << 16);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<Task> tasks() {
        return tasks;
    }

    List<Piece> output() {
        return output;
    }

    /** Texts of the notes, which their records number. */
    List<String> notes() {
        return notes;
    }

    long events() {
        return count;
    }

    /** Time of the last event. */
    long nanos() {
        return nanos;
    }

    /** Takes the next event. */
    void accept(Event event) {
        Event.Header header = event.header();
        int task = task(header);
        switch (event) {
            case Event.SyscallExit exit -> {
                int kind = exit.entryRegisters() == null ? LEAVE : SYSCALL;
                record(header, task, kind, exit.number(), exit.result());
                if (exit.child() != null) {
                    born(exit.child(), task, header.nanos());
                }
                if (exit.output() != 0 && exit.result() > 0) {
                    output.add(new Piece(header.sequence(), exit.output(), exit.result()));
                }
            }
            case Event.SyscallEnter enter ->
                record(header, task, ENTER, (int) Registers.get(enter.registers(), Registers.ORIG_RAX), 0);
            case Event.SignalDelivered signal ->
                record(header, task, SIGNAL, signal.signal(), signal.effect().ordinal());
            case Event.Exec exec -> {
                String program = exec.arguments().isEmpty() ? exec.program() : Quotes.command(exec.arguments());
                tasks.get(task).name = program;
                record(header, task, EXEC, 0, 0);
            }
            case Event.TaskExit exit -> {
                tasks.get(task).died = header.nanos();
                tasks.get(task).waitStatus = exit.waitStatus();
                record(header, task, EXIT, exit.waitStatus() & 0xffff, 0);
            }
            case Event.BufferedCalls buffered -> buffered(buffered, task);
            case Event.ExecutionPoint point -> record(header, task, POINT, 0, 0);
            case Event.InstructionTrapped trapped ->
                record(header, task, INSTRUCTION, trapped.instruction().ordinal(), 0);
            case Event.Note note -> {
                notes.add(note.text());
                record(header, task, NOTE, notes.size() - 1, 0);
            }
            case Event.End end -> record(header, task, END, end.waitStatus() & 0xffff, 0);
            default -> record(header, task, OTHER, 0, 0);
        }
    }

    private void buffered(Event.BufferedCalls event, int task) {
        List<long[]> runs = new ArrayList<>();
        BufferRecord call = new BufferRecord(event.records());
        while (call.next()) {
            long error = call.result() < 0 && call.result() >= -MAX_ERRNO ? -call.result() : 0;
            long[] last = runs.isEmpty() ? null : runs.getLast();
            if (last != null && last[0] == call.number() && last[1] == error) {
                last[2]++;
            } else {
                runs.add(new long[] {call.number(), error, 1});
            }
        }
        record(event.header(), task, BUFFERED, runs.size(), 0);
        for (long[] run : runs) {
            for (long each : run) {
                number(each);
            }
        }
    }

    private int task(Event.Header header) {
        Integer known = latest.get(header.tid());
        if (known != null) {
            return known;
        }
        return add(new Task(header.tid(), header.tid(), -1, header.nanos(), ""));
    }

    private void born(Event.NewTask child, int creator, long when) {
        Task parent = tasks.get(creator);
        int pid = (child.cloneFlags() & CLONE_THREAD) != 0 ? parent.pid : child.tid();
        add(new Task(child.tid(), pid, creator, when, parent.name));
    }

    private int add(Task task) {
        tasks.add(task);
        latest.put(task.tid, tasks.size() - 1);
        return tasks.size() - 1;
    }

    private void record(Event.Header header, int task, int kind, int value, long extra) {
        number(Math.max(0, header.nanos() - nanos));
        number(task);
        number(header.domain() & 0xffffffffL);
        number(kind);
        number(value & 0xffffffffL);
        number(extra << 1 ^ extra >> 63);
        nanos = Math.max(nanos, header.nanos());
        count++;
    }

    private void number(long value) {
        long rest = value;
        try {
            while ((rest & ~0x7fL) != 0) {
                records.write((int) rest & 0x7f | 0x80);
                rest >>>= 7;
            }
            records.write((int) rest);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Finishes the stream: all records, compressed by gzip. */
    byte[] records() {
        try {
            records.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return compressed.toByteArray();
    }
}
