package reprise.x86;

/**
 * Assembles the code that runs in tracees. Operands are in Intel's order, destination first. Between registers
 * operations are on 64 bits unless the name ends in 32; with memory the operand's size decides.
 *
 * <p>Jumps to labels that are bound already are as short as possible, others have 32-bit displacements. Nothing is
 * checked against the processor's features: all instructions are those of the first x86-64.
 *
 * <p>An instruction that cannot be encoded as asked for (an immediate that does not fit, a target more than 2 GB away)
 * throws IllegalArgumentException. Not thread safe.
 */
public final class Assembler extends Encoder {
    /**
     * Begins empty.
     *
     * @param base the address in the tracee at which the code will lie
     */
    public Assembler(long base) {
        super(base);
    }

    // Moves

    /** Sets a register, in the shortest form that leaves the flags alone. */
    public void mov(GeneralRegister to, long value) {
        if (value == (value & 0xffff_ffffL)) {
            rex(0, 0, 0, to.high());
            emit(0xb8 | to.low());
            emitInt((int) value);
        } else if (value == (int) value) {
            rex(WIDE, 0, 0, to.high());
            emit(0xc7);
            emit(0xc0 | to.low());
            emitInt((int) value);
        } else {
            rex(WIDE, 0, 0, to.high());
            emit(0xb8 | to.low());
            emitLong(value);
        }
    }

    public void mov(GeneralRegister to, GeneralRegister from) {
        registers(WIDE, 0x89, from, to);
    }

    /** Copies the lower half and clears the upper. */
    public void mov32(GeneralRegister to, GeneralRegister from) {
        registers(0, 0x89, from, to);
    }

    /** Loads. A size of 4 clears the upper half of the register, smaller ones leave the rest as it is. */
    public void mov(GeneralRegister to, Memory from) {
        memory(0x8a, to, from);
    }

    public void mov(Memory to, GeneralRegister from) {
        memory(0x88, from, to);
    }

    /** Stores a constant. Eight bytes are sign-extended from four. */
    public void mov(Memory to, int value) {
        int immediate = Math.min(to.size(), 4);
        prefixes(to, 0);
        emit(to.size() == 1 ? 0xc6 : 0xc7);
        modrm(0, to, immediate);
        emitImmediate(value, immediate);
    }

    /** Loads one or two bytes, zero-extended. */
    public void movzx(GeneralRegister to, Memory from) {
        extend(0xb6, 0, to, from);
    }

    /** Loads one, two or four bytes, sign-extended to eight. */
    public void movsx(GeneralRegister to, Memory from) {
        if (from.size() == 4) {
            rex(WIDE, to.high(), high(from.index()), high(from.base()));
            emit(0x63);
            modrm(to.low(), from, 0);
        } else {
            extend(0xbe, WIDE, to, from);
        }
    }

    private void extend(int opcode, int wide, GeneralRegister to, Memory from) {
        if (from.size() > 2) {
            throw new IllegalArgumentException("size " + from.size());
        }
        rex(wide, to.high(), high(from.index()), high(from.base()));
        emit(0x0f);
        emit(opcode + from.size() - 1);
        modrm(to.low(), from, 0);
    }

    public void lea(GeneralRegister to, Memory from) {
        rex(WIDE, to.high(), high(from.index()), high(from.base()));
        emit(0x8d);
        modrm(to.low(), from, 0);
    }

    public void xchg(GeneralRegister one, GeneralRegister other) {
        registers(WIDE, 0x87, one, other);
    }

    /** Exchanges, and is atomic. */
    public void xchg(GeneralRegister one, Memory other) {
        memory(0x86, one, other);
    }

    public void push(GeneralRegister from) {
        rex(0, 0, 0, from.high());
        emit(0x50 | from.low());
    }

    public void pop(GeneralRegister to) {
        rex(0, 0, 0, to.high());
        emit(0x58 | to.low());
    }

    /** Pushes eight bytes from memory. */
    public void push(Memory from) {
        indirect(6, from);
    }

    /** Pushes a constant, sign-extended to eight bytes. */
    public void push(int value) {
        emit(0x68);
        emitInt(value);
    }

    public void pushfq() {
        emit(0x9c);
    }

    public void popfq() {
        emit(0x9d);
    }

    /** Loads the sign, zero, auxiliary carry, parity and carry flags from ah. */
    public void sahf() {
        emit(0x9e);
    }

    public void repMovsb() {
        emit(0xf3);
        emit(0xa4);
    }

    public void repMovsq() {
        emit(0xf3);
        emit(0x48);
        emit(0xa5);
    }

    public void cld() {
        emit(0xfc);
    }

