package reprise.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A packed trace is the trace: the same header, events and files, or a message that says what is wrong. */
class PackTest {
    private static final int LARGE = 3 * PackFile.BLOCK + 17;

    @TempDir
    Path temporary;

    private Path directory;
    private Path pack;
    private final byte[] content = new byte[LARGE];
    private Event.FileStored large;
    private Event.FileStored empty;

    @BeforeEach
    void record() throws IOException {
        directory = SampleTrace.directory(temporary);
        pack = temporary.resolve("trace.rpk");
        new Random(1).nextBytes(content);
        // A block of zeros, which becomes a hole.
        Arrays.fill(content, PackFile.BLOCK, 2 * PackFile.BLOCK, (byte) 0);
        Files.write(directory.resolve("files/1-large"), content);
        Files.createFile(directory.resolve("files/2-empty"));
        try (TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER)) {
            writer.fileStored(0, 1, 1, "/usr/lib/large", "files/1-large", LARGE);
            writer.fileStored(0, 1, 2, "/empty", "files/2-empty", 0);
            writer.flush();
            writer.note(0, 1, "something");
            writer.end(0, 1, 0);
        }
        try (TraceReader reader = TraceReader.open(directory)) {
            large = (Event.FileStored) reader.next();
            empty = (Event.FileStored) reader.next();
        }
    }

    @Test
    @DisplayName("a pack has the header, the events and the files of the trace, and is readable by its owner alone")
    void whole() throws IOException {
        long bytes = PackWriter.pack(directory, pack);
        assertThat(Files.size(pack)).isEqualTo(bytes).isLessThan(LARGE);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(pack)))
                .isEqualTo("rw-------");
        try (TraceReader reader = TraceReader.open(pack)) {
            assertThat(reader.header()).isEqualTo(SampleTrace.HEADER);
            assertThat(reader.truncated()).isFalse();
        }
        assertThat(SampleTrace.texts(pack)).isEqualTo(SampleTrace.texts(directory));
        try (StoredContent stored = StoredContent.of(pack)) {
            assertThat(stored.isPacked()).isTrue();
            assertThat(copy(stored, large)).isEqualTo(content);
            assertThat(copy(stored, empty)).isEmpty();
        }
        assertThat(TraceSummary.of(pack).state()).isEqualTo(TraceSummary.State.COMPLETE);
        // A pack can be packed.
        Path again = temporary.resolve("again");
        PackWriter.pack(pack, again);
        assertThat(again).hasSameBinaryContentAs(pack);
    }

    @Test
    @DisplayName("of a trace that was cut off, a pack has what is readable")
    void cutOff() throws IOException {
        byte[] events = Files.readAllBytes(directory.resolve("events"));
        Files.write(directory.resolve("events"), Arrays.copyOf(events, events.length - 1));
        PackWriter.pack(directory, pack);
        try (TraceReader reader = TraceReader.open(pack)) {
            assertThat(reader.lastSequence()).isEqualTo(2);
            assertThat(reader.truncated()).isTrue();
            assertThat(reader.truncation()).contains("did not end");
        }
    }

    @Test
    @DisplayName("a trace that lacks a stored file is not packed, and nothing is left behind")
    void missing() throws IOException {
        Files.delete(directory.resolve("files/2-empty"));
        assertThatThrownBy(() -> PackWriter.pack(directory, pack))
                .isInstanceOf(TraceException.class)
                .hasMessageContaining("2-empty")
                .hasMessageContaining("missing");
        try (var entries = Files.list(temporary)) {
            assertThat(entries.map(path -> path.getFileName().toString())).containsExactly("trace");
        }
    }

    @Test
    @DisplayName("whatever bits of a pack are flipped or cut off, reading ends with the trace's content or a message")
    void damage() throws IOException {
        PackWriter.pack(directory, pack);
        byte[] intact = Files.readAllBytes(pack);
        List<String> texts = SampleTrace.texts(pack);
        Path bad = temporary.resolve("bad");
        Random random = new Random(5);
        int refused = 0;
        for (int i = 0; i < 300; i++) {
            byte[] damaged = intact.clone();
            if (i % 3 == 0) {
                damaged = Arrays.copyOf(damaged, random.nextInt(damaged.length));
            } else {
                // The interesting bytes are those at both ends.
                int at = random.nextInt(i % 3 == 1 ? 2000 : damaged.length);
                damaged[i % 2 == 0 ? at : damaged.length - 1 - at] ^= (byte) (1 << random.nextInt(8));
            }
            Files.write(bad, damaged);
            try (TraceReader reader = TraceReader.open(bad);
                    StoredContent stored = StoredContent.of(bad)) {
                assertThat(copy(stored, large)).isEqualTo(content);
                List<String> read = SampleTrace.texts(bad);
                assertThat(read).isEqualTo(texts.subList(0, read.size()));
                reader.next();
            } catch (TraceException expected) {
                assertThat(expected.getMessage()).doesNotContain("\n");
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(200);
    }

    @Test
    @DisplayName("a pack of a newer format is refused with a message that says so")
    void newer() throws IOException {
        PackWriter.pack(directory, pack);
        byte[] bytes = Files.readAllBytes(pack);
        bytes[8] = 9;
        var head = java.lang.foreign.Arena.ofAuto().allocate(PackFile.HEAD_CHECKED);
        head.copyFrom(java.lang.foreign.MemorySegment.ofArray(bytes).asSlice(0, PackFile.HEAD_CHECKED));
        java.nio.ByteBuffer.wrap(bytes)
                .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                .putInt(PackFile.HEAD_CHECKED, ChunkHeader.checksum(head, PackFile.HEAD_CHECKED));
        Files.write(pack, bytes);
        assertThatThrownBy(() -> TraceReader.open(pack))
                .isInstanceOf(TraceException.class)
                .hasMessageContaining("format 9")
                .hasMessageContaining("newer");
    }

    @Test
    @DisplayName("no file outside the trace is ever opened, whatever the trace names")
    void escapes() throws IOException {
        Path secret = Files.writeString(temporary.resolve("secret"), "secret");
        Files.createSymbolicLink(directory.resolve("files/3-link"), secret);
        Files.createDirectory(directory.resolve("files/4-directory"));
        for (String name : List.of(
                "../secret",
                "files/../../secret",
                secret.toString(),
                "files/3-link",
                "files/4-directory",
                "files/..",
                "files/",
                "files/a\0b",
                "")) {
            Event.FileStored file = new Event.FileStored(large.header(), 3, "/x", name, 6);
            try (StoredContent stored = StoredContent.of(directory)) {
                assertThatThrownBy(() -> copy(stored, file))
                        .as(name)
                        .isInstanceOf(TraceException.class)
                        .hasMessageContaining("damaged");
                assertThatThrownBy(() -> stored.path(file)).isInstanceOf(TraceException.class);
            }
        }
    }

    private byte[] copy(StoredContent stored, Event.FileStored file) throws IOException {
        int memory = reprise.linux.Files.memoryFile("test", false);
        try {
            stored.copyTo(memory, file);
            return Files.readAllBytes(Path.of("/proc/self/fd/" + memory));
        } finally {
            reprise.linux.Files.close(memory);
        }
    }
}
