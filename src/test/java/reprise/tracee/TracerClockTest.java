package reprise.tracee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A thread that may not execute rdtsc. */
class TracerClockTest {
    @AfterEach
    void allow() {
        TracerClock.allowCounter();
    }

    @Test
    @DisplayName("tells the time of System.nanoTime, and is not trapped")
    void tellsTheTime() {
        TracerClock.trapCounter();
        long trapped = TracerClock.trapped();
        long time = 0;
        for (int i = 0; i < 1000; i++) {
            time = TracerClock.nanoTime();
            if (TracerClock.isAllowed()) {
                TracerClock.trapCounter();
            }
        }
        // Some are the virtual machine's, which loads classes and compiles.
        assertThat(TracerClock.trapped() - trapped).isLessThan(500);
        TracerClock.allowCounter();
        assertThat(System.nanoTime() - time).isBetween(0L, 1_000_000_000L);
    }

    @Test
    @DisplayName("the virtual machine still reads its clock, by way of a trap")
    void theVirtualMachineReadsItsClock() {
        long first = System.nanoTime();
        TracerClock.trapCounter();
        long trapped = TracerClock.trapped();
        long second = System.nanoTime();
        assertThat(TracerClock.trapped()).isGreaterThan(trapped);
        assertThat(TracerClock.isAllowed()).isTrue();
        trapped = TracerClock.trapped();
        long third = System.nanoTime();
        assertThat(TracerClock.trapped()).isEqualTo(trapped);
        assertThat(second).isBetween(first, third);
    }

    @Test
    @DisplayName("the virtual machine's own faults reach its handler")
    void itsOwnFaultsReachItsHandler() {
        TracerClock.trapCounter();
        Integer[] numbers = {1, null};
        int sum = 0;
        // Long enough that it is compiled without a test for null.
        for (int i = 0; i < 200_000; i++) {
            sum += value(numbers, 0);
        }
        assertThat(sum).isEqualTo(200_000);
        assertThatThrownBy(() -> value(numbers, 1)).isInstanceOf(NullPointerException.class);
    }

    private static int value(Integer[] numbers, int index) {
        return numbers[index];
    }
}