    // Arithmetic

    public void add(GeneralRegister to, GeneralRegister from) {
        registers(WIDE, opcode(Arithmetic.ADD), from, to);
    }

    public void add(GeneralRegister to, int value) {
        immediate(Arithmetic.ADD, WIDE, to, value);
    }

    public void add(GeneralRegister to, Memory from) {
        load(Arithmetic.ADD, to, from);
    }

    public void add(Memory to, GeneralRegister from) {
        store(Arithmetic.ADD, to, from);
    }

    public void add(Memory to, int value) {
        immediate(Arithmetic.ADD, to, value);
    }

    public void sub(GeneralRegister to, GeneralRegister from) {
        registers(WIDE, opcode(Arithmetic.SUB), from, to);
    }

    public void sub(GeneralRegister to, int value) {
        immediate(Arithmetic.SUB, WIDE, to, value);
    }

    public void sub(GeneralRegister to, Memory from) {
        load(Arithmetic.SUB, to, from);
    }

    public void sub(Memory to, GeneralRegister from) {
        store(Arithmetic.SUB, to, from);
    }

    public void sub(Memory to, int value) {
        immediate(Arithmetic.SUB, to, value);
    }

    public void and(GeneralRegister to, GeneralRegister from) {
        registers(WIDE, opcode(Arithmetic.AND), from, to);
    }

    public void and(GeneralRegister to, int value) {
        immediate(Arithmetic.AND, WIDE, to, value);
    }

    public void and(GeneralRegister to, Memory from) {
        load(Arithmetic.AND, to, from);
    }

    public void and(Memory to, GeneralRegister from) {
        store(Arithmetic.AND, to, from);
    }

    public void and(Memory to, int value) {
        immediate(Arithmetic.AND, to, value);
    }

    public void or(GeneralRegister to, GeneralRegister from) {
        registers(WIDE, opcode(Arithmetic.OR), from, to);
    }

    public void or(GeneralRegister to, int value) {
        immediate(Arithmetic.OR, WIDE, to, value);
    }

    public void or(GeneralRegister to, Memory from) {
        load(Arithmetic.OR, to, from);
    }

    public void or(Memory to, GeneralRegister from) {
        store(Arithmetic.OR, to, from);
    }

    public void or(Memory to, int value) {
        immediate(Arithmetic.OR, to, value);
    }

    public void xor(GeneralRegister to, GeneralRegister from) {
        registers(WIDE, opcode(Arithmetic.XOR), from, to);
    }

    /** Clears a register in two or three bytes. */
    public void xor32(GeneralRegister to, GeneralRegister from) {
        registers(0, opcode(Arithmetic.XOR), from, to);
    }

    public void xor(GeneralRegister to, int value) {
        immediate(Arithmetic.XOR, WIDE, to, value);
    }

    public void xor(GeneralRegister to, Memory from) {
        load(Arithmetic.XOR, to, from);
    }

    public void xor(Memory to, GeneralRegister from) {
        store(Arithmetic.XOR, to, from);
    }

    public void xor(Memory to, int value) {
        immediate(Arithmetic.XOR, to, value);
    }

    public void cmp(GeneralRegister one, GeneralRegister other) {
        registers(WIDE, opcode(Arithmetic.CMP), other, one);
    }

    /** Compares the lower halves. */
    public void cmp32(GeneralRegister one, GeneralRegister other) {
        registers(0, opcode(Arithmetic.CMP), other, one);
    }

    public void cmp(GeneralRegister one, int value) {
        immediate(Arithmetic.CMP, WIDE, one, value);
    }

    /** Compares the lower half. */
    public void cmp32(GeneralRegister one, int value) {
        immediate(Arithmetic.CMP, 0, one, value);
    }

    public void cmp(GeneralRegister one, Memory other) {
        load(Arithmetic.CMP, one, other);
    }

    public void cmp(Memory one, GeneralRegister other) {
        store(Arithmetic.CMP, one, other);
    }

    public void cmp(Memory one, int value) {
        immediate(Arithmetic.CMP, one, value);
    }

    public void test(GeneralRegister one, GeneralRegister other) {
        registers(WIDE, 0x85, other, one);
    }

    public void test32(GeneralRegister one, GeneralRegister other) {
        registers(0, 0x85, other, one);
    }

    public void test(GeneralRegister one, int value) {
        rex(WIDE, 0, 0, one.high());
        emit(0xf7);
        emit(0xc0 | one.low());
        emitInt(value);
    }

    public void test(Memory one, GeneralRegister other) {
        memory(0x84, other, one);
    }

