package reprise.x86;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/** The kernel's {@code user_regs_struct} of x86-64: names, offsets, access. A block is 216 bytes. */
public final class Registers {
    public static final int R15 = 0;
    public static final int R14 = 8;
    public static final int R13 = 16;
    public static final int R12 = 24;
    public static final int RBP = 32;
    public static final int RBX = 40;
    public static final int R11 = 48;
    public static final int R10 = 56;
    public static final int R9 = 64;
    public static final int R8 = 72;
    public static final int RAX = 80;
    public static final int RCX = 88;
    public static final int RDX = 96;
    public static final int RSI = 104;
    public static final int RDI = 112;
    public static final int ORIG_RAX = 120;
    public static final int RIP = 128;
    public static final int CS = 136;
    public static final int EFLAGS = 144;
    public static final int RSP = 152;
    public static final int SS = 160;
    public static final int FS_BASE = 168;
    public static final int GS_BASE = 176;
    public static final int DS = 184;
    public static final int ES = 192;
    public static final int FS = 200;
    public static final int GS = 208;

    /** Size of a block in bytes. */
    public static final int SIZE = 216;

    /** cs of 64-bit user code. */
    public static final long CODE_SEGMENT_64 = 0x33;

    /** Length of the {@code syscall} instruction. */
    public static final int SYSCALL_LENGTH = 2;

    /** Offsets of the general registers in the order of their numbers in instructions. */
    static final int[] GENERAL = {RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15};

    private static final int[] ARGUMENTS = {RDI, RSI, RDX, R10, R8, R9};
    private static final String[] NAMES = {
        "r15",
        "r14",
        "r13",
        "r12",
        "rbp",
        "rbx",
        "r11",
        "r10",
        "r9",
        "r8",
        "rax",
        "rcx",
        "rdx",
        "rsi",
        "rdi",
        "orig_rax",
        "rip",
        "cs",
        "eflags",
        "rsp",
        "ss",
        "fs_base",
        "gs_base",
        "ds",
        "es",
        "fs",
        "gs"
    };

    private Registers() {}

    /** The register at byte offset {@code register} of a block. */
    public static long get(MemorySegment block, int register) {
        return block.get(JAVA_LONG, register);
    }

    /** Sets the register at byte offset {@code register} of a block. */
    public static void set(MemorySegment block, int register, long value) {
        block.set(JAVA_LONG, register, value);
    }

    /** Byte offset of the register that holds argument {@code index}, 0 to 5, of a system call. */
    public static int argument(int index) {
        return ARGUMENTS[index];
    }

    /** Byte offset of a general register. */
    public static int offset(GeneralRegister register) {
        return GENERAL[register.ordinal()];
    }

    /** Byte offset of the general register with this number in instructions, 0 to 15. */
    public static int general(int number) {
        return GENERAL[number];
    }

    /** Name of the register at a byte offset. */
    public static String name(int register) {
        return NAMES[register / 8];
    }
}
