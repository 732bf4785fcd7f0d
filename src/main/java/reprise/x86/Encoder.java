package reprise.x86;

import static reprise.x86.GeneralRegister.RAX;

import java.util.Arrays;

/**
 * The lower half of {@link Assembler}: the bytes, the labels, data, and how operands become bytes. An instruction is
 * prefixes, REX, opcode, ModRM with SIB and displacement, immediate operand, in this order.
 */
abstract sealed class Encoder permits Assembler {
    /** The two-operand arithmetic instructions, in the order of their numbers in opcodes. */
    enum Arithmetic {
        ADD,
        OR,
        ADC,
        SBB,
        AND,
        SUB,
        XOR,
        CMP
    }

    static final int WIDE = 8; // REX.W

    private final long base;
    private byte[] bytes = new byte[256];
    private int size;
    private int unresolved;

    Encoder(long base) {
        this.base = base;
    }

    /** Number of bytes so far, which is the offset of what comes next. */
    public int size() {
        return size;
    }

    /** Address of what comes next. */
    public long address() {
        return base + size;
    }

    /**
     * The code.
     *
     * @throws IllegalStateException if a label was used and not bound
     */
    public byte[] toByteArray() {
        if (unresolved != 0) {
            throw new IllegalStateException(unresolved + " uses of labels that are not bound");
        }
        return Arrays.copyOf(bytes, size);
    }

    // Labels and data

    public Label newLabel() {
        return new Label();
    }

    /** A new label for this place. */
    public Label here() {
        Label label = new Label();
        bind(label);
        return label;
    }

    /** Makes a label mean this place. */
    public void bind(Label label) {
        if (label.position >= 0) {
            throw new IllegalStateException("label bound twice");
        }
        label.position = size;
        for (int use : label.uses) {
            putInt(use, intAt(use) + size);
            unresolved--;
        }
    }

    /** The address of a label that is bound. */
    public long addressOf(Label label) {
        if (label.position < 0) {
            throw new IllegalStateException("label not bound");
        }
        return base + label.position;
    }

    public void bytes(byte... values) {
        for (byte value : values) {
            emit(value);
        }
    }

    /** A byte of data. */
    public void db(int value) {
        emit(value);
    }

    /** Four bytes of data. */
    public void dd(int value) {
        emitInt(value);
    }

    /** Eight bytes of data. */
    public void dq(long value) {
        emitLong(value);
    }

    /** Fills with int3 until the address is a multiple of {@code alignment}, a power of two. */
    public void align(int alignment) {
        while ((address() & alignment - 1) != 0) {
            emit(0xcc);
        }
    }

    // Encoding

    boolean isNear(Label target) {
        return target.position >= 0 && target.position - (size + 2) >= Byte.MIN_VALUE;
    }

    static int opcode(Arithmetic operation) {
        return operation.ordinal() << 3 | 1;
    }

    void load(Arithmetic operation, GeneralRegister to, Memory from) {
        memory(operation.ordinal() << 3 | 2, to, from);
    }

    void store(Arithmetic operation, Memory to, GeneralRegister from) {
        memory(operation.ordinal() << 3, from, to);
    }

    void immediate(Arithmetic operation, int wide, GeneralRegister to, int value) {
        rex(wide, 0, 0, to.high());
        if (value == (byte) value) {
            emit(0x83);
            emit(0xc0 | operation.ordinal() << 3 | to.low());
            emit(value);
        } else if (to == RAX) {
            emit(opcode(operation) + 4);
            emitInt(value);
        } else {
            emit(0x81);
            emit(0xc0 | operation.ordinal() << 3 | to.low());
            emitInt(value);
        }
    }

    void immediate(Arithmetic operation, Memory to, int value) {
        int immediate = value == (byte) value ? 1 : Math.min(to.size(), 4);
        prefixes(to, 0);
        emit(to.size() == 1 ? 0x80 : immediate == 1 ? 0x83 : 0x81);
        modrm(operation.ordinal(), to, immediate);
        emitImmediate(value, immediate);
    }

    void registers(int wide, int opcode, GeneralRegister reg, GeneralRegister rm) {
        rex(wide, reg.high(), 0, rm.high());
        emit(opcode);
        emit(0xc0 | reg.low() << 3 | rm.low());
    }

    /** An opcode whose lowest bit tells bytes from everything larger. */
    void memory(int opcode, GeneralRegister register, Memory operand) {
        prefixes(operand, register.high());
        if (operand.size() == 1 && register.ordinal() >= 4 && register.high() == 0) {
            throw new IllegalArgumentException("lower byte of " + register); // would need an empty REX
        }
        emit(operand.size() == 1 ? opcode : opcode | 1);
        modrm(register.low(), operand, 0);
    }

