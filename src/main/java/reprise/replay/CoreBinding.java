package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/** Which cores tasks may run on. */
final class CoreBinding implements AutoCloseable {
    private static final int MASK_SIZE = 1024;
    private static final ThreadLocal<MemorySegment> MASK =
            ThreadLocal.withInitial(() -> Arena.global().allocate(MASK_SIZE, 8));

    private final MemorySegment original = Arena.ofAuto().allocate(MASK_SIZE, 8);
    private final long originalSize;
    private int bound = -1;

    /** Remembers where the calling thread may run now. */
    CoreBinding() {
        originalSize = Syscall.call(SyscallNumber.SCHED_GETAFFINITY, 0, MASK_SIZE, original.address());
    }

    /** A core that the calling thread may run on: the one it is on. */
    static int present() {
        MemorySegment cpu = MASK.get();
        Syscall.call(SyscallNumber.GETCPU, cpu.address(), 0, 0);
        return cpu.get(ValueLayout.JAVA_INT, 0);
    }

    /** Binds a task to one core; whether there is such a core that it may run on. */
    static boolean bind(int tid, int core) {
        if (core < 0 || core >= MASK_SIZE * 8) {
            return false;
        }
        MemorySegment mask = MASK.get();
        mask.fill((byte) 0);
        mask.set(JAVA_BYTE, core >> 3, (byte) (1 << (core & 7)));
        return Syscall.call(SyscallNumber.SCHED_SETAFFINITY, tid, MASK_SIZE, mask.address()) >= 0;
    }

    /** Lets the calling thread follow to a core: a stop costs a third where tracer and tracee share one. */
    void follow(int core) {
        if (core != bound) {
            bound = core;
            bind(0, core);
        }
    }

    /** The calling thread may run where it might before. */
    @Override
    public void close() {
        if (originalSize > 0) {
            Syscall.call(SyscallNumber.SCHED_SETAFFINITY, 0, originalSize, original.address());
        }
    }
}
