package reprise.record;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import reprise.trace.Event;

class PlainRangesTest {
    private static final long BASE = 0x7f0000000000L;
    private static final int PAGES = 2000;
    private static final int NONE = 0;
    private static final int EXECUTE = 4;
    private static final int PRIVATE = 2;

    private static long page(int number) {
        return BASE + number * 4096L;
    }

    private static Event.MappingChange map(int first, int end, int protection, Event.Backing backing) {
        return new Event.Map(new Event.Mapping(page(first), page(end) - page(first), protection, PRIVATE, backing, ""));
    }

    @Test
    @DisplayName("a file mapped into the midst of a range leaves the parts beside it")
    void hole() {
        PlainRanges ranges = new PlainRanges();
        ranges.follow(map(0, 100, NONE, new Event.Anonymous()));
        ranges.follow(map(50, 51, NONE, new Event.Shared(1, 0)));
        assertThat(ranges.contain(page(0), page(50))).isTrue();
        assertThat(ranges.contain(page(51), page(100))).isTrue();
        assertThat(ranges.contain(page(49), page(51))).isFalse();
    }

    @Test
    @DisplayName("what became executable is not plain, nor what was mapped so")
    void executable() {
        PlainRanges ranges = new PlainRanges();
        ranges.follow(map(0, 100, NONE, new Event.Anonymous()));
        ranges.follow(new Event.Protect(page(10), 4096, EXECUTE));
        assertThat(ranges.contain(page(10), page(11))).isFalse();
        ranges.follow(map(200, 300, EXECUTE, new Event.Anonymous()));
        assertThat(ranges.contain(page(200), page(201))).isFalse();
    }

    @Test
    @DisplayName("whatever happens, nothing is taken for plain that is not")
    void random() {
        for (int seed = 0; seed < 100; seed++) {
            Random random = new Random(seed);
            PlainRanges plain = new PlainRanges();
            BitSet expected = new BitSet(PAGES);
            for (int step = 0; step < 300; step++) {
                int first = random.nextInt(PAGES - 1);
                int end = Math.min(PAGES, first + 1 + random.nextInt(random.nextBoolean() ? 200 : 10));
                long length = page(end) - page(first);
                int kind = random.nextInt(6);
                plain.follow(
                        switch (kind) {
                            case 0, 1 -> map(first, end, NONE, new Event.Anonymous());
                            case 2 -> map(first, end, NONE, new Event.Shared(1, 0));
                            case 3 -> new Event.Unmap(page(first), length);
                            case 4 -> new Event.Protect(page(first), length, EXECUTE);
                            default -> new Event.Protect(page(first), length, NONE);
                        });
                if (kind < 2) {
                    expected.set(first, end);
                } else if (kind < 5) {
                    expected.clear(first, end);
                }
                for (int page = 0; page < PAGES; page++) {
                    if (plain.contain(page(page), page(page + 1))) {
                        assertThat(expected.get(page))
                                .as("seed " + seed + ", page " + page)
                                .isTrue();
                    }
                }
            }
        }
    }
}
