package reprise.x86;

import java.util.Objects;

/**
 * A memory operand of {@link Assembler}: where it is, and how many bytes. The size decides which form of an
 * instruction is meant: {@code mov(RAX, dword(RDI, 8))} loads 32 bits and clears the upper half of rax.
 *
 * @param size 1, 2, 4 or 8
 * @param base null for none
 * @param index null for none, never rsp
 * @param scale 1, 2, 4 or 8
 * @param displacement added to the registers; the absolute address if there are none
 * @param label the place in the same code that is meant, null unless the operand is relative to rip
 */
public record Memory(int size, GeneralRegister base, GeneralRegister index, int scale, int displacement, Label label) {
    public Memory {
        if (Integer.bitCount(size) != 1 || size > 8 || Integer.bitCount(scale) != 1 || scale > 8) {
            throw new IllegalArgumentException("size " + size + ", scale " + scale);
        }
        if (index == GeneralRegister.RSP) {
            throw new IllegalArgumentException("rsp cannot be an index");
        }
    }

    public static Memory qword(GeneralRegister base, int displacement) {
        return new Memory(8, base, null, 1, displacement, null);
    }

    public static Memory dword(GeneralRegister base, int displacement) {
        return new Memory(4, base, null, 1, displacement, null);
    }

    public static Memory word(GeneralRegister base, int displacement) {
        return new Memory(2, base, null, 1, displacement, null);
    }

    /** One byte. */
    public static Memory octet(GeneralRegister base, int displacement) {
        return new Memory(1, base, null, 1, displacement, null);
    }

    /**
     * Eight bytes at a fixed address.
     *
     * @throws IllegalArgumentException unless the address is in the lowest or highest 2 GB
     */
    public static Memory absolute(long address) {
        if (address != (int) address) {
            throw new IllegalArgumentException("not a 32-bit address: 0x" + Long.toHexString(address));
        }
        return new Memory(8, null, null, 1, (int) address, null);
    }

    /** Eight bytes at a label. */
    public static Memory at(Label label) {
        return new Memory(8, null, null, 1, 0, Objects.requireNonNull(label));
    }

    /** The same place, plus {@code index * scale}. */
    public Memory plus(GeneralRegister index, int scale) {
        if (label != null) {
            throw new IllegalArgumentException("an operand relative to rip has no index");
        }
        return new Memory(size, base, index, scale, displacement, null);
    }

    /** The same place, {@code size} bytes. */
    public Memory ofSize(int size) {
        return new Memory(size, base, index, scale, displacement, label);
    }
}
