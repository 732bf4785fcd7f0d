package reprise.x86;

/**
 * The opcode maps of 64-bit mode, one character per opcode, rows and columns as in the manuals' tables.
 *
 * <p>For each map there are up to two grids. The <em>form</em> says what follows the opcode:
 *
 * <pre>
 *   -  undefined                          r  rel8
 *   .  nothing                            R  rel32
 *   m  ModRM                              w  imm16
 *   M  ModRM that must name memory        e  imm16, imm8 (enter)
 *   N  ModRM that must name a register    o  64-bit offset, 32-bit with prefix 67
 *   c  ModRM without memory forms at all  T  ModRM, imm8 if reg is 0 or 1
 *   b  imm8                               U  ModRM, imm16/32 if reg is 0 or 1
 *   B  ModRM, imm8                        3  ModRM, suffix of 3DNow!
 *   z  imm16/32 by operand size           x  prefix or escape, never looked up
 *   Z  ModRM, imm16/32
 *   v  imm16/32/64 by operand size
 * </pre>
 *
 * <p>The <em>prefixes</em> grid is a hexadecimal digit of which mandatory prefixes an opcode exists with: 1 none, 2
 * 66, 4 F3, 8 F2. Where a prefix is not mandatory it is f.
 *
 * <p>Grids are string constants since looking at a character costs nothing at start-up.
 */
final class OpcodeMaps {
    static final int MAP_ONE_BYTE = 0;
    static final int MAP_0F = 1;
    static final int MAP_0F38 = 2;
    static final int MAP_0F3A = 3;
    static final int MAP_EVEX_5 = 5;
    static final int MAP_EVEX_6 = 6;
    static final int MAP_XOP_8 = 8;
    static final int MAP_XOP_9 = 9;
    static final int MAP_XOP_A = 10;

    static final String ONE_BYTE_FORMS = ""
            // 123456789abcdef
            + "mmmmbz--mmmmbz-x" // 0
            + "mmmmbz--mmmmbz--" // 1
            + "mmmmbzx-mmmmbzx-" // 2
            + "mmmmbzx-mmmmbzx-" // 3
            + "xxxxxxxxxxxxxxxx" // 4
            + "................" // 5
            + "--xmxxxxzZbB...." // 6
            + "rrrrrrrrrrrrrrrr" // 7
            + "BZ-BmmmmmmmmmMmm" // 8
            + "..........-....." // 9
            + "oooo....bz......" // a
            + "bbbbbbbbvvvvvvvv" // b
            + "BBw.xxBZe.w..b-." // c
            + "mmmm---.mmmmmmmm" // d
            + "rrrrbbbbRR-r...." // e
            + "x.xx..TU......mm"; // f

    static final String FORMS_0F = ""
            // 123456789abcdef
            + "mmmm-.....-.-m.3" // 0
            + "mmmMmmmMmmmmmmmm" // 1
            + "cccc----mmmMmmmm" // 2
            + "......-.x-x-----" // 3
            + "mmmmmmmmmmmmmmmm" // 4
            + "Nmmmmmmmmmmmmmmm" // 5
            + "mmmmmmmmmmmmmmmm" // 6
            + "BBBBmmm.mm--mmmm" // 7
            + "RRRRRRRRRRRRRRRR" // 8
            + "mmmmmmmmmmmmmmmm" // 9
            + "...mBm--...mBmmm" // a
            + "mmMmMMmmmmBmmmmm" // b
            + "mmBMBBBm........" // c
            + "mmmmmmmNmmmmmmmm" // d
            + "mmmmmmmMmmmmmmmm" // e
            + "MmmmmmmNmmmmmmm-"; // f

    static final String PREFIXES_0F = ""
            // 123456789abcdef
            + "fffffffffff0ffff".replace("fff0", "ff0f") // 0
            + "fff333373fffffff"; // 1

    private OpcodeMaps() {}
}