    void unary(int opcode, int extension, GeneralRegister register) {
        rex(WIDE, 0, 0, register.high());
        emit(opcode);
        emit(0xc0 | extension << 3 | register.low());
    }

    void unary(int extension, Memory operand) {
        prefixes(operand, 0);
        emit(operand.size() == 1 ? 0xfe : 0xff);
        modrm(extension, operand, 0);
    }

    /** jmp, call, push: 64 bits without REX.W. */
    void indirect(int extension, GeneralRegister register) {
        rex(0, 0, 0, register.high());
        emit(0xff);
        emit(0xc0 | extension << 3 | register.low());
    }

    void indirect(int extension, Memory operand) {
        if (operand.size() != 8) {
            throw new IllegalArgumentException("size " + operand.size());
        }
        rex(0, 0, high(operand.index()), high(operand.base()));
        emit(0xff);
        modrm(extension, operand, 0);
    }

    void prefixes(Memory operand, int reg) {
        if (operand.size() == 2) {
            emit(0x66);
        }
        rex(operand.size() == 8 ? WIDE : 0, reg, high(operand.index()), high(operand.base()));
    }

    static int high(GeneralRegister register) {
        return register == null ? 0 : register.high();
    }

    void rex(int wide, int reg, int index, int base) {
        int bits = wide | reg << 2 | index << 1 | base;
        if (bits != 0) {
            emit(0x40 | bits);
        }
    }

    /**
     * ModRM, SIB and displacement.
     *
     * @param behind how many bytes of immediate operand follow, which rip-relative displacements have to count
     */
    void modrm(int reg, Memory operand, int behind) {
        if (operand.label() != null) {
            emit(reg << 3 | 5);
            relative(operand.label(), behind);
        } else if (operand.base() == null) {
            emit(reg << 3 | 4);
            emit(sib(operand, 5));
            emitInt(operand.displacement());
        } else {
            int base = operand.base().low();
            boolean sib = operand.index() != null || base == 4;
            int displacement = operand.displacement();
            int mod = displacement == 0 && base != 5 ? 0 : displacement == (byte) displacement ? 1 : 2;
            emit(mod << 6 | reg << 3 | (sib ? 4 : base));
            if (sib) {
                emit(sib(operand, base));
            }
            emitImmediate(displacement, mod == 2 ? 4 : mod);
        }
    }

    private static int sib(Memory operand, int base) {
        int index = operand.index() == null ? 4 : operand.index().low();
        return Integer.numberOfTrailingZeros(operand.scale()) << 6 | index << 3 | base;
    }

    /** A displacement to a label, counted from {@code behind} bytes after its own end. */
    void relative(Label target, int behind) {
        int origin = size + 4 + behind;
        if (target.position >= 0) {
            emitInt(target.position - origin);
        } else {
            target.uses.add(size);
            unresolved++;
            emitInt(-origin);
        }
    }

    void relative(long target) {
        long displacement = target - (address() + 4);
        if (displacement != (int) displacement) {
            throw new IllegalArgumentException(
                    "0x" + Long.toHexString(target) + " is more than 2 GB from 0x" + Long.toHexString(address()));
        }
        emitInt((int) displacement);
    }

    /** A constant of {@code length} bytes, which it must fit as signed or unsigned number. */
    void emitImmediate(int value, int length) {
        if (length < 4 && length > 0 && value >> (8 * length) != 0 && value >> (8 * length - 1) != -1) {
            throw new IllegalArgumentException(value + " in " + length + " bytes");
        }
        for (int i = 0; i < length; i++) {
            emit(value >> (8 * i));
        }
    }

    void emitInt(int value) {
        emitImmediate(value, 4);
    }

    void emitLong(long value) {
        emitInt((int) value);
        emitInt((int) (value >> 32));
    }

    void emit(int value) {
        if (size == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * size);
        }
        bytes[size++] = (byte) value;
    }

    private int intAt(int at) {
        return bytes[at] & 0xff | (bytes[at + 1] & 0xff) << 8 | (bytes[at + 2] & 0xff) << 16 | bytes[at + 3] << 24;
    }

    private void putInt(int at, int value) {
        for (int i = 0; i < 4; i++) {
            bytes[at + i] = (byte) (value >> (8 * i));
        }
    }
}
