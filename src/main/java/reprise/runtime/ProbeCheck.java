package reprise.runtime;

import reprise.x86.GeneralRegister;

/** One thing that a {@link Probe} demands. */
public sealed interface ProbeCheck {
    /** What it has to be. */
    long value();

    /** A general register. */
    record General(GeneralRegister register, long value) implements ProbeCheck {}

    /** The lower half of an xmm register, 0 to 15. */
    record Vector(int register, long value) implements ProbeCheck {}

    /** Eight bytes of memory, which must be readable. */
    record Word(long address, long value) implements ProbeCheck {}
}
