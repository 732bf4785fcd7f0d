package reprise.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A damaged trace is read up to the damage, and never ends in anything but a {@link TraceException}. */
class DamagedTraceTest {
    @TempDir
    Path temporary;

    private Path directory;
    private Path file;
    private byte[] intact;
    private List<String> texts;

    @BeforeEach
    void record() throws IOException {
        directory = SampleTrace.directory(temporary);
        file = directory.resolve("events");
        try (TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER)) {
            for (Event event : SampleTrace.everything()) {
                // Small ones: the trace is read again for each of its bytes.
                if (SampleTrace.text(event).length() < 2000) {
                    SampleTrace.write(writer, event);
                    if (writer.lastSequence() % 3 == 0) {
                        writer.flush();
                    }
                }
            }
        }
        intact = Files.readAllBytes(file);
        texts = SampleTrace.texts(directory);
    }

    @Test
    void truncationAtAnyByteLeavesTheChunksBefore() throws IOException {
        int longest = 0;
        for (int length = 0; length < intact.length; length++) {
            Files.write(file, Arrays.copyOf(intact, length));
            try (TraceReader reader = TraceReader.open(directory)) {
                assertThat(reader.truncated()).isTrue();
                List<String> read = readAll(reader);
                assertThat(read).isEqualTo(texts.subList(0, read.size()));
                assertThat(reader.lastSequence()).isEqualTo(read.size());
                assertThat(read.size()).isGreaterThanOrEqualTo(longest);
                assertThat(reader.truncation()).isNotNull();
                longest = read.size();
            }
        }
        assertThat(longest).isGreaterThan(texts.size() - 4).isLessThan(texts.size());
    }

    @Test
    void flippedBitsLeaveTheChunksBefore() throws IOException {
        Random random = new Random(42);
        for (int i = 0; i < 2000; i++) {
            byte[] flipped = intact.clone();
            int at = random.nextInt(flipped.length);
            flipped[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, flipped);
            try (TraceReader reader = TraceReader.open(directory)) {
                List<String> read = readAll(reader);
                assertThat(read).isEqualTo(texts.subList(0, read.size()));
                assertThat(read.size()).isLessThan(texts.size());
                assertThat(reader.truncated()).isTrue();
                assertThat(reader.truncation()).contains("chunk");
            }
        }
    }

    /** Checksums are not there to keep out what somebody made on purpose. */
    @Test
    void eventsWithAnyBytesEndInATraceException() {
        Random random = new Random(7);
        MemorySegment good = encoded();
        int failures = 0;
        for (int i = 0; i < 50_000; i++) {
            MemorySegment bad = Arena.ofAuto().allocate(good.byteSize(), 8).copyFrom(good);
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                long at = random.nextLong(bad.byteSize() / 8);
                long value = switch (random.nextInt(4)) {
                    case 0 -> random.nextLong();
                    case 1 -> random.nextInt(64);
                    case 2 -> -1;
                    default -> bad.getAtIndex(java.lang.foreign.ValueLayout.JAVA_LONG, at) ^ 1L << random.nextInt(64);
                };
                bad.setAtIndex(java.lang.foreign.ValueLayout.JAVA_LONG, at, value);
            }
            EventDecoder decoder = new EventDecoder(bad.asSlice(0, 8 * random.nextLong(bad.byteSize() / 8 + 1)), 1);
            try {
                while (!decoder.atEnd()) {
                    assertThat(decoder.next()).isNotNull();
                }
            } catch (TraceException expected) {
                failures++;
            }
        }
        assertThat(failures).isGreaterThan(1000);
    }

    private MemorySegment encoded() {
        try (ChunkIndex index = ChunkIndex.of(directory);
                ChunkLoader loader = new ChunkLoader(index)) {
            return loader.load(2);
        }
    }

    @Test
    void compressedBytesThatMakeNoSenseAreDamage() throws IOException {
        Random random = new Random(3);
        try (Arena arena = Arena.ofConfined();
                Zstd.Decompressor decompressor = new Zstd.Decompressor();
                Zstd.Compressor compressor = new Zstd.Compressor(3)) {
            MemorySegment raw = arena.allocate(5000);
            MemorySegment packed = arena.allocate(Zstd.bound(5000));
            MemorySegment out = arena.allocate(5000);
            long length = compressor.compress(raw.address(), 5000, packed.address(), packed.byteSize());
            assertThat(decompressor.decompress(packed.address(), length, out.address(), 5000))
                    .isEqualTo(5000);
            assertThat(decompressor.decompress(packed.address(), length, out.address(), 4999))
                    .isEqualTo(-1);
            assertThat(decompressor.decompress(packed.address(), length - 1, out.address(), 5000))
                    .isEqualTo(-1);
            assertThat(compressor.compress(SampleTrace.bytes(1, 5000).address(), 5000, packed.address(), 100))
                    .isEqualTo(-1);
            for (int i = 0; i < 1000; i++) {
                MemorySegment noise = SampleTrace.bytes(random.nextLong(), 300);
                assertThat(decompressor.decompress(noise.address(), 300, out.address(), 5000))
                        .isBetween(-1L, 5000L);
            }
        }
    }

    @Test
    void theCarriedLibraryIsThereWhereTheSystemHasNone() {
        assertThat(Zstd.carried().find("ZSTD_compress2")).isPresent();
        assertThat(Zstd.carried().find("ZSTD_decompressDCtx")).isPresent();
    }

    @Test
    void seekingIntoADamagedChunkEndsTheTraceThere() throws IOException {
        byte[] damaged = intact.clone();
        damaged[damaged.length - 1] ^= 1;
        Files.write(file, damaged);
        try (TraceReader reader = TraceReader.open(directory)) {
            assertThat(reader.next()).isNotNull();
            long last = reader.lastSequence();
            assertThat(last).isEqualTo(texts.size());
            assertThatThrownBy(() -> reader.seek(last))
                    .isInstanceOf(TraceException.class)
                    .hasMessageContaining("event " + last + " cannot be read: the chunk at byte");
            assertThat(reader.next()).isNull();
            assertThat(reader.lastSequence()).isLessThan(last);
            reader.seek(2);
            assertThat(SampleTrace.text(reader.next())).isEqualTo(texts.get(1));
        }
    }

    @Test
    void aChunkOfANewerFormatIsRefused() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(ChunkHeader.SIZE, 8);
            new ChunkHeader(TraceFormat.VERSION + 1, 1, 1, 8, 8, 0, 0, 0).write(bytes);
            Files.write(file, bytes.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
        }
        try (TraceReader reader = TraceReader.open(directory)) {
            fail("opened " + reader);
        } catch (TraceException e) {
            assertThat(e)
                    .hasMessageContaining(
                            "has format " + (TraceFormat.VERSION + 1) + ", which a newer version of Reprise wrote");
        }
    }

    @Test
    void aTraceOfAFormatThatIsNoLongerReadIsRefused() throws IOException {
        Path header = directory.resolve("header.json");
        String now = "\"format\": " + TraceFormat.VERSION;
        String before = "\"format\": " + (TraceFormat.OLDEST - 1);
        Files.writeString(header, Files.readString(header).replace(now, before));
        assertThatThrownBy(() -> TraceReader.open(directory))
                .isInstanceOf(TraceException.class)
                .hasMessageContaining("an older version of Reprise wrote");
    }

    @Test
    void aTraceWithoutEventsFileIsEmpty() throws IOException {
        Files.delete(file);
        try (TraceReader reader = TraceReader.open(directory)) {
            assertThat(reader.next()).isNull();
            assertThat(reader.truncation()).isEqualTo("its file of events is missing");
        }
    }

    private static List<String> readAll(TraceReader reader) {
        List<String> read = new ArrayList<>();
        for (Event event = reader.next(); event != null; event = reader.next()) {
            read.add(SampleTrace.text(event));
        }
        return read;
    }
}
