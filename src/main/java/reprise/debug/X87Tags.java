package reprise.debug;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * The x87 tag word. FXSAVE keeps one bit for each register, whether it is empty; gdb wants the two of FSAVE, which also tell
 * zero and special values.
 */
final class X87Tags {
    private static final int ABRIDGED = 4;
    private static final int STATUS = 2;
    private static final int ST = 32;
    private static final int EMPTY = 3;
    private static final int SPECIAL = 2;
    private static final int ZERO = 1;
    private static final int VALID = 0;

    private X87Tags() {}

    /** Two bits for each physical register. */
    static int full(MemorySegment state) {
        int present = state.get(JAVA_BYTE, ABRIDGED) & 0xff;
        int top = state.get(JAVA_SHORT_UNALIGNED, STATUS) >> 11 & 7;
        int tags = 0;
        for (int physical = 0; physical < 8; physical++) {
            // Registers are stored in the order of the stack.
            int stack = physical - top & 7;
            int tag = (present >> physical & 1) == 0 ? EMPTY : tag(state, ST + 16 * stack);
            tags |= tag << 2 * physical;
        }
        return tags;
    }

    private static int tag(MemorySegment state, int offset) {
        long mantissa = state.get(JAVA_LONG_UNALIGNED, offset);
        int exponent = state.get(JAVA_SHORT_UNALIGNED, offset + 8) & 0x7fff;
        if (exponent == 0x7fff) {
            return SPECIAL;
        }
        if (exponent == 0) {
            return mantissa == 0 ? ZERO : SPECIAL;
        }
        return mantissa < 0 ? VALID : SPECIAL;
    }

    /** One bit for each physical register: not empty. */
    static byte abridged(int tags) {
        int present = 0;
        for (int physical = 0; physical < 8; physical++) {
            if ((tags >> 2 * physical & 3) != EMPTY) {
                present |= 1 << physical;
            }
        }
        return (byte) present;
    }
}
