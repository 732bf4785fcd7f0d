package reprise.x86;

/** The conditions of {@code jcc}, in the order of their numbers. Where the processor has two names it is the usual one. */
public enum Condition {
    OVERFLOW,
    NOT_OVERFLOW,
    /** Unsigned less; carry set, so what {@code bt} leaves for a bit that is one. */
    BELOW,
    /** Unsigned greater or equal; carry clear. */
    ABOVE_OR_EQUAL,
    EQUAL,
    NOT_EQUAL,
    BELOW_OR_EQUAL,
    ABOVE,
    NEGATIVE,
    NOT_NEGATIVE,
    PARITY,
    NOT_PARITY,
    /** Signed less. */
    LESS,
    GREATER_OR_EQUAL,
    LESS_OR_EQUAL,
    GREATER
}
