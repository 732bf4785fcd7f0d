package reprise;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Records a program, replays it, and demands the same from both. What belongs to a failure is kept in
 * {@code target/failed/NAME}: the trace, both outputs, and the files the program worked on.
 */
final class Faithful {
    static final Duration LIMIT = Duration.ofSeconds(Long.getLong("reprise.limit", 150));

    private static final Path RUNNING = Path.of("target/running").toAbsolutePath();
    private static final Path FAILED = Path.of("target/failed").toAbsolutePath();

    private final Path directory;
    private final Path kept;

    private Faithful(String name) throws IOException {
        directory = RUNNING.resolve(name);
        kept = FAILED.resolve(name);
        remove(directory);
        remove(kept);
        Files.createDirectories(workingDirectory());
    }

    /** What is done between making the directory and comparing. */
    interface Recording {
        /** Starts the recorded run, sees it to its end, and checks what that was. */
        Reprise.Run make(Faithful faithful) throws Exception;
    }

    /** Makes the recording, replays it and compares. */
    static void check(String name, Recording recording) throws Exception {
        Faithful faithful = new Faithful(name);
        try {
            faithful.replayLike(recording.make(faithful));
        } catch (AssertionError | Exception e) {
            Files.createDirectories(faithful.kept.getParent());
            Files.move(faithful.directory, faithful.kept);
            throw new AssertionError(
                    e.getMessage() + "\nKept: " + faithful.kept, e instanceof AssertionError ? null : e);
        }
        remove(faithful.directory);
    }

    /** Where the trace and the outputs go. */
    Path directory() {
        return directory;
    }

    /** Where the recorded program runs. Empty at first. */
    Path workingDirectory() {
        return directory.resolve("work");
    }

    /** Records a program and demands the exit status. */
    Reprise.Run record(List<String> options, List<String> command, Path input, int status) throws Exception {
        Reprise.Run run = Reprise.record(directory, options, command, workingDirectory(), input);
        expectEnd(run, status);
        return run;
    }

    static void expectEnd(Reprise.Run run, int status) throws InterruptedException {
        int seen = run.end(LIMIT);
        if (seen != status) {
            throw new AssertionError(
                    "%s ended with status %d instead of %d%n%s".formatted(run.name(), seen, status, run.tails()));
        }
    }

    private void replayLike(Reprise.Run recorded) throws Exception {
        Reprise.Run replayed = Reprise.replay(directory);
        expectEnd(replayed, 0);
        if (recorded.atTerminal()) {
            // The program had the terminal put a carriage return where it wanted; a file gets what was written.
            String written = Files.readString(replayed.output()) + Files.readString(replayed.error());
            Files.writeString(replayed.output(), written.replace("\r", ""));
            Files.writeString(
                    recorded.output(), Files.readString(recorded.output()).replace("\r", ""));
        } else {
            expectEqual(recorded.error(), replayed.error());
        }
        expectEqual(recorded.output(), replayed.output());
    }

    private static void expectEqual(Path recorded, Path replayed) throws IOException {
        long difference = Files.mismatch(recorded, replayed);
        if (difference >= 0) {
            throw new AssertionError("%s (%d bytes) and %s (%d bytes) differ at byte %d: '%s' became '%s'"
                    .formatted(
                            recorded.getFileName(),
                            Files.size(recorded),
                            replayed.getFileName(),
                            Files.size(replayed),
                            difference,
                            excerpt(recorded, difference),
                            excerpt(replayed, difference)));
        }
    }

    private static String excerpt(Path file, long offset) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        int from = (int) Math.max(0, offset - 20);
        return new String(bytes, from, (int) Math.min(bytes.length, offset + 80) - from);
    }

    private static void remove(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (NoSuchFileException e) {
            // Nothing to remove.
        }
    }
}
