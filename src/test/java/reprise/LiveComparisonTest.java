package reprise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.aggregator.ArgumentsAccessor;
import org.junit.jupiter.params.provider.CsvSource;

/** The same commands, typed to gdb on a live process and on its recording, show the same. */
class LiveComparisonTest {
    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final Path SCRIPTS = Path.of("src/test/live").toAbsolutePath();

    /** What gdb says of processes of its own only, or of remote ones only, and what the program itself prints. */
    private static final List<String> NOT_COMPARED = List.of(
            "Reading symbols from",
            "(No debugging symbols found in",
            "Function \"write\" not defined.",
            "[Thread debugging using",
            "Using host libthread_db",
            "[New Thread",
            "[Thread ",
            "[Inferior 1 (process X) detached]",
            "warning: Error disabling address space randomization",
            "ADDR in _start ()");

    @TempDir
    Path directory;

    @ParameterizedTest(name = "{0}, {1}")
    @CsvSource({"debug/ordinary_commands, ordinary_commands.gdb"})
    @DisplayName("gdb shows in a recording what it shows in the live process")
    void sameAsLive(String name, String commands) throws Exception {
        assumeTrue(Programs.has("gcc"), "the program is compiled");
        Fixture fixture = Fixture.in("debug").stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow();
        Fixture.compile(List.of(fixture));
        compare(commands, "main", fixture.status(), List.of(fixture.binary().toString()));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "ls,/etc/hostname",
        "sort,/etc/passwd",
        "awk,BEGIN{print(1)}",
        "perl,-e,print(1)",
        "sqlite3,:memory:,SELECT(1)",
        "python3,-S,-c,print(1)"
    })
    @DisplayName("gdb shows in the recording of a program without symbols what it shows in the live process")
    void sameAsLive(ArgumentsAccessor line) throws Exception {
        List<String> program = new ArrayList<>();
        line.toList().forEach(word -> program.add(word.toString()));
        assumeTrue(Programs.has(program.getFirst()), "needs " + program.getFirst());
        program.set(0, "/usr/bin/" + program.getFirst());
        compare("any_program.gdb", "write", 0, program);
    }

    private void compare(String commands, String begin, int status, List<String> program) throws Exception {
        assumeTrue(Programs.has("gdb"), "needs gdb");
        assumeTrue(Programs.has("setarch"), "needs setarch");
        StringBuilder arguments = new StringBuilder();
        program.stream()
                .skip(1)
                .forEach(word -> arguments.append(" '").append(word).append("'"));
        String start = "set args" + arguments + " >/dev/null\nrun";
        List<String> live = run(
                "live",
                0,
                List.of("gdb", "-nx", "-batch", "-x", script("live", commands, begin, start), program.getFirst()));
        Path trace = directory.resolve("trace");
        List<String> record = new ArrayList<>(
                List.of("setarch", "-R", Reprise.LAUNCHER.toString(), "record", "-o", trace.toString(), "--"));
        record.addAll(program);
        run("record", status, record);
        List<String> replayed = run(
                "replay",
                0,
                List.of(
                        Reprise.LAUNCHER.toString(),
                        "replay",
                        "-q",
                        trace.toString(),
                        "-x",
                        script("replay", commands, begin, "continue"),
                        "--",
                        "-nx",
                        "-batch"));
        assertThat(live).as("gdb on the live process").hasSizeGreaterThan(60);
        assertThat(replayed).containsExactlyElementsOf(live);
    }

    private String script(String name, String commands, String begin, String start) throws Exception {
        String text =
                "set confirm off\nset pagination off\nset debuginfod enabled off\nset breakpoint pending on\nbreak "
                        + begin + "\n" + start + "\n" + Files.readString(SCRIPTS.resolve(commands));
        return Files.writeString(directory.resolve(name + ".gdb"), text).toString();
    }

    private List<String> run(String name, int status, List<String> line) throws Exception {
        Reprise.Run run = Reprise.start(directory, name, line, directory, null);
        assertThat(run.end(LIMIT)).as(name + "\n" + run.tails()).isEqualTo(status);
        List<String> shown = new ArrayList<>();
        try (Stream<String> lines = Files.lines(run.output())) {
            lines.map(LiveComparisonTest::withoutNumbers)
                    .filter(text -> NOT_COMPARED.stream().noneMatch(text::startsWith))
                    .forEach(shown::add);
        }
        return shown;
    }

    /** What differs from one process to the next, and how gdb says where a condition is evaluated. */
    private static String withoutNumbers(String line) {
        return line.replaceAll("0x[0-9a-f]+", "ADDR")
                .replaceAll("(Thread|process) (ADDR|[0-9.]+)( \\(LWP [0-9]+\\))?", "$1 X")
                .replaceAll(" \\((host|target) evals\\)", "")
                .replaceAll(" +", " ")
                .stripTrailing();
    }
}
