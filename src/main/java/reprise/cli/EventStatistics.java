package reprise.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reprise.runtime.BufferRecord;
import reprise.syscall.SyscallTable;
import reprise.trace.Event;
import reprise.trace.TraceSize;

/** Counts events and the bytes recorded with them, by kind and by system call. */
final class EventStatistics implements EventPrinter {
    private static final long MAX_ERRNO = 4095;
    /** How many places are shown that stopped the program. */
    private static final int SITES = 12;

    private final Output output;
    private final TraceSize size;
    private final boolean asJson;

    private final Map<Class<?>, Row> kinds = new HashMap<>();
    private final Map<Integer, Row> calls = new HashMap<>();
    private final TrapSites sites = new TrapSites();
    private final Row events = new Row("events");
    private final Row allCalls = new Row("calls");
    private long storedFiles;
    private long storedBytes;
    private long checkedPages;
    private long patches;
    private long lastNanos;

    /** Counts of one thing. */
    private static final class Row {
        final String name;
        long count;
        long errors;
        long bytes;
        /** Of the count, system calls that did not stop the program. */
        long buffered;

        Row(String name) {
            this.name = name;
        }

        void addBuffered(long moreBytes, boolean error) {
            add(moreBytes, error);
            buffered++;
        }

        void add(long moreBytes, boolean error) {
            count++;
            bytes += moreBytes;
            errors += error ? 1 : 0;
        }
    }

    /** {@code size}: of the whole trace, whatever part of it is counted. */
    EventStatistics(Output output, TraceSize size, boolean asJson) {
        this.output = output;
        this.size = size;
        this.asJson = asJson;
    }

    @Override
    public void accept(Event event) {
        sites.accept(event);
        long bytes = bytes(writes(event));
        boolean error = false;
        switch (event) {
            case Event.SyscallExit exit -> {
                error = exit.result() < 0 && exit.result() >= -MAX_ERRNO;
                calls.computeIfAbsent(exit.number(), number -> new Row(SyscallTable.name(number)))
                        .add(bytes, error);
                allCalls.add(bytes, error);
            }
            case Event.BufferedCalls buffered -> {
                BufferRecord record = new BufferRecord(buffered.records());
                while (record.next()) {
                    boolean failed = record.result() < 0 && record.result() >= -MAX_ERRNO;
                    long length = record.writtenLength();
                    bytes += length;
                    calls.computeIfAbsent(record.number(), number -> new Row(BufferRecord.name(number)))
                            .addBuffered(length, failed);
                    allCalls.addBuffered(length, failed);
                }
            }
            case Event.CodePatched patched -> patches++;
            case Event.FileStored file -> {
                storedFiles++;
                storedBytes += file.size();
            }
            case Event.Checksum checksum -> checkedPages += checksum.pages().length;
            default -> {}
        }
        kinds.computeIfAbsent(event.getClass(), kind -> new Row(kind.getSimpleName()))
                .add(bytes, error);
        events.add(bytes, error);
        lastNanos = event.header().nanos();
    }

    private static List<Event.MemoryWrite> writes(Event event) {
        return switch (event) {
            case Event.SyscallExit exit -> exit.writes();
            case Event.Exec exec -> exec.writes();
            case Event.SignalDelivered signal -> signal.writes();
            case Event.TaskExit exit -> exit.writes();
            default -> List.of();
        };
    }

    private static long bytes(List<Event.MemoryWrite> writes) {
        long bytes = 0;
        for (Event.MemoryWrite write : writes) {
            bytes += write.data().byteSize();
        }
        return bytes;
    }

    private static List<Row> sorted(Map<?, Row> rows) {
        List<Row> list = new ArrayList<>(rows.values());
        list.sort(Comparator.comparingLong((Row row) -> -row.count).thenComparing(row -> row.name));
        return list;
    }

