package reprise.runtime;

import reprise.x86.Assembler;
import reprise.x86.GeneralRegister;
import reprise.x86.Memory;

/**
 * Makes the dynamic linker's lazy binding deterministic.
 *
 * <p>When a function is bound at its first call, ld.so saves the vector registers with {@code xsavec} on the stack.
 * The instruction leaves out components that the processor holds to be in their initial state, and says so in the header
 * it writes; but whether the processor knows that depends on context switches. The patch replaces the instruction by plain
 * ones that store all registers in the same format. Neither what they write nor how many are executed depends on
 * anything but the registers' values.
 *
 * <p>The instruction has the form {@code xsavec disp8(%rsp)}, just the five bytes of a jump. Around it the resolver
 * has saved all registers that carry arguments, has cleared the rest of the header, and holds the mask of components in eax.
 */
public final class ResolverPatch {
    /** Length of the instruction, and of the jump that replaces it. */
    public static final int LENGTH = 5;

    private static final int LEGACY_STATE = 512;
    private static final int XSTATE_BV = LEGACY_STATE;
    private static final int XCOMP_BV = LEGACY_STATE + 8;
    private static final int FIRST_COMPONENT = LEGACY_STATE + 64;
    private static final int XMM = 160;
    private static final int MXCSR = 24;
    /** The components that ld.so saves: SSE, AVX, MPX bounds, opmask, upper halves and upper registers of AVX-512. */
    private static final int SAVED = 0xee;

    private static final int SSE = 1;
    private static final int AVX = 2;
    private static final int BOUNDS = 3;
    private static final int OPMASK = 5;
    private static final int UPPER_HALVES = 6;
    private static final int UPPER_REGISTERS = 7;

    private ResolverPatch() {}

    /**
     * Finds the instruction.
     *
     * @param code of the dynamic linker
     * @return its offset, or -1 if there is none of this form, or more than one
     */
    public static int find(byte[] code) {
        int found = -1;
        for (int at = 0; at + LENGTH <= code.length; at++) {
            if (code[at] == 0x0f && (code[at + 1] & 0xff) == 0xc7 && code[at + 2] == 0x64 && code[at + 3] == 0x24) {
                if (found >= 0) {
                    return -1;
                }
                found = at;
            }
        }
        return found;
    }

    /**
     * The instructions to jump to.
     *
     * @param address where they will be
     * @param displacement of the replaced instruction's operand
     * @param enabled XCR0: the components that the kernel enabled
     * @param wideMasks whether opmask registers have 64 bits (AVX512BW), not 16
     * @param mxcsrMask what the processor stores as MXCSR_MASK
     * @param back address of the instruction behind the replaced one
     */
    public static byte[] trampoline(
            long address, int displacement, long enabled, boolean wideMasks, int mxcsrMask, long back) {
        Assembler code = new Assembler(address);
        GeneralRegister area = GeneralRegister.R8;
        code.lea(area, Memory.qword(GeneralRegister.RSP, displacement));
        long components = enabled & SAVED;
        int offset = FIRST_COMPONENT;
        for (int component = 1; 1L << component <= components; component++) {
            if ((components >> component & 1) != 0) {
                offset += store(code, component, offset, wideMasks);
            }
        }
        code.mov(Memory.dword(area, MXCSR + 4), mxcsrMask);
        code.mov(Memory.qword(area, XSTATE_BV), (int) components);
        // The compacted format's mark is the highest bit.
        code.mov(Memory.dword(area, XCOMP_BV), (int) components);
        code.mov(Memory.dword(area, XCOMP_BV + 4), 1 << 31);
        code.jmp(back);
        return code.toByteArray();
    }

    /** Stores one component at an offset from r8; its size in the compacted format, which the architecture fixes. */
    private static int store(Assembler code, int component, int offset, boolean wideMasks) {
        switch (component) {
            case SSE -> {
                // stmxcsr [r8 + 24]
                code.bytes((byte) 0x41, (byte) 0x0f, (byte) 0xae, (byte) 0x58, (byte) MXCSR);
                for (int register = 0; register < 16; register++) {
                    // movups [r8 + ...], xmm
                    store(code, XMM + 16 * register, register, register < 8 ? 0x41 : 0x45, 0x0f, 0x11);
                }
                return 0;
            }
            case AVX -> {
                for (int register = 0; register < 16; register++) {
                    // vextractf128 [r8 + ...], ymm, 1
                    store(code, offset + 16 * register, register, 0xc4, register < 8 ? 0xc3 : 0x43, 0x7d, 0x19);
                    code.db(1);
                }
                return 256;
            }
            case BOUNDS -> {
                for (int register = 0; register < 4; register++) {
                    // bndmov [r8 + ...], bnd
                    store(code, offset + 16 * register, register, 0x66, 0x41, 0x0f, 0x1b);
                }
                return 64;
            }
            case OPMASK -> {
                for (int register = 0; register < 8; register++) {
                    // kmovq or kmovw [r8 + ...], k
                    if (!wideMasks) {
                        code.mov(Memory.qword(GeneralRegister.R8, offset + 8 * register), 0);
                    }
                    store(code, offset + 8 * register, register, 0xc4, 0xc1, wideMasks ? 0xf8 : 0x78, 0x91);
                }
                return 64;
            }
            case UPPER_HALVES -> {
                for (int register = 0; register < 16; register++) {
                    // vextractf64x4 [r8 + ...], zmm, 1
                    int extension = register < 8 ? 0xd3 : 0x53;
                    store(code, offset + 32 * register, register, 0x62, extension, 0xfd, 0x48, 0x1b);
                    code.db(1);
                }
                return 512;
            }
            case UPPER_REGISTERS -> {
                for (int register = 0; register < 16; register++) {
                    // vmovups [r8 + ...], zmm16 to zmm31
                    int extension = register < 8 ? 0xc1 : 0x41;
                    store(code, offset + 64 * register, register, 0x62, extension, 0x7c, 0x48, 0x11);
                }
                return 1024;
            }
            default -> throw new IllegalArgumentException("no component that ld.so saves: " + component);
        }
    }

    /** An instruction with a register and [r8 + offset] as its operands; the immediate operand, if any, is to follow. */
    private static void store(Assembler code, int offset, int register, int... opcode) {
        for (int octet : opcode) {
            code.db(octet);
        }
        code.db(0x80 | (register & 7) << 3);
        code.dd(offset);
    }

    /** The jump that replaces the instruction at {@code address}. */
    public static byte[] jump(long address, long trampoline) {
        Assembler code = new Assembler(address);
        code.jmp(trampoline);
        return code.toByteArray();
    }
}
