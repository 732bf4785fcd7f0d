package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.Processor;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/**
 * The time stamp counter that recorded programs see: CLOCK_MONOTONIC_RAW, converted at the rate of the processor's own. The
 * stub computes the same in the tracee, where the counter itself cannot be read.
 */
final class CounterClock {
    private static final int CLOCK_MONOTONIC_RAW = 4;
    private static final long NANOS_PER_SECOND = 1_000_000_000;
    /** Long enough to measure the rate to a few parts in a million. */
    private static final long CALIBRATION = 2_000_000;

    private final MemorySegment time = Arena.global().allocate(16, 8);
    private final long firstTicks = Processor.timestamp();
    private final long firstNanos = nanos();
    private long perSecond;
    private long perNanosecond;

    /** Ticks in a second. */
    long perSecond() {
        calibrate();
        return perSecond;
    }

    /** Ticks in a nanosecond, times 2 to the power of 32. */
    long perNanosecond() {
        calibrate();
        return perNanosecond;
    }

    /** Measures the rate, unless it was. Waits until long enough after this was made. */
    void calibrate() {
        if (perSecond != 0) {
            return;
        }
        long nanos;
        do {
            nanos = nanos() - firstNanos;
        } while (nanos < CALIBRATION);
        long ticks = Processor.timestamp() - firstTicks;
        perSecond = Math.round((double) ticks * NANOS_PER_SECOND / nanos);
        perNanosecond = Math.round((double) perSecond / NANOS_PER_SECOND * (1L << 32));
    }

    /** What the counter shows now. */
    long now() {
        Syscall.call(SyscallNumber.CLOCK_GETTIME, CLOCK_MONOTONIC_RAW, time.address(), 0);
        return time.get(JAVA_LONG, 0) * perSecond() + (time.get(JAVA_LONG, 8) * perNanosecond() >>> 32);
    }

    private long nanos() {
        Syscall.call(SyscallNumber.CLOCK_GETTIME, CLOCK_MONOTONIC_RAW, time.address(), 0);
        return time.get(JAVA_LONG, 0) * NANOS_PER_SECOND + time.get(JAVA_LONG, 8);
    }
}
