package reprise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Sessions of the real gdb with recordings of small programs. {@code src/test/sessions} has a file for each program, and in it
 * sessions: a name behind {@code ==}, commands behind {@code (gdb)}, and regular expressions for lines of what gdb prints,
 * which must be found in this order.
 *
 * <p>All sessions with one recording use one server, one after the other, and each begins by going back to the start.
 */
class DebuggerTest {
    private static final Path SESSIONS = Path.of("src/test/sessions");
    private static final Path DIRECTORY = Path.of("target/debugger").toAbsolutePath();
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static final Map<String, ReplayServer> SERVERS = new HashMap<>();

    /** {@code expected}: see the class. */
    private record Session(String fixture, String name, List<String> commands, List<String> expected) {}

    @BeforeAll
    static void prepare() throws Exception {
        assumeTrue(Programs.has("gcc"), "the fixtures need gcc");
        assumeTrue(Programs.has("gdb"), "there is no gdb");
        Files.createDirectories(DIRECTORY);
        List<Fixture> fixtures = Fixture.in("debug");
        Fixture.compile(fixtures);
        Files.writeString(DIRECTORY.resolve("gdb.py"), output("gdbinit"));
        for (Fixture fixture : fixtures) {
            String name = fixture.name().replaceFirst("debug/", "");
            SERVERS.put(name, ReplayServer.start(fixture, DIRECTORY.resolve(name)));
        }
    }

    private static String output(String... arguments) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of(Reprise.LAUNCHER.toString()));
        line.addAll(List.of(arguments));
        Process process =
                new ProcessBuilder(line).redirectError(Redirect.INHERIT).start();
        String text = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).isZero();
        return text;
    }

    @AfterAll
    static void end() {
        for (ReplayServer server : SERVERS.values()) {
            server.close();
        }
    }

    static Stream<Named<Session>> sessions() throws IOException {
        List<Session> sessions = new ArrayList<>();
        try (Stream<Path> files = Files.list(SESSIONS)) {
            for (Path file : files.sorted().toList()) {
                sessions.addAll(sessions(file));
            }
        }
        String pattern = System.getProperty("reprise.session", "");
        return sessions.stream()
                .filter(session -> session.name().contains(pattern))
                .map(session -> Named.of(session.fixture() + ": " + session.name(), session));
    }

    private static List<Session> sessions(Path file) throws IOException {
        List<Session> sessions = new ArrayList<>();
        String fixture = file.getFileName().toString().replaceFirst("\\.txt$", "");
        for (String line : Files.readAllLines(file)) {
            if (line.startsWith("== ")) {
                sessions.add(new Session(fixture, line.substring(3), new ArrayList<>(), new ArrayList<>()));
            } else if (line.startsWith("(gdb) ")) {
                sessions.getLast().commands().add(line.substring(6));
            } else if (!line.isBlank()) {
                sessions.getLast().expected().add(line);
            }
        }
        return sessions;
    }

    @ParameterizedTest(name = "{0}")
    @Execution(ExecutionMode.CONCURRENT)
    @MethodSource("sessions")
    @DisplayName("gdb works with recordings")
    void session(Session session) throws Exception {
        ReplayServer server = SERVERS.get(session.fixture());
        synchronized (server) {
            run(session, server);
        }
    }

    private static void run(Session session, ReplayServer server) throws Exception {
        int saidBefore = server.said().length();
        List<String> line =
                new ArrayList<>(List.of("gdb", "-q", "-nx", "-batch", "-l", "10000", "-iex", "set sysroot /"));
        line.addAll(List.of("-x", DIRECTORY.resolve("gdb.py").toString()));
        line.addAll(List.of("-ex", "target extended-remote " + server.address(), "-ex", "seek start"));
        line.addAll(List.of("-ex", "echo ----\\n"));
        session.commands().forEach(command -> line.addAll(List.of("-ex", command)));
        Path file = DIRECTORY.resolve(session.fixture()).resolve("session.out");
        Process gdb = new ProcessBuilder(line)
                .redirectErrorStream(true)
                .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(file.toFile())
                .start();
        boolean ended = gdb.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        gdb.destroyForcibly();
        String output = Files.readString(file);
        assertThat(ended).as("gdb ends:%n%s", output).isTrue();
        assertThat(server.process().isAlive()).as(server::said).isTrue();
        int from = Math.max(0, output.indexOf("----\n"));
        for (String expected : session.expected()) {
            Matcher matcher = Pattern.compile(expected).matcher(output);
            assertThat(matcher.find(from))
                    .as("%s%nbehind character %d of%n%s", expected, from, output)
                    .isTrue();
            from = matcher.end();
        }
        assertThat(server.said().substring(saidBefore)).isEmpty();
    }

    @Test
    @DisplayName("replay starts gdb, at the end if asked, and has its exit status")
    void startsGdb() throws Exception {
        ReplayServer server = SERVERS.get("accounts_overwritten");
        Path directory = server.trace().getParent();
        List<String> line = List.of(
                Reprise.LAUNCHER.toString(),
                "replay",
                "-q",
                "-e",
                server.trace().toString());
        List<String> script = List.of("--", "-nx", "-batch", "-ex", "bt", "-ex", "when", "-ex", "quit 7");
        Reprise.Run run = Reprise.start(directory, "gdb", joined(line, script), directory, null);
        assertThat(run.end(LIMIT)).as(run::tails).isEqualTo(7);
        assertThat(run.output()).content().contains("abort ()", "in check ()", "Current event: ");
    }

    @Test
    @DisplayName("what cannot be debugged is told in a line")
    void refuses() throws Exception {
        ReplayServer server = SERVERS.get("accounts_overwritten");
        Path directory = server.trace().getParent();
        String trace = server.trace().toString();
        String replay = Reprise.LAUNCHER.toString();
        Map<List<String>, String> refusals = Map.of(
                List.of(replay, "replay", "-p", "nowhere", trace), "no process executed nowhere",
                List.of(replay, "replay", "-p", "1", trace), "no process 1 executed a program",
                List.of(replay, "replay", "-f", "1", trace), "no process 1 was forked",
                List.of(replay, "replay", "-g", "99999999", trace), "the last event is",
                List.of(replay, "replay", "-d", "/nowhere/gdb", trace), "is not installed");
        for (Map.Entry<List<String>, String> refusal : refusals.entrySet()) {
            Reprise.Run run = Reprise.start(directory, "refused", refusal.getKey(), directory, null);
            assertThat(run.end(LIMIT)).as(run::tails).isEqualTo(1);
            assertThat(run.error()).content().contains(refusal.getValue()).hasLineCount(1);
        }
    }

    private static List<String> joined(List<String> first, List<String> second) {
        List<String> all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }
}
