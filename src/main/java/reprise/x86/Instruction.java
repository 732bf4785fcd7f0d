package reprise.x86;

/**
 * One decoded instruction, as far as moving code about needs to know it. {@link InstructionDecoder} fills it in, again
 * and again: it is meant to be reused. Owned by whoever passes it to the decoder.
 */
public final class Instruction {
    /** What an instruction does to the flow of control, or what else makes it special. */
    public enum Kind {
        /** Continues with the next instruction and is none of those below. */
        OTHER,
        /** {@code nop}, in all the lengths that compilers and linkers pad with. Not {@code pause}, not {@code endbr64}. */
        NOP,
        /** {@code jmp rel8} or {@code jmp rel32}. */
        JUMP,
        /** {@code jcc rel8} or {@code jcc rel32}. */
        CONDITIONAL_JUMP,
        /** {@code loop}, {@code loope}, {@code loopne}, {@code jrcxz}: these exist with a one-byte displacement only. */
        LOOP,
        /** {@code call rel32}. */
        CALL,
        /** {@code xbegin rel32}: control may go to the target at any time later, until the transaction ends. */
        TRANSACTION,
        /** A jump through a register or memory. */
        INDIRECT_JUMP,
        /** A call through a register or memory. */
        INDIRECT_CALL,
        /** {@code ret} in all its forms, {@code iretq} too. */
        RETURN,
        SYSCALL,
        RDTSC,
        RDTSCP,
        INT3,
        /** Enters the kernel in another way than {@code syscall}: {@code int n}, {@code int1}, {@code sysenter}. */
        INTERRUPT,
        /** {@code ud1}, {@code ud2} and {@code hlt}: what compilers put where control cannot come. */
        TRAP,
        /** No instruction in 64-bit mode, one this decoder does not know, or one whose length depends on the vendor. */
        INVALID,
        /** The bytes ended before the instruction did. */
        TRUNCATED;

        /** Whether it has a target that is an offset from its own end. */
        public boolean isRelativeBranch() {
            return switch (this) {
                case JUMP, CONDITIONAL_JUMP, LOOP, CALL, TRANSACTION -> true;
                default -> false;
            };
        }

        /** Whether control never goes from it to the instruction behind it. */
        public boolean endsFlow() {
            return switch (this) {
                case JUMP, INDIRECT_JUMP, RETURN, TRAP -> true;
                default -> false;
            };
        }

        /** Whether it is what is put between functions: {@code nop} or {@code int3}. */
        public boolean isPadding() {
            return this == NOP || this == INT3;
        }
    }

    /** What an offset is when the instruction has no such part. */
    public static final int NONE = -1;

    Kind kind = Kind.INVALID;
    long address;
    int length;
    int opcode;
    int opcodeOffset;
    int modrmOffset;
    int displacementOffset;
    int displacementSize;
    long displacement;
    boolean ripRelative;
    boolean addressSizePrefix;

    /** What it does to the flow of control. */
    public Kind kind() {
        return kind;
    }

    /** Whether it was decoded: {@link #kind()} is neither INVALID nor TRUNCATED. */
    public boolean isValid() {
        return length > 0;
    }

    /** Address of its first byte, as given to the decoder. */
    public long address() {
        return address;
    }

    /** Number of bytes, 1 to 15; 0 if it could not be decoded. */
    public int length() {
        return length;
    }

    /** Address of the first byte behind it. */
    public long end() {
        return address + length;
    }

    /** Where a relative branch goes. Only for {@link Kind#isRelativeBranch()}. */
    public long target() {
        return address + length + displacement;
    }

    /** Whether an operand is memory relative to the end of the instruction. */
    public boolean isRipRelative() {
        return ripRelative;
    }

    /** Address of the operand that {@link #isRipRelative()} is about. */
    public long ripRelativeAddress() {
        return target();
    }

    /**
     * Offset within the instruction of the bytes that count from its end: a branch's displacement, or that of a
     * RIP-relative operand (always 4 bytes). {@link #NONE} if it has neither; no instruction has both.
     */
    public int displacementOffset() {
        return displacementOffset;
    }

    /** Number of bytes at {@link #displacementOffset()}: 1 or 4, or 0 if there are none. */
    public int displacementSize() {
        return displacementSize;
    }

    /** Whether prefix 67 halves the address size: RIP-relative operands wrap at 4 GB, {@code loop} counts in ecx. */
    public boolean hasAddressSizePrefix() {
        return addressSizePrefix;
    }

    /** The opcode byte, behind prefixes and escapes. */
    public int opcode() {
        return opcode;
    }

    /** Offset of the opcode byte within the instruction. */
    public int opcodeOffset() {
        return opcodeOffset;
    }

    /** Offset of the ModRM byte within the instruction, {@link #NONE} if it has none. */
    public int modrmOffset() {
        return modrmOffset;
    }

    /** Whether its last eight bytes are an immediate, or an address: mov alone has these. */
    public boolean hasWideImmediate() {
        return isValid() && length - opcodeOffset == 9;
    }

    @Override
    public String toString() {
        return kind + " at 0x" + Long.toHexString(address) + ", " + length + " bytes";
    }
}
