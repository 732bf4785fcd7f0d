package reprise.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The search for two bytes. */
class PairSearchTest {
    private static final int SIZE = 300;

    @Test
    @DisplayName("finds what a loop finds, wherever it begins and ends")
    void findsWhatALoopFinds() {
        SplittableRandom random = new SplittableRandom(1);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(SIZE + Processor.PAIR_SLACK);
            for (int round = 0; round < 20_000; round++) {
                // Few values, so that pairs are frequent, and sometimes none at all.
                int values = 2 + random.nextInt(200);
                for (int i = 0; i < bytes.byteSize(); i++) {
                    bytes.set(ValueLayout.JAVA_BYTE, i, (byte) (0x80 + random.nextInt(values)));
                }
                int from = random.nextInt(SIZE);
                int limit = from + random.nextInt(SIZE - from + 1);
                byte first = (byte) (0x80 + random.nextInt(4));
                byte second = (byte) (0x80 + random.nextInt(4));
                assertThat(Processor.findPair(bytes, from, limit, first, second))
                        .isEqualTo(byLoop(bytes, from, limit, first, second));
            }
        }
    }

    private static long byLoop(MemorySegment bytes, long from, long limit, byte first, byte second) {
        for (long at = from; at + 1 < limit; at++) {
            if (bytes.get(ValueLayout.JAVA_BYTE, at) == first && bytes.get(ValueLayout.JAVA_BYTE, at + 1) == second) {
                return at;
            }
        }
        return -1;
    }
}
