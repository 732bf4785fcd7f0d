package reprise.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A timeline shows what a trace holds, whoever looks at it: the page's script in node, a browser, Perfetto. */
class TimelineTest {
    private static final int ECHILD = 10;
    private static final int ENOENT = 2;
    private static final int MANY = 1_000_000;

    @TempDir
    Path directory;

    /** A shell that starts a process and a thread, waits in vain, and dies of a signal. */
    private String trace() {
        SyntheticTrace trace = new SyntheticTrace(directory, "t-0", 0, "sh", "</script><b>");
        trace.exec(10, 0, "sh", "-c")
                .clone(10, 11, 0)
                .clone(10, 12, SyntheticTrace.CLONE_VM | SyntheticTrace.CLONE_THREAD)
                .call(12, 39, 10)
                .exec(11, 10, "ls");
        trace.writer.syscallEnter(1, 10, SyntheticTrace.registers(61));
        trace.call(12, 39, 10);
        trace.writer.syscallExit(1, 10, null, 61, -ECHILD, null, null, 0);
        trace.writer.end();
        MemorySegment buffered = buffered(110, 1, 257, -ENOENT, 257, -ENOENT);
        trace.writer.bufferedCalls(1, 10, false, buffered, buffered.byteSize());
        trace.writer.note(1, 10, "odd </script>");
        return trace.exit(11, 0x300).exit(12, 0).exit(10, 9).end(10, 9).done();
    }

    private static final int RECORD = 64;

    /** Records of calls: number and result, again and again. */
    private static MemorySegment buffered(long... calls) {
        MemorySegment records = Arena.ofAuto().allocate(calls.length / 2 * RECORD, 8);
        for (int i = 0; i < calls.length / 2; i++) {
            long at = (long) i * RECORD;
            records.set(ValueLayout.JAVA_LONG, at, RECORD | calls[2 * i] << 32);
            records.set(ValueLayout.JAVA_LONG, at + 8, calls[2 * i + 1]);
        }
        return records;
    }

    private Path page(String trace, String... options) {
        Path page = directory.resolve("page.html");
        List<String> line = new ArrayList<>(List.of("timeline", "-o", page.toString(), "--no-output"));
        line.addAll(List.of(options));
        line.add(trace);
        Console.Run run = Console.reprise(line.toArray(String[]::new));
        assertThat(run).isEqualTo(new Console.Run(0, page + "\n", ""));
        return page;
    }

    private static boolean has(String program) {
        return Files.isExecutable(Path.of("/usr/bin", program));
    }

    private static String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return out;
    }

    private static String inNode(Path page, String search) throws IOException, InterruptedException {
        assumeThat(has("node")).as("node is installed").isTrue();
        String check = Path.of("src/test/resources/reprise/cli/timeline-check.js")
                .toAbsolutePath()
                .toString();
        return run(List.of("/usr/bin/node", check, page.toString(), search));
    }

    @Test
    @DisplayName("the page is private, loads nothing, and what the program says cannot break out of it")
    void selfContained() throws IOException {
        Path page = page(trace());
        String text = Files.readString(page);
        assertThat(text).doesNotContainPattern("(src|href)=").doesNotContainPattern("https?://");
        assertThat(text)
                .contains("default-src 'none'")
                .doesNotContain("</script><b>")
                .doesNotContain("odd </script>");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(page)))
                .isEqualTo("rw-------");
    }

    @Test
    @DisplayName("the page's script finds tasks, waits, searches, and tells how to debug at a moment")
    void script() throws Exception {
        String trace = trace();
        String seen = inNode(page(trace), "ECHILD");
        assertThat(seen)
                .contains("\"events\":14,\"tasks\":3,\"depths\":[0,1,1]")
                .contains("\"states\":[[1,2,3],")
                .contains("\"matches\":1,\"selected\":8,\"described\":\"<... wait4 resumed> = -1 ECHILD\"")
                .contains("\"command\":\"reprise replay -g 8 " + trace + "\"")
                .contains("thread 12");
        assertThat(inNode(page(trace), "12")).contains("\"matches\":3");
        assertThat(inNode(page(trace), "#4")).contains("\"matches\":1,\"selected\":4");
        assertThat(inNode(page(trace), "enoent"))
                .contains("\"selected\":9,\"described\":\"3 calls without a stop: getppid, openat ENOENT ×2\"");
        assertThat(inNode(page(trace), "odd")).contains("note: odd </script>");
    }

    @Test
    @DisplayName("a million events fit a page of a few megabytes, which draws in a moment")
    void million() throws Exception {
        SyntheticTrace trace = new SyntheticTrace(directory, "t-1");
        trace.exec(10, 0, "sh").clone(10, 11, 0x10900);
        var registers = SyntheticTrace.registers(39);
        for (int i = 0; i < MANY; i++) {
            trace.writer.syscallExit(1, i / 100 % 2 == 0 ? 10 : 11, registers, i % 7, i % 3, null, null, 0);
            trace.writer.end();
        }
        Path page = page(trace.end(10, 0).done());
        assertThat(Files.size(page)).isLessThan(12_000_000);
        String seen = inNode(page, "read");
        assertThat(seen).contains("\"events\":1000003");
        double milliseconds = Double.parseDouble(
                seen.replaceAll(".*\"milliseconds\":([0-9.]+).*", "$1").strip());
        assertThat(milliseconds).isLessThan(500);
    }

    @Test
    @DisplayName("a browser shows the page")
    void browser() throws Exception {
        assumeThat(has("chromium")).as("chromium is installed").isTrue();
        String dom = run(List.of(
                "/usr/bin/timeout",
                "60",
                "/usr/bin/chromium",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--user-data-dir=" + directory.resolve("profile"),
                "--virtual-time-budget=5000",
                "--dump-dom",
                page(trace()).toUri().toString()));
        assumeThat(dom).as("chromium runs here").contains("<html");
        assertThat(dom).contains("data-ready=\"yes\"").contains("Click on a moment");
    }

    @Test
    @DisplayName("--perfetto writes JSON with a slice or an instant for what happened, in microseconds")
    void perfetto() throws IOException {
        Path target = page(trace(), "--perfetto");
        int objects = 0;
        List<String> names = new ArrayList<>();
        try (JsonParser json = new JsonFactory().createParser(target.toFile())) {
            while (json.nextToken() != null) {
                if (json.currentToken() == JsonToken.FIELD_NAME
                        && json.currentName().equals("name")) {
                    names.add(json.nextTextValue());
                }
                objects += json.currentToken() == JsonToken.START_OBJECT ? 1 : 0;
            }
        }
        assertThat(objects).isGreaterThan(10);
        assertThat(names)
                .contains("wait4", "getpid", "getppid", "execve ls", "exit 3", "exit SIGKILL", "odd </script>", "run");
    }
}
