package reprise.x86;

/** Whether code needs the arithmetic flags that it is entered with. */
public final class FlagUse {
    private static final int INSTRUCTIONS = 8;

    private FlagUse() {}

    /**
     * Whether the arithmetic flags are overwritten, all six and with defined values, before anything reads them. Answers no
     * where it cannot tell, and behind a jump.
     *
     * @param decoder to be used
     * @param instruction to be overwritten
     * @param offset in {@code code} of the first instruction
     */
    public static boolean areDead(byte[] code, int offset, InstructionDecoder decoder, Instruction instruction) {
        int at = offset;
        for (int count = 0; count < INSTRUCTIONS && at < code.length; count++) {
            if (!decoder.decode(code, at, code.length, at, instruction)
                    || instruction.kind() != Instruction.Kind.OTHER && instruction.kind() != Instruction.Kind.NOP) {
                return false;
            }
            int escape = escape(code, at, instruction);
            if (overwrites(code, at, instruction, escape)) {
                return true;
            }
            if (!leavesAlone(instruction, escape)) {
                return false;
            }
            at += instruction.length();
        }
        return false;
    }

    /** 0 for the one-byte map, 1 for 0F, -1 for all others. */
    private static int escape(byte[] code, int at, Instruction instruction) {
        int first = at;
        while (first < at + instruction.opcodeOffset() && isPrefix(code[first] & 0xff)) {
            first++;
        }
        int between = at + instruction.opcodeOffset() - first;
        if (between == 0) {
            return 0;
        }
        return between == 1 && code[first] == 0x0f ? 1 : -1;
    }

    private static boolean isPrefix(int octet) {
        return switch (octet) {
            case 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 -> true;
            default -> (octet & 0xf0) == 0x40;
        };
    }

    private static boolean overwrites(byte[] code, int at, Instruction instruction, int escape) {
        int opcode = instruction.opcode();
        if (escape == 1) {
            return opcode == 0x2e || opcode == 0x2f; // ucomiss, comiss and the like
        }
        if (escape != 0) {
            return false;
        }
        return switch (opcode) {
            // add, sub, cmp; the logical operations leave the auxiliary carry undefined
            case 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d -> true;
            case 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d -> true;
            case 0x80, 0x81, 0x83 -> {
                int operation = code[at + instruction.modrmOffset()] >> 3 & 7;
                yield operation == 0 || operation == 5 || operation == 7;
            }
            default -> false;
        };
    }

    /** Moves of all kinds. */
    private static boolean leavesAlone(Instruction instruction, int escape) {
        int opcode = instruction.opcode();
        if (instruction.kind() == Instruction.Kind.NOP) {
            return true;
        }
        if (escape == 0) {
            return opcode >= 0x50 && opcode <= 0x5f
                    || opcode == 0x63
                    || opcode >= 0x88 && opcode <= 0x8b
                    || opcode == 0x8d
                    || opcode >= 0xb0 && opcode <= 0xbf
                    || opcode == 0xc6
                    || opcode == 0xc7;
        }
        return escape == 1
                && switch (opcode) {
                    case 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x28, 0x29, 0x2a, 0x2c, 0x2d -> true;
                    case 0x51, 0x54, 0x57, 0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5e, 0x6e, 0x6f, 0x7e, 0x7f -> true;
                    case 0xb6, 0xb7, 0xbe, 0xbf, 0xd6, 0xef, 0xfe -> true;
                    default -> false;
                };
    }
}
