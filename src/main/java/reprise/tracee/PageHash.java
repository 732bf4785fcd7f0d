package reprise.tracee;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * A 64-bit hash of a page of memory. Recorder and replayer must agree on it: it is part of the trace format.
 *
 * <p>Four lanes of 64-bit multiplications and rotations as in XXH64, which keeps a processor's multiplier busy; 0 for a
 * page of zeroes, so that a page known to be zero need not be read.
 */
public final class PageHash {
    /** Bytes that are hashed. */
    public static final int PAGE = 4096;

    /** The hash of a page of zeroes. */
    public static final long ZERO = 0;

    private static final long P1 = 0x9E3779B185EBCA87L;
    private static final long P2 = 0xC2B2AE3D27D4EB4FL;
    private static final long P3 = 0x165667B19E3779F9L;

    private PageHash() {}

    /** The hash of the first 4096 bytes of a segment. */
    public static long hash(MemorySegment page) {
        return hash(page, 0);
    }

    /** The hash of the 4096 bytes from byte {@code offset} of a segment. */
    public static long hash(MemorySegment segment, long offset) {
        long a = 0;
        long b = 0;
        long c = 0;
        long d = 0;
        for (long at = offset, end = offset + PAGE; at < end; at += 32) {
            a = round(a, segment.get(JAVA_LONG_UNALIGNED, at));
            b = round(b, segment.get(JAVA_LONG_UNALIGNED, at + 8));
            c = round(c, segment.get(JAVA_LONG_UNALIGNED, at + 16));
            d = round(d, segment.get(JAVA_LONG_UNALIGNED, at + 24));
        }
        // All lanes start at 0 and a round keeps 0 for a word of 0: zeroes hash to 0 without being looked for.
        long hash = Long.rotateLeft(a, 1) + Long.rotateLeft(b, 7) + Long.rotateLeft(c, 12) + Long.rotateLeft(d, 18);
        hash = (hash ^ hash >>> 33) * P2;
        hash = (hash ^ hash >>> 29) * P3;
        return hash ^ hash >>> 32;
    }

    private static long round(long lane, long word) {
        return Long.rotateLeft(lane + word * P2, 31) * P1;
    }
}
