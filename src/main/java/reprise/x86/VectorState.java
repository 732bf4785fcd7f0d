package reprise.x86;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** The vector registers in a block of extended state in XSAVE's standard format. */
public final class VectorState {
    private static final int XMM = 160;
    private static final int XMM_END = 416;
    /** Upper halves of ymm0 to ymm15, where AVX is enabled. */
    private static final int YMM = 576;

    private static final int YMM_END = 832;

    private VectorState() {}

    /**
     * A hash of the values of xmm0-15 and ymm0-15. Other components are left out: whether they are held to be in use
     * depends on more than the program.
     */
    public static long hash(MemorySegment state) {
        long hash = 0x9e3779b97f4a7c15L;
        for (int at = XMM; at < XMM_END; at += 8) {
            hash = (hash ^ state.get(JAVA_LONG_UNALIGNED, at)) * 0x100000001b3L;
            hash ^= hash >>> 29;
        }
        for (int at = YMM; at < YMM_END && at + 8 <= state.byteSize(); at += 8) {
            hash = (hash ^ state.get(JAVA_LONG_UNALIGNED, at)) * 0x100000001b3L;
            hash ^= hash >>> 29;
        }
        return hash;
    }
}
