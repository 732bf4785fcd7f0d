package reprise.x86;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/** Where the memory operand of an instruction is, given the registers before it is executed. */
public final class EffectiveAddress {
    /** No operand in memory, or one that is not looked into. */
    public static final long NONE = -1;

    private static final int VEX2 = 0xc5;
    private static final int VEX3 = 0xc4;
    private static final int EVEX = 0x62;
    private static final int SIB = 4;

    private EffectiveAddress() {}

    /**
     * The address. Not looked into are operands without ModRM but those of stos and movs, where the answer is where they write;
     * EVEX's scaled displacements; and vectors of addresses, for which the answer is some address.
     *
     * @param code holds the instruction
     * @param offset of its first byte
     * @param registers as the kernel's {@code user_regs_struct}
     */
    public static long of(byte[] code, int offset, Instruction instruction, MemorySegment registers) {
        int modrmOffset = instruction.modrmOffset();
        if (modrmOffset == Instruction.NONE) {
            boolean stores = (instruction.opcode() & 0xfe) == 0xa4 || (instruction.opcode() & 0xfe) == 0xaa;
            return stores && instruction.opcodeOffset() < 3 ? Registers.get(registers, Registers.RDI) : NONE;
        }
        int modrm = code[offset + modrmOffset] & 0xff;
        if (modrm >= 0xc0) {
            return NONE;
        }
        long base = 0;
        int index = 0; // bit 1: X, bit 0: B
        int at = offset;
        boolean evex = false;
        for (boolean prefixes = true; prefixes; ) {
            int octet = code[at] & 0xff;
            switch (octet) {
                case 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e -> at++;
                case 0x64 -> {
                    base = Registers.get(registers, Registers.FS_BASE);
                    at++;
                }
                case 0x65 -> {
                    base = Registers.get(registers, Registers.GS_BASE);
                    at++;
                }
                default -> prefixes = false;
            }
        }
        int first = code[at] & 0xff;
        if ((first & 0xf0) == 0x40) {
            index = first & 3;
        } else if (first == VEX3 || first == EVEX) {
            index = ~code[at + 1] >> 5 & 3;
            evex = first == EVEX;
        } else if (first == VEX2) {
            index = 0;
        }
        return base + address(code, offset, instruction, modrm, index, evex, registers);
    }

    private static long address(
            byte[] code,
            int offset,
            Instruction instruction,
            int modrm,
            int high,
            boolean evex,
            MemorySegment registers) {
        if (instruction.isRipRelative()) {
            return instruction.ripRelativeAddress();
        }
        int at = offset + instruction.modrmOffset() + 1;
        int mod = modrm >> 6;
        int low = modrm & 7;
        long sum = 0;
        boolean displaced = mod == 2;
        if (low == SIB) {
            int sib = code[at++] & 0xff;
            int index = sib >> 3 & 7 | (high & 2) << 2;
            if (index != SIB) {
                sum += registers.get(JAVA_LONG, Registers.GENERAL[index]) << (sib >> 6);
            }
            low = sib & 7;
            displaced |= mod == 0 && low == 5;
        }
        if (!(mod == 0 && low == 5)) {
            sum += registers.get(JAVA_LONG, Registers.GENERAL[low | (high & 1) << 3]);
        }
        if (displaced) {
            sum += code[at] & 0xff | (code[at + 1] & 0xff) << 8 | (code[at + 2] & 0xff) << 16 | code[at + 3] << 24;
        } else if (mod == 1) {
            if (evex) {
                return NONE;
            }
            sum += code[at];
        }
        return sum;
    }
}
