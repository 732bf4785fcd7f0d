package reprise.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Moves at random in recordings of programs that people use. {@code -Dreprise.moves=1000} makes that many with each seed,
 * {@code -Dreprise.seeds=1,2,3} says which seeds.
 */
@DisplayName("In the recording of a program")
class ProgramMovesTest {
    private static final Path SOURCES = Path.of("src/test/programs").toAbsolutePath();

    @TempDir
    private Path directory;

    private List<String> command(String program) throws Exception {
        String source = SOURCES.resolve(program).toString();
        return switch (program) {
            case "threads_and_json.py" -> {
                assume("python3");
                // Not what may stand for it on PATH, which is a shell script where versions are managed.
                List<String> ask = List.of("python3", "-c", "import sys; print(sys.executable)");
                yield List.of(RecordedFixture.run(directory, ask).strip(), source);
            }
            case "inserts.sql" -> {
                assume("sqlite3");
                yield List.of("sqlite3", directory.resolve("accounts.db").toString(), ".read " + source);
            }
            case "redis_served.sh" -> {
                assume("redis-server");
                yield List.of("sh", source, directory.toString());
            }
            case "worker_pool.cpp" -> {
                assume("g++");
                String binary = directory.resolve("worker_pool").toString();
                RecordedFixture.run(
                        directory, List.of("g++", "-std=c++17", "-O1", "-g", "-pthread", "-o", binary, source));
                yield List.of(binary);
            }
            default -> throw new IllegalArgumentException(program);
        };
    }

    private static void assume(String program) {
        boolean there = Arrays.stream(System.getenv("PATH").split(":"))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
        assumeTrue(there, "there is no " + program);
    }

    @ParameterizedTest(name = "{0}: positions of one name are one state, and moves there and back agree")
    @ValueSource(strings = {"threads_and_json.py", "inserts.sql", "redis_served.sh", "worker_pool.cpp"})
    void randomMoves(String program) throws Exception {
        Path trace = directory.resolve("trace");
        List<String> record =
                new ArrayList<>(List.of(Path.of("reprise").toAbsolutePath().toString(), "record"));
        record.addAll(List.of("-o", trace.toString(), "--"));
        record.addAll(command(program));
        RecordedFixture.run(directory, record);
        for (String seed : System.getProperty("reprise.seeds", "1").split(",")) {
            try (ProgramMoves moves = new ProgramMoves(trace, Long.parseLong(seed))) {
                assertThat(moves.make(Integer.getInteger("reprise.moves", 25)))
                        .as(() -> "seed " + seed + ":\n" + String.join("\n", moves.log()))
                        .isEmpty();
            }
        }
    }
}
