package reprise.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * What a recorded program printed, piece by piece. A trace does not hold it, since replay has it in memory again: so the trace
 * is replayed by a process of its own, whose outputs are then cut up by the lengths that the events tell.
 *
 * @param bytes the pieces, one behind the other
 * @param lengths of the pieces in {@code bytes}, in their order; 0 for those that are missing
 * @param problem why there is not all; empty if there is
 */
record ReplayedOutput(byte[] bytes, List<Integer> lengths, String problem) {
    /** Pages stay usable up to about this size of output. */
    private static final long LIMIT = 16L << 20;

    static final ReplayedOutput NONE = new ReplayedOutput(new byte[0], List.of(), "it was not asked for");

    /** Replays a trace and collects the pieces. */
    static ReplayedOutput of(Path trace, List<TimelineData.Piece> pieces) {
        if (pieces.isEmpty()) {
            return new ReplayedOutput(new byte[0], List.of(), "");
        }
        try {
            Path directory = Files.createTempDirectory("reprise-timeline");
            Path first = directory.resolve("1");
            Path second = directory.resolve("2");
            try {
                int status = replay(trace, first, second);
                String problem = status == 0 ? "" : "the replay ended with status " + status;
                return cut(first, second, pieces, problem);
            } finally {
                Files.deleteIfExists(first);
                Files.deleteIfExists(second);
                Files.deleteIfExists(directory);
            }
        } catch (IOException e) {
            return new ReplayedOutput(new byte[0], List.of(), String.valueOf(e.getMessage()));
        }
    }

    private static int replay(Path trace, Path first, Path second) throws IOException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "reprise.cli.Main",
                        "replay",
                        "-a",
                        trace.toString())
                .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(first.toFile())
                .redirectError(second.toFile())
                .start();
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("it was interrupted", e);
        }
    }

    private static ReplayedOutput cut(Path first, Path second, List<TimelineData.Piece> pieces, String problem)
            throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int[] lengths = new int[pieces.size()];
        String lack = problem;
        try (InputStream one = Files.newInputStream(first);
                InputStream two = Files.newInputStream(second)) {
            for (int i = 0; i < lengths.length; i++) {
                TimelineData.Piece piece = pieces.get(i);
                if (bytes.size() + piece.length() > LIMIT) {
                    lack = "it is longer than a page should be; 'reprise replay -a' prints all of it";
                    break;
                }
                byte[] read = (piece.descriptor() == 1 ? one : two).readNBytes((int) piece.length());
                bytes.writeBytes(read);
                lengths[i] = read.length;
            }
        }
        return new ReplayedOutput(
                bytes.toByteArray(), Arrays.stream(lengths).boxed().toList(), lack);
    }
}
