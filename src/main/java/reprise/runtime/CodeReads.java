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

    private CodeReads() {}

    /**
     * Whether something that looks like an instruction has a rip-relative operand among some bytes, or takes the address of one
     * but the first. Looks at every offset, since where instructions begin is not known; random bytes look so once in millions.
     *
     * @param code bytes that may be code
     * @param base the address of the first of them
     * @param from the first address of the bytes in question
     * @param to behind the last of them
     */
    public static boolean touch(MemorySegment code, long base, long from, long to) {
        long end = code.byteSize() - 4;
        for (long at = SHORTEST - 4; at <= end; at++) {
            if ((code.get(JAVA_BYTE, at - 1) & MODRM_MASK) != MODRM_RIP) {
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
}
