package reprise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Recording and replay need no privilege: as an ordinary user, and where a container refuses what it refuses by default. */
class UnprivilegedTest {
    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final List<String> ORDINARY = List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");
    private static final List<String> NAMESPACES = List.of("unshare", "-U", "-r", "-p", "-f", "--mount-proc");
    private static final List<String> FIXTURES = List.of(
            "fork_exit_status",
            "mutex_contended_counter",
            "signal_handler_simple",
            "file_pread_pwrite",
            "exec_by_descriptor",
            "calls_refused_by_containers",
            "spin/spin_ticket_lock",
            "spin/spin_sigprof_histogram");

    @TempDir
    static Path programs;

    @TempDir
    Path directory;

    @BeforeAll
    static void prepare() throws Exception {
        assumeTrue(Programs.has("gcc"), "the fixtures need gcc");
        assumeTrue(Programs.has("setpriv") && Programs.has("unshare"), "there is no setpriv or no unshare");
        Files.setPosixFilePermissions(programs, PosixFilePermissions.fromString("rwxr-xr-x"));
        Process compiler = new ProcessBuilder(
                        "gcc",
                        "-o",
                        profile(),
                        Path.of("src/test/live/container_profile.c").toString())
                .inheritIO()
                .start();
        assertThat(compiler.waitFor()).isZero();
    }

    private static String profile() {
        return programs.resolve("container_profile").toString();
    }

    static Stream<Arguments> cases() {
        List<String> container = new ArrayList<>(ORDINARY);
        container.addAll(NAMESPACES);
        container.add(profile());
        return FIXTURES.stream()
                .flatMap(name -> Stream.of(
                        Arguments.of(name, "ordinary user", ORDINARY), Arguments.of(name, "container", container)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cases")
    @DisplayName("programs are recorded and replayed exactly without privileges")
    void exact(String name, String where, List<String> prefix) throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        // Others may not come to where the project is.
        assumeTrue(
                start(prefix, "look", List.of("test", "-x", Reprise.LAUNCHER.toString()))
                                .end(LIMIT)
                        == 0,
                where + " cannot execute the launcher here");
        Fixture fixture = Fixture.in(name.contains("/") ? "spin" : "").stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow();
        Fixture.compile(List.of(fixture));
        Path copy = programs.resolve(fixture.binary().getFileName());
        if (!Files.exists(copy)) {
            Files.copy(fixture.binary(), copy);
        }
        List<String> record =
                new ArrayList<>(Reprise.recordLine(directory, List.of("--checksums=all", "--buffer-after=1")));
        record.add(copy.toString());
        record.addAll(fixture.arguments());
        run(prefix, "record", record, fixture.status());
        run(prefix, "replay", Reprise.replayLine(directory), 0);
        assertThat(directory.resolve("replay.out"))
                .hasSameBinaryContentAs(directory.resolve("record.out"))
                .isNotEmptyFile();
    }

    @Test
    @DisplayName("a program that may be executed but not read is refused, and those around it are recorded")
    void unreadable() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        assumeTrue(
                start(ORDINARY, "look", List.of("test", "-x", Reprise.LAUNCHER.toString()))
                                .end(LIMIT)
                        == 0,
                "an ordinary user cannot execute the launcher here");
        Path program = Files.copy(Path.of("/bin/true"), programs.resolve("unreadable"));
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx--x--x"));
        List<String> record = new ArrayList<>(Reprise.recordLine(directory, List.of()));
        record.addAll(List.of("sh", "-c", program + "; echo it ended with $?"));
        run(ORDINARY, "record", record, 0);
        assertThat(directory.resolve("record.err"))
                .content()
                .contains("programs that this user may execute but not read cannot be recorded: unreadable is killed");
        run(ORDINARY, "replay", Reprise.replayLine(directory), 0);
        assertThat(directory.resolve("replay.out")).hasContent("it ended with 137");
    }

    private void run(List<String> prefix, String name, List<String> command, int status) throws Exception {
        Reprise.Run run = start(prefix, name, command);
        assertThat(run.end(LIMIT)).as(run::tails).isEqualTo(status);
    }

    private Reprise.Run start(List<String> prefix, String name, List<String> command) throws Exception {
        List<String> line = new ArrayList<>(prefix);
        line.addAll(command);
        Path work = directory.resolve("work");
        if (!Files.exists(work)) {
            Files.createDirectory(work);
            Files.setPosixFilePermissions(work, PosixFilePermissions.fromString("rwxrwxrwx"));
        }
        return Reprise.start(directory, name, line, work, null);
    }
}
