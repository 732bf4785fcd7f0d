package reprise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What people have a debugger for that goes backwards: from what is wrong to the line that did it. */
class StoryTest {
    private static final Path STORIES = Path.of("src/test/stories").toAbsolutePath();
    private static final Duration LIMIT = Duration.ofSeconds(120);
    /** The bug shows in about a third of the runs. */
    private static final int RUNS = 60;

    @TempDir
    Path directory;

    @BeforeAll
    static void prepare() {
        assumeTrue(Programs.has("gcc"), "the programs need gcc");
        assumeTrue(Programs.has("gdb"), "there is no gdb");
    }

    @Test
    @DisplayName("a stray write of another thread, which shows once in some runs, is found by a watchpoint")
    void strayWrite() throws Exception {
        String program = compile("stray_write");
        Path failing = null;
        for (int run = 0; run < RUNS && failing == null; run++) {
            Path place = Files.createDirectory(directory.resolve("run" + run));
            int status = Reprise.record(place, List.of(), List.of(program), place, null)
                    .end(LIMIT);
            failing = status == 0 ? null : place;
        }
        assertThat(failing).as("a run that failed").isNotNull();
        String said = debug(
                failing,
                List.of("-e"),
                "reverse-continue",
                "frame function main",
                "python gdb.execute('watch -l accounts[%d].owner' % int(gdb.parse_and_eval('i')))",
                "reverse-continue",
                "bt 3");
        assertSaid(
                said,
                "SIGSEGV",
                "Hardware watchpoint",
                "pay \\(.*entry=4, amount=17\\)",
                line("stray_write", "GUILTY"));
        assertSaid(said, "teller");
    }

    @Test
    @DisplayName("of a use after free, both the write and the free are found")
    void useAfterFree() throws Exception {
        record(List.of(compile("use_after_free")), 139);
        String said = debug(
                directory,
                List.of("-e"),
                "reverse-continue",
                "frame function main",
                "watch -l current->greet",
                "reverse-continue",
                "bt 2",
                "delete",
                "break close_session",
                "reverse-continue",
                "bt 2",
                "print *current",
                "print current->greet");
        assertSaid(
                said,
                "SIGSEGV",
                "Hardware watchpoint",
                "receive \\(\\)",
                line("use_after_free", "OVERWRITTEN"),
                "Breakpoint \\d+, close_session",
                line("use_after_free", "FREED"),
                "number = 7",
                "<hello>");
    }

    @Test
    @DisplayName("of a deadlock, who waits and who took what when are found")
    void deadlock() throws Exception {
        record(List.of(compile("deadlock")), 142);
        String said = debug(
                directory,
                List.of("-e"),
                "thread apply all -q -s bt",
                "print ledger.__data.__owner != 0 && journal.__data.__owner != 0",
                "watch -l ledger.__data.__owner",
                "reverse-continue",
                "bt 4");
        assertSaid(said, "(?s)auditor.*bookkeeper|bookkeeper.*auditor");
        assertSaid(said, "\\$1 = 1", "Hardware watchpoint", "bookkeeper", line("deadlock", "FIRST"));
    }

    @Test
    @DisplayName("who replaced a signal's handler is found by going back to the system call")
    void wrongHandler() throws Exception {
        record(List.of(compile("wrong_handler")), 3);
        String said = debug(
                directory, List.of("-e"), "catch syscall rt_sigaction", "reverse-continue", "reverse-continue", "bt");
        assertSaid(
                said,
                "Catchpoint \\d+ \\(returned from syscall .?rt_sigaction",
                "init_statistics \\(\\)",
                line("wrong_handler", "GUILTY"));
    }

    @Test
    @DisplayName("the child of a shell script that crashed is debugged alone")
    void childOfScript() throws Exception {
        String program = compile("child_of_script");
        record(List.of("sh", "-c", "for n in 1 2 3; do " + program + " $n | cat; done; echo end"), 0);
        Reprise.Run list = Reprise.start(
                directory,
                "ps",
                List.of(
                        Reprise.LAUNCHER.toString(),
                        "ps",
                        Reprise.trace(directory).toString()),
                directory,
                null);
        assertThat(list.end(LIMIT)).isZero();
        Matcher crashed = Pattern.compile("(?m)^(\\d+)\\s+\\d+\\s+SIGSEGV\\s.*child_of_script 3$")
                .matcher(Files.readString(list.output()));
        assertThat(crashed.find()).as(list::tails).isTrue();
        String said = debug(
                directory,
                List.of("-p", crashed.group(1), "-e"),
                "reverse-continue",
                "print value",
                "reverse-step",
                "reverse-step",
                "reverse-step",
                "info locals",
                "frame");
        assertSaid(
                said,
                "SIGSEGV",
                line("child_of_script", "CRASH"),
                "\\$1 = \\(int \\*\\) 0x0",
                "parse \\(text=0x.* \"3\"\\)");
    }

    private String compile(String name) throws Exception {
        Path binary = directory.resolve(name);
        Process compiler = new ProcessBuilder(
                        "gcc",
                        "-g",
                        "-O0",
                        "-pthread",
                        "-o",
                        binary.toString(),
                        STORIES.resolve(name + ".c").toString())
                .inheritIO()
                .start();
        assertThat(compiler.waitFor()).isZero();
        return binary.toString();
    }

    /** A pattern for the line of a program on which a word stands. */
    private static String line(String name, String word) throws Exception {
        List<String> lines = Files.readAllLines(STORIES.resolve(name + ".c"));
        for (int at = 0; at < lines.size(); at++) {
            if (lines.get(at).contains("/* " + word + " */")) {
                return "(?m)(^|" + name + "\\.c:)" + (at + 1) + "\\b";
            }
        }
        throw new AssertionError(word + " is nowhere in " + name);
    }

    private void record(List<String> command, int status) throws Exception {
        Reprise.Run run = Reprise.record(directory, List.of(), command, directory, null);
        assertThat(run.end(LIMIT)).as(run::tails).isEqualTo(status);
    }

    /** What gdb says to commands in a replay of {@code place/trace}. */
    private static String debug(Path place, List<String> options, String... commands) throws Exception {
        List<String> line = new ArrayList<>(List.of(Reprise.LAUNCHER.toString(), "replay", "-q"));
        line.addAll(options);
        line.add(Reprise.trace(place).toString());
        line.addAll(List.of("--", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-ex", "set pagination off"));
        for (String command : commands) {
            line.addAll(List.of("-ex", command));
        }
        Reprise.Run run = Reprise.start(place, "gdb", line, place, null);
        run.end(LIMIT);
        return Files.readString(run.output()) + Files.readString(run.error());
    }

    /** Patterns that are found one behind the other. */
    private static void assertSaid(String said, String... patterns) {
        int from = 0;
        for (String pattern : patterns) {
            Matcher matcher = Pattern.compile(pattern).matcher(said);
            assertThat(matcher.find(from))
                    .as("%s%nbehind character %d of%n%s", pattern, from, said)
                    .isTrue();
            from = matcher.end();
        }
    }
}
