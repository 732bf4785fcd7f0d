package reprise.replay;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A fixture, compiled and recorded. */
final class RecordedFixture {
    private static final Path SOURCES = Path.of("src/test/fixtures");
    private static final String FLAGS = "// cflags: ";

    private final Path program;
    private final Path trace;

    /** Compiles and records {@code name}, into a directory, with options. */
    RecordedFixture(Path directory, String name, String... options) throws Exception {
        program = directory.resolve(name.replace('/', '_'));
        trace = directory.resolve(program.getFileName() + ".trace");
        Path source = SOURCES.resolve(name + ".c");
        List<String> compiler =
                new ArrayList<>(List.of("gcc", "-O1", "-g", "-pthread", "-o", program.toString(), source.toString()));
        Files.readAllLines(source).stream()
                .filter(line -> line.startsWith(FLAGS))
                .forEach(line -> compiler.addAll(
                        Arrays.asList(line.substring(FLAGS.length()).split(" +"))));
        run(directory, compiler);
        String launcher = Path.of("reprise").toAbsolutePath().toString();
        List<String> record = new ArrayList<>(List.of(launcher, "record"));
        record.addAll(List.of(options));
        record.addAll(List.of("-o", trace.toString(), "--", program.toString()));
        run(directory, record);
    }

    /** Runs a command to its end; what it printed. */
    static String run(Path directory, List<String> line) throws Exception {
        Path output = Files.createTempFile(directory, "output", ".txt");
        ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
        builder.redirectInput(Path.of("/dev/null").toFile()).redirectOutput(Redirect.to(output.toFile()));
        builder.environment().put("REPRISE_TRACE_DIR", directory.toString());
        Process process = builder.start();
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException(line + " did not end");
        }
        String text = Files.readString(output);
        if (line.contains("-pthread") && process.exitValue() != 0) {
            throw new IOException(line + " failed:\n" + text);
        }
        return text;
    }

    Path trace() {
        return trace;
    }

    /** The address of a symbol of a program that is not position independent. */
    long symbol(String name) throws Exception {
        String symbols = run(program.getParent(), List.of("nm", program.toString()));
        return symbols.lines()
                .map(line -> line.split(" +"))
                .filter(parts -> parts.length == 3 && parts[2].equals(name))
                .mapToLong(parts -> Long.parseUnsignedLong(parts[0], 16))
                .findFirst()
                .orElseThrow();
    }
}
