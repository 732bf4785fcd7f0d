package reprise.replay;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import reprise.linux.Errno;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.tracee.Tracee;
import reprise.x86.Registers;

/** What system calls do in a {@link Diversion}. */
final class DivertedCalls {
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MAP_PRIVATE = 2;
    private static final int FUTEX_COMMAND = 0x7f;
    private static final int FUTEX_WAKE = 1;
    private static final int PART = 65536;

    private final ReplayTask task;
    private final Tracee tracee;
    private final MemorySegment buffer = Arena.ofAuto().allocate(PART, 16);
    private final MemorySegment vector = Arena.ofAuto().allocate(16, 16);

    DivertedCalls(ReplayTask task) {
        this.task = task;
        this.tracee = task.carrier().tracee();
    }

    /** Performs the call at whose entry the task stands; its result or -errno. */
    long perform(int number) {
        long first = tracee.get(Registers.RDI);
        long second = tracee.get(Registers.RSI);
        long third = tracee.get(Registers.RDX);
        return switch (number) {
            case SyscallNumber.WRITE -> write(first, second, third);
            case SyscallNumber.WRITEV -> writev(first, second, third);
            // No break is nowhere, and so is more memory there: libc takes the other way.
            case SyscallNumber.BRK -> 0;
            case SyscallNumber.MMAP -> isPrivate(tracee.get(Registers.R10)) ? real(number) : -Errno.ENOSYS;
            case SyscallNumber.MUNMAP,
                    SyscallNumber.MPROTECT,
                    SyscallNumber.MREMAP,
                    SyscallNumber.MADVISE,
                    SyscallNumber.CLOCK_GETTIME,
                    SyscallNumber.GETTIMEOFDAY,
                    SyscallNumber.TIME,
                    SyscallNumber.GETRANDOM,
                    SyscallNumber.SCHED_YIELD,
                    SyscallNumber.GETUID,
                    SyscallNumber.GETEUID,
                    SyscallNumber.GETGID,
                    SyscallNumber.GETEGID,
                    SyscallNumber.UNAME -> real(number);
            case SyscallNumber.GETPID -> task.process();
            case SyscallNumber.GETTID -> task.tid();
            case SyscallNumber.RT_SIGPROCMASK, SyscallNumber.RT_SIGACTION -> 0;
            // There is nobody to wake, nor to wait for.
            case SyscallNumber.FUTEX -> (second & FUTEX_COMMAND) == FUTEX_WAKE ? 0 : -Errno.EAGAIN;
            default -> -Errno.ENOSYS;
        };
    }

    private static boolean isPrivate(long flags) {
        return (flags & (MAP_ANONYMOUS | MAP_PRIVATE)) == (MAP_ANONYMOUS | MAP_PRIVATE);
    }

    private long real(int number) {
        return tracee.remote(
                number,
                tracee.get(Registers.RDI),
                tracee.get(Registers.RSI),
                tracee.get(Registers.RDX),
                tracee.get(Registers.R10),
                tracee.get(Registers.R8),
                tracee.get(Registers.R9));
    }

    private long write(long descriptor, long address, long length) {
        if (descriptor != 1 && descriptor != 2) {
            return -Errno.EBADF;
        }
        long count = tracee.read(address, buffer, Math.min(PART, length));
        if (count == 0 && length > 0) {
            return -Errno.EFAULT;
        }
        return Syscall.call(SyscallNumber.WRITE, (int) descriptor, buffer.address(), count);
    }

    private long writev(long descriptor, long vectors, long count) {
        long total = 0;
        for (long i = 0; i < count; i++) {
            if (tracee.read(vectors + 16 * i, vector, 16) != 16) {
                return total > 0 ? total : -Errno.EFAULT;
            }
            long address = vector.get(ValueLayout.JAVA_LONG, 0);
            long length = vector.get(ValueLayout.JAVA_LONG, 8);
            long written = length == 0 ? 0 : write(descriptor, address, length);
            if (written < 0) {
                return total > 0 ? total : written;
            }
            total += written;
            if (written < length) {
                break;
            }
        }
        return total;
    }
}
