package reprise.x86;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import reprise.x86.Instruction.Kind;

/**
 * Decodes x86-64 instructions of 64-bit mode: their exact length, and what {@link Instruction} tells about them. It
 * knows the legacy, REX, VEX, EVEX, XOP and 3DNow! encodings up to AVX-512, AMX, AVX10.1 and key locker. What it does
 * not know, APX for one, is reported as {@link Kind#INVALID} and never guessed at. That includes near branches with
 * prefix 66 and without REX.W, for which Intel reads 4 bytes of displacement and AMD 2, and {@code ud0}, which has a
 * ModRM byte on some processors only.
 *
 * <p>An encoding that is reserved only by a register number, vector length or the W bit is not looked into: its
 * length is that of its neighbours, and it raises #UD.
 *
 * <p>Allocates nothing after construction. Not thread safe.
 */
public final class InstructionDecoder {
    /** No instruction is longer: the processor raises #GP. */
    public static final int MAX_LENGTH = 15;

    private static final int NO_PREFIX = 1;
    private static final int PREFIX_66 = 2;
    private static final int PREFIX_F3 = 4;
    private static final int PREFIX_F2 = 8;

    private final byte[] window = new byte[MAX_LENGTH];

    private byte[] code;
    private int start;
    private int limit;
    private int position;

    private boolean operandSizePrefix;
    private boolean addressSizePrefix;
    private boolean lockPrefix;
    private int repeatPrefix;
    private boolean vector; // VEX, EVEX or XOP, whose maps have the numbers of legacy maps but not their instructions
    private int rex;
    private int map;
    private int opcode;
    private int opcodePosition;
    private int modrmPosition;
    private int modrm;
    private int displacementPosition;
    private boolean ripRelative;
    private boolean endOfBytes;

    /**
     * Decodes the instruction at {@code offset}.
     *
     * @param limit offset of the first byte that may not be looked at
     * @param address of the byte at {@code offset}, from which targets are computed
     * @param into set in every case
     * @return whether there is an instruction; if not, {@code into.kind()} says why
     */
    public boolean decode(byte[] code, int offset, int limit, long address, Instruction into) {
        this.code = code;
        this.start = offset;
        this.limit = Math.min(limit, offset + MAX_LENGTH);
        into.address = address;
        if (!decode()) {
            into.kind = endOfBytes && limit - offset < MAX_LENGTH ? Kind.TRUNCATED : Kind.INVALID;
            into.length = 0;
            return false;
        }
        describe(into);
        return true;
    }

    /**
     * As {@link #decode(byte[], int, int, long, Instruction)}, from a segment that may be shorter than an instruction.
     */
    public boolean decode(MemorySegment code, long offset, long address, Instruction into) {
        int available = (int) Math.min(MAX_LENGTH, code.byteSize() - offset);
        MemorySegment.copy(code, JAVA_BYTE, offset, window, 0, available);
        return decode(window, 0, available, address, into);
    }

    private boolean decode() {
        position = start;
        operandSizePrefix = false;
        addressSizePrefix = false;
        lockPrefix = false;
        repeatPrefix = 0;
        vector = false;
        rex = 0;
        modrmPosition = -1;
        displacementPosition = -1;
        ripRelative = false;
        endOfBytes = false;

        int first = prefixes();
        switch (first) {
            case 0x0f -> {
                return escape();
            }
            case 0xc4, 0xc5 -> {
                return vex(first);
            }
            case 0x62 -> {
                return evex();
            }
            case 0x8f -> {
                return peek() >= 0 && (peek() & 0x1f) >= 8 ? xop() : oneByte(first);
            }
            case -1 -> {
                return false;
            }
            default -> {
                return oneByte(first);
            }
        }
    }

