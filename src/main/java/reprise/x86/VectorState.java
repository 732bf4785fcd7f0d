package reprise.x86;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** The x87 and vector registers in a block of extended state in XSAVE's standard format. */
public final class VectorState {
    private static final int STATUS_WORD = 2;
    private static final int TAG_WORD = 4;
    private static final int MXCSR = 24;
    private static final int ST = 32;
    private static final int XMM = 160;
    private static final int XMM_END = 416;
    /** Behind the header: upper halves of ymm0 to ymm15 and whatever the processor has besides. */
    private static final int EXTENDED = 576;

    private VectorState() {}

    /**
     * A hash of the values of st0-7 and their control, status and tag words, of mxcsr, of xmm0-15 and of all components
     * behind: a component that is in its initial state is shown by the kernel as that state's bytes, mostly zeros,
     * whether the processor held it to be in use or not. Left out are the header, which tells just that, and the
     * addresses of the last x87 instruction, which some processors keep and some do not.
     */
    public static long hash(MemorySegment state) {
        long control = state.get(JAVA_SHORT_UNALIGNED, 0) & 0xffffL;
        long status = state.get(JAVA_SHORT_UNALIGNED, STATUS_WORD) & 0xffffL;
        long tags = state.get(JAVA_BYTE, TAG_WORD) & 0xffL;
        long mxcsr = state.get(JAVA_LONG_UNALIGNED, MXCSR) & 0xffffffffL;
        long hash = mix(0x9e3779b97f4a7c15L, 0, mxcsr << 32 ^ tags << 48 ^ status << 16 ^ control);
        for (int at = ST; at < XMM_END; at += 8) {
            hash = mix(hash, at, state.get(JAVA_LONG_UNALIGNED, at));
        }
        for (int at = EXTENDED; at + 8 <= state.byteSize(); at += 8) {
            hash = mix(hash, at, state.get(JAVA_LONG_UNALIGNED, at));
        }
        return hash;
    }

    /** Zeros count for nothing, so that a longer block of the same state has the same hash. */
    private static long mix(long hash, int at, long word) {
        if (word == 0) {
            return hash;
        }
        long mixed = (hash ^ word ^ at) * 0x100000001b3L;
        return mixed ^ mixed >>> 29;
    }

    /** The lower half of xmm register {@code index}. */
    public static long lowerHalf(MemorySegment state, int index) {
        return state.get(JAVA_LONG_UNALIGNED, XMM + 16L * index);
    }
}
