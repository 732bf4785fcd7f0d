package reprise.runtime;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import reprise.x86.Instruction;
import reprise.x86.InstructionDecoder;

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
    private static final int ESCAPE = 0x0f;
    private static final int LONG_ESCAPE = 0x38;
    private static final int VEX3 = 0xc4;
    private static final int VEX2 = 0xc5;
    private static final int EVEX = 0x62;
    private static final int MODRM_MASK = 0xc7;
    private static final int MODRM_RIP = 0x05;
    /** Prefixes and opcode before a ModRM byte; more are never made. */
    private static final int LONGEST_BEFORE = 9;

    private CodeReads() {}

    /**
     * Whether something that looks like an instruction has a rip-relative operand among some bytes, or takes the address of one
     * but the first. Looks at every offset, since where instructions begin is not known.
     *
     * @param code bytes that may be code
     * @param base the address of the first of them
     * @param from the first address of the bytes in question
     * @param to behind the last of them
     */
    public static boolean touch(MemorySegment code, long base, long from, long to) {
        InstructionDecoder decoder = new InstructionDecoder();
        Instruction instruction = new Instruction();
        long end = code.byteSize() - 4;
        for (long at = 2; at <= end; at++) {
            if ((code.get(JAVA_BYTE, at - 1) & MODRM_MASK) != MODRM_RIP) {
                continue;
            }
            // Behind the displacement there may be an immediate of up to four bytes.
            long first = base + at + 4 + code.get(JAVA_INT_UNALIGNED, at);
            if (first <= from - LONGEST_OPERAND - 4 || first >= to) {
                continue;
            }
            // Small displacements and immediates are frequent that look like a ModRM byte and lead to the code behind
            // them.
            for (long start = Math.max(0, at - 1 - LONGEST_BEFORE); start < at - 1; start++) {
                if (decoder.decode(code, start, base + start, instruction)
                        && instruction.isRipRelative()
                        && instruction.modrmOffset() == at - 1 - start
                        && touches(code, start, instruction, from, to)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean touches(MemorySegment code, long start, Instruction instruction, long from, long to) {
        long operand = instruction.ripRelativeAddress();
        return takesAddress(code, start, instruction)
                ? operand > from && operand < to
                : operand > from - LONGEST_OPERAND && operand < to;
    }

    private static boolean takesAddress(MemorySegment code, long start, Instruction instruction) {
        int offset = instruction.opcodeOffset();
        int first = code.get(JAVA_BYTE, start) & 0xff;
        int before = offset == 0 ? 0 : code.get(JAVA_BYTE, start + offset - 1) & 0xff;
        boolean otherMap = first == VEX2 || first == VEX3 || first == EVEX || before == ESCAPE || before == LONG_ESCAPE;
        return instruction.opcode() == LEA && !otherMap;
    }
}
