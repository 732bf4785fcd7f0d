package reprise.trace;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Traces with whatever in their events, under good checksums: replayed to some event, or refused, in plain words. */
class HostileTraceTest {
    private static final int REPLAYS = 24;
    private static final int SECONDS = 60;

    @TempDir
    Path temporary;

    private record Raw(ChunkHeader header, byte[] events) {}

    @Test
    @DisplayName("replay of a trace with arbitrary events ends with an exit status and without a stack trace")
    void replay() throws Exception {
        Path trace = temporary.resolve("trace");
        Ended recorded = run("record", "-o", trace.toString(), "/bin/echo", "hello");
        assumeThat(recorded.status).as("recording works: " + recorded.error).isZero();
        List<Raw> chunks = chunks(trace);
        Random random = new Random(11);
        int refused = 0;
        for (int i = 0; i < REPLAYS; i++) {
            ByteArrayOutputStream file = new ByteArrayOutputStream();
            for (Raw chunk : chunks) {
                byte[] events = chunk.events.clone();
                for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                    mutate(events, random);
                }
                file.writeBytes(encode(chunk.header, events));
            }
            Files.write(trace.resolve("events"), file.toByteArray());
            Ended replayed = run("replay", "-a", "-q", trace.toString());
            assertThat(replayed.error)
                    .as("replay " + i)
                    .doesNotContain("\tat ")
                    .doesNotContain("internal fault")
                    .doesNotContain("Exception");
            assertThat(replayed.status)
                    .as("replay " + i + ": " + replayed.error)
                    .isIn(0, 1, 2);
            refused += replayed.status == 0 ? 0 : 1;
            if (i % 4 == 0) {
                Ended dumped = run("dump", "-v", trace.toString());
                assertThat(dumped.error).as("dump " + i).doesNotContain("\tat ").doesNotContain("internal fault");
            }
        }
        assertThat(refused).isGreaterThan(REPLAYS / 4);
    }

    /** Mostly small fields of events, where a value can mean anything; the bulk of a trace is memory. */
    private static void mutate(byte[] events, Random random) {
        MemorySegment words = MemorySegment.ofArray(events);
        var word = ValueLayout.JAVA_LONG_UNALIGNED;
        long at = 8L * random.nextInt(events.length / 8);
        // Memory and registers are not the point: look for a word that is small.
        for (int tries = 0; tries < 50 && Long.compareUnsigned(words.get(word, at), 1L << 20) > 0; tries++) {
            at = 8L * random.nextInt(events.length / 8);
        }
        long value = words.get(word, at);
        words.set(
                word,
                at,
                switch (random.nextInt(5)) {
                    case 0 -> random.nextLong();
                    case 1 -> random.nextInt(64);
                    case 2 -> -1;
                    case 3 -> random.nextLong() & 0x7fff_ffff_f000L;
                    default -> value ^ 1L << random.nextInt(64);
                });
    }

    private static List<Raw> chunks(Path trace) {
        List<Raw> chunks = new ArrayList<>();
        try (ChunkIndex index = ChunkIndex.of(trace);
                ChunkLoader loader = new ChunkLoader(index)) {
            for (int i = 0; i < index.size(); i++) {
                chunks.add(new Raw(index.get(i).header(), loader.load(i).toArray(ValueLayout.JAVA_BYTE)));
            }
        }
        return chunks;
    }

    private static byte[] encode(ChunkHeader old, byte[] events) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment chunk = arena.allocate(ChunkHeader.SIZE + events.length, 8);
            MemorySegment.copy(events, 0, chunk, ValueLayout.JAVA_BYTE, ChunkHeader.SIZE, events.length);
            new ChunkHeader(
                            old.version(),
                            old.first(),
                            old.last(),
                            events.length,
                            events.length,
                            old.domains(),
                            old.flags() & ~ChunkHeader.COMPRESSED,
                            ChunkHeader.checksum(chunk.asSlice(ChunkHeader.SIZE), events.length))
                    .write(chunk);
            assertThat(chunk.get(JAVA_LONG, 8)).isEqualTo(old.first());
            return chunk.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private record Ended(int status, String error) {}

    private Ended run(String... words) throws IOException, InterruptedException {
        List<String> line =
                new ArrayList<>(List.of(Path.of("reprise").toAbsolutePath().toString()));
        line.addAll(List.of(words));
        Path error = temporary.resolve("error");
        ProcessBuilder builder = new ProcessBuilder(line)
                .directory(temporary.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(Path.of("/dev/null").toFile())
                .redirectError(error.toFile());
        builder.environment()
                .put("REPRISE_TRACE_DIR", temporary.resolve("traces").toString());
        Process process = builder.start();
        if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
            throw new AssertionError(String.join(" ", words) + " did not end within " + SECONDS + " s");
        }
        return new Ended(process.exitValue(), Files.readString(error));
    }
}
