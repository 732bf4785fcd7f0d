package reprise.syscall;

/** How far a system call, or one command of it, is supported. */
public enum Support {
    /** The table says all: the kernel performs the call and the plan names the memory it writes. */
    SUPPORTED,
    /**
     * The recorder has code of its own for this call, because it changes more than memory (mappings, tasks,
     * registers, what the recorder relies on) or because the memory it writes cannot be told from the arguments.
     * The plan holds what can be told; the reason says what is missing.
     */
    SPECIAL,
    /** The recorder answers with an error number; the kernel is not asked. */
    ANSWERED,
    /** The call is performed, but what it does cannot be recorded; the recording says so. */
    UNSUPPORTED,
    /**
     * A number or command that the table does not know. An error as answer (ENOSYS, EINVAL, ENOTTY) is harmless;
     * after a success the kernel may have written memory, and the recording has to say so.
     */
    UNKNOWN
}
