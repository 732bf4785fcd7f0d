package reprise.syscall;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import reprise.syscall.OutputPlan.Extent;
import reprise.syscall.OutputPlan.When;

/** How much of a region the kernel wrote. */
class OutputPlanTest {
    private final OutputPlan plan = new OutputPlan();

    private int add(long capacity, Extent extent, long parameter, When when) {
        return plan.add(OutputPlan.IN_REGISTER, 0, 0x1000, capacity, extent, parameter, when, false);
    }

    @Test
    @DisplayName("nothing after a failure, unless it is always written")
    void failures() {
        int success = add(16, Extent.CAPACITY, 0, When.SUCCESS);
        int always = add(16, Extent.CAPACITY, 0, When.ALWAYS);
        assertThat(plan.written(success, -4, 0, 0)).isZero();
        assertThat(plan.written(success, -516, 0, 0)).isZero();
        assertThat(plan.written(always, -516, 0, 0)).isEqualTo(16);
        assertThat(plan.written(success, 0, 0, 0)).isEqualTo(16);
    }

    @Test
    @DisplayName("only from a least result on, where one is set")
    void least() {
        int region = add(4, Extent.CAPACITY, 0, When.SUCCESS);
        plan.setMinimumResult(region, 1);
        assertThat(plan.written(region, 0, 0, 0)).isZero();
        assertThat(plan.written(region, 77, 0, 0)).isEqualTo(4);
    }

    @Test
    @DisplayName("buffers are filled in turn, up to the result")
    void inTurn() {
        int first = add(10, Extent.RESULT, 0, When.SUCCESS);
        int second = add(10, Extent.RESULT, 0, When.SUCCESS);
        assertThat(plan.follows(first)).isFalse();
        assertThat(plan.follows(second)).isTrue();
        assertThat(plan.written(first, 14, 0, 0)).isEqualTo(10);
        assertThat(plan.written(second, 14, 0, 10)).isEqualTo(4);
        assertThat(plan.written(second, 7, 0, 10)).isZero();
    }

    @Test
    @DisplayName("a result counts elements, or bytes after a header")
    void units() {
        int events = add(120, Extent.RESULT_TIMES, 12, When.SUCCESS);
        int message = add(108, Extent.RESULT, 8, When.SUCCESS);
        assertThat(plan.written(events, 3, 0, 0)).isEqualTo(36);
        assertThat(plan.written(message, 0, 0, 0)).isEqualTo(8);
        assertThat(plan.written(message, 1000, 0, 0)).isEqualTo(108);
    }

    @Test
    @DisplayName("a length word is held to the capacity")
    void lengthWord() {
        int region = add(16, Extent.LENGTH_WORD, OutputPlan.lengthWord(5, 40), When.SUCCESS);
        assertThat(plan.lengthRegion(region)).isEqualTo(5);
        assertThat(plan.lengthOffset(region)).isEqualTo(40);
        assertThat(plan.written(region, 0, 110, 0)).isEqualTo(16);
        assertThat(plan.written(region, 0, 2, 0)).isEqualTo(2);
    }

    @Test
    @DisplayName("null and empty regions are not added, and there is room for many")
    void adding() {
        assertThat(plan.add(OutputPlan.IN_REGISTER, 0, 0, 5, Extent.RESULT, 0, When.SUCCESS, false))
                .isEqualTo(-1);
        assertThat(add(0, Extent.RESULT, 0, When.SUCCESS)).isEqualTo(-1);
        for (int i = 0; i < 100; i++) {
            assertThat(add(i + 1, Extent.RESULT, 0, When.SUCCESS)).isEqualTo(i);
        }
        assertThat(plan.capacity(99)).isEqualTo(100);
    }
}