    public void test(Memory one, int value) {
        int immediate = Math.min(one.size(), 4);
        prefixes(one, 0);
        emit(one.size() == 1 ? 0xf6 : 0xf7);
        modrm(0, one, immediate);
        emitImmediate(value, immediate);
    }

    public void inc(GeneralRegister register) {
        unary(0xff, 0, register);
    }

    public void inc(Memory operand) {
        unary(0, operand);
    }

    public void dec(GeneralRegister register) {
        unary(0xff, 1, register);
    }

    public void dec(Memory operand) {
        unary(1, operand);
    }

    /** Multiplies, keeping the lower 64 bits. */
    public void imul(GeneralRegister to, GeneralRegister from) {
        rex(WIDE, to.high(), 0, from.high());
        emit(0x0f);
        emit(0xaf);
        emit(0xc0 | to.low() << 3 | from.low());
    }

    public void imul(GeneralRegister to, Memory from) {
        prefixes(from, to.high());
        emit(0x0f);
        emit(0xaf);
        modrm(to.low(), from, 0);
    }

    /** Makes the next instruction, an operation on memory, atomic. */
    public void lock() {
        emit(0xf0);
    }

    public void shl(GeneralRegister register, int bits) {
        unary(0xc1, 4, register);
        emitImmediate(bits, 1);
    }

    /** Rotates the low 16 bits of a register by eight: exchanges its two lowest bytes, also of those whose second one has no name. */
    public void swapLowBytes(GeneralRegister register) {
        emit(0x66);
        rex(0, 0, 0, register.high());
        emit(0xc1);
        emit(0xc0 | register.low());
        emitImmediate(8, 1);
    }

    /** Adds to the lowest byte of rax. */
    public void addAl(int value) {
        emit(0x04);
        emitImmediate(value, 1);
    }

    public void shr(GeneralRegister register, int bits) {
        unary(0xc1, 5, register);
        emitImmediate(bits, 1);
    }

    /** Copies a bit, counted modulo 64, to the carry flag: {@link Condition#BELOW} if it is one. */
    public void bt(GeneralRegister register, GeneralRegister bit) {
        rex(WIDE, bit.high(), 0, register.high());
        emit(0x0f);
        emit(0xa3);
        emit(0xc0 | bit.low() << 3 | register.low());
    }

    public void bt(GeneralRegister register, int bit) {
        rex(WIDE, 0, 0, register.high());
        emit(0x0f);
        emit(0xba);
        emit(0xe0 | register.low());
        emitImmediate(bit, 1);
    }

    /** The same for memory of 4 or 8 bytes. The bit is counted modulo the size. */
    public void bt(Memory operand, int bit) {
        if (operand.size() < 4) {
            throw new IllegalArgumentException("size " + operand.size());
        }
        prefixes(operand, 0);
        emit(0x0f);
        emit(0xba);
        modrm(4, operand, 1);
        emitImmediate(bit, 1);
    }

    // Control

    public void jmp(Label target) {
        if (isNear(target)) {
            emit(0xeb);
            emit(target.position - size() - 1);
        } else {
            emit(0xe9);
            relative(target, 0);
        }
    }

    /** Jumps to an address, with a 32-bit displacement: always 5 bytes. */
    public void jmp(long target) {
        emit(0xe9);
        relative(target);
    }

    public void jmp(GeneralRegister target) {
        indirect(4, target);
    }

    /** Jumps to the address that is in memory. */
    public void jmp(Memory target) {
        indirect(4, target);
    }

    public void jcc(Condition condition, Label target) {
        if (isNear(target)) {
            emit(0x70 | condition.ordinal());
            emit(target.position - size() - 1);
        } else {
            emit(0x0f);
            emit(0x80 | condition.ordinal());
            relative(target, 0);
        }
    }

    /** Jumps to an address on a condition: always 6 bytes. */
    public void jcc(Condition condition, long target) {
        emit(0x0f);
        emit(0x80 | condition.ordinal());
        relative(target);
    }

    public void call(Label target) {
        emit(0xe8);
        relative(target, 0);
    }

    public void call(long target) {
        emit(0xe8);
        relative(target);
    }

    public void call(GeneralRegister target) {
        indirect(2, target);
    }

    /** Calls the address that is in memory. */
    public void call(Memory target) {
        indirect(2, target);
    }

    public void ret() {
        emit(0xc3);
    }

    public void syscall() {
        emit(0x0f);
        emit(0x05);
    }

    public void rdtsc() {
        emit(0x0f);
        emit(0x31);
    }

    public void int3() {
        emit(0xcc);
    }

    public void ud2() {
        emit(0x0f);
        emit(0x0b);
    }
}
