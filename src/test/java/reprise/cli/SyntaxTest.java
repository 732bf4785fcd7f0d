package reprise.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How command lines are understood. */
class SyntaxTest {
    @Test
    @DisplayName("options end at the program: the rest is its own")
    void programKeepsItsOptions() {
        Arguments arguments = new RecordCommand().syntax().parse(List.of("-n", "-oDIR", "ls", "-l", "--", "--help"));
        assertThat(arguments.has(RecordCommand.UNBUFFERED)).isTrue();
        assertThat(arguments.value(RecordCommand.DIRECTORY)).contains("DIR");
        assertThat(arguments.operands()).containsExactly("ls", "-l", "--", "--help");
    }

    @Test
    @DisplayName("an optional value is one only when attached")
    void optionalValue() {
        Syntax syntax = new RecordCommand().syntax();
        Arguments detached = syntax.parse(List.of("--checksums", "all"));
        Arguments attached = syntax.parse(List.of("--checksums=all", "ls"));
        assertThat(detached.value(RecordCommand.CHECKSUMS)).contains("");
        assertThat(detached.operands()).containsExactly("all");
        assertThat(attached.value(RecordCommand.CHECKSUMS)).contains("all");
    }

    @Test
    @DisplayName("short options can be joined, given after operands, and repeated")
    void shortOptions() {
        Arguments arguments = new LsCommand().syntax().parse(List.of("-lt", "x", "-r"));
        assertThat(arguments.options()).containsOnlyKeys(LsCommand.DETAILED, LsCommand.BY_TIME, LsCommand.REVERSED);
        Arguments variables = new RecordCommand().syntax().parse(List.of("-v", "A=1", "-vB=2", "ls"));
        assertThat(variables.values(RecordCommand.VARIABLE)).containsExactly("A=1", "B=2");
    }

    @Test
    @DisplayName("replay's debugger arguments come after the double dash")
    void debuggerArguments() {
        Arguments arguments = new ReplayCommand().syntax().parse(List.of("-a", "trace", "--", "-nx", "-q"));
        assertThat(arguments.beforeSeparator()).containsExactly("trace");
        assertThat(arguments.afterSeparator()).containsExactly("-nx", "-q");
    }

    @ParameterizedTest
    @CsvSource({
        "-z, unknown option -z",
        "--zoo=1, unknown option --zoo",
        "-o, -o needs a value: -o DIR",
        "--no-buffer=1, --no-buffer takes no value"
    })
    @DisplayName("wrong use is told in one line, with status 64")
    void wrongUse(String arg, String message) {
        assertThatThrownBy(() -> new RecordCommand().syntax().parse(List.of(arg)))
                .isInstanceOfSatisfying(CommandFailure.class, failure -> {
                    assertThat(failure.status()).isEqualTo(ExitStatus.USAGE);
                    assertThat(failure.hint()).contains("see 'reprise record --help'");
                })
                .hasMessage(message);
    }

    @Test
    @DisplayName("every command has a help page that fits")
    void helpPages() {
        assertThat(Commands.all()).allSatisfy(command -> {
            String page = command.syntax().help();
            assertThat(page).startsWith("Usage: reprise " + command.syntax().command());
            assertThat(page.lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(100));
        });
    }
}