    @Override
    public void finish() {
        if (asJson) {
            json();
            return;
        }
        summary();
        output.line();
        output.add("  events   share   bytes   share  kind").line();
        for (Row row : sorted(kinds)) {
            counts(row, events);
            output.add("  ").add(row.name).line();
        }
        if (allCalls.count > 0) {
            output.line();
            output.add("   calls   share   bytes   share  errors   stops  system call")
                    .line();
            for (Row row : sorted(calls)) {
                counts(row, allCalls);
                output.right(row.errors, 8)
                        .right(row.count - row.buffered, 8)
                        .add("  ")
                        .add(row.name)
                        .line();
            }
            output.line();
            output.add("   stops  system call instruction").line();
            for (Map.Entry<TrapSites.Site, Long> site : sites.busiest(SITES)) {
                output.right(site.getValue(), 8)
                        .add("  ")
                        .add(Quotes.plain(site.getKey().place()));
                output.add(", ").add(site.getKey().call()).line();
            }
        }
    }

    private void counts(Row row, Row whole) {
        output.right(row.count, 8).right(Amounts.share(row.count, whole.count), 8);
        output.right(Amounts.bytes(row.bytes), 8).right(Amounts.share(row.bytes, whole.bytes), 8);
    }

    private void summary() {
        term("events")
                .add(events.count)
                .add(", the last after ")
                .add(Amounts.duration(lastNanos))
                .line();
        term("system calls")
                .add(allCalls.count)
                .add(", ")
                .add(allCalls.count - allCalls.buffered)
                .add(" of them stopped the program, ")
                .add(allCalls.buffered)
                .add(" did not")
                .line();
        term("code patched").add(patches).add(patches == 1 ? " time" : " times").line();
        term("memory recorded").add(Amounts.bytes(events.bytes)).line();
        if (checkedPages > 0) {
            term("checksums")
                    .add(checkedPages)
                    .add(checkedPages == 1 ? " page" : " pages")
                    .line();
        }
        term("files stored")
                .add(storedFiles)
                .add(", ")
                .add(Amounts.bytes(storedBytes))
                .line();
        term("size of all events")
                .add(Amounts.bytes(size.encodedBytes()))
                .add(", compressed ")
                .add(Amounts.bytes(size.storedBytes()))
                .add(" (")
                .add(ratio())
                .add(") in ")
                .add(size.chunks())
                .add(size.chunks() == 1 ? " chunk" : " chunks")
                .line();
    }

    private Output term(String name) {
        return output.left(name, 20);
    }

    private String ratio() {
        return size.storedBytes() == 0
                ? "-"
                : String.format(java.util.Locale.ROOT, "%.1f : 1", (double) size.encodedBytes() / size.storedBytes());
    }

    private void json() {
        try (JsonGenerator json = EventJson.generator(output).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeNumberField("events", events.count);
            json.writeNumberField("lastNanos", lastNanos);
            json.writeNumberField("recordedBytes", events.bytes);
            json.writeNumberField("storedFiles", storedFiles);
            json.writeNumberField("storedFileBytes", storedBytes);
            json.writeNumberField("checkedPages", checkedPages);
            json.writeNumberField("patches", patches);
            json.writeNumberField("chunks", size.chunks());
            json.writeNumberField("uncompressedBytes", size.encodedBytes());
            json.writeNumberField("compressedBytes", size.storedBytes());
            rows(json, "kinds", "kind", sorted(kinds));
            rows(json, "calls", "name", sorted(calls));
            json.writeArrayFieldStart("sites");
            for (Map.Entry<TrapSites.Site, Long> site : sites.busiest(Integer.MAX_VALUE)) {
                json.writeStartObject();
                json.writeStringField("place", site.getKey().place());
                json.writeStringField("call", site.getKey().call());
                json.writeNumberField("stops", site.getValue());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        output.line();
    }

    private static void rows(JsonGenerator json, String field, String name, List<Row> rows) throws IOException {
        json.writeArrayFieldStart(field);
        for (Row row : rows) {
            json.writeStartObject();
            json.writeStringField(name, row.name);
            json.writeNumberField("count", row.count);
            json.writeNumberField("errors", row.errors);
            json.writeNumberField("bytes", row.bytes);
            json.writeNumberField("buffered", row.buffered);
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
