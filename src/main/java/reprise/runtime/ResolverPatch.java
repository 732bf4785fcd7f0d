package reprise.runtime;

import reprise.x86.Assembler;
import reprise.x86.Condition;
import reprise.x86.GeneralRegister;
import reprise.x86.Label;
import reprise.x86.Memory;

/**
 * Makes the dynamic linker's lazy binding deterministic.
 *
 * <p>When a function is bound at its first call, ld.so saves the vector registers with {@code xsavec} on the stack.
 * The instruction leaves out components that the processor holds to be in their initial state, and says so in the header
 * it writes; but whether the processor knows that depends on context switches. The patch sends the instruction through
 * a few more, which write what was left out (zeroes, with which {@code xrstor} restores the same state).
 *
 * <p>The instruction has the form {@code xsavec disp8(%rsp)}, just the five bytes of a jump. Around it the resolver
 * has saved all registers that carry arguments, and holds the mask of components in eax.
 */
public final class ResolverPatch {
    /** Length of the instruction, and of the jump that replaces it. */
    public static final int LENGTH = 5;

    private static final int LEGACY_STATE = 512;
    private static final int XSTATE_BV = LEGACY_STATE;
    private static final int XCOMP_BV = LEGACY_STATE + 8;
    private static final int FIRST_COMPONENT = LEGACY_STATE + 64;
    private static final int XMM = 160;
    private static final int XMM_LENGTH = 256;
    private static final int MXCSR = 24;
    private static final int MXCSR_INITIAL = 0x1f80;
    /** The components that ld.so saves: SSE, AVX, MPX bounds, opmask, upper halves and upper registers of AVX-512. */
    private static final int SAVED = 0xee;
    /** Sizes in the compacted format, by component; fixed by the architecture. */
    private static final int[] SIZES = {0, 0, 256, 64, 64, 64, 512, 1024};

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
     * @param mxcsrMask what the processor stores as MXCSR_MASK
     * @param back address of the instruction behind the replaced one
     */
    public static byte[] trampoline(long address, int displacement, long enabled, int mxcsrMask, long back) {
        Assembler code = new Assembler(address);
        GeneralRegister area = GeneralRegister.R8;
        GeneralRegister present = GeneralRegister.RDX;
        GeneralRegister zero = GeneralRegister.RAX;
        code.bytes((byte) 0x0f, (byte) 0xc7, (byte) 0x64, (byte) 0x24, (byte) displacement);
        code.lea(area, Memory.qword(GeneralRegister.RSP, displacement));
        code.mov(present, Memory.qword(area, XSTATE_BV));
        code.xor32(zero, zero);
        long components = enabled & SAVED;
        int offset = FIRST_COMPONENT;
        for (int component = 1; component < SIZES.length; component++) {
            if ((components >> component & 1) == 0) {
                continue;
            }
            Label saved = code.newLabel();
            code.bt(present, component);
            code.jcc(Condition.BELOW, saved);
            if (component == 1) {
                code.mov(Memory.dword(area, MXCSR), MXCSR_INITIAL);
                code.mov(Memory.dword(area, MXCSR + 4), mxcsrMask);
                clear(code, area, XMM, XMM_LENGTH);
            } else {
                clear(code, area, offset, SIZES[component]);
            }
            code.bind(saved);
            offset += SIZES[component];
        }
        code.mov(present, Memory.qword(area, XCOMP_BV));
        code.shl(present, 1);
        code.shr(present, 1);
        code.mov(Memory.qword(area, XSTATE_BV), present);
        code.jmp(back);
        return code.toByteArray();
    }

    private static void clear(Assembler code, GeneralRegister area, int offset, int length) {
        GeneralRegister at = GeneralRegister.RCX;
        code.mov(at, length);
        Label next = code.here();
        code.sub(at, 8);
        // mov [r8 + rcx + offset], rax
        code.bytes((byte) 0x49, (byte) 0x89, (byte) 0x84, (byte) 0x08);
        code.dd(offset);
        code.test(at, at);
        code.jcc(Condition.NOT_EQUAL, next);
    }

    /** The jump that replaces the instruction at {@code address}. */
    public static byte[] jump(long address, long trampoline) {
        Assembler code = new Assembler(address);
        code.jmp(trampoline);
        return code.toByteArray();
    }
}
