package reprise.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import reprise.linux.Errno;
import reprise.linux.Signal;
import reprise.linux.Wait;
import reprise.syscall.SyscallTable;
import reprise.trace.Event;
import reprise.trace.TraceHeader;
import reprise.trace.TraceReader;
import reprise.trace.TraceSize;
import reprise.trace.TraceSummary;

/** {@code reprise traceinfo}: what a trace says of itself. */
final class TraceinfoCommand implements Command {
    private static final double NANOS_PER_SECOND = 1e9;

    @Override
    public Syntax syntax() {
        return new Syntax(
                "traceinfo",
                "[TRACE]",
                Syntax.Target.TRACE,
                "Describe TRACE, or the latest one, as JSON. It tells format, machine, program, environment, counts and "
                        + "sizes.",
                List.of(),
                "The environment may hold secrets: look before you pass it on.");
    }

    @Override
    public int run(Arguments arguments) {
        return Traces.print("traceinfo", Traces.only(arguments.operands(), syntax()), TraceinfoCommand::describe);
    }

    private static void describe(TraceReader reader, Output output) {
        ProcessTree tree = new ProcessTree();
        long events = 0;
        long nanos = 0;
        Integer waitStatus = null;
        for (Event event = reader.next(); event != null; event = reader.next()) {
            tree.accept(event);
            events++;
            nanos = event.header().nanos();
            if (event instanceof Event.End end) {
                waitStatus = end.waitStatus();
            }
        }
        try (JsonGenerator json = EventJson.generator(output).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeStringField("trace", reader.directory().toString());
            json.writeNumberField("format", reader.formatVersion());
            header(json, reader.header());
            exit(json, waitStatus);
            json.writeNumberField("events", events);
            json.writeNumberField("processes", tree.processes().size());
            json.writeNumberField("tasks", tree.tasks());
            json.writeNumberField("durationSeconds", nanos / NANOS_PER_SECOND);
            sizes(json, reader);
            json.writeBooleanField("truncated", reader.truncated());
            if (reader.truncated()) {
                json.writeStringField("truncation", reader.truncation());
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        output.line();
    }

    private static void header(JsonGenerator json, TraceHeader header) throws IOException {
        json.writeStringField("uuid", header.uuid());
        json.writeStringField(
                "startedAt", Instant.ofEpochMilli(header.startedAt()).toString());
        json.writeStringField("kernel", header.kernel());
        json.writeStringField("cpuModel", header.cpuModel());
        texts(json, "cpuFeatures", header.cpuFeatures());
        json.writeStringField("xcr0", "0x" + Long.toHexString(header.xcr0()));
        json.writeNumberField("cores", header.cores());
        json.writeObjectFieldStart("refusedCalls");
        for (Map.Entry<Integer, Integer> each : header.refusedCalls().entrySet()) {
            json.writeStringField(
                    each.getKey() < 0 ? "unknown" : SyscallTable.name(each.getKey()), Errno.name(each.getValue()));
        }
        json.writeEndObject();
        json.writeStringField("workingDirectory", header.workingDirectory());
        texts(json, "command", header.command());
        texts(json, "environment", header.environment());
    }

    private static void texts(JsonGenerator json, String name, List<String> values) throws IOException {
        json.writeArrayFieldStart(name);
        for (String value : values) {
            json.writeString(value);
        }
        json.writeEndArray();
    }

    /** How the first process ended, if the trace tells. */
    private static void exit(JsonGenerator json, Integer waitStatus) throws IOException {
        if (waitStatus == null) {
            json.writeNullField("exitStatus");
            json.writeNullField("exitSignal");
        } else if (Wait.isExited(waitStatus)) {
            json.writeNumberField("exitStatus", Wait.exitStatus(waitStatus));
            json.writeNullField("exitSignal");
        } else {
            json.writeNullField("exitStatus");
            json.writeStringField("exitSignal", Signal.name(Wait.terminatingSignal(waitStatus)));
        }
    }

    private static void sizes(JsonGenerator json, TraceReader reader) throws IOException {
        TraceSize size = TraceSize.of(reader.directory());
        TraceSummary summary = TraceSummary.of(reader.directory());
        json.writeNumberField("uncompressedBytes", size.encodedBytes());
        json.writeNumberField("compressedBytes", size.storedBytes());
        json.writeNumberField("bytesOnDisk", summary.bytes());
        json.writeNumberField("sharedBytesOnDisk", summary.sharedBytes());
    }
}
