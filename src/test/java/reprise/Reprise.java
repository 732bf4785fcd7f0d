package reprise;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs {@code ./reprise} as a user does, through the launcher, with output and errors in files. */
final class Reprise {
    static final Path LAUNCHER = Path.of("reprise").toAbsolutePath();

    private static final Redirect NOTHING = Redirect.from(Path.of("/dev/null").toFile());

    private Reprise() {}

    /** {@code reprise record}, into {@code directory/trace}. */
    static Run record(Path directory, List<String> options, List<String> command, Path workingDirectory, Path input)
            throws IOException {
        List<String> line = new ArrayList<>(recordLine(directory, options));
        line.addAll(command);
        return start(directory, "record", line, workingDirectory, input);
    }

    /** What comes before the program's own words. */
    static List<String> recordLine(Path directory, List<String> options) {
        List<String> line = new ArrayList<>(List.of(LAUNCHER.toString(), "record"));
        line.addAll(options);
        line.addAll(List.of("-o", trace(directory).toString(), "--"));
        return line;
    }

    /** {@code reprise replay -a} of {@code directory/trace}. It runs elsewhere than the recording did. */
    static Run replay(Path directory) throws IOException {
        return start(directory, "replay", replayLine(directory), directory, null);
    }

    /** The words of {@code reprise replay -a} of {@code directory/trace}. */
    static List<String> replayLine(Path directory) {
        return List.of(LAUNCHER.toString(), "replay", "-a", trace(directory).toString());
    }

    static Path trace(Path directory) {
        return directory.resolve("trace");
    }

    /** Any command, its output in {@code directory/NAME.out} and {@code .err}. */
    static Run start(Path directory, String name, List<String> line, Path workingDirectory, Path input)
            throws IOException {
        Path output = directory.resolve(name + ".out");
        Path error = directory.resolve(name + ".err");
        ProcessBuilder builder = new ProcessBuilder(line)
                .directory(workingDirectory.toFile())
                .redirectInput(input == null ? NOTHING : Redirect.from(input.toFile()))
                .redirectOutput(output.toFile())
                .redirectError(error.toFile());
        // The user's own traces, and which of them is the latest, are not the tests' to change.
        builder.environment()
                .put("REPRISE_TRACE_DIR", directory.resolve("traces").toString());
        return new Run(name, builder.start(), output, error, false);
    }

    /** As {@link #start}, but at a terminal, whose owner fills {@code NAME.out} when it has seen all. */
    static Run startAtTerminal(Path directory, String name, List<String> line, Path workingDirectory, Path terminal)
            throws IOException {
        Path error = Files.createFile(directory.resolve(name + ".err"));
        ProcessBuilder builder = new ProcessBuilder(line)
                .directory(workingDirectory.toFile())
                .redirectInput(terminal.toFile())
                .redirectOutput(Redirect.appendTo(terminal.toFile()))
                .redirectError(Redirect.appendTo(terminal.toFile()));
        builder.environment()
                .put("REPRISE_TRACE_DIR", directory.resolve("traces").toString());
        return new Run(name, builder.start(), directory.resolve(name + ".out"), error, true);
    }

    /**
     * A running or ended command.
     *
     * @param atTerminal whether both outputs went to one terminal, which is then what {@code output} holds
     */
    record Run(String name, Process process, Path output, Path error, boolean atTerminal) {
        private static final int TAIL_LINES = 40;

        /**
         * Waits for the end.
         *
         * @return the exit status as a shell would see it
         * @throws AssertionError if it takes longer; it and its children are then killed
         */
        int end(Duration limit) throws InterruptedException {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                kill();
                throw new AssertionError("%s did not end within %d s%n%s".formatted(name, limit.toSeconds(), tails()));
            }
            return process.exitValue();
        }

        void kill() throws InterruptedException {
            List<ProcessHandle> children = process.descendants().toList();
            process.destroyForcibly().waitFor();
            children.forEach(ProcessHandle::destroyForcibly);
        }

        /** The last lines of both outputs. */
        String tails() {
            return tail(output) + tail(error);
        }

        private static String tail(Path file) {
            try {
                List<String> lines =
                        new String(Files.readAllBytes(file)).lines().toList();
                List<String> last = lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size());
                return last.isEmpty() ? "" : "--- " + file.getFileName() + "\n" + String.join("\n", last) + "\n";
            } catch (IOException e) {
                return "--- " + file.getFileName() + " cannot be read: " + e.getMessage() + "\n";
            }
        }
    }
}
