package reprise.runtime;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import reprise.x86.Instruction;
import reprise.x86.InstructionDecoder;
import reprise.x86.Registers;

/**
 * {@code rdrand} and {@code rdseed} with a register, and what stands in their place while a program is recorded.
 *
 * <p>No processor lets a tracer intercept them. So one byte of their opcode, 0f c7, is changed and makes them 0f b9: an
 * instruction (UD1) of the same length with the same operand, that is undefined for ever. It faults, and the recorder
 * supplies the number.
 *
 * <p>Code cannot be told from data, and the two bytes also occur inside of other instructions, as in the displacement of a
 * jump. So they are taken for what they seem only where two things hold. Decoding from further back comes to them as an
 * instruction of its own, wherever it begins: chains of instructions that begin at false places fall into step with the
 * true one after a few. And one of the next few instructions looks at the carry flag, which tells whether they succeeded.
 */
public final class RandomInstruction {
    /** Replaces the second byte of the opcode. */
    public static final byte REPLACEMENT = (byte) 0xb9;
    /** Bytes behind the opcode that {@link #isAt} looks at. */
    public static final int LOOKED_AT = 48;
    /** Bytes before the opcode that it looks at, if they are there. */
    public static final int LOOKED_BACK = 160;
    /** How far before an instruction chains must begin to have fallen into step. */
    private static final int SETTLED = 48;
    /** How many chains must agree. */
    private static final int WITNESSES = 12;
    /** Longest form: operand size prefix, REX, opcode, operand. */
    public static final int LONGEST = 5;

    private static final int OPCODE = 0xc7;
    /** ModRM of both with a register: mod 3, reg 6 or 7. */
    private static final int OPERAND = 0xf0;

    private static final int PATIENCE = 4;
    /** The flags that both instructions set or clear: overflow, sign, zero, auxiliary, parity, carry. */
    private static final long FLAGS = 0x8d5;

    private static final long CARRY = 1;

    private RandomInstruction() {}

    /** Whether behind the opcode, whose second byte is at {@code at}, there is an operand of these instructions. */
    public static boolean mayBeAt(MemorySegment code, long at, long limit) {
        return at + 2 < limit && (code.get(JAVA_BYTE, at + 1) & OPERAND) == OPERAND;
    }

    /**
     * Whether the byte at {@code at} is the second of such an instruction's opcode.
     *
     * @param at 1 at least
     * @param limit end of the code in the array
     */
    public static boolean isAt(byte[] code, int at, int limit) {
        if (code[at] != (byte) OPCODE
                || code[at - 1] != 0x0f
                || at + 2 >= limit
                || (code[at + 1] & OPERAND) != OPERAND) {
            return false;
        }
        InstructionDecoder decoder = new InstructionDecoder();
        Instruction next = new Instruction();
        if (!isInstruction(code, at, limit, decoder, next)) {
            return false;
        }
        int position = at + 2;
        for (int i = 0; i < PATIENCE; i++) {
            if (!decoder.decode(code, position, limit, position, next)) {
                return false;
            }
            if (looksAtCarry(code, position, next)) {
                return true;
            }
            if (next.kind().endsFlow()) {
                return false;
            }
            position += next.length();
        }
        return false;
    }

    /** Whether all chains of instructions from further back come to an instruction that ends where this one does. */
    private static boolean isInstruction(
            byte[] code, int at, int limit, InstructionDecoder decoder, Instruction instruction) {
        int witnesses = 0;
        for (int begin = Math.max(0, at - LOOKED_BACK); begin <= at - SETTLED; begin++) {
            int position = begin;
            int last = begin;
            while (position < at && decoder.decode(code, position, limit, position, instruction)) {
                last = position;
                position += instruction.length();
            }
            if (position < at) {
                // Not code, or not from here.
                continue;
            }
            if (position != at + 2 || last + LONGEST < position) {
                return false;
            }
            witnesses++;
        }
        return witnesses >= WITNESSES;
    }

    /** Conditional jumps, moves and sets on carry, and arithmetic with carry. */
    private static boolean looksAtCarry(byte[] code, int position, Instruction instruction) {
        int opcode = instruction.opcode();
        int offset = instruction.opcodeOffset();
        if (offset > 0 && code[position + offset - 1] == 0x0f) {
            int pair = opcode & 0xfe;
            return pair == 0x82 || pair == 0x42 || pair == 0x92;
        }
        // adc is 10 to 15, sbb 18 to 1d.
        return (opcode & 0xfe) == 0x72 || (opcode & 0xf0) == 0x10 && (opcode & 7) < 6;
    }

    /**
     * The length of the replaced instruction that begins at {@code at}, prefixes included.
     *
     * @return 0 if there is none
     */
    public static int length(byte[] code, int at, int limit) {
        int position = at;
        if (position < limit && code[position] == 0x66) {
            position++;
        }
        if (position < limit && (code[position] & 0xf0) == 0x40) {
            position++;
        }
        boolean found = position + 2 < limit
                && code[position] == 0x0f
                && code[position + 1] == REPLACEMENT
                && (code[position + 2] & OPERAND) == OPERAND;
        return found ? position + 3 - at : 0;
    }

    /** Number of the destination register; of an instruction of this length at {@code at}. */
    public static int register(byte[] code, int at, int length) {
        int low = code[at + length - 1] & 7;
        int rex = length > 3 ? code[at + length - 4] & 0xff : 0;
        return (rex & 0xf1) == 0x41 ? low | 8 : low;
    }

    /** Does what the instruction does when it succeeds: destination, flags, and on to the next. */
    public static void complete(MemorySegment registers, int destination, long value, int length) {
        Registers.set(registers, Registers.general(destination), value);
        Registers.set(registers, Registers.EFLAGS, Registers.get(registers, Registers.EFLAGS) & ~FLAGS | CARRY);
        Registers.set(registers, Registers.RIP, Registers.get(registers, Registers.RIP) + length);
    }

    /** What the destination holds afterwards, of an instruction of this length at {@code at}. */
    public static long result(byte[] code, int at, int length, long before, long random) {
        boolean wide = length > 3 && (code[at + length - 4] & 0xf8) == 0x48;
        if (wide) {
            return random;
        }
        return code[at] == 0x66 ? before & ~0xffffL | random & 0xffff : random & 0xffffffffL;
    }
}