    /** Skips the prefixes. Returns the byte behind them, or -1. */
    private int prefixes() {
        while (true) {
            int value = next();
            switch (value) {
                case 0x66 -> operandSizePrefix = true;
                case 0x67 -> addressSizePrefix = true;
                case 0xf0 -> lockPrefix = true;
                case 0xf2 -> repeatPrefix = PREFIX_F2;
                case 0xf3 -> repeatPrefix = PREFIX_F3;
                case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 -> {}
                default -> {
                    if ((value & ~0xf) == 0x40) {
                        rex = value;
                        continue;
                    }
                    return value;
                }
            }
            rex = 0; // REX counts only directly before the opcode.
        }
    }

    private boolean oneByte(int first) {
        map = OpcodeMaps.MAP_ONE_BYTE;
        setOpcode(first);
        if (!operands(OpcodeMaps.ONE_BYTE_FORMS.charAt(first)) || !LegacyGroups.isDefined(first, modrm)) {
            return false;
        }
        if (isTransaction()) {
            displacementPosition = position - 4;
            return immediateSize() == 4 && !lockPrefix;
        }
        return lockable();
    }

    /** {@code xbegin} is an encoding of mov with an immediate operand, which is its displacement. */
    private boolean isTransaction() {
        return opcode == 0xc7 && modrm == 0xf8;
    }

    private boolean escape() {
        int second = next();
        if (second == 0x38 || second == 0x3a) {
            int third = next();
            if (third < 0) {
                return false;
            }
            map = second == 0x38 ? OpcodeMaps.MAP_0F38 : OpcodeMaps.MAP_0F3A;
            setOpcode(third);
            String prefixes = second == 0x38 ? OpcodeMaps.PREFIXES_0F38 : OpcodeMaps.PREFIXES_0F3A;
            return isDefined(prefixes, mandatoryPrefix()) && !lockPrefix && operands(second == 0x38 ? 'm' : 'B');
        }
        if (second < 0) {
            return false;
        }
        map = OpcodeMaps.MAP_0F;
        setOpcode(second);
        int prefix = mandatoryPrefix();
        return isDefined(OpcodeMaps.PREFIXES_0F, prefix)
                && operands(formOf0f(second, prefix))
                && LegacyGroups.isDefined0f(second, modrm, prefix)
                && lockable();
    }

    /** {@code extrq} and {@code insertq} with immediate operands share their opcode with {@code vmread}. */
    private static char formOf0f(int opcode, int prefix) {
        return opcode == 0x78 && prefix != NO_PREFIX ? '2' : OpcodeMaps.FORMS_0F.charAt(opcode);
    }

    private boolean vex(int first) {
        int second = next();
        int third = first == 0xc5 ? second : next();
        int code = third < 0 ? -1 : next();
        if (code < 0 || hasForbiddenPrefix()) {
            return false;
        }
        vector = true;
        map = first == 0xc5 ? 1 : second & 0x1f;
        setOpcode(code);
        return switch (map) {
            case 1 -> isDefined(OpcodeMaps.VEX_0F, 1 << (third & 3)) && operands(formOfVex0f(code));
            case 2 -> isDefined(OpcodeMaps.VEX_0F38, 1 << (third & 3)) && operands('m');
            case 3 -> isDefined(OpcodeMaps.VEX_0F3A, 1 << (third & 3)) && operands('B');
            default -> false;
        };
    }

    private boolean evex() {
        int first = next();
        int second = next();
        int third = next();
        int code = next();
        // Bit 3 of the first and bit 2 of the second byte are fixed; APX gives the other values a meaning.
        if (code < 0 || third < 0 || hasForbiddenPrefix() || (first & 8) != 0 || (second & 4) == 0) {
            return false;
        }
        vector = true;
        map = first & 7;
        setOpcode(code);
        int prefix = 1 << (second & 3);
        return switch (map) {
            case 1 -> isDefined(OpcodeMaps.EVEX_0F, prefix) && operands(formOfVex0f(code));
            case 2 -> isDefined(OpcodeMaps.EVEX_0F38, prefix) && operands('m');
            case 3 -> isDefined(OpcodeMaps.EVEX_0F3A, prefix) && operands('B');
            case OpcodeMaps.MAP_EVEX_5 -> isDefined(OpcodeMaps.EVEX_5, prefix) && operands('m');
            case OpcodeMaps.MAP_EVEX_6 -> isDefined(OpcodeMaps.EVEX_6, prefix) && operands('m');
            default -> false;
        };
    }

