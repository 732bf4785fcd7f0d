package reprise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What options of {@code record} do, and what a trace is when it has left the place where it was made. */
class RecordOptionsTest {
    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final String SECRET = "REPRISE_TEST_SECRET";

    @TempDir
    Path directory;

    private int runs;

    @BeforeEach
    void recordingWorks() throws Exception {
        assumeThat(reprise("record", "-o", directory.resolve("probe").toString(), "/bin/true"))
                .as("recording works here")
                .isZero();
    }

    private int reprise(String... words) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of(Reprise.LAUNCHER.toString()));
        line.addAll(List.of(words));
        return Reprise.start(directory, "run" + ++runs, line, directory, null).end(LIMIT);
    }

    private String printed(String kind) throws IOException {
        return Files.readString(directory.resolve("run" + runs + "." + kind));
    }

    @Test
    @DisplayName("--max-size kills the program, and what was recorded until then replays to its end")
    void maximumSize() throws Exception {
        String trace = directory.resolve("trace").toString();
        String endless = "while :; do /bin/true; done";
        assertThat(reprise("record", "-o", trace, "--max-size", "300K", "/bin/sh", "-c", endless))
                .isEqualTo(128 + 9);
        assertThat(printed("err")).contains("the trace reached 300K").hasLineCount(1);
        assertThat(Files.size(Path.of(trace, "events"))).isGreaterThan(300_000);
        assertThat(reprise("replay", "-a", trace)).as(printed("err")).isZero();
        assertThat(printed("err")).isEmpty();
        assertThat(reprise("traceinfo", trace)).isZero();
        assertThat(printed("out")).contains("\"exitSignal\" : \"SIGKILL\"").contains("\"truncated\" : false");
    }

    @Test
    @DisplayName("/proc tells a program of no tracer and no filter, and that a stopped child is stopped")
    void procStatus() throws Exception {
        String script = "(kill -STOP $BASHPID) & until read -r _ _ s _ </proc/$!/stat && [ $s = T ]; do :; done;"
                + "grep -E '^(State|TracerPid|Seccomp)' /proc/$!/status /proc/self/status | cut -d: -f2-; kill -CONT $!; wait";
        assertThat(Reprise.start(directory, "native", List.of("/bin/bash", "-c", script), directory, null)
                        .end(LIMIT))
                .isZero();
        String trace = directory.resolve("trace").toString();
        assertThat(reprise("record", "-o", trace, "--checksums=all", "/bin/bash", "-c", script))
                .isZero();
        assertThat(printed("out")).isEqualTo(Files.readString(directory.resolve("native.out")));
        assertThat(reprise("replay", "-a", trace)).as(printed("err")).isZero();
    }

    @Test
    @DisplayName("a program that stays below --max-size does not notice it")
    void belowMaximumSize() throws Exception {
        String trace = directory.resolve("trace").toString();
        assertThat(reprise("record", "-o", trace, "--max-size", "1G", "/bin/sh", "-c", "exit 7"))
                .isEqualTo(7);
        assertThat(printed("err")).isEmpty();
        assertThat(reprise("record", "--max-size", "much", "/bin/true")).isEqualTo(64);
    }

    @Test
    @DisplayName("the program finds open what it would find open without the recorder, and nothing else")
    void descriptors() throws Exception {
        for (String redirection : List.of("", "7</dev/null", "3>/dev/null 12</dev/null", "<&-")) {
            String script = "exec \"$@\" ls /proc/self/fd " + redirection;
            int status = Reprise.start(directory, "native", List.of("/bin/sh", "-c", script, "sh"), directory, null)
                    .end(LIMIT);
            String trace = directory.resolve("fds" + runs++).toString();
            List<String> line =
                    List.of("/bin/sh", "-c", script, "sh", Reprise.LAUNCHER.toString(), "record", "-o", trace, "--");
            assertThat(Reprise.start(directory, "recorded", line, directory, null)
                            .end(LIMIT))
                    .isEqualTo(status);
            assertThat(directory.resolve("recorded.out")).hasSameTextualContentAs(directory.resolve("native.out"));
        }
    }

    @Test
    @DisplayName("--scrub-env keeps a variable from the program and out of every file of the trace")
    void scrubbed() throws Exception {
        String trace = directory.resolve("trace").toString();
        assertThat(reprise("record", "-o", trace, "-v", SECRET + "X=hush-1", "/usr/bin/env"))
                .isZero();
        assertThat(printed("out")).contains("hush-1");
        String other = directory.resolve("other").toString();
        List<String> line = List.of(
                Reprise.LAUNCHER.toString(), "record", "-o", other, "--scrub-env", SECRET + "*", "/usr/bin/env");
        ProcessBuilder builder = new ProcessBuilder(line)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(directory.resolve("scrubbed.out").toFile());
        builder.environment()
                .put("REPRISE_TRACE_DIR", directory.resolve("traces").toString());
        builder.environment().put(SECRET, "hush-2");
        builder.environment().put(SECRET + "2", "hush-2");
        assertThat(builder.start().waitFor()).isZero();
        assertThat(Files.readString(directory.resolve("scrubbed.out")))
                .doesNotContain(SECRET)
                .contains("PATH=");
        assertThat(reprise("dump", "--json", "-v", other)).isZero();
        assertThat(printed("out")).doesNotContain(SECRET).doesNotContain("687573682d32");
        assertThat(Files.readString(Path.of(other, "header.json"))).doesNotContain(SECRET);
    }

    @Test
    @DisplayName("traces and the store are readable by their owner alone, also in a directory that others can read")
    void privacy() throws Exception {
        Path open = Files.createDirectory(directory.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThat(reprise("record", "-o", open.toString(), "/bin/true")).isZero();
        assertThat(reprise("record", "/bin/true")).isZero();
        for (Path root : List.of(open, directory.resolve("traces"))) {
            try (var files = Files.walk(root)) {
                for (Path file : files.filter(file -> !file.equals(open) && !Files.isSymbolicLink(file))
                        .toList()) {
                    String permissions = PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
                    assertThat(permissions).as(file.toString()).isIn("rwx------", "rw-------");
                }
            }
        }
    }

    @Test
    @DisplayName("a pack replays where neither the program, nor its libraries, nor the store exist any more")
    void packedElsewhere() throws Exception {
        assumeThat(Files.isExecutable(Path.of("/usr/bin/gcc")))
                .as("there is a gcc")
                .isTrue();
        Path source = Files.writeString(
                directory.resolve("p.c"),
                "#include <stdio.h>\n#include <unistd.h>\nint main(void) { printf(\"%d\\n\", getpid()); return 3; }\n");
        Path program = directory.resolve("p");
        assertThat(new ProcessBuilder("gcc", "-o", program.toString(), source.toString())
                        .start()
                        .waitFor())
                .isZero();
        assertThat(reprise("record", program.toString())).isEqualTo(3);
        String output = printed("out");
        Path pack = directory.resolve("p.rpk");
        assertThat(reprise("pack", "-o", pack.toString())).isZero();
        Files.delete(program);
        Files.move(directory.resolve("traces"), directory.resolve("hidden"));
        assertThat(reprise("replay", "-a", pack.toString())).as(printed("err")).isZero();
        assertThat(printed("out")).isEqualTo(output);
        assertThat(reprise("replay", "-a", "-q", pack.toString())).isZero();
        assertThat(reprise(pack.toString())).isIn(0, 64);
        assertThat(reprise("ps", pack.toString())).isZero();
        assertThat(printed("out")).contains("\t3\t").contains(program.toString());
        assertThat(reprise("dump", pack.toString(), "end")).isZero();
        assertThat(printed("out")).contains("exited with 3");
        // Nothing was unpacked anywhere.
        assertThat(directory.resolve("traces")).doesNotExist();
    }

    @Test
    @DisplayName("dump --stats names the instructions that stopped the program")
    void trapSites() throws Exception {
        String trace = directory.resolve("trace").toString();
        assertThat(reprise("record", "-o", trace, "/bin/sh", "-c", "cd /; cd /; cd /; cd /; cd /; cd /; cd /; cd /"))
                .isZero();
        assertThat(reprise("dump", "--stats", trace)).isZero();
        // The sixth stop of a site is its last.
        assertThat(printed("out"))
                .containsPattern("(?m)^ {7}6  /\\S*libc\\S*\\+0x[0-9a-f]+, chdir$")
                .contains("system call instruction");
    }

    /** Hides the compiler, its parts and the sources, as on a machine that has none, and replays. */
    private static final String ELSEWHERE = """
            set -e
            mount --make-rprivate /
            mount -t tmpfs none /usr/lib/gcc
            for program in make gcc as ld; do
                mount --bind /dev/null "$(readlink -f "$(command -v $program)")"
            done
            exec "$1" replay -a "$2"
            """;

    @Test
    @DisplayName("a pack of a parallel build replays in a file system that has neither the sources nor a compiler")
    void packedBuild() throws Exception {
        assumeThat(Programs.has("make") && Programs.has("gcc"))
                .as("there are make and gcc")
                .isTrue();
        assumeThat(new ProcessBuilder("unshare", "-m", "true").start().waitFor())
                .as("a file system of its own can be had")
                .isZero();
        Path sources = Files.createDirectory(directory.resolve("sources"));
        StringBuilder objects = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            Files.writeString(sources.resolve("part" + i + ".c"), "int part" + i + "(void) { return " + i + "; }\n");
            objects.append(" part").append(i).append(".o");
        }
        Files.writeString(
                sources.resolve("Makefile"), "all:" + objects + "\n\tld -r -o all" + objects + "\n\t@echo done\n");
        String trace = directory.resolve("trace").toString();
        assertThat(reprise("record", "-o", trace, "make", "-j4", "-C", sources.toString()))
                .as(printed("err"))
                .isZero();
        String output = printed("out");
        assertThat(output).contains("-o part7.o").endsWith("\n");
        Path pack = directory.resolve("build.rpk");
        assertThat(reprise("pack", "-o", pack.toString(), trace)).isZero();
        Files.move(sources, directory.resolve("gone"));
        Files.move(Path.of(trace), directory.resolve("gone").resolve("trace"));
        List<String> line =
                List.of("unshare", "-m", "sh", "-c", ELSEWHERE, "sh", Reprise.LAUNCHER.toString(), pack.toString());
        assertThat(Reprise.start(directory, "run" + ++runs, line, directory, null)
                        .end(LIMIT))
                .as(printed("err"))
                .isZero();
        assertThat(printed("out")).isEqualTo(output);
    }
}
