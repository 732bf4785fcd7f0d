package reprise.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reprise.trace.Event;
import reprise.trace.TraceReader;
import reprise.x86.Registers;

class EventCursorTest {
    @TempDir
    private Path directory;

    /** What tells an event from others, its segments included. */
    private static String text(Event event) {
        return event.getClass().getSimpleName()
                + event.header()
                + (event instanceof Event.SyscallExit exit && exit.entryRegisters() != null
                        ? Registers.get(exit.entryRegisters(), Registers.RSP)
                        : "");
    }

    @Test
    @DisplayName("events are the same forwards, backwards and at random")
    void anyOrder() throws Exception {
        Path trace = new RecordedFixture(directory, "file_pread_pwrite", "-n").trace();
        List<String> events = new ArrayList<>();
        try (TraceReader reader = TraceReader.open(trace)) {
            for (Event event = reader.next(); event != null; event = reader.next()) {
                events.add(text(event));
            }
            EventCursor cursor = new EventCursor(reader);
            assertThat(cursor.last()).isEqualTo(events.size());
            for (int event = events.size(); event > 0; event--) {
                assertThat(text(cursor.at(event))).isEqualTo(events.get(event - 1));
            }
            Random random = new Random(5);
            int event = 1;
            for (int move = 0; move < 1000; move++) {
                int step = random.nextInt(4);
                event = step == 0 ? random.nextInt(events.size()) + 1 : event + (step == 1 ? 1 : -1);
                event = Math.clamp(event, 1, events.size());
                assertThat(text(cursor.at(event))).isEqualTo(events.get(event - 1));
            }
            assertThat(cursor.at(events.size() + 1L)).isNull();
        }
    }
}
