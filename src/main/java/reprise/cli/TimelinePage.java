package reprise.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import reprise.linux.Errno;
import reprise.linux.Signal;
import reprise.runtime.BufferRecord;
import reprise.trace.TraceHeader;

/** Writes a timeline as one HTML page, with its data, style and script inside and nothing loaded from elsewhere. */
final class TimelinePage {
    private static final int SYSCALLS = 512;
    private static final int ERRORS = 134;

    private TimelinePage() {}

    static void write(Path target, TraceHeader header, TimelineData data, ReplayedOutput output, String trace)
            throws IOException {
        String page = template()
                .replace("@TITLE@", escaped(Quotes.command(header.command())))
                .replace("@META@", meta(header, data, output, trace))
                .replace("@OUTPUT@", Base64.getEncoder().encodeToString(gzip(output.bytes())))
                .replace("@RECORDS@", Base64.getEncoder().encodeToString(data.records()));
        Files.writeString(target, page, StandardCharsets.UTF_8);
    }

    private static String template() throws IOException {
        try (InputStream in = TimelinePage.class.getResourceAsStream("timeline.html")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            out.write(bytes);
        }
        return packed.toByteArray();
    }

    private static String escaped(String text) {
        return Quotes.plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    /** What is not records, as JSON that may stand in a script element. */
    private static String meta(TraceHeader header, TimelineData data, ReplayedOutput output, String trace) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("command", Quotes.command(header.command()));
            json.writeStringField("trace", Quotes.command(List.of(trace)));
            json.writeNumberField("startedAt", header.startedAt());
            json.writeNumberField("events", data.events());
            json.writeNumberField("nanos", data.nanos());
            json.writeStringField("outputProblem", output.problem());
            tasks(json, data);
            output(json, data, output);
            json.writeArrayFieldStart("notes");
            for (String note : data.notes()) {
                json.writeString(note);
            }
            json.writeEndArray();
            names(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString().replace("<", "\\u003c");
    }

    private static void tasks(JsonGenerator json, TimelineData data) throws IOException {
        json.writeArrayFieldStart("tasks");
        for (TimelineData.Task task : data.tasks()) {
            json.writeStartObject();
            json.writeNumberField("tid", task.tid);
            json.writeNumberField("pid", task.pid);
            json.writeNumberField("creator", task.creator);
            json.writeStringField("name", task.name);
            json.writeNumberField("born", task.born);
            json.writeNumberField("died", task.died < 0 ? data.nanos() : task.died);
            json.writeStringField("end", task.died < 0 ? "" : Amounts.end(task.waitStatus));
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    /** Triples: event, descriptor, length. */
    private static void output(JsonGenerator json, TimelineData data, ReplayedOutput output) throws IOException {
        json.writeArrayFieldStart("output");
        for (int i = 0; i < output.lengths().size(); i++) {
            json.writeNumber(data.output().get(i).event());
            json.writeNumber(data.output().get(i).descriptor());
            json.writeNumber(output.lengths().get(i));
        }
        json.writeEndArray();
    }

    private static void names(JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("syscalls");
        for (int number = 0; number < SYSCALLS; number++) {
            json.writeString(BufferRecord.name(number));
        }
        json.writeEndArray();
        json.writeArrayFieldStart("signals");
        for (int signal = 0; signal < Signal.LIMIT; signal++) {
            json.writeString(signal == 0 ? "" : Signal.name(signal));
        }
        json.writeEndArray();
        json.writeArrayFieldStart("errors");
        for (int errno = 0; errno < ERRORS; errno++) {
            json.writeString(errno == 0 ? "" : Errno.name(errno));
        }
        json.writeEndArray();
    }
}
