package reprise.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reprise.linux.Errno;

/** The writer's background work: waiting for the disk, failing, losing little. */
class TraceWriterTest {
    private static final long MEBIBYTE = 1 << 20;

    @TempDir
    Path temporary;

    /** Writes to a file, if it may. */
    private static class GatedOutput implements ChunkWriter.Output {
        private final ChunkWriter.Output file;

        GatedOutput(Path directory) {
            file = new ChunkWriter.FileOutput(reprise.linux.Files.open(
                    directory.resolve("events").toString(),
                    reprise.linux.Files.O_RDWR | reprise.linux.Files.O_CREAT,
                    0600));
        }

        @Override
        public long write(long address, long length, long offset) {
            return file.write(address, length, offset);
        }

        @Override
        public void truncate(long length) {
            file.truncate(length);
        }

        @Override
        public void close() {
            file.close();
        }
    }

    /** A file that takes nothing until a gate is opened. */
    private static ChunkWriter.Output behind(CountDownLatch gate, Path directory) {
        return new GatedOutput(directory) {
            @Override
            public long write(long address, long length, long offset) {
                try {
                    gate.await();
                } catch (InterruptedException e) {
                    return -Errno.EINTR;
                }
                return super.write(address, length, offset);
            }
        };
    }

    private static void writeMebibyte(TraceWriter writer, int seed) {
        writer.taskExit(1, 1, seed);
        MemorySegment room = writer.write(1, 2, MEBIBYTE);
        MemorySegment.copy(SampleTrace.bytes(seed, 4096), 0, room, 0, 4096);
        writer.end();
    }

