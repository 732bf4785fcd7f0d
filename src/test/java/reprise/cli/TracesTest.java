package reprise.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reprise.trace.TraceDirectories;

/** Listing, describing and deleting traces. */
class TracesTest {
    private static final long A_DAY = 86_400_000;

    @TempDir
    private Path temporary;

    private Path root;

    @BeforeEach
    void makeTraces() throws IOException {
        root = Files.createDirectory(temporary.resolve("traces"));
        new SyntheticTrace(root, "sort-2", 3 * A_DAY, "sort", "a b")
                .exec(10, 0, "sort", "a b")
                .clone(10, 11, SyntheticTrace.CLONE_VM | SyntheticTrace.CLONE_THREAD)
                .end(10, 0x100)
                .done();
        new SyntheticTrace(root, "sort-10", 2 * A_DAY, "sort").end(10, 11).done();
        new SyntheticTrace(root, "cat-0", 5 * A_DAY, "cat").call(10, 39, 10).done();
        Files.createDirectories(root.resolve("lost-0/files"));
        Files.createDirectories(root.resolve("other"));
        Files.createSymbolicLink(root.resolve("latest"), Path.of("sort-2"));
    }

    private Console.Run ls(String... options) {
        return Console.run(new LsCommand(new TraceDirectories(root)), options);
    }

    private Console.Run rm(String... operands) {
        return Console.run(new RmCommand(new TraceDirectories(root)), operands);
    }

    @Test
    @DisplayName("ls sorts by program and number, or by time, and both the other way round")
    void order() {
        assertThat(ls().lines()).containsExactly("cat-0", "lost-0", "sort-2", "sort-10");
        assertThat(ls("-r").lines()).containsExactly("sort-10", "sort-2", "lost-0", "cat-0");
        assertThat(ls("-t").lines()).containsExactly("cat-0", "sort-2", "sort-10", "lost-0");
        assertThat(ls("-tr").lines()).containsExactly("lost-0", "sort-10", "sort-2", "cat-0");
    }

    @Test
    @DisplayName("ls -l shows how each ended and what it ran")
    void details() {
        List<String> lines = ls("-l").lines();
        assertThat(lines.getFirst()).matches("NAME +WHEN +DUR +SIZE +EXIT +CMD");
        assertThat(lines.get(1)).matches("cat-0 +1970-01-0\\d \\d\\d:00:00 +0\\.\\d{3}s +\\S+ +cut off +cat");
        assertThat(lines.get(2)).matches("lost-0 +- +- +\\S+ +broken +\\(.*header.*\\)");
        assertThat(lines.get(3)).matches("sort-2 +1970-01-0\\d \\d\\d:00:00 +0\\.\\d{3}s +\\S+ +1 +sort 'a b'");
        assertThat(lines.get(4)).matches("sort-10 .* SIGSEGV +sort");
    }

    @Test
    @DisplayName("ls lists the traces that are named, packed ones too")
    void named() {
        String pack = temporary.resolve("x.rpk").toString();
        new SyntheticTrace(root, "date-0").end(10, 0).done();
        assertThat(Console.reprise("pack", "-o", pack, root.resolve("date-0").toString())
                        .status())
                .isZero();
        assertThat(ls(pack, "cat-0").lines()).containsExactly("cat-0", "x.rpk");
        assertThat(ls("-l", pack).lines().getLast()).matches("x.rpk +2001-.* 0 +/bin/date-0");
        assertThat(ls("nowhere").status()).isEqualTo(ExitStatus.FAILED);
    }

    @Test
    @DisplayName("ls of a directory that is not there yet is empty")
    void nothingYet() {
        assertThat(Console.run(new LsCommand(new TraceDirectories(root.resolve("none")))))
                .isEqualTo(new Console.Run(0, "", ""));
    }

    @Test
    @DisplayName("rm deletes traces by name and by path, and the link to the latest does not dangle")
    void remove() {
        assertThat(rm("sort-2", root.resolve("cat-0").toString())).isEqualTo(new Console.Run(0, "", ""));
        assertThat(root.resolve("sort-2")).doesNotExist();
        assertThat(root.resolve("cat-0")).doesNotExist();
        Path latest = root.resolve("latest");
        assertThat(Files.isSymbolicLink(latest) && !Files.exists(latest)).isFalse();
    }

    @Test
    @DisplayName("rm deletes what is broken only with -f, and what is no trace never")
    void removeBroken() throws IOException {
        Path stranger =
                Files.createDirectories(temporary.resolve("stranger/files")).getParent();
        Files.writeString(stranger.resolve("header.json"), "{}");
        Files.writeString(stranger.resolve("files/precious"), "");
        assertThat(rm("lost-0").status()).isEqualTo(ExitStatus.FAILED);
        assertThat(rm("lost-0").err()).hasLineCount(1).contains("rm -f");
        assertThat(rm("-f", "lost-0")).isEqualTo(new Console.Run(0, "", ""));
        for (String name : List.of("other", stranger.toString(), temporary.toString())) {
            Console.Run run = rm("-f", name);
            assertThat(run.status()).isEqualTo(ExitStatus.FAILED);
            assertThat(run.err()).startsWith("reprise rm: ").hasLineCount(1);
        }
        assertThat(stranger.resolve("files/precious")).exists();
        assertThat(root.resolve("other")).exists();
    }

    @Test
    @DisplayName("rm goes on behind a name that is wrong, and -f does not mind what is missing")
    void removeMissing() {
        Console.Run run = rm("nothing-0", "sort-10");
        assertThat(run.status()).isEqualTo(ExitStatus.FAILED);
        assertThat(run.err())
                .startsWith("reprise rm: there is no trace nothing-0")
                .hasLineCount(1);
        assertThat(root.resolve("sort-10")).doesNotExist();
        assertThat(rm("-f", "nothing-0", "/nowhere/nothing")).isEqualTo(new Console.Run(0, "", ""));
    }

    @Test
    @DisplayName("traceinfo is JSON of the header, counts and sizes")
    void traceinfo() {
        Console.Run run = Console.reprise("traceinfo", root.resolve("sort-2").toString());
        assertThat(run.err()).isEmpty();
        assertThat(run.out().replaceAll("\\s+", " "))
                .startsWith("{ \"trace\" : ")
                .contains("\"startedAt\" : \"1970-01-04T00:00:00Z\", \"kernel\" : \"6.1.0\"")
                .contains("\"xcr0\" : \"0x7\", \"cores\" : 4")
                .contains("\"command\" : [ \"sort\", \"a b\" ]")
                .contains("\"exitStatus\" : 1, \"exitSignal\" : null")
                .contains("\"events\" : 3, \"processes\" : 1, \"tasks\" : 2")
                .contains("\"truncated\" : false");
        assertThat(Console.reprise("traceinfo", root.resolve("cat-0").toString())
                        .out())
                .contains("\"exitStatus\" : null")
                .contains("\"truncated\" : true");
    }

    @ParameterizedTest
    @ValueSource(strings = {"dump", "ps", "traceinfo", "rm"})
    @DisplayName("a wrong name of a trace gives one clear line")
    void wrongNames(String command) throws IOException {
        Path file = Files.writeString(temporary.resolve("file"), "");
        for (String name : List.of("", "/nowhere/trace", temporary.toString(), file.toString(), "no such\ntrace")) {
            Console.Run run = Console.reprise(command, name);
            assertThat(run.status()).isEqualTo(ExitStatus.FAILED);
            assertThat(run.out()).isEmpty();
            assertThat(run.err())
                    .startsWith("reprise " + command + ": ")
                    .contains("trace")
                    .hasLineCount(1);
        }
    }
}
