package reprise.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A set of cores that a thread may run on: the mask of sched_setaffinity(2), outside of the heap. For one thread at a time. */
public final class CpuSet {
    /** As many cores as the kernel can be built for (CONFIG_NR_CPUS), in bytes. */
    private static final int MAX_BYTES = 1024;

    private final MemorySegment mask = Arena.ofAuto().allocate(MAX_BYTES, 8);

    /** The cores that the calling thread may run on; none if the kernel does not say. */
    public static CpuSet ofCallingThread() {
        CpuSet set = new CpuSet();
        Syscall.call(SyscallNumber.SCHED_GETAFFINITY, 0, MAX_BYTES, set.mask.address());
        return set;
    }

    /** The core that the calling thread is on; it may be on another by now. */
    public static int present() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment core = arena.allocate(JAVA_INT);
            Syscall.call(SyscallNumber.GETCPU, core.address(), 0, 0);
            return core.get(JAVA_INT, 0);
        }
    }

    /** Makes this the set of one core; of none if the number is not one. */
    public CpuSet only(int core) {
        mask.fill((byte) 0);
        if (core >= 0 && core < MAX_BYTES * 8) {
            mask.set(JAVA_BYTE, core >> 3, (byte) (1 << (core & 7)));
        }
        return this;
    }

    /** Whether a core is in the set. */
    public boolean contains(int core) {
        return core >= 0 && core < MAX_BYTES * 8 && (mask.get(JAVA_BYTE, core >> 3) >> (core & 7) & 1) != 0;
    }

    /**
     * Lets a thread run on these cores only, those of them that its cpuset has.
     *
     * @param tid 0 for the calling thread
     * @return whether the kernel took it: not if the thread's cpuset has none of them, or the thread is gone
     */
    public boolean bind(int tid) {
        return Syscall.call(SyscallNumber.SCHED_SETAFFINITY, tid, MAX_BYTES, mask.address()) >= 0;
    }

    /** The mask as a program reads it, in as many bytes as the kernel has for its cores. */
    public byte[] toBytes() {
        int size = 0;
        try (Arena arena = Arena.ofConfined()) {
            size = (int) Syscall.call(
                    SyscallNumber.SCHED_GETAFFINITY,
                    0,
                    MAX_BYTES,
                    arena.allocate(MAX_BYTES, 8).address());
        }
        return mask.asSlice(0, size > 0 ? size : Long.BYTES).toArray(JAVA_BYTE);
    }
}