    @Test
    void aSlowDiskMakesTheTracerWait() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        HeaderFile.write(directory, SampleTrace.HEADER);
        CountDownLatch gate = new CountDownLatch(1);
        AtomicLong written = new AtomicLong();
        TraceWriter writer = TraceWriter.create(directory, behind(gate, directory), 1);
        AtomicLong recorded = new AtomicLong();
        AtomicBoolean done = new AtomicBoolean();
        Thread tracer = new Thread(() -> {
            for (int i = 0; i < 30; i++) {
                writeMebibyte(writer, i);
                recorded.incrementAndGet();
            }
            writer.end(1, 1, 0);
            writer.close();
            done.set(true);
        });
        tracer.start();
        Instant patience = Instant.now().plus(Duration.ofSeconds(20));
        while (tracer.getState() != Thread.State.WAITING && Instant.now().isBefore(patience)) {
            Thread.sleep(5);
        }
        // Seven chunks have been handed over, and the eighth cannot be exchanged for an empty one.
        assertThat(recorded.get()).isEqualTo(ChunkWriter.BUFFERS - 1);
        assertThat(written.get()).isZero();
        gate.countDown();
        tracer.join(20_000);
        assertThat(done).isTrue();
        try (TraceReader reader = TraceReader.open(directory)) {
            for (int i = 0; i < 30; i++) {
                assertThat(((Event.TaskExit) reader.next()).waitStatus()).isEqualTo(i);
            }
            assertThat(reader.next()).isInstanceOf(Event.End.class);
            assertThat(reader.truncated()).isFalse();
        }
    }

    @Test
    void largeEventsDoNotPileUp() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        HeaderFile.write(directory, SampleTrace.HEADER);
        CountDownLatch gate = new CountDownLatch(1);
        TraceWriter writer = TraceWriter.create(directory, behind(gate, directory), 1);
        AtomicLong recorded = new AtomicLong();
        final long size = ChunkWriter.WAITING / 2 + MEBIBYTE;
        Thread tracer = new Thread(() -> {
            for (int i = 0; i < 4; i++) {
                writer.taskExit(1, 1, i);
                writer.write(1, 2, size).set(ValueLayout.JAVA_BYTE, size - 1, (byte) i);
                writer.end();
                recorded.incrementAndGet();
            }
            writer.end(1, 1, 0);
            writer.close();
        });
        tracer.start();
        Instant patience = Instant.now().plus(Duration.ofSeconds(20));
        while (tracer.getState() != Thread.State.WAITING && Instant.now().isBefore(patience)) {
            Thread.sleep(5);
        }
        // The first waits to be written; to hand over the second is too much.
        assertThat(recorded.get()).isEqualTo(1);
        gate.countDown();
        tracer.join(20_000);
        try (TraceReader reader = TraceReader.open(directory)) {
            for (int i = 0; i < 4; i++) {
                MemorySegment bytes =
                        ((Event.TaskExit) reader.next()).writes().getFirst().data();
                assertThat(bytes.byteSize()).isEqualTo(size);
                assertThat(bytes.get(ValueLayout.JAVA_BYTE, size - 1)).isEqualTo((byte) i);
            }
            assertThat(reader.next()).isInstanceOf(Event.End.class);
        }
    }

    @Test
    void whenTheDiskIsFullTheTraceSoFarStaysReadable() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        HeaderFile.write(directory, SampleTrace.HEADER);
        TraceWriter writer = TraceWriter.create(
                directory,
                new GatedOutput(directory) {
                    private int chunks;

                    @Override
                    public long write(long address, long length, long offset) {
                        if (++chunks < 4) {
                            return super.write(address, length, offset);
                        }
                        super.write(address, length / 2, offset);
                        return -Errno.ENOSPC;
                    }
                },
                3);
        assertThatThrownBy(() -> {
                    for (int i = 0; i < 1000; i++) {
                        writeMebibyte(writer, i);
                    }
                })
                .isInstanceOf(TraceException.class)
                .hasMessage("cannot write the trace " + directory + ": no space left on the device");
        assertThatThrownBy(() -> writer.note(1, 1, "again")).isInstanceOf(TraceException.class);
        assertThatThrownBy(writer::close).isInstanceOf(TraceException.class);
        writer.close();
        assertThat(SampleTrace.texts(directory)).hasSize(3);
        try (TraceReader reader = TraceReader.open(directory)) {
            assertThat(reader.truncation()).contains("did not end regularly");
        }
    }

    @Test
    void aFullFileSystemIsReported() throws Exception {
        Path mount = Files.createDirectory(temporary.resolve("small"));
        boolean mounted = run("mount", "-t", "tmpfs", "-o", "size=3m", "none", mount.toString()) == 0;
        assumeTrue(mounted, "needs the right to mount a small tmpfs");
        try {
            Path directory = SampleTrace.directory(mount);
            TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER);
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 10_000; i++) {
                            writer.taskExit(1, 1, i);
                            MemorySegment.copy(SampleTrace.bytes(i, 50_000), 0, writer.write(1, 2, 50_000), 0, 50_000);
                            writer.end();
                        }
                    })
                    .isInstanceOf(TraceException.class)
                    .hasMessageContaining("no space left on the device");
            assertThatThrownBy(writer::close).isInstanceOf(TraceException.class);
            assertThat(SampleTrace.texts(directory)).hasSizeGreaterThanOrEqualTo(21);
        } finally {
            run("umount", "-l", mount.toString());
        }
    }

    private static int run(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    @Test
    void whatIsNotYetInAChunkIsSavedWhenTheRecordingWaits() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        Path side = directory.resolve("events.unfinished");
        try (TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER)) {
            writer.note(1, 1, "first");
            writer.flush();
            writer.note(1, 1, "second");
            writer.taskExit(1, 1, 0);
            awaitFile(side);
            assertThat(SampleTrace.texts(directory)).hasSize(2);
            writer.end();
            writer.flush();
            // The chunk has gone where it belongs; the side file is out of date and does no harm.
            Instant patience = Instant.now().plus(Duration.ofSeconds(10));
            while (SampleTrace.texts(directory).size() < 3 && Instant.now().isBefore(patience)) {
                Thread.sleep(10);
            }
            assertThat(SampleTrace.texts(directory)).hasSize(3);
            try (TraceReader reader = TraceReader.open(directory)) {
                assertThat(reader.truncated()).isTrue();
            }
            assertThat(TraceSummary.of(directory).state()).isEqualTo(TraceSummary.State.RECORDING);
        }
        assertThat(side).doesNotExist();
        assertThat(TraceSummary.of(directory).state()).isEqualTo(TraceSummary.State.INCOMPLETE);
    }

    /** Records until it is killed; run in a JVM of its own. */
    static final class Endless {
        public static void main(String[] arguments) throws InterruptedException {
            TraceWriter writer = TraceWriter.create(Path.of(arguments[0]), SampleTrace.HEADER);
            for (int i = 0; i < 200_000; i++) {
                writer.note(1, 1, "note " + (i + 1));
            }
            Thread.sleep(100_000);
            writer.close();
        }
    }

    @Test
    void aRecorderKilledWhileItWaitsLosesNothing() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Process recorder = new ProcessBuilder(
                        java.toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        classPath,
                        Endless.class.getName(),
                        directory.toString())
                .inheritIO()
                .start();
        try {
            Instant patience = Instant.now().plus(Duration.ofSeconds(60));
            while (TraceSummary.of(directory).events() < 200_000
                    && Instant.now().isBefore(patience)) {
                Thread.sleep(50);
            }
            assertThat(directory.resolve("events.unfinished")).exists();
            assertThat(TraceSummary.of(directory).state()).isEqualTo(TraceSummary.State.RECORDING);
        } finally {
            recorder.destroyForcibly().waitFor();
        }
        assertThat(TraceSummary.of(directory).state()).isEqualTo(TraceSummary.State.INCOMPLETE);
        try (TraceReader reader = TraceReader.open(directory)) {
            assertThat(reader.lastSequence()).isEqualTo(200_000);
            assertThat(reader.truncated()).isTrue();
            reader.seek(200_000);
            assertThat(((Event.Note) reader.next()).text()).isEqualTo("note 200000");
        }
    }

    private static void awaitFile(Path file) throws InterruptedException {
        Instant patience = Instant.now().plus(Duration.ofSeconds(20));
        while (!Files.exists(file) && Instant.now().isBefore(patience)) {
            Thread.sleep(10);
        }
        assertThat(file).exists();
    }

    @Test
    void aChunkIsNotKeptBackForLong() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        try (TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER)) {
            Instant end = Instant.now().plusMillis(1500);
            while (Instant.now().isBefore(end)) {
                writer.note(1, 1, "busy");
                Thread.sleep(20);
            }
            assertThat(Files.size(directory.resolve("events"))).isPositive();
        }
    }

    @Test
    void nothingCanBeWrittenBehindTheClose() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER);
        writer.close();
        writer.close();
        assertThatThrownBy(() -> writer.note(1, 1, "late")).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void anExistingTraceIsNotOverwritten() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        TraceWriter.create(directory, SampleTrace.HEADER).close();
        assertThatThrownBy(() -> TraceWriter.create(directory, SampleTrace.HEADER))
                .isInstanceOf(TraceException.class)
                .hasMessageContaining("it exists already");
    }
}
