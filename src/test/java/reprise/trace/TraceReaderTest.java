package reprise.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Going about in a trace of many chunks. */
class TraceReaderTest {
    private static final int EVENTS = 2000;
    private static final int PER_CHUNK = 37;

    @TempDir
    Path temporary;

    private Path directory;

    @BeforeEach
    void record() throws Exception {
        directory = SampleTrace.directory(temporary);
        try (TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER)) {
            for (int i = 1; i < EVENTS; i++) {
                writer.note(i / 500, 1, "note " + i);
                if (i % PER_CHUNK == 0) {
                    writer.flush();
                }
            }
            writer.end(1, 1, 0x700);
        }
    }

    @Test
    void seekReachesEveryEventFromEverywhere() {
        try (TraceReader reader = TraceReader.open(directory)) {
            assertThat(reader.lastSequence()).isEqualTo(EVENTS);
            assertThat(reader.truncated()).isFalse();
            assertThat(reader.truncation()).isNull();
            Random random = new Random(1);
            for (int i = 0; i < 3000; i++) {
                int target = i < EVENTS ? EVENTS - i : 1 + random.nextInt(EVENTS);
                reader.seek(target);
                assertThat(reader.next().header().sequence()).isEqualTo(target);
                if (random.nextBoolean() && target < EVENTS) {
                    assertThat(reader.next().header().sequence()).isEqualTo(target + 1);
                }
            }
        }
    }

    @Test
    void seekBehindTheLastEventIsTheEnd() {
        try (TraceReader reader = TraceReader.open(directory)) {
            reader.seek(EVENTS + 1);
            assertThat(reader.next()).isNull();
            reader.seek(EVENTS);
            assertThat(reader.next()).isInstanceOf(Event.End.class);
            assertThat(reader.next()).isNull();
            reader.seek(1);
            assertThat(((Event.Note) reader.next()).text()).isEqualTo("note 1");
            assertThatThrownBy(() -> reader.seek(EVENTS + 2))
                    .isInstanceOf(TraceException.class)
                    .hasMessage("the trace has no event 2002: its last is event 2000");
            assertThatThrownBy(() -> reader.seek(0)).isInstanceOf(TraceException.class);
        }
    }

    @Test
    void segmentsOfTheChunkBeforeStayAsTheyWere() throws Exception {
        Path other = SampleTrace.directory(temporary.resolve("other"));
        try (TraceWriter writer = TraceWriter.create(other, SampleTrace.HEADER)) {
            for (int i = 0; i < 100; i++) {
                writer.syscallEnter(1, 1, SampleTrace.registers(i));
                writer.flush();
            }
        }
        try (TraceReader reader = TraceReader.open(other)) {
            MemorySegment before = ((Event.SyscallEnter) reader.next()).registers();
            for (int i = 1; i < 100; i++) {
                MemorySegment now = ((Event.SyscallEnter) reader.next()).registers();
                Thread.sleep(i % 10 == 0 ? 5 : 0);
                assertThat(before.mismatch(SampleTrace.registers(i - 1))).isEqualTo(-1);
                before = now;
            }
        }
    }

    @Test
    void aTraceWithoutEventsIsReadAsEmpty() throws Exception {
        Path empty = SampleTrace.directory(temporary.resolve("empty"));
        TraceWriter.create(empty, SampleTrace.HEADER).close();
        try (TraceReader reader = TraceReader.open(empty)) {
            assertThat(reader.next()).isNull();
            assertThat(reader.lastSequence()).isZero();
            assertThat(reader.truncated()).isTrue();
            reader.seek(1);
            assertThat(reader.next()).isNull();
        }
    }

    @Test
    void aNewerFormatIsRefused() throws Exception {
        Path header = directory.resolve("header.json");
        String content = Files.readString(header);
        Files.writeString(header, content.replace("\"format\": " + TraceFormat.VERSION, "\"format\": 99"));
        assertThatThrownBy(() -> TraceReader.open(directory))
                .isInstanceOf(TraceException.class)
                .hasMessage("the trace " + directory
                        + " has format 99, which a newer version of Reprise wrote; this one reads formats up to "
                        + TraceFormat.VERSION);
    }

    @Test
    void fieldsThatAreNotKnownAreSkipped() throws Exception {
        Path header = directory.resolve("header.json");
        String content = Files.readString(header);
        Files.writeString(header, content.replace("{", "{ \"later\": {\"x\": [1, {}]}, \"more\": 1.5, \"b\": true,"));
        try (TraceReader reader = TraceReader.open(directory)) {
            assertThat(reader.header()).isEqualTo(SampleTrace.HEADER);
        }
    }

    @Test
    void aHeaderOfAnyOtherShapeIsDamaged() throws Exception {
        Path header = directory.resolve("header.json");
        String content = Files.readString(header);
        for (int length = 0; length < content.length() - 2; length++) {
            Files.writeString(header, content.substring(0, length));
            assertThatThrownBy(() -> TraceReader.open(directory)).isInstanceOf(TraceException.class);
        }
        for (String other : new String[] {"[]", "{}", "null", "{\"format\": \"1\"}", "{\"format\": 1}"}) {
            Files.writeString(header, other);
            assertThatThrownBy(() -> TraceReader.open(directory)).isInstanceOf(TraceException.class);
        }
        Files.writeString(header, content.replace("[\"fpu\", \"sse2\"]", "[1]"));
        assertThatThrownBy(() -> TraceReader.open(directory)).isInstanceOf(TraceException.class);
    }

    @Test
    void aMissingTraceIsToldByName() {
        Path nowhere = temporary.resolve("nowhere");
        assertThatThrownBy(() -> TraceReader.open(nowhere)).hasMessage("there is no trace " + nowhere);
        assertThatThrownBy(() -> TraceReader.open(temporary))
                .hasMessage(temporary + " is not a trace: it has no header.json");
    }
}
