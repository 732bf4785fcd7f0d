package reprise.runtime;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * Code that reads code: constants between functions, and V8, which takes a constant from the immediate of another instruction
 * instead of keeping it twice. What is read so must stay as it is.
 */
public final class CodeReads {
    /** How far from a place it is worth looking, in bytes: constants are kept near the code that uses them. */
    public static final int REACH = 1 << 16;

    /** Of the operands that matter, in bytes. */
    private static final int LONGEST_OPERAND = 8;

    private static final int LEA = 0x8d;
    private static final int MODRM_MASK = 0xc7;
    private static final int MODRM_RIP = 0x05;
    private static final int SHORTEST = 6;
    private static final int MODRM_SIB = 0x04;
    private static final int SIB_ABSOLUTE = 0x25;
    private static final int REX = 0x40;
    private static final int VEX2 = 0xc5;
    private static final int VEX3 = 0xc4;
    private static final int EVEX = 0x62;
    private static final int FS = 0x64;
    private static final int GS = 0x65;
    /** Bytes before a displacement that tell what it belongs to. */
    private static final int LONGEST_BEFORE = 6;

    private CodeReads() {}

    /**
     * Whether something that looks like an instruction has a rip-relative operand among some bytes, or takes the address of one
     * but the first. Looks at every offset, since where instructions begin is not known; random bytes look so once in millions. In the code of
     * the C library this holds for one place in a hundred.
     *
     * @param code bytes that may be code
     * @param base the address of the first of them
     * @param from the first address of the bytes in question
     * @param to behind the last of them
     */
    public static boolean touch(MemorySegment code, long base, long from, long to) {
        long end = code.byteSize() - 4;
        for (long at = SHORTEST - 4; at <= end; at++) {
            if ((code.get(JAVA_BYTE, at - 1) & MODRM_MASK) != MODRM_RIP || isSomethingElse(code, at)) {
                continue;
            }
            // Behind the displacement there may be an immediate of up to four bytes.
            long first = base + at + 4 + code.get(JAVA_INT_UNALIGNED, at);
            boolean takesAddress = (code.get(JAVA_BYTE, at - 2) & 0xff) == LEA;
            if (takesAddress ? first > from && first < to : first > from - LONGEST_OPERAND - 4 && first < to) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether what would be the ModRM byte of a rip-relative operand cannot be one: small displacements and immediates
     * behind such bytes are frequent, and would seem to lead to the code right behind them.
     */
    private static boolean isSomethingElse(MemorySegment code, long at) {
        if (at < LONGEST_BEFORE) {
            return false;
        }
        int second = code.get(JAVA_BYTE, at - 2) & 0xff;
        int third = code.get(JAVA_BYTE, at - 3) & 0xff;
        int fourth = code.get(JAVA_BYTE, at - 4) & 0xff;
        int fifth = code.get(JAVA_BYTE, at - 5) & 0xff;
        if ((second & 0xf0) == REX) {
            // No opcode but in the maps that 0f, VEX and EVEX select: add $0x10,%rax and its like.
            boolean map = third == 0x0f || third == 0x38 || third == 0x3a;
            return !map && fourth != VEX2 && fifth != VEX3 && (code.get(JAVA_BYTE, at - 6) & 0xff) != EVEX;
        }
        // An absolute address behind fs or gs: mov %fs:0x28,%rax.
        boolean sib = (code.get(JAVA_BYTE, at - 1) & 0xff) == SIB_ABSOLUTE && (second & MODRM_MASK) == MODRM_SIB;
        return sib && third != 0x0f && (isSegment(fourth) || (fourth & 0xf0) == REX && isSegment(fifth));
    }

    private static boolean isSegment(int prefix) {
        return prefix == FS || prefix == GS;
    }
}
