package reprise.trace;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import reprise.linux.SyscallNumber;

/**
 * Makes what programs were told of the time compress better: of each buffered clock_gettime the difference to the one before is
 * kept. Browsers ask for the time so often that this is most of their traces.
 *
 * <p>Nothing is known here about where records begin: whatever looks like one is treated so. As that is told by words that stay as
 * they are, it can be undone, whatever it was.
 */
final class TimeFilter {
    /** Bytes of a record of clock_gettime: a head with length and number, the result, six arguments, a struct timespec. */
    private static final int RECORD = 80;

    private static final int SECONDS = 64;
    private static final int NANOSECONDS = 72;
    private static final long HEAD = RECORD | (long) SyscallNumber.CLOCK_GETTIME << 32;
    private static final long HEAD_MASK = 0xffff_ffff_ffffL;

    private TimeFilter() {}

    /** Replaces times by differences. */
    static void apply(MemorySegment events, long length) {
        long seconds = 0;
        long nanoseconds = 0;
        for (long at = 0; at <= length - RECORD; ) {
            if ((events.get(JAVA_LONG, at) & HEAD_MASK) != HEAD) {
                at += Long.BYTES;
                continue;
            }
            long newSeconds = events.get(JAVA_LONG, at + SECONDS);
            long newNanoseconds = events.get(JAVA_LONG, at + NANOSECONDS);
            events.set(JAVA_LONG, at + SECONDS, newSeconds - seconds);
            events.set(JAVA_LONG, at + NANOSECONDS, newNanoseconds - nanoseconds);
            seconds = newSeconds;
            nanoseconds = newNanoseconds;
            at += RECORD;
        }
    }

    /** Takes {@link #apply} back. */
    static void undo(MemorySegment events, long length) {
        long seconds = 0;
        long nanoseconds = 0;
        for (long at = 0; at <= length - RECORD; ) {
            if ((events.get(JAVA_LONG, at) & HEAD_MASK) != HEAD) {
                at += Long.BYTES;
                continue;
            }
            seconds += events.get(JAVA_LONG, at + SECONDS);
            nanoseconds += events.get(JAVA_LONG, at + NANOSECONDS);
            events.set(JAVA_LONG, at + SECONDS, seconds);
            events.set(JAVA_LONG, at + NANOSECONDS, nanoseconds);
            at += RECORD;
        }
    }
}
