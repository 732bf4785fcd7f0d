package reprise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The benchmark runs and leaves a table and a plot. */
class BenchmarkTest {
    @TempDir
    Path directory;

    @Test
    @DisplayName("./benchmark --quick of one workload writes a row of the table and bars of the plot")
    void quick() throws Exception {
        Path out = directory.resolve("out");
        Process process = new ProcessBuilder("./benchmark", "--quick", "true")
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        if (!process.waitFor(200, TimeUnit.SECONDS)) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
            throw new AssertionError("it did not end");
        }
        assertThat(process.exitValue()).as(Files.readString(out)).isZero();
        String table = Files.readString(Path.of("target/benchmark/results.md"));
        assumeThat(table).as("recording works here").doesNotContain("it failed");
        assertThat(table).containsPattern("\\| true \\| 0\\.\\d+ \\| .*\\(\\d+\\.\\d+\\).* KB");
        assertThat(Files.readString(Path.of("target/benchmark/results.svg")))
                .startsWith("<svg")
                .contains(">true</text>", ">replay</text>");
    }
}
