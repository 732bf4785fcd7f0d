package reprise;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A recording of a fixture, and a {@code reprise replay -s 0 -k} of it that waits for one debugger after the other.
 *
 * @param address where, as HOST:PORT
 * @param messages what it writes to its standard error
 */
record ReplayServer(Process process, String address, Path trace, Path messages) implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Pattern TARGET = Pattern.compile("target extended-remote (\\S+)'");
    private static final int PAUSE = 20;

    /** Records in a directory, whose content is replaced, and starts a server. */
    static ReplayServer start(Fixture fixture, Path directory) throws Exception {
        try (Stream<Path> old = Files.exists(directory) ? Files.walk(directory) : Stream.empty()) {
            for (Path each : old.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
        Files.createDirectories(directory);
        Reprise.Run recording = Reprise.record(
                directory, List.of("--checksums"), List.of(fixture.binary().toString()), directory, null);
        assertThat(recording.end(LIMIT)).as(recording::tails).isEqualTo(fixture.status());
        Path trace = Reprise.trace(directory);
        Path messages = directory.resolve("server.err");
        Process process = new ProcessBuilder(
                        Reprise.LAUNCHER.toString(), "replay", "-q", "-k", "-s", "0", trace.toString())
                .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(directory.resolve("server.out").toFile())
                .redirectError(messages.toFile())
                .start();
        for (int waited = 0; waited < LIMIT.toMillis(); waited += PAUSE) {
            Matcher target = TARGET.matcher(Files.readString(messages));
            if (target.find()) {
                return new ReplayServer(process, target.group(1), trace, messages);
            }
            if (!process.isAlive()) {
                break;
            }
            Thread.sleep(PAUSE);
        }
        process.destroyForcibly();
        throw new AssertionError("the server does not tell where it is: " + Files.readString(messages));
    }

    /** What it wrote to its standard error. */
    String said() {
        try {
            return Files.readString(messages);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }
}