    /** In VEX and EVEX map 1: the shifts by a constant, the shuffles, compares, inserts and extracts have imm8. */
    private static char formOfVex0f(int opcode) {
        return switch (opcode) {
            case 0x70, 0x71, 0x72, 0x73, 0xc2, 0xc4, 0xc5, 0xc6 -> 'B';
            case 0x77 -> '.';
            default -> 'm';
        };
    }

    private boolean xop() {
        int first = next();
        int second = next();
        int code = next();
        if (code < 0 || hasForbiddenPrefix() || (second & 3) != 0) {
            return false;
        }
        vector = true;
        map = first & 0x1f;
        setOpcode(code);
        return switch (map) {
            case OpcodeMaps.MAP_XOP_8 -> isDefined(OpcodeMaps.XOP_8, NO_PREFIX) && operands('B');
            case OpcodeMaps.MAP_XOP_9 -> isDefined(OpcodeMaps.XOP_9, NO_PREFIX) && operands('m');
            case OpcodeMaps.MAP_XOP_A -> isDefined(OpcodeMaps.XOP_A, NO_PREFIX) && operands('m') && skip(4);
            default -> false;
        };
    }

    /** VEX, EVEX and XOP raise #UD behind any of these. */
    private boolean hasForbiddenPrefix() {
        return operandSizePrefix || repeatPrefix != 0 || lockPrefix || rex != 0;
    }

    private int mandatoryPrefix() {
        if (repeatPrefix != 0) {
            return repeatPrefix;
        }
        return operandSizePrefix ? PREFIX_66 : NO_PREFIX;
    }

    private boolean isDefined(String prefixes, int prefix) {
        return (Character.digit(prefixes.charAt(opcode), 16) & prefix) != 0;
    }

    /** LOCK is for read-modify-write of memory only. */
    private boolean lockable() {
        return !lockPrefix || LegacyGroups.isLockable(map, opcode, modrm);
    }

    private void setOpcode(int opcode) {
        this.opcode = opcode;
        opcodePosition = position - 1;
        modrm = 0;
    }

    /** Skips what follows the opcode. See {@link OpcodeMaps} for the forms. */
    private boolean operands(char form) {
        return switch (form) {
            case '.' -> true;
            case 'm' -> modrm();
            case 'M' -> modrm() && modrm < 0xc0;
            case 'N' -> modrm() && modrm >= 0xc0;
            case 'c' -> modrmOfRegisters();
            case 'b' -> skip(1);
            case 'w' -> skip(2);
            case 'e' -> skip(3);
            case 'z' -> skip(immediateSize());
            case 'v' -> skip((rex & 8) != 0 ? 8 : immediateSize());
            case 'o' -> skip(addressSizePrefix ? 4 : 8);
            case 'B' -> modrm() && skip(1);
            case '2' -> modrm() && modrm >= 0xc0 && skip(2);
            case 'Z' -> modrm() && skip(immediateSize());
            case 'T' -> modrm() && (reg() > 1 || skip(1));
            case 'U' -> modrm() && (reg() > 1 || skip(immediateSize()));
            case '3' -> modrm() && LegacyGroups.is3dNowSuffix(next());
            case 'r' -> branch(1);
            case 'R' -> branch(4);
            default -> false;
        };
    }

    private int immediateSize() {
        return operandSizePrefix && (rex & 8) == 0 ? 2 : 4;
    }

    private int reg() {
        return modrm >> 3 & 7;
    }

    private boolean branch(int size) {
        if (operandSizePrefix && (rex & 8) == 0) {
            return false;
        }
        displacementPosition = position;
        return skip(size);
    }

    private boolean modrmOfRegisters() {
        modrmPosition = position;
        modrm = next();
        return modrm >= 0;
    }

