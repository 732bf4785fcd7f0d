package reprise.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.HashMap;
import java.util.Map;
import reprise.linux.Signal;
import reprise.runtime.BufferRecord;
import reprise.syscall.SyscallTable;
import reprise.trace.Event;

/** Writes events in Chrome's JSON form, which Perfetto and chrome://tracing show. Times there are microseconds. */
final class PerfettoTrace implements AutoCloseable {
    private static final double MICRO = 1000.0;
    private static final long CLONE_THREAD = 0x10000;

    private final JsonGenerator json;
    private final Map<Integer, Integer> processes = new HashMap<>();
    private final Map<Integer, Event.SyscallEnter> entered = new HashMap<>();
    /** When the last event of a domain was, and who ran since when. */
    private final Map<Integer, Running> running = new HashMap<>();

    private static final class Running {
        int tid;
        long since;
        long until;
    }

    PerfettoTrace(Writer to) throws IOException {
        json = new JsonFactory().createGenerator(to);
        json.writeStartObject();
        json.writeStringField("displayTimeUnit", "ns");
        json.writeArrayFieldStart("traceEvents");
    }

    /** Takes the next event. */
    void accept(Event event) {
        try {
            ran(event.header());
            write(event);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(Event event) throws IOException {
        switch (event) {
            case Event.SyscallEnter enter -> entered.put(event.header().tid(), enter);
            case Event.SyscallExit exit -> {
                Event.SyscallEnter start = entered.remove(event.header().tid());
                long begin = start == null || exit.entryRegisters() != null
                        ? exit.header().nanos()
                        : start.header().nanos();
                call(exit, begin);
                if (exit.child() != null) {
                    child(exit);
                }
            }
            case Event.Exec exec -> {
                processes.put(exec.header().tid(), exec.header().tid());
                name(
                        "process_name",
                        exec.header().tid(),
                        exec.arguments().isEmpty() ? exec.program() : Quotes.command(exec.arguments()));
                instant(event, "execve " + exec.program());
            }
            case Event.SignalDelivered signal -> instant(event, Signal.name(signal.signal()));
            case Event.TaskExit exit -> instant(event, "exit " + Amounts.end(exit.waitStatus()));
            case Event.BufferedCalls buffered -> buffered(buffered);
            case Event.ExecutionPoint point -> instant(event, "interrupted");
            case Event.Note note -> instant(event, note.text());
            default -> {}
        }
    }

    /** Between the events of a domain, the task of the later one ran, unless it was in the kernel. */
    private void ran(Event.Header header) throws IOException {
        Running domain = running.computeIfAbsent(header.domain(), ignored -> new Running());
        if (domain.tid != header.tid()) {
            finish(domain);
            domain.tid = header.tid();
            domain.since = domain.until == 0 || entered.containsKey(header.tid()) ? header.nanos() : domain.until;
        }
        domain.until = header.nanos();
    }

    private void finish(Running domain) throws IOException {
        if (domain.until > domain.since) {
            begin("run", "X", domain.tid, domain.since);
            json.writeNumberField("dur", (domain.until - domain.since) / MICRO);
            json.writeEndObject();
        }
    }

    private void call(Event.SyscallExit exit, long begin) throws IOException {
        boolean waited = begin < exit.header().nanos();
        begin(
                SyscallTable.name(exit.number()),
                waited ? "X" : "i",
                exit.header().tid(),
                begin);
        if (waited) {
            json.writeNumberField("dur", (exit.header().nanos() - begin) / MICRO);
        } else {
            json.writeStringField("s", "t");
        }
        json.writeObjectFieldStart("args");
        json.writeNumberField("event", exit.header().sequence());
        json.writeNumberField("result", exit.result());
        json.writeEndObject();
        json.writeEndObject();
    }

    /** The times of the single calls are not known. */
    private void buffered(Event.BufferedCalls buffered) throws IOException {
        BufferRecord call = new BufferRecord(buffered.records());
        while (call.next()) {
            begin(
                    BufferRecord.name(call.number()),
                    "i",
                    buffered.header().tid(),
                    buffered.header().nanos());
            json.writeStringField("s", "t");
            json.writeObjectFieldStart("args");
            json.writeNumberField("event", buffered.header().sequence());
            json.writeNumberField("result", call.result());
            json.writeEndObject();
            json.writeEndObject();
        }
    }

    private void child(Event.SyscallExit exit) throws IOException {
        Event.NewTask child = exit.child();
        int creator = processes.getOrDefault(exit.header().tid(), exit.header().tid());
        boolean thread = (child.cloneFlags() & CLONE_THREAD) != 0;
        processes.put(child.tid(), thread ? creator : child.tid());
        name("thread_name", child.tid(), thread ? "thread " + child.tid() : "process " + child.tid());
    }

    private void instant(Event event, String what) throws IOException {
        begin(what, "i", event.header().tid(), event.header().nanos());
        json.writeStringField("s", "t");
        json.writeObjectFieldStart("args");
        json.writeNumberField("event", event.header().sequence());
        json.writeEndObject();
        json.writeEndObject();
    }

    private void name(String kind, int tid, String name) throws IOException {
        begin(kind, "M", tid, 0);
        json.writeObjectFieldStart("args");
        json.writeStringField("name", name);
        json.writeEndObject();
        json.writeEndObject();
    }

    private void begin(String name, String phase, int tid, long nanos) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", name);
        json.writeStringField("ph", phase);
        json.writeNumberField("pid", processes.getOrDefault(tid, tid));
        json.writeNumberField("tid", tid);
        json.writeNumberField("ts", nanos / MICRO);
    }

    @Override
    public void close() throws IOException {
        for (Running domain : running.values()) {
            finish(domain);
        }
        json.writeEndArray();
        json.writeEndObject();
        json.close();
    }
}
