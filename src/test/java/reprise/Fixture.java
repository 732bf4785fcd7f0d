package reprise;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * A small program that shows one behaviour. {@code src/test/fixtures/README.md} says how its source begins.
 *
 * @param behaviour the sentence in its first line
 * @param status the exit status a shell would see
 * @param input what standard input holds
 */
record Fixture(
        String name,
        Path source,
        String behaviour,
        List<String> flags,
        List<String> arguments,
        int status,
        String input) {
    private static final Path SOURCES = Path.of("src/test/fixtures");
    private static final Path BINARIES = Path.of("target/fixtures").toAbsolutePath();
    private static final int SIGNALLED = 128;

    /** Those of one folder, by name. */
    static List<Fixture> in(String folder) throws IOException {
        try (Stream<Path> files = Files.list(SOURCES.resolve(folder).normalize())) {
            List<Fixture> fixtures = new ArrayList<>();
            for (Path file : files.sorted().toList()) {
                if (file.toString().endsWith(".c") || file.toString().endsWith(".S")) {
                    fixtures.add(read(file));
                }
            }
            return fixtures;
        }
    }

    private static Fixture read(Path source) throws IOException {
        List<String> lines = Files.readAllLines(source);
        Map<String, String> keys = new HashMap<>();
        for (String line : lines.subList(1, lines.size())) {
            int colon = line.indexOf(": ");
            if (!line.startsWith("// ") || colon < 0) {
                break;
            }
            keys.put(line.substring(3, colon), line.substring(colon + 2));
        }
        String name = SOURCES.relativize(source).toString().replaceFirst("\\.[cS]$", "");
        return new Fixture(
                name,
                source,
                lines.getFirst().substring(3),
                words(keys.get("cflags")),
                words(keys.get("args")),
                status(keys.getOrDefault("exit", "0")),
                keys.getOrDefault("stdin", "").translateEscapes());
    }

    private static List<String> words(String value) {
        return value == null ? List.of() : Arrays.asList(value.split(" +"));
    }

    private static int status(String exit) {
        return exit.startsWith("signal ")
                ? SIGNALLED + Integer.parseInt(exit.substring("signal ".length()))
                : Integer.parseInt(exit);
    }

    Path binary() {
        return BINARIES.resolve(name);
    }

    /** Compiles those whose source is newer than the program. */
    static void compile(List<Fixture> fixtures) throws Exception {
        try (ExecutorService compilers =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
            List<Future<?>> compilations = new ArrayList<>();
            for (Fixture fixture : fixtures) {
                compilations.add(compilers.submit(() -> {
                    fixture.compile();
                    return null;
                }));
            }
            for (Future<?> compilation : compilations) {
                compilation.get();
            }
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause().getMessage(), e.getCause());
        }
    }

    private void compile() throws IOException, InterruptedException {
        Path header = SOURCES.resolve("check.h");
        if (isOlder(source, binary()) && isOlder(header, binary())) {
            return;
        }
        Files.createDirectories(binary().getParent());
        List<String> line =
                new ArrayList<>(List.of("gcc", "-O1", "-g", "-pthread", "-o", binary().toString(), source.toString()));
        line.addAll(flags);
        Process compiler = new ProcessBuilder(line).redirectErrorStream(true).start();
        String complaint = new String(compiler.getInputStream().readAllBytes());
        if (compiler.waitFor() != 0) {
            throw new IOException(source + " does not compile:\n" + complaint);
        }
    }

    private static boolean isOlder(Path source, Path binary) throws IOException {
        return Files.exists(binary)
                && Files.getLastModifiedTime(source).compareTo(Files.getLastModifiedTime(binary)) < 0;
    }
}
