package reprise.trace;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written is what is read. */
class TraceRoundTripTest {
    @TempDir
    Path temporary;

    @Test
    void everyKindOfEventComesBackAsItWasWritten() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        List<Event> events = SampleTrace.everything();
        try (TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER)) {
            for (Event event : events) {
                SampleTrace.write(writer, event);
            }
            assertThat(writer.lastSequence()).isEqualTo(events.size());
        }
        assertThat(SampleTrace.texts(directory))
                .containsExactlyElementsOf(
                        events.stream().map(SampleTrace::text).toList());
    }

    @Test
    void theSampleHasEveryKind() {
        assertThat(SampleTrace.everything().stream().map(Object::getClass).distinct())
                .hasSize(Event.class.getPermittedSubclasses().length);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 19})
    void levelsDifferInSizeOnly(int level) throws Exception {
        Path directory = SampleTrace.directory(temporary);
        try (TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER, level)) {
            for (Event event : SampleTrace.everything()) {
                SampleTrace.write(writer, event);
            }
        }
        assertThat(SampleTrace.texts(directory)).hasSameSizeAs(SampleTrace.everything());
    }

    @Test
    void sequenceNumbersCountFromOneAndTimesDoNotGoBack() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        try (TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER)) {
            for (int i = 1; i <= 100; i++) {
                assertThat(writer.note(1, 2, "note " + i)).isEqualTo(i);
                if (i % 30 == 0) {
                    writer.flush();
                }
            }
        }
        try (TraceReader reader = TraceReader.open(directory)) {
            long nanos = 0;
            for (int i = 1; i <= 100; i++) {
                Event event = reader.next();
                assertThat(event.header().sequence()).isEqualTo(i);
                assertThat(event.header().nanos()).isGreaterThanOrEqualTo(nanos).isLessThan(60_000_000_000L);
                nanos = event.header().nanos();
            }
            assertThat(reader.next()).isNull();
            assertThat(reader.next()).isNull();
        }
    }

    @Test
    void headerComesBack() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        TraceWriter.create(directory, SampleTrace.HEADER).close();
        try (TraceReader reader = TraceReader.open(directory)) {
            assertThat(reader.header()).isEqualTo(SampleTrace.HEADER);
        }
        for (String file : List.of("header.json", "events")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve(file))))
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void aWriteCanBeShortenedOrCancelled() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        try (TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER)) {
            writer.taskExit(1, 2, 0);
            for (long length : new long[] {0, 1, 7, 8, 9, 99, 100}) {
                MemorySegment room = writer.write(2, length, 100);
                room.fill((byte) 0x55);
                writer.shortenLastWrite(length);
            }
            writer.write(2, 1000, 5_000_000);
            writer.cancelLastWrite();
            writer.write(2, 1001, 3).fill((byte) 1);
            writer.end();
        }
        try (TraceReader reader = TraceReader.open(directory)) {
            Event.TaskExit event = (Event.TaskExit) reader.next();
            List<String> writes = new ArrayList<>();
            for (Event.MemoryWrite write : event.writes()) {
                writes.add(write.address() + ":" + write.data().byteSize());
                byte expected = (byte) (write.address() == 1001 ? 1 : 0x55);
                assertThat(write.data().toArray(JAVA_BYTE)).containsOnly(expected);
            }
            assertThat(writes).containsExactly("1:1", "7:7", "8:8", "9:9", "99:99", "100:100", "1001:3");
        }
    }

    @Test
    void anAbandonedEventLeavesNoTrace() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        try (TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER)) {
            writer.abandon();
            writer.note(1, 1, "one");
            writer.taskExit(1, 1, 0);
            writer.write(1, 2, 3_000_000);
            writer.abandon();
            assertThat(writer.note(1, 1, "two")).isEqualTo(2);
            writer.taskExit(1, 1, 0);
        }
        assertThat(SampleTrace.texts(directory)).hasSize(2);
    }

    @Test
    void callsOutOfOrderAreRefused() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        try (TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER)) {
            assertThatThrownBy(writer::end).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> writer.write(1, 2, 3)).isInstanceOf(IllegalStateException.class);
            writer.taskExit(1, 1, 0);
            assertThatThrownBy(() -> writer.note(1, 1, "x")).hasMessageContaining("event 1 is still open");
            assertThatThrownBy(writer::cancelLastWrite).isInstanceOf(IllegalStateException.class);
            writer.write(1, 2, 3);
            assertThatThrownBy(() -> writer.shortenLastWrite(4)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> writer.write(1, 2, 1L << 40)).isInstanceOf(TraceException.class);
            writer.abandon();
            writer.note(1, 1, "x");
        }
        assertThat(SampleTrace.texts(directory)).hasSize(1);
    }

    @Test
    void bytesThatCannotBeCompressedAreKeptAsTheyAre() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        MemorySegment noise = SampleTrace.bytes(1, 100_000);
        try (TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER)) {
            writer.taskExit(1, 1, 0);
            MemorySegment.copy(noise, 0, writer.write(1, 2, 100_000), 0, 100_000);
            writer.end();
        }
        assertThat(Files.size(directory.resolve("events"))).isBetween(100_000L, 100_200L);
        try (TraceReader reader = TraceReader.open(directory)) {
            Event.TaskExit event = (Event.TaskExit) reader.next();
            assertThat(event.writes().getFirst().data().mismatch(noise)).isEqualTo(-1);
        }
    }

    @Test
    void anEventMayBeMuchLargerThanAChunk() throws Exception {
        Path directory = SampleTrace.directory(temporary);
        long size = 70_000_001;
        try (TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER)) {
            writer.note(1, 1, "before");
            writer.taskExit(1, 1, 0);
            MemorySegment first = writer.write(1, 2, 1000);
            writer.write(1, 2, size).fill((byte) 7);
            first.fill((byte) 9);
            writer.end();
            writer.note(1, 1, "behind");
        }
        try (TraceReader reader = TraceReader.open(directory)) {
            reader.next();
            Event.TaskExit event = (Event.TaskExit) reader.next();
            assertThat(event.writes().get(0).data().get(JAVA_BYTE, 999)).isEqualTo((byte) 9);
            MemorySegment data = event.writes().get(1).data();
            assertThat(data.byteSize()).isEqualTo(size);
            assertThat(data.get(JAVA_BYTE, size - 1)).isEqualTo((byte) 7);
            assertThat(((Event.Note) reader.next()).text()).isEqualTo("behind");
        }
        assertThat(Files.size(directory.resolve("events"))).isLessThan(1_000_000);
    }
}
