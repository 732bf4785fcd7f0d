package reprise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What goes wrong while a program is recorded: the program's fate is a clear one, Reprise says which, and what was recorded
 * before replays. {@code -Dreprise.kills=50} kills the recorder more often.
 */
class FaultTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int KILLS = Integer.getInteger("reprise.kills", 5);

    private static Fixture family;

    @TempDir
    Path directory;

    @BeforeAll
    static void compile() throws Exception {
        List<Fixture> fixtures = Fixture.in("fault");
        Fixture.compile(fixtures);
        family = fixtures.getFirst();
    }

    @Test
    void aFullDiskEndsTheRecordingAndTheProgram() throws Exception {
        Path mount = Files.createDirectory(directory.resolve("small"));
        assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=6m", "none", mount.toString()) == 0,
                "needs the right to mount a small tmpfs");
        try {
            Reprise.Run run = record(mount.resolve("trace"));
            assertThat(run.end(LIMIT)).isEqualTo(1);
            assertThat(run.error())
                    .content()
                    .contains("no space left on the device")
                    .contains("the program was killed; what it did until then is recorded");
            expectNoneLeft();
            assertThat(replayedUpTo(run, mount.resolve("trace"))).isPositive();
        } finally {
            run("umount", "-l", mount.toString());
        }
    }

    @Test
    void aLimitOnTheSizeOfFilesEndsTheRecordingAndTheProgram() throws Exception {
        Path trace = directory.resolve("trace");
        List<String> line = new ArrayList<>(List.of("sh", "-c", "ulimit -f 8000; exec \"$@\"", "sh"));
        line.addAll(line(trace));
        Reprise.Run run = Reprise.start(directory, "record", line, directory, null);
        assertThat(run.end(LIMIT)).isEqualTo(1);
        assertThat(run.error()).content().contains("file too large").contains("the program was killed");
        expectNoneLeft();
        assertThat(replayedUpTo(run, trace)).isPositive();
    }

    @Test
    void aRecorderThatIsRecordedSaysSo() throws Exception {
        List<String> inner = List.of(
                Reprise.LAUNCHER.toString(),
                "record",
                "-o",
                directory.resolve("inner").toString(),
                "--",
                "/bin/true");
        Reprise.Run run = Reprise.record(directory, List.of(), inner, directory, null);
        assertThat(run.end(LIMIT)).isEqualTo(1);
        assertThat(run.error()).content().contains("this recorder is being recorded itself");
        assertThat(Reprise.replay(directory).end(LIMIT)).isZero();
    }

    @Test
    void aTraceRemovedWhileItIsRecordedEndsTheProgram() throws Exception {
        Path trace = directory.resolve("trace");
        Reprise.Run run = record(trace);
        awaitOutput(run);
        remove(trace);
        assertThat(run.end(LIMIT)).isEqualTo(1);
        assertThat(run.error())
                .content()
                .contains("was removed while it was recorded")
                .contains("the program was killed, since it cannot go on without being recorded");
        expectNoneLeft();
    }

    @Test
    void aKilledRecorderTakesItsProgramAlongAndLeavesAUsableTrace() throws Exception {
        long seed = Long.getLong("reprise.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int i = 0; i < KILLS; i++) {
            Path trace = directory.resolve("trace" + i);
            Reprise.Run run = record(trace);
            awaitOutput(run);
            Thread.sleep(random.nextInt(i % 2 == 0 ? 300 : 1800));
            // Exec has made the launcher the recorder.
            run.process().destroyForcibly();
            run.end(LIMIT);
            expectNoneLeft();
            assertThat(replayedUpTo(run, trace)).as("seed %d", seed).isNotNegative();
        }
    }

    @Test
    void aRecorderWithFewDescriptorsRecords() throws Exception {
        Path trace = directory.resolve("trace");
        List<String> line = new ArrayList<>(List.of("sh", "-c", "ulimit -n 20; exec \"$@\"", "sh"));
        line.addAll(line(trace));
        Reprise.Run run = Reprise.start(directory, "record", line, directory, null);
        awaitOutput(run);
        run.process().destroy();
        assertThat(run.end(LIMIT)).isEqualTo(40 + 15);
        expectWhole(run, trace);
    }

    @Test
    void terminatingTheRecorderTerminatesTheProgram() throws Exception {
        Path trace = directory.resolve("trace");
        Reprise.Run run = record(trace);
        awaitOutput(run);
        run.process().destroy();
        assertThat(run.end(LIMIT)).isEqualTo(40 + 15);
        expectWhole(run, trace);
    }

    @Test
    void aHangUpWithoutATerminalReachesTheProgram() throws Exception {
        Path trace = directory.resolve("trace");
        List<String> line = new ArrayList<>(List.of("setsid", "-w"));
        line.addAll(line(trace));
        Reprise.Run run = Reprise.start(directory, "record", line, directory, null);
        awaitOutput(run);
        for (ProcessHandle recorder : Stream.concat(
                        Stream.of(run.process().toHandle()), run.process().children())
                .filter(each -> each.info().command().orElse("").endsWith("java"))
                .toList()) {
            run("kill", "-HUP", Long.toString(recorder.pid()));
        }
        assertThat(run.end(LIMIT)).isEqualTo(40 + 1);
        expectWhole(run, trace);
    }

    // ---- parts ----

    private List<String> line(Path trace) {
        return List.of(
                Reprise.LAUNCHER.toString(),
                "record",
                "-o",
                trace.toString(),
                "--",
                family.binary().toString());
    }

    private Reprise.Run record(Path trace) throws IOException {
        return Reprise.start(directory, "record", line(trace), directory, null);
    }

    private static void awaitOutput(Reprise.Run run) throws Exception {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (Files.size(run.output()) == 0) {
            if (System.nanoTime() > deadline || !run.process().isAlive()) {
                run.kill();
                throw new AssertionError("no output\n" + run.tails());
            }
            Thread.sleep(10);
        }
    }

    /** No process of the program is left, in particular none that hangs, stopped by a tracer that is no more. */
    private static void expectNoneLeft() throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        List<String> left = left();
        while (!left.isEmpty() && System.nanoTime() < deadline) {
            Thread.sleep(20);
            left = left();
        }
        assertThat(left).as("processes of the program").isEmpty();
    }

    private static List<String> left() {
        String program = family.binary().toString();
        return ProcessHandle.allProcesses()
                .filter(each -> each.info().command().orElse("").equals(program))
                .map(each -> each.pid() + " " + program)
                .toList();
    }

    /** Replays a trace that was cut off; the bytes of the program's output that it contains. */
    private long replayedUpTo(Reprise.Run recorded, Path trace) throws Exception {
        Reprise.Run replayed = replay(trace);
        assertThat(replayed.end(LIMIT)).as(replayed.tails()).isZero();
        assertThat(replayed.error()).content().contains("up to there the replay was faithful");
        String output = Files.readString(replayed.output());
        assertThat(Files.readString(recorded.output())).startsWith(output);
        return output.length();
    }

    private void expectWhole(Reprise.Run recorded, Path trace) throws Exception {
        expectNoneLeft();
        Reprise.Run replayed = replay(trace);
        assertThat(replayed.end(LIMIT)).as(replayed.tails()).isZero();
        assertThat(replayed.error()).isEmptyFile();
        assertThat(replayed.output()).hasSameBinaryContentAs(recorded.output());
    }

    private Reprise.Run replay(Path trace) throws IOException {
        return Reprise.start(
                directory,
                "replay",
                List.of(Reprise.LAUNCHER.toString(), "replay", "-a", trace.toString()),
                directory,
                null);
    }

    private static void remove(Path tree) throws IOException {
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static int run(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }
}