    private boolean modrm() {
        if (!modrmOfRegisters()) {
            return false;
        }
        int mod = modrm >> 6;
        if (mod == 3) {
            return true;
        }
        int base = modrm & 7;
        if (base == 4) {
            base = next();
            if (base < 0) {
                return false;
            }
            base &= 7;
            return skip(mod == 1 ? 1 : mod == 2 || base == 5 ? 4 : 0);
        }
        if (mod == 0 && base == 5) {
            ripRelative = true;
            displacementPosition = position;
        }
        return skip(mod == 1 ? 1 : mod == 2 || ripRelative ? 4 : 0);
    }

    private boolean skip(int bytes) {
        position += bytes;
        endOfBytes |= position > limit;
        return position <= limit;
    }

    private int next() {
        if (position >= limit) {
            endOfBytes = true;
            position = limit + 1;
            return -1;
        }
        return code[position++] & 0xff;
    }

    private int peek() {
        if (position >= limit) {
            endOfBytes = true;
            return -1;
        }
        return code[position] & 0xff;
    }

    private void describe(Instruction into) {
        into.length = position - start;
        into.opcode = opcode;
        into.opcodeOffset = opcodePosition - start;
        into.modrmOffset = modrmPosition < 0 ? Instruction.NONE : modrmPosition - start;
        into.addressSizePrefix = addressSizePrefix;
        into.ripRelative = ripRelative;
        into.kind = kind();
        if (displacementPosition < 0) {
            into.displacementOffset = Instruction.NONE;
            into.displacementSize = 0;
            into.displacement = 0;
        } else {
            into.displacementOffset = displacementPosition - start;
            into.displacementSize = position - displacementPosition == 1 ? 1 : 4;
            into.displacement = into.displacementSize == 1 ? code[displacementPosition] : int32(displacementPosition);
        }
    }

    private int int32(int at) {
        return code[at] & 0xff | (code[at + 1] & 0xff) << 8 | (code[at + 2] & 0xff) << 16 | code[at + 3] << 24;
    }

    private Kind kind() {
        return switch (map) {
            case OpcodeMaps.MAP_ONE_BYTE -> kindOfOneByte();
            case OpcodeMaps.MAP_0F -> vector ? Kind.OTHER : kindOf0f();
            default -> Kind.OTHER;
        };
    }

    private Kind kindOfOneByte() {
        return switch (opcode) {
            case 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f ->
                Kind.CONDITIONAL_JUMP;
            case 0x90 -> repeatPrefix == PREFIX_F3 || (rex & 1) != 0 ? Kind.OTHER : Kind.NOP;
            case 0xc2, 0xc3, 0xca, 0xcb, 0xcf -> Kind.RETURN;
            case 0xc7 -> isTransaction() ? Kind.TRANSACTION : Kind.OTHER;
            case 0xcc -> Kind.INT3;
            case 0xcd, 0xf1 -> Kind.INTERRUPT;
            case 0xe0, 0xe1, 0xe2, 0xe3 -> Kind.LOOP;
            case 0xe8 -> Kind.CALL;
            case 0xe9, 0xeb -> Kind.JUMP;
            case 0xf4 -> Kind.TRAP;
            case 0xff ->
                switch (reg()) {
                    case 2, 3 -> Kind.INDIRECT_CALL;
                    case 4, 5 -> Kind.INDIRECT_JUMP;
                    default -> Kind.OTHER;
                };
            default -> Kind.OTHER;
        };
    }

    private Kind kindOf0f() {
        return switch (opcode) {
            case 0x01 -> modrm == 0xf9 ? Kind.RDTSCP : Kind.OTHER;
            case 0x05 -> Kind.SYSCALL;
            case 0x0b, 0xb9 -> Kind.TRAP;
            case 0x1f -> Kind.NOP;
            case 0x31 -> Kind.RDTSC;
            case 0x34 -> Kind.INTERRUPT;
            case 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f ->
                Kind.CONDITIONAL_JUMP;
            default -> Kind.OTHER;
        };
    }
}
