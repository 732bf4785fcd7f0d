package reprise.trace;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import reprise.linux.Files;

/**
 * The header of a trace, as JSON.
 *
 * <p>It is written by hand, since loading a JSON library is a noticeable part of the time that starting a recorder
 * takes.
 */
final class HeaderFile {
    private static final String FORMAT = "format";

    private HeaderFile() {}

    /** Writes the header into a trace's directory. */
    static void write(Path directory, TraceHeader header) {
        StringBuilder out = new StringBuilder(8192);
        out.append("{\n  \"format\": ").append(TraceFormat.VERSION);
        field(out, "uuid", header.uuid());
        field(out, "startedAt", header.startedAt());
        field(out, "kernel", header.kernel());
        field(out, "cpuModel", header.cpuModel());
        field(out, "cpuFeatures", header.cpuFeatures());
        field(out, "xcr0", header.xcr0());
        field(out, "cores", header.cores());
        if (!header.refusedCalls().isEmpty()) {
            field(
                    out,
                    "refusedCalls",
                    header.refusedCalls().entrySet().stream()
                            .map(each -> each.getKey() + " " + each.getValue())
                            .toList());
        }
        field(out, "workingDirectory", header.workingDirectory());
        field(out, "command", header.command());
        field(out, "environment", header.environment());
        out.append("\n}\n");
        String path = directory.resolve(TraceFiles.HEADER).toString();
        long result = FileCalls.writeFile(path, out.toString().getBytes(StandardCharsets.UTF_8));
        if (result < 0) {
            throw TraceException.ofErrno("cannot write " + path, -result);
        }
    }

    private static void field(StringBuilder out, String name, String value) {
        out.append(",\n  \"").append(name).append("\": ");
        quote(out, value);
    }

    private static void field(StringBuilder out, String name, long value) {
        out.append(",\n  \"").append(name).append("\": ").append(value);
    }

    private static void field(StringBuilder out, String name, List<String> values) {
        out.append(",\n  \"").append(name).append("\": [");
        String separator = "";
        for (String value : values) {
            out.append(separator);
            quote(out, value);
            separator = ", ";
        }
        out.append(']');
    }

    private static void quote(StringBuilder out, String value) {
        out.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c)) {
                // A lone surrogate has no UTF-8 form; pairs may as well be escaped.
                out.append("\\u").append(Integer.toHexString(c | 0x10000), 1, 5);
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }

    /**
     * Reads the header of a trace.
     *
     * @param directory of the trace, or the file it was packed in
     * @throws TraceException if there is none, it is damaged, or its format is newer than this reader
     */
    static TraceHeader read(Path directory) {
        Path path = directory.resolve(TraceFiles.HEADER);
        byte[] content = bytes(directory);
        Map<String, Object> fields;
        try (JsonParser parser = new JsonFactory().createParser(content)) {
            fields = fields(parser);
        } catch (IOException e) {
            throw new TraceException("the trace's header " + path + " is damaged", e);
        }
        if (!(fields.get(FORMAT) instanceof Long version) || version < 1) {
            throw new TraceException("the trace's header " + path + " is damaged: it tells no format");
        }
        if (version < TraceFormat.OLDEST) {
            throw new TraceException("the trace " + directory + " has format " + version
                    + ", which an older version of Reprise wrote; this one reads formats from " + TraceFormat.OLDEST);
        }
        if (version > TraceFormat.VERSION) {
            throw newer(directory, version);
        }
        try {
            return new TraceHeader(
                    text(fields, "uuid"),
                    number(fields, "startedAt"),
                    text(fields, "kernel"),
                    text(fields, "cpuModel"),
                    texts(fields, "cpuFeatures"),
                    number(fields, "xcr0"),
                    (int) number(fields, "cores"),
                    refusedCalls(fields),
                    text(fields, "workingDirectory"),
                    texts(fields, "command"),
                    texts(fields, "environment"));
        } catch (ClassCastException | NullPointerException | NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new TraceException("the trace's header " + path + " is damaged", e);
        }
    }

    /** The header as it is stored, in a directory or a pack. */
    static byte[] bytes(Path trace) {
        if (PackFile.isPack(trace)) {
            try (PackFile pack = PackFile.open(trace)) {
                return pack.header();
            }
        }
        byte[] content = Files.readAll(trace.resolve(TraceFiles.HEADER).toString());
        if (content == null) {
            throw new TraceException(
                    java.nio.file.Files.isDirectory(trace)
                            ? trace + " is not a trace: it has no " + TraceFiles.HEADER
                            : "there is no trace " + trace);
        }
        return content;
    }

    /** What to say of a trace that a newer version made. */
    static TraceException newer(Path directory, long version) {
        return new TraceException("the trace " + directory + " has format " + version
                + ", which a newer version of Reprise wrote; this one reads formats up to " + TraceFormat.VERSION);
    }

    /** The fields of an object: texts, whole numbers, and lists of texts; what else there may be is skipped. */
    private static Map<String, Object> fields(JsonParser parser) throws IOException {
        Map<String, Object> fields = new HashMap<>();
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw new IOException("not an object");
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            switch (parser.nextToken()) {
                case VALUE_STRING -> fields.put(name, parser.getText());
                case VALUE_NUMBER_INT -> fields.put(name, parser.getLongValue());
                case START_ARRAY -> {
                    List<String> texts = new ArrayList<>();
                    while (parser.nextToken() == JsonToken.VALUE_STRING) {
                        texts.add(parser.getText());
                    }
                    if (parser.currentToken() != JsonToken.END_ARRAY) {
                        throw new IOException("not a list of texts");
                    }
                    fields.put(name, List.copyOf(texts));
                }
                case null -> throw new IOException("unexpected end");
                default -> parser.skipChildren();
            }
        }
        if (parser.currentToken() != JsonToken.END_OBJECT) {
            throw new IOException("unexpected end");
        }
        return fields;
    }

    /** Not in the headers of older traces, and of recordings without a filter around them. */
    private static Map<Integer, Integer> refusedCalls(Map<String, Object> fields) {
        Map<Integer, Integer> calls = new HashMap<>();
        if (fields.containsKey("refusedCalls")) {
            for (String each : texts(fields, "refusedCalls")) {
                String[] parts = each.split(" ");
                calls.put(Integer.valueOf(parts[0]), Integer.valueOf(parts[1]));
            }
        }
        return calls;
    }

    private static String text(Map<String, Object> fields, String name) {
        return Objects.requireNonNull((String) fields.get(name));
    }

    private static long number(Map<String, Object> fields, String name) {
        return (Long) fields.get(name);
    }

    @SuppressWarnings("unchecked")
    private static List<String> texts(Map<String, Object> fields, String name) {
        return Objects.requireNonNull((List<String>) fields.get(name));
    }
}
