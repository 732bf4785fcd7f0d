package reprise.trace;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reprise.linux.SyscallNumber;

class TimeFilterTest {
    private static final int LENGTH = 40_000;
    private static final int RECORD = 48;

    private static void head(MemorySegment events, long at, int entry) {
        events.set(JAVA_INT, at, RECORD);
        events.set(JAVA_SHORT, at + 4, (short) SyscallNumber.CLOCK_GETTIME);
        events.set(JAVA_SHORT, at + 6, (short) entry);
    }

    @ParameterizedTest(name = "seed {0}")
    @DisplayName(
            "whatever went through the filter comes out again, also what only looks like a record, or overlaps one")
    @ValueSource(longs = {1, 2, 3, 4})
    void anything(long seed) {
        Random random = new Random(seed);
        byte[] bytes = new byte[LENGTH];
        random.nextBytes(bytes);
        MemorySegment events = Arena.ofAuto().allocate(LENGTH, 16).copyFrom(MemorySegment.ofArray(bytes));
        for (int i = 0; i < 300; i++) {
            head(events, random.nextInt(LENGTH / 8) * 8L, random.nextInt(1 << 16));
        }
        byte[] before = events.toArray(JAVA_BYTE);
        TimeFilter.apply(events, LENGTH);
        assertThat(events.toArray(JAVA_BYTE)).isNotEqualTo(before);
        TimeFilter.undo(events, LENGTH);
        assertThat(events.toArray(JAVA_BYTE)).isEqualTo(before);
    }

    @ParameterizedTest(name = "{0} bytes")
    @DisplayName("a record that is not all there stays as it is, and what is behind the end, too")
    @ValueSource(longs = {0, 8, 40, 47})
    void tooShort(long length) {
        MemorySegment events = Arena.ofAuto().allocate(160, 16);
        head(events, 0, 228);
        events.set(JAVA_LONG, 32, 1000);
        head(events, RECORD, 228);
        byte[] before = events.toArray(JAVA_BYTE);
        TimeFilter.apply(events, length);
        TimeFilter.undo(events, length);
        assertThat(events.toArray(JAVA_BYTE)).isEqualTo(before);
        assertThatThrownBy(() -> TimeFilter.undo(events, 161)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> TimeFilter.undo(MemorySegment.ofArray(new byte[RECORD]), RECORD))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest(name = "{0} bytes in front")
    @DisplayName("of times that follow each other the differences are kept")
    @ValueSource(longs = {0, 8, 1600})
    void differences(long first) {
        MemorySegment events = Arena.ofAuto().allocate(LENGTH, 16);
        for (int i = 0; i < 10; i++) {
            head(events, first + RECORD * i, 228);
            events.set(JAVA_LONG, first + RECORD * i + 32, 1000);
            events.set(JAVA_LONG, first + RECORD * i + 40, 5_000_000 + 300 * i);
        }
        TimeFilter.apply(events, LENGTH);
        assertThat(events.get(JAVA_LONG, first + 32)).isEqualTo(1000);
        assertThat(events.get(JAVA_LONG, first + 40)).isEqualTo(5_000_000);
        for (int i = 1; i < 10; i++) {
            assertThat(events.get(JAVA_LONG, first + RECORD * i + 32)).isZero();
            assertThat(events.get(JAVA_LONG, first + RECORD * i + 40)).isEqualTo(300);
        }
    }
}
