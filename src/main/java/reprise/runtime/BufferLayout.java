package reprise.runtime;

import reprise.tracee.RuntimePage;

/**
 * Where the parts of the injected runtime lie, in every tracee: below 2 GB, so that its code can use absolute addresses.
 *
 * <p>The layout belongs to the trace format: replay reaches into these places of a recorded address space.
 */
public final class BufferLayout {
    /** The code of {@link SyscallStub} and its table. */
    public static final long CODE = 0x7001_0000L;

    public static final int CODE_SIZE = 0x4000;

    /** Behind the code: all that is written. */
    public static final long DATA = CODE + CODE_SIZE;

    /** Where the stub saves registers, and what the tracer tells it. */
    static final long CONTROL = DATA;

    /** A byte for each descriptor: what the stub knows of it, 0 for nothing. */
    public static final long CLASSES = DATA + 0x1000;

    /** Descriptors from this on are not classed. */
    public static final int CLASSES_SIZE = 0x1000;

    /** A bit for each inode number, reduced: whether writes to such a file must be traced. */
    public static final long TRACED_INODES = DATA + 0x2000;

    public static final int TRACED_INODES_SIZE = 0x1000;

    /** How many bytes of {@link #BUFFER} are used; in replay, how many were taken. Right in front of it. */
    public static final long CURSOR = DATA + 0x4000 - 8;

    /** Records, one behind the other. */
    public static final long BUFFER = DATA + 0x4000;

    public static final int BUFFER_SIZE = 0x100000;

    /** A record may have this much data, in bytes. */
    static final int LARGEST_OUTPUT = 0x40000;

    /** Behind everything. */
    public static final long END = BUFFER + BUFFER_SIZE;

    /** A 32-bit word: 0 to record, 1 to replay. */
    public static final long MODE = CONTROL;

    /** A 32-bit word: not 0 to stop behind the present call, or the next; at replay, behind the last record. */
    public static final long STOP = CONTROL + 4;

    /** A 32-bit word: not 0 to perform no call without a stop. Only while recording. */
    public static final long DISABLED = CONTROL + 8;

    /** A 32-bit word: whether the stub reads the time stamp counter, instead of making a call. */
    static final long COUNTING = CONTROL + 0xc;

    /** Bytes in the buffer; only at replay. */
    public static final long AVAILABLE = CONTROL + 0x10;

    /** Device of the proc file system, whose files are not like others. */
    public static final long PROC_DEVICE = CONTROL + 0x18;

    /** Where the call that is performed returns to. */
    public static final long RETURN = CONTROL + 0x20;

    /** Result of the call behind which the task stopped. */
    public static final long RESULT = CONTROL + 0x28;

    static final long SAVED_RSP = CONTROL + 0x30;
    /** Number of the call that is performed. */
    public static final long NUMBER = CONTROL + 0x38;

    static final long ARGUMENTS = CONTROL + 0x40;
    static final long SAVED_RBX = CONTROL + 0x70;
    static final long SAVED_RBP = CONTROL + 0x78;
    static final long SAVED_R12 = CONTROL + 0x80;
    /** Where the program break is; 0 if the stub must not move it. */
    public static final long BREAK = CONTROL + 0x88;

    /** Two zeros, for a timeout. */
    static final long ZERO_TIME = CONTROL + 0x90;

    static final long POLLED = CONTROL + 0xa0;
    /** Not 0 once the stub has made memory of the program that its children do not inherit. */
    public static final long FORK_ADVICE = CONTROL + 0xa8;

    static final long STATUS = CONTROL + 0x100;
    static final long SAVED_RCX = CONTROL + 0x200;
    static final long SAVED_R11 = CONTROL + 0x208;
    static final long FALLBACK = CONTROL + 0x210;
    /** A struct timespec. */
    static final long CLOCK = CONTROL + 0x220;
    /** How fast the time stamp counter runs that the program sees; only while recording. */
    public static final long TICKS_PER_SECOND = CONTROL + 0x230;
    /** The same, times 2 to the power of 32. */
    public static final long TICKS_PER_NANOSECOND = CONTROL + 0x238;

    /**
     * Pairs of start and end: ranges in which the stub may map, unmap and protect. It makes new ones, too. Only while
     * recording.
     */
    public static final long PLAIN_RANGES = CONTROL + 0x240;

    /** Heaps that consist of pages all over the address space (V8's) need many. */
    public static final int PLAIN_RANGES_COUNT = 160;

    static final long STACK_TOP = CONTROL + 0x1000;

    /** The system call instruction at which a task stops that was asked to. */
    public static final long STOP_INSTRUCTION = CODE + 0x40;

    /** Where a task is sent that cannot finish its call in the stub: it makes the call at its site, traced. */
    public static final long ABORT = CODE + 0x80;

    /** Where trampolines of {@code rdtsc} jump to. */
    public static final long COUNTER_ENTRY = CODE + 0xa0;

    /** The last instruction of the stub behind a call that was performed: all registers but rip are the program's again. */
    public static final long LEAVE = CODE + 0xb0;

    /** Where trampolines of {@code syscall} jump to. */
    public static final long ENTRY = CODE + 0xc0;

    static final long TABLE = CODE + 0x1800;
    static final int TABLE_SIZE = 0x2800;

    private BufferLayout() {}

    /** Whether a task that stands here is inside the stub, so that its registers are not the program's. */
    public static boolean isStub(long address) {
        return address >= CODE && address < CODE + CODE_SIZE
                || address >= RuntimePage.ADDRESS && address < RuntimePage.ADDRESS + RuntimePage.SIZE;
    }

    /** The bit of {@link #TRACED_INODES} for an inode number. */
    public static int inodeBit(long inode) {
        return (int) (inode ^ inode >>> 15) & TRACED_INODES_SIZE * 8 - 1;
    }
}
