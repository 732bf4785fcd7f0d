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
 * <p>The commands are the lines of {@code training.txt}; {@code @TMP@} stands for a directory that goes away afterwards,
 * {@code @JAVA@} for a program that is there for sure: the virtual machine's own.
 */
final class Training {
    /** The only argument of a training run. Not for users. */
    static final String ARGUMENT = "--training-run";

    private Training() {}

    static void run() {
        try {
            Path directory = Files.createTempDirectory("reprise-training");
            try {
                commands().forEach(command -> Main.run(arguments(command, directory)));
            } finally {
                delete(directory);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String[] arguments(String command, Path directory) {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return Stream.of(command.split(" +"))
                .map(word -> word.replace("@TMP@", directory.toString()).replace("@JAVA@", java))
                .toArray(String[]::new);
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
