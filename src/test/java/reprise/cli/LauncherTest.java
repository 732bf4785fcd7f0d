package reprise.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What ./reprise passes on of what it was started with. A script that prints its arguments stands for the JVM. */
class LauncherTest {
    private static final Path LAUNCHER = Path.of("reprise").toAbsolutePath();

    @TempDir
    private Path directory;

    private Path jdk;

    @BeforeEach
    void makeJdk() throws IOException {
        jdk = Files.createDirectories(directory.resolve("jdk"));
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25\"\n");
        Path java = Files.createDirectories(jdk.resolve("bin")).resolve("java");
        Files.writeString(java, """
                #!/bin/sh
                for argument; do printf '%s\\n' "$argument"; done
                printf 'ENVIRON=%s\\n' "$REPRISE_ENVIRON"
                printf 'OPTIONS=%s\\n' "${JDK_JAVA_OPTIONS-none}"
                exit 42
                """);
        assertThat(java.toFile().setExecutable(true)).isTrue();
    }

    @Test
    @DisplayName("arguments and the exit status go through untouched")
    void argumentsAndStatus() throws Exception {
        Result result = run("exec \"$0\" record -- 'a  b' '' '*'");
        assertThat(result.status).isEqualTo(42);
        assertThat(result.lines).containsSubsequence("reprise.cli.Main", "record", "--", "a  b", "", "*");
    }

    @Test
    @DisplayName("signals that were ignored are passed on")
    void ignoredSignals() throws Exception {
        Result result = run("trap '' INT USR1; exec \"$0\" ls");
        String set = result.after("-Dreprise.sigign=");
        assertThat(Long.parseUnsignedLong(set, 16) & 0x202).isEqualTo(0x202);
    }

    @Test
    @DisplayName("open descriptors are passed on, without those of the launcher's own")
    void descriptors() throws Exception {
        String without = run("exec \"$0\" ls").after("-Dreprise.fds=");
        String with = run("exec \"$0\" ls 7</dev/null").after("-Dreprise.fds=");
        String closed = run("exec \"$0\" ls <&-").after("-Dreprise.fds=");
        assertThat(without.split(",")).contains("0", "1", "2").doesNotContain("7");
        assertThat(with.split(",")).contains("7").hasSize(without.split(",").length + 1);
        assertThat(closed.split(",")).doesNotContain("0").contains("1", "2");
    }

    @Test
    @DisplayName("the environment is passed on to the byte, and the JVM's own options are not obeyed")
    void environment() throws Exception {
        Result result = run("exec env -i we.ird=1 'LINES=a\n\nb' JDK_JAVA_OPTIONS=-Xno PATH=\"$PATH\" "
                + "REPRISE_BUILD=no REPRISE_AOT=no REPRISE_JAVA_HOME=\"$REPRISE_JAVA_HOME\" \"$0\" ls");
        String environment =
                new String(Base64.getDecoder().decode(result.after("ENVIRON=")), StandardCharsets.ISO_8859_1);
        assertThat(environment).startsWith("we.ird=1\0LINES=a\n\nb\0JDK_JAVA_OPTIONS=-Xno\0PATH=");
        assertThat(environment).doesNotContain("PWD=");
        assertThat(result.after("OPTIONS=")).isEqualTo("none");
    }

    @Test
    @DisplayName("a JDK that is too old is refused")
    void oldJdk() throws Exception {
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"21.0.2\"\n");
        Result result = run("exec \"$0\" ls 2>&1");
        assertThat(result.status).isEqualTo(127);
        assertThat(result.lines.getFirst()).contains("not a JDK 25 or newer");
    }

    @Test
    @DisplayName("the launcher works through a link and from anywhere")
    void link() throws Exception {
        Path link = Files.createSymbolicLink(directory.resolve("link"), LAUNCHER);
        Result result = run("cd / && exec " + link + " ls");
        assertThat(result.lines)
                .contains(LAUNCHER.resolveSibling("target/reprise.jar").toString());
    }

    private Result run(String script) throws Exception {
        ProcessBuilder builder = new ProcessBuilder("/bin/sh", "-c", script, LAUNCHER.toString());
        builder.environment()
                .putAll(Map.of("REPRISE_JAVA_HOME", jdk.toString(), "REPRISE_BUILD", "no", "REPRISE_AOT", "no"));
        Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), output.lines().toList());
    }

    private record Result(int status, List<String> lines) {
        String after(String prefix) {
            return lines.stream()
                    .filter(line -> line.startsWith(prefix))
                    .map(line -> line.substring(prefix.length()))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
