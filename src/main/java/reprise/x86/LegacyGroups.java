package reprise.x86;

/** The legacy opcodes for which ModRM (or a suffix) decides whether there is an instruction at all. */
final class LegacyGroups {
    /**
     * For each x87 escape byte d8 to df the register forms that are undefined: bit n is ModRM c0 + n. The aliases that
     * Intel calls reserved but every processor executes (fcom2, fxch4, ffreep, fstp1...) are not among them.
     */
    private static final long[] X87_UNDEFINED = {
        0x0000_0000_0000_0000L, // d8
        0x0000_80cc_00fe_0000L, // d9: d1-d7, e2 e3 e6 e7, ef
        0xffff_fdff_0000_0000L, // da: e0-e8, ea-ff
        0xff00_00e0_0000_0000L, // db: e5-e7, f8-ff
        0x0000_0000_0000_0000L, // dc
        0xffff_0000_0000_0000L, // dd: f0-ff
        0x0000_0000_fd00_0000L, // de: d8, da-df
        0xff00_00fe_0000_0000L, // df: e1-e7, f8-ff
    };

    /** For each x87 escape byte the memory forms that are undefined: bit n is reg n. */
    private static final byte[] X87_MEMORY_UNDEFINED = {0, 1 << 1, 0, 1 << 4 | 1 << 6, 0, 1 << 5, 0, 0};

    /** Register forms of 0f 01 that no extension defines: c7, cc to ce, d2, d3, eb. Bit n is ModRM c0 + n. */
    private static final long GROUP_7_UNDEFINED = 1L << 0x07 | 7L << 0x0c | 3L << 0x12 | 1L << 0x2b;

    private LegacyGroups() {}

    /** Whether a one-byte opcode has an instruction for this ModRM, of which the form already has been checked. */
    static boolean isDefined(int opcode, int modrm) {
        int reg = modrm >> 3 & 7;
        boolean memory = modrm < 0xc0;
        return switch (opcode) {
            case 0x8c -> reg < 6;
            case 0x8e -> reg < 6 && reg != 1;
            case 0x8f -> reg == 0;
            case 0xc6, 0xc7 -> reg == 0 || modrm == 0xf8;
            case 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf ->
                memory
                        ? (X87_MEMORY_UNDEFINED[opcode - 0xd8] >> reg & 1) == 0
                        : (X87_UNDEFINED[opcode - 0xd8] >> (modrm - 0xc0) & 1) == 0;
            case 0xfe -> reg < 2;
            case 0xff -> reg < 7 && (memory || reg != 3 && reg != 5);
            default -> true;
        };
    }

    /**
     * The same for map 0F.
     *
     * @param prefix the mandatory prefix as in {@link OpcodeMaps}: 1 none, 2 66, 4 F3, 8 F2
     */
    static boolean isDefined0f(int opcode, int modrm, int prefix) {
        int reg = modrm >> 3 & 7;
        boolean memory = modrm < 0xc0;
        return switch (opcode) {
            case 0x00 -> reg < 6 || reg == 6 && prefix == 8;
            case 0x01 -> memory ? reg != 5 || prefix == 4 : (GROUP_7_UNDEFINED >> (modrm - 0xc0) & 1) == 0;
            case 0x71, 0x72 -> !memory && (reg == 2 || reg == 4 || reg == 6);
            case 0x73 -> !memory && (reg == 2 || reg == 6 || prefix == 2 && (reg == 3 || reg == 7));
            case 0x78 -> prefix != 2 || reg == 0;
            case 0xae -> memory ? isGroup15Memory(reg, prefix) : isGroup15Register(reg, prefix);
            case 0xba -> reg >= 4;
            case 0xc5 -> !memory;
            case 0xc7 -> memory ? reg == 1 || reg >= 3 : reg >= 6;
            case 0xd6 -> !memory || prefix == 2;
            default -> true;
        };
    }

    /** fxsave, fxrstor, ldmxcsr, stmxcsr, xsave, xrstor, xsaveopt, clflush; clwb, clflushopt; ptwrite, clrssbsy. */
    private static boolean isGroup15Memory(int reg, int prefix) {
        return switch (prefix) {
            case 1 -> true;
            case 2 -> reg >= 6;
            case 4 -> reg == 4 || reg == 6;
            default -> false;
        };
    }

    /** lfence, mfence, sfence; tpause, pcommit; rdfsbase to wrgsbase, ptwrite, incssp, umonitor; umwait. */
    private static boolean isGroup15Register(int reg, int prefix) {
        return switch (prefix) {
            case 1 -> reg >= 5;
            case 2 -> reg >= 6;
            case 4 -> reg <= 6;
            default -> reg == 6;
        };
    }

    /** Whether LOCK may precede it. Prefix F0 with any other raises #UD. */
    static boolean isLockable(int map, int opcode, int modrm) {
        int reg = modrm >> 3 & 7;
        if (map == OpcodeMaps.MAP_0F && (opcode & ~2) == 0x20) {
            return reg == 0; // AMD's way to name cr8.
        }
        if (modrm >= 0xc0 || map > OpcodeMaps.MAP_0F) {
            return false;
        }
        if (map == OpcodeMaps.MAP_0F) {
            return switch (opcode) {
                case 0xab, 0xb0, 0xb1, 0xb3, 0xbb, 0xc0, 0xc1 -> true;
                case 0xba -> reg >= 5;
                case 0xc7 -> reg == 1;
                default -> false;
            };
        }
        return switch (opcode) {
            case 0x80, 0x81, 0x83 -> reg < 7;
            case 0x86, 0x87 -> true;
            case 0xf6, 0xf7 -> reg == 2 || reg == 3;
            case 0xfe, 0xff -> reg < 2;
            default -> opcode < 0x38 && (opcode & 7) < 2; // add, or, adc, sbb, and, sub, xor to memory
        };
    }

    /** Whether this byte, the last of a 3DNow! instruction, names an operation. -1 (no byte) does not. */
    static boolean is3dNowSuffix(int suffix) {
        return switch (suffix) {
            case 0x0c, 0x0d, 0x1c, 0x1d, 0x8a, 0x8e, 0x90, 0x94, 0x96, 0x97, 0x9a, 0x9e -> true;
            case 0xa0, 0xa4, 0xa6, 0xa7, 0xaa, 0xae, 0xb0, 0xb4, 0xb6, 0xb7, 0xbb, 0xbf -> true;
            default -> false;
        };
    }
}
