package reprise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packages that {@code bin/package.sh} makes run where there is neither a JDK to be found nor Maven. */
class PackageTest {
    private static final Duration LIMIT = Duration.ofMinutes(4);

    @TempDir
    Path directory;

    private int run(Path workingDirectory, Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(workingDirectory.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("out").toFile());
        if (!environment.isEmpty()) {
            builder.environment().clear();
            builder.environment().putAll(environment);
        }
        Process process = builder.start();
        if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            throw new AssertionError(String.join(" ", command) + " did not end");
        }
        return process.exitValue();
    }

    @Test
    @DisplayName("the package with a runtime prints its version and records and replays 'true'")
    void withRuntime() throws Exception {
        int status = run(Path.of("").toAbsolutePath(), Map.of(), "bin/package.sh", "-n");
        assumeThat(status).as("jlink works with this JDK").isNotEqualTo(2);
        assertThat(status).as(Files.readString(directory.resolve("out"))).isZero();
        List<String> made = Files.readAllLines(directory.resolve("out"));
        Path archive = Path.of(made.getLast()).toAbsolutePath();
        assertThat(archive.toString()).endsWith("-linux-x86_64.tar.gz");
        assertThat(run(directory, Map.of(), "tar", "-xzf", archive.toString())).isZero();
        Path unpacked;
        try (var entries = Files.list(directory)) {
            unpacked = entries.filter(path -> path.getFileName().toString().startsWith("reprise-"))
                    .findFirst()
                    .orElseThrow();
        }
        Map<String, String> bare = Map.of(
                "PATH", "/usr/bin:/bin",
                "HOME", directory.toString(),
                "REPRISE_TRACE_DIR", directory.resolve("traces").toString());
        assertThat(run(unpacked, bare, "./reprise", "--version")).isZero();
        assertThat(Files.readString(directory.resolve("out")))
                .startsWith("reprise ")
                .hasLineCount(1);
        status = run(unpacked, bare, "./reprise", "record", "/bin/true");
        assumeThat(Files.readString(directory.resolve("out"))).doesNotContain("does not let this process trace");
        assertThat(status).isZero();
        assertThat(run(unpacked, bare, "./reprise", "replay", "-a")).isZero();
        assertThat(unpacked.resolve("share/man/man1/reprise-record.1")).isNotEmptyFile();
        assertThat(unpacked.resolve("share/completion.sh")).isNotEmptyFile();
    }
}
