package reprise.debug;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import reprise.linux.Processor;
import reprise.x86.Registers;

/**
 * The registers in the order and with the numbers under which the protocol knows them, and where each is found: in the
 * block of general registers or in the block of extended state.
 *
 * <p>Which there are depends on what the processor's extended state holds; {@link TargetDescription} tells the client.
 */
final class RegisterLayout {
    static final int RBP = 6;
    static final int RSP = 7;
    static final int RIP = 16;

    /** XCR0 bits: the components of extended state. */
    private static final long AVX = 1 << 2;

    private static final long AVX512 = 7 << 5;
    private static final long PKRU = 1 << 9;

    /** Where the kernel puts XCR0: the first of the bytes that the processor leaves to software. */
    private static final int ENABLED = 464;

    private static final int MXCSR = 24;
    private static final int ST = 32;
    private static final int XMM = 160;
    private static final int XSTATE_BV = 512;
    private static final int LEGACY_SIZE = 512;
    private static final long X87_AND_SSE = 3;

    private static final int[] GENERAL = {
        Registers.RAX,
        Registers.RBX,
        Registers.RCX,
        Registers.RDX,
        Registers.RSI,
        Registers.RDI,
        Registers.RBP,
        Registers.RSP,
        Registers.R8,
        Registers.R9,
        Registers.R10,
        Registers.R11,
        Registers.R12,
        Registers.R13,
        Registers.R14,
        Registers.R15,
        Registers.RIP
    };
    private static final int[] SEGMENTS = {
        Registers.EFLAGS, Registers.CS, Registers.SS, Registers.DS, Registers.ES, Registers.FS, Registers.GS
    };

    /** What has to be done to get at a register. */
    enum Kind {
        /** In the block of general registers. */
        GENERAL,
        /** In the block of extended state. */
        EXTENDED,
        /** The x87 tag word, which is kept in a shorter form. */
        TAGS,
        /** Always zero in 64-bit code. */
        ZERO
    }

    /**
     * A register.
     *
     * @param number the protocol's
     * @param size in bytes, as the protocol transfers it
     * @param offset of its bytes in its block
     * @param stored bytes that its block has of it, at most {@code size}
     * @param component the bit in XSTATE_BV that says whether the bytes mean anything; 0 if they always do
     */
    record Register(int number, int size, Kind kind, int offset, int stored, long component) {}

    private final List<Register> registers = new ArrayList<>();
    private final long enabled;
    private final int size;

    /**
     * A layout.
     *
     * @param enabled XCR0
     * @param offsets where each component of extended state is in its block, by the number of its bit in XCR0
     */
    RegisterLayout(long enabled, IntUnaryOperator offsets) {
        this.enabled = enabled;
        core();
        add(8, Kind.GENERAL, Registers.ORIG_RAX, 8, 0);
        add(8, Kind.GENERAL, Registers.FS_BASE, 8, 0);
        add(8, Kind.GENERAL, Registers.GS_BASE, 8, 0);
        if (hasAvx()) {
            array(16, 16, offsets.applyAsInt(2), 16, AVX);
        }
        if (hasAvx512()) {
            avx512(offsets.applyAsInt(5), offsets.applyAsInt(6), offsets.applyAsInt(7));
        }
        if (hasProtectionKeys()) {
            add(4, Kind.EXTENDED, offsets.applyAsInt(9), 4, PKRU);
        }
        size = registers.stream().mapToInt(Register::size).sum();
    }

    /** The layout for extended state as ptrace gave it on this machine. */
    static RegisterLayout of(MemorySegment extendedState) {
        long enabled =
                extendedState.byteSize() > LEGACY_SIZE ? extendedState.get(JAVA_LONG_UNALIGNED, ENABLED) : X87_AND_SSE;
        return new RegisterLayout(enabled, Processor::stateOffset);
    }

    boolean hasAvx() {
        return (enabled & AVX) != 0;
    }

    boolean hasAvx512() {
        return (enabled & AVX512) == AVX512;
    }

    boolean hasProtectionKeys() {
        return (enabled & PKRU) != 0;
    }

    /** How many there are. */
    int count() {
        return registers.size();
    }

    /** Bytes of all registers together. */
    int size() {
        return size;
    }

    /** The register of a number; null if there is none. */
    Register register(int number) {
        return number >= 0 && number < registers.size() ? registers.get(number) : null;
    }

