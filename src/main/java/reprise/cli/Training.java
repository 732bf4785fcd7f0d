package reprise.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * A run of typical commands in one virtual machine, from which the launcher makes its ahead-of-time cache.
 *
 * <p>The commands are the lines of {@code training.txt}; {@code @TMP@} stands for a directory that goes away afterwards.
 */
final class Training {
    /** The only argument of a training run. Not for users. */
    static final String ARGUMENT = "--training-run";

    private Training() {}

    static void run() {
        try {
            Path directory = Files.createTempDirectory("reprise-training");
            try {
                commands()
                        .forEach(command -> Main.run(
                                command.replace("@TMP@", directory.toString()).split(" +")));
            } finally {
                delete(directory);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<String> commands() throws IOException {
        try (InputStream in = Training.class.getResourceAsStream("training.txt")) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return text.lines().filter(line -> !line.isBlank() && !line.startsWith("#"));
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(path);
            }
        }
    }
}
