package reprise.syscall;

import reprise.tracee.MemoryReader;

/** A system call in flight, as the table looks at it. */
public interface CallView {
    /** Argument {@code index}, 0 to 5, as at entry. */
    long argument(int index);

    /** Memory of the caller. */
    MemoryReader memory();
}
