package reprise.debug;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import reprise.trace.Event;
import reprise.trace.StoredContent;
import reprise.trace.TraceHeader;
import reprise.trace.TraceReader;

/**
 * What a debugger asks of a whole trace: where processes begin, and where the files are that they mapped. Reads the trace
 * only as far as an answer needs it.
 */
final class TraceIndex implements AutoCloseable {
    private static final long CLONE_THREAD = 0x10000;
    private static final int COMPARED = 1 << 16;
    private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};

    private final TraceReader reader;
    private final List<Birth> births = new ArrayList<>();
    private final Map<String, Path> files = new HashMap<>();
    private final StoredContent content;
    /** The process of each task that was seen. */
    private final Map<Integer, Integer> processes = new HashMap<>();
    /** The end of a task of each process behind which nothing but its other tasks' ends happened in it. */
    private final Map<Integer, Long> ends = new HashMap<>();

    private long read;

    /**
     * The beginning of a process, or of a program in one.
     *
     * @param event sequence number of the event after which it is there
     * @param program path of the program; null where a process was forked
     */
    record Birth(long event, int process, String program) {
        boolean isFork() {
            return program == null;
        }
    }

    TraceIndex(Path directory) {
        this.reader = TraceReader.open(directory);
        content = StoredContent.of(reader.directory());
    }

    /** What was known when the recording started. */
    TraceHeader header() {
        return reader.header();
    }

    /** The first birth that is wanted. */
    Optional<Birth> first(Predicate<Birth> wanted) {
        for (int i = 0; ; i++) {
            while (i >= births.size()) {
                if (!readOne()) {
                    return Optional.empty();
                }
            }
            if (wanted.test(births.get(i))) {
                return Optional.of(births.get(i));
            }
        }
    }

    /** The last birth of a process at or before an event. */
    Optional<Birth> latest(int process, long event) {
        readTo(event);
        for (int i = births.size() - 1; i >= 0; i--) {
            Birth birth = births.get(i);
            if (birth.process() == process && birth.event() <= event) {
                return Optional.of(birth);
            }
        }
        return Optional.empty();
    }

    /**
     * The event with which a process begins to end: before it all tasks are there that it had in the end. Empty if it outlives the
     * trace.
     */
    Optional<Long> end(int process) {
        readTo(Long.MAX_VALUE);
        return Optional.ofNullable(ends.get(process));
    }

    /** The files that were mapped up to an event, by the paths they had, and where their content is now. */
    Map<String, Path> files(long event) {
        readTo(event);
        return files;
    }

    /**
     * Whether the programs and libraries that were mapped are still what they were.
     *
     * @param nanos for how long to look through the trace, at most
     */
    boolean filesAreUnchanged(long nanos) {
        long start = System.nanoTime();
        while (System.nanoTime() - start < nanos && readOne()) {
            // The work is done by the condition.
        }
        return files.entrySet().stream()
                .filter(file -> file.getKey().startsWith("/"))
                .allMatch(file -> isSame(Path.of(file.getKey()), file.getValue()));
    }

    /** Files are taken to be the same if they are as long and begin alike: there the build id is. */
    private static boolean isSame(Path original, Path copy) {
        try (FileChannel second = FileChannel.open(copy)) {
            ByteBuffer content = beginning(second);
            if (content.remaining() < ELF.length
                    || !content.slice(0, ELF.length).equals(ByteBuffer.wrap(ELF))) {
                // The debugger does not care for anything else.
                return true;
            }
            try (FileChannel first = FileChannel.open(original)) {
                return first.size() == second.size() && beginning(first).equals(content);
            }
        } catch (IOException e) {
            return false;
        }
    }

    private static ByteBuffer beginning(FileChannel file) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(COMPARED);
        while (buffer.hasRemaining() && file.read(buffer, buffer.position()) > 0) {
            // The work is done by the condition.
        }
        return buffer.flip();
    }

    /** Events with sequence numbers from {@code from} to {@code to}, as far as there are any. */
    List<Event> events(long from, long to) {
        List<Event> events = new ArrayList<>();
        reader.seek(Math.max(1, Math.min(from, reader.lastSequence() + 1)));
        Event event;
        while ((event = reader.next()) != null && event.header().sequence() <= to) {
            events.add(event);
        }
        reader.seek(Math.min(read, reader.lastSequence()) + 1);
        return events;
    }

    private void readTo(long event) {
        while (read < event && readOne()) {
            // The work is done by the condition.
        }
    }

    private boolean readOne() {
        Event event = reader.next();
        if (event == null) {
            return false;
        }
        read = event.header().sequence();
        if (isExecution(event)) {
            Integer process = processes.get(event.header().tid());
            if (process != null) {
                ends.remove(process);
            }
        }
        switch (event) {
            case Event.Exec exec -> {
                processes.put(exec.header().tid(), exec.header().tid());
                births.add(new Birth(read, exec.header().tid(), exec.program()));
            }
            case Event.SyscallExit exit -> {
                Event.NewTask child = exit.child();
                if (child != null) {
                    made(child, exit.header().tid());
                }
            }
            case Event.TaskExit exit -> {
                Integer process = processes.get(exit.header().tid());
                if (process != null) {
                    ends.putIfAbsent(process, read);
                }
            }
            case Event.FileStored file -> {
                // What is in a pack has no path of its own: the debugger finds the file of this machine, if there is
                // one.
                if (!content.isPacked()) {
                    files.put(file.path(), content.path(file));
                }
            }
            default -> {}
        }
        return true;
    }

    /** Whether a task goes on at an event. */
    private static boolean isExecution(Event event) {
        return switch (event) {
            case Event.SyscallEnter enter -> true;
            case Event.SyscallExit exit -> true;
            case Event.SignalDelivered signal -> true;
            case Event.BufferedCalls calls -> true;
            case Event.ExecutionPoint point -> true;
            case Event.InstructionTrapped trapped -> true;
            case Event.Exec exec -> true;
            default -> false;
        };
    }

    private void made(Event.NewTask child, int parent) {
        if ((child.cloneFlags() & CLONE_THREAD) != 0) {
            processes.put(child.tid(), processes.getOrDefault(parent, parent));
        } else {
            processes.put(child.tid(), child.tid());
            births.add(new Birth(read, child.tid(), null));
        }
    }

    @Override
    public void close() {
        content.close();
        reader.close();
    }
}