    private void core() {
        for (int offset : GENERAL) {
            add(8, Kind.GENERAL, offset, 8, 0);
        }
        for (int offset : SEGMENTS) {
            add(4, Kind.GENERAL, offset, 4, 0);
        }
        array(8, 10, ST, 16, 1);
        add(4, Kind.EXTENDED, 0, 2, 1); // fctrl
        add(4, Kind.EXTENDED, 2, 2, 1); // fstat
        add(4, Kind.TAGS, 4, 1, 1); // ftag
        add(4, Kind.ZERO, 0, 0, 1); // fiseg: the upper half of the instruction pointer is not a segment here
        add(4, Kind.EXTENDED, 8, 4, 1); // fioff
        add(4, Kind.ZERO, 0, 0, 1); // foseg
        add(4, Kind.EXTENDED, 16, 4, 1); // fooff
        add(4, Kind.EXTENDED, 6, 2, 1); // fop
        array(16, 16, XMM, 16, 2);
        add(4, Kind.EXTENDED, MXCSR, 4, 0);
    }

    private void avx512(int masks, int upperHalves, int upperRegisters) {
        final int stride = 64;
        array(16, 16, upperRegisters, stride, 1 << 7); // xmm16-31
        array(16, 16, upperRegisters + 16, stride, 1 << 7); // ymm16h-31h
        array(8, 8, masks, 8, 1 << 5); // k0-7
        array(16, 32, upperHalves, 32, 1 << 6); // zmm0h-15h
        array(16, 32, upperRegisters + 32, stride, 1 << 7); // zmm16h-31h
    }

    private void array(int count, int bytes, int offset, int stride, long component) {
        for (int i = 0; i < count; i++) {
            add(bytes, Kind.EXTENDED, offset + stride * i, bytes, component);
        }
    }

    private void add(int bytes, Kind kind, int offset, int stored, long component) {
        registers.add(new Register(registers.size(), bytes, kind, offset, stored, component));
    }

    // ---- values ----

    /** The bytes of a register, lowest first. */
    byte[] read(Register register, MemorySegment general, MemorySegment extended) {
        byte[] value = new byte[register.size()];
        switch (register.kind()) {
            case GENERAL -> copy(general, register, value);
            case EXTENDED -> {
                if (isInUse(register, extended)) {
                    copy(extended, register, value);
                } else {
                    initial(register, value);
                }
            }
            case TAGS -> {
                int tags = isInUse(register, extended) ? X87Tags.full(extended) : 0xffff;
                value[0] = (byte) tags;
                value[1] = (byte) (tags >> 8);
            }
            case ZERO -> {}
        }
        return value;
    }

    /** The value that the processor takes a component to have that is not in use. */
    private static void initial(Register register, byte[] value) {
        if (register.offset() == 0 && register.stored() == 2) {
            value[0] = 0x7f;
            value[1] = 0x03;
        }
    }

    /** Sets a register from its bytes. */
    void write(Register register, byte[] value, MemorySegment general, MemorySegment extended) {
        switch (register.kind()) {
            case GENERAL ->
                MemorySegment.copy(MemorySegment.ofArray(value), 0, general, register.offset(), register.stored());
            case EXTENDED -> {
                use(register, extended);
                MemorySegment.copy(MemorySegment.ofArray(value), 0, extended, register.offset(), register.stored());
            }
            case TAGS -> {
                use(register, extended);
                extended.set(
                        ValueLayout.JAVA_BYTE,
                        register.offset(),
                        X87Tags.abridged((value[1] & 0xff) << 8 | value[0] & 0xff));
            }
            case ZERO -> {}
        }
    }

    private static void copy(MemorySegment block, Register register, byte[] value) {
        MemorySegment.copy(block, register.offset(), MemorySegment.ofArray(value), 0, register.stored());
    }

    private static boolean isInUse(Register register, MemorySegment extended) {
        return register.component() == 0
                || extended.byteSize() <= LEGACY_SIZE
                || (extended.get(JAVA_LONG_UNALIGNED, XSTATE_BV) & register.component()) != 0;
    }

    /** Says that a component is in use; the rest of it then has to have its initial value. */
    private void use(Register register, MemorySegment extended) {
        if (isInUse(register, extended)) {
            return;
        }
        byte[] zero = new byte[64];
        for (Register other : registers) {
            if (other.component() == register.component() && other.kind() == Kind.EXTENDED) {
                Arrays.fill(zero, (byte) 0);
                initial(other, zero);
                MemorySegment.copy(MemorySegment.ofArray(zero), 0, extended, other.offset(), other.stored());
            }
        }
        long used = extended.get(JAVA_LONG_UNALIGNED, XSTATE_BV) | register.component();
        extended.set(JAVA_LONG_UNALIGNED, XSTATE_BV, used);
    }
}
