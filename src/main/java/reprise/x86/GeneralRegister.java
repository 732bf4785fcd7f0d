package reprise.x86;

/** The sixteen general registers, in the order of their numbers in instructions. */
public enum GeneralRegister {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15;

    /** The three bits that go into ModRM or SIB. */
    int low() {
        return ordinal() & 7;
    }

    /** The fourth bit, that goes into REX. */
    int high() {
        return ordinal() >> 3;
    }
}
