package reprise.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Reprise tells about itself: help, completion, the table of system calls, the manual. */
class HelpTest {
    @TempDir
    private Path directory;

    @Test
    @DisplayName("every command has one line in the overview, and the same help page both ways")
    void help() {
        String overview = Console.reprise("help").out();
        for (Command command : Commands.all()) {
            String name = command.syntax().command();
            assertThat(overview).contains("\n  " + name);
            Console.Run asOption = Console.reprise(name, "--help");
            assertThat(asOption.status()).isZero();
            assertThat(Console.reprise("help", name)).isEqualTo(asOption);
        }
        assertThat(Console.reprise("--help").out()).isEqualTo(overview);
        assertThat(overview.lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(100));
    }

    @Test
    @DisplayName("the manual has a section for every command that names all its options")
    void manual() throws IOException {
        String manual = Files.readString(Path.of("docs/commands.md"));
        for (Command command : Commands.all()) {
            Syntax syntax = command.syntax();
            int start = manual.indexOf("\n## " + syntax.command() + "\n");
            assertThat(start).as(syntax.command()).isPositive();
            int end = manual.indexOf("\n## ", start + 1);
            String section = manual.substring(start, end < 0 ? manual.length() : end);
            for (Option option : syntax.options()) {
                if (!option.equals(Syntax.HELP)) {
                    assertThat(section).contains("`" + option.name());
                }
            }
        }
    }

    @Test
    @DisplayName("every command has a manual page, which names all its options")
    void manualPages() throws IOException {
        assertThat(Console.reprise("help", "--man", directory.toString()).status())
                .isZero();
        assertThat(directory.resolve("reprise.1")).content().contains(".SH COMMANDS");
        for (Command command : Commands.all()) {
            String page = Files.readString(
                    directory.resolve("reprise-" + command.syntax().command() + ".1"));
            assertThat(page).startsWith(".TH ").contains(".SH OPTIONS");
            for (Option option : command.syntax().options()) {
                assertThat(page).contains(option.name().replace("-", "\\-"));
            }
        }
        assertThat(Console.reprise("help", "--man", "/proc/nowhere").status()).isEqualTo(ExitStatus.FAILED);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "reprise du | dump",
                "reprise help tr | traceinfo",
                "reprise dump --s | --stats",
                "reprise ps s | sort-0",
                "reprise dump lat | latest",
                "reprise rm sort-0 ca | cat-0",
                "reprise replay -a so | sort-0",
                "reprise record -i SIGSEG | SIGSEGV",
                "reprise record -o ca | cat-0",
                "reprise record /bin/true fi | file",
                "reprise record -- /bin/true --c | ''",
                "reprise dump -t ca | ''"
            })
    @DisplayName("completion offers commands, options, traces and values where they fit")
    void completion(String line, String expected) throws Exception {
        assumeThat(Files.isExecutable(Path.of("/bin/bash")))
                .as("there is a bash")
                .isTrue();
        Files.writeString(directory.resolve("file"), "");
        Files.createDirectories(directory.resolve("cat-0"));
        for (String name : List.of("sort-0", "cat-0")) {
            Path trace = Files.createDirectories(directory.resolve("traces").resolve(name));
            Files.writeString(trace.resolve("header.json"), "{}");
        }
        Files.createSymbolicLink(directory.resolve("traces/latest"), Path.of("cat-0"));
        Path script = directory.resolve("script");
        Files.writeString(script, Console.reprise("generate-completion").out() + """
                COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
                _reprise
                printf '%s\\n' "${COMPREPLY[@]}" | sort -u
                """);
        String[] words = ("/bin/bash " + script + " " + line).split(" ");
        ProcessBuilder builder = new ProcessBuilder(words).directory(directory.toFile());
        builder.environment()
                .put("REPRISE_TRACE_DIR", directory.resolve("traces").toString());
        Process process = builder.redirectErrorStream(true).start();
        assertThat(new String(process.getInputStream().readAllBytes()).strip()).isEqualTo(expected);
    }

    @Test
    @DisplayName("the table of system calls comes as text, Markdown and JSON")
    void syscalls() {
        assertThat(Console.reprise("syscalls").lines())
                .contains("  0  supported    read(fd, buf, count)")
                .allSatisfy(line -> assertThat(line).matches(" *\\d+  [a-z]+ +\\S.*"));
        assertThat(Console.reprise("syscalls", "--markdown").lines())
                .contains("| 0 | `read(fd, buf, count)` | supported |  |");
        assertThat(Console.reprise("syscalls", "--json").out().replaceAll("\\s+", " "))
                .contains("{ \"number\" : 0, \"name\" : \"read\", \"arguments\" : \"fd, buf, count\", ");
        assertThat(Console.reprise("syscalls", "--json", "--markdown").status()).isEqualTo(ExitStatus.USAGE);
    }
}
