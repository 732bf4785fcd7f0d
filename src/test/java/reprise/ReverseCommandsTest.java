package reprise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every reverse command of gdb, alone and mixed with others, ends at the instant at which it has to end: the instruction, frame,
 * registers and memory that were there when the program was stepped through forwards; and so do commands forwards from there.
 * {@code src/test/live/reverse_commands.py} says what these instants are.
 *
 * <p>{@code -Dreprise.fixtures=80} takes so many of all fixtures instead of a few.
 */
class ReverseCommandsTest {
    private static final Path SCRIPT =
            Path.of("src/test/live/reverse_commands.py").toAbsolutePath();
    private static final Duration LIMIT = Duration.ofSeconds(600);
    private static final List<String> FEW = List.of(
            "file_pread_pwrite",
            "signal_handler_simple",
            "mutex_contended_counter",
            "nolibc_static_raw_syscalls",
            "spin/spin_ticket_lock",
            "spin/points_spin_chain_of_threads");

    @TempDir
    Path directory;

    @BeforeAll
    static void prepare() {
        assumeTrue(Programs.has("gcc"), "the fixtures need gcc");
        assumeTrue(Programs.has("gdb"), "there is no gdb");
    }

    static Stream<String> fixtures() throws Exception {
        return some(FEW);
    }

    static Stream<String> terminalFixtures() throws Exception {
        return some(List.of("fork_exit_status"));
    }

    private static Stream<String> some(List<String> few) throws Exception {
        int wanted = Integer.getInteger("reprise.fixtures", 0);
        List<String> all = new ArrayList<>();
        for (String folder : List.of("", "spin")) {
            Fixture.in(folder).stream().map(Fixture::name).forEach(all::add);
        }
        int each = Math.max(1, all.size() / Math.max(1, wanted));
        return wanted == 0
                ? few.stream()
                : IntStream.range(0, all.size())
                        .filter(index -> index % each == 0)
                        .mapToObj(all::get);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("fixtures")
    @DisplayName("every reverse command ends at the exact instant")
    void exact(String name) throws Exception {
        List<String> line = replay(name);
        line.addAll(List.of("-x", SCRIPT.toString(), "--", "-nx", "-batch"));
        Reprise.Run run = Reprise.start(directory, "gdb", line, directory, null);
        assertThat(run.end(LIMIT)).as(run::tails).isZero();
        assertThat(run.output()).content().contains("ALL RIGHT").doesNotContain("WRONG:");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("terminalFixtures")
    @DisplayName("the same is so for commands that are typed at a terminal")
    void exactAtTerminal(String name) throws Exception {
        List<String> line = replay(name);
        line.addAll(List.of("--", "-nx"));
        String shown;
        try (Pty terminal = new Pty()) {
            Reprise.Run run = Reprise.startAtTerminal(directory, "gdb", line, directory, terminal.slave());
            int from = terminal.await("(gdb) ", 0, LIMIT);
            terminal.type("source " + SCRIPT + "\n");
            terminal.await("moves: ", from, LIMIT);
            terminal.type("quit\n");
            assertThat(run.end(LIMIT)).isZero();
            shown = new String(terminal.shown(), StandardCharsets.ISO_8859_1);
        }
        assertThat(shown).contains("ALL RIGHT").doesNotContain("WRONG:");
    }

    /** Records a fixture, without stops as far as that is possible; the command that replays it. */
    private List<String> replay(String name) throws Exception {
        int folder = name.lastIndexOf('/');
        Fixture fixture = Fixture.in(folder < 0 ? "" : name.substring(0, folder)).stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow();
        Fixture.compile(List.of(fixture));
        List<String> command = new ArrayList<>(List.of(fixture.binary().toString()));
        command.addAll(fixture.arguments());
        Path input = Files.writeString(directory.resolve("input"), fixture.input());
        Reprise.record(directory, List.of("--buffer-after=1"), command, directory, input)
                .end(LIMIT);
        return new ArrayList<>(List.of(
                Reprise.LAUNCHER.toString(),
                "replay",
                "-q",
                Reprise.trace(directory).toString()));
    }
}
