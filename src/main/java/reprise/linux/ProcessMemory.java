package reprise.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Copies to and from the memory of another process. */
public final class ProcessMemory {
    private static final int O_RDWR_CLOEXEC = 02000002;
    private static final ThreadLocal<MemorySegment> VECTORS =
            ThreadLocal.withInitial(() -> Arena.global().allocate(32, 16));

    private ProcessMemory() {}

    /**
     * Reads with process_vm_readv.
     *
     * @return bytes read before the first unreadable page, or -errno
     */
    public static long read(int pid, long address, MemorySegment into, long length) {
        return transfer(SyscallNumber.PROCESS_VM_READV, pid, address, into.address(), length);
    }

    /**
     * Writes with process_vm_writev, which respects the protection of the pages.
     *
     * @return bytes written before the first unwritable page, or -errno
     */
    public static long write(int pid, long address, MemorySegment from, long length) {
        return transfer(SyscallNumber.PROCESS_VM_WRITEV, pid, address, from.address(), length);
    }

    private static long transfer(int number, int pid, long address, long local, long length) {
        MemorySegment vectors = VECTORS.get();
        vectors.set(JAVA_LONG, 0, local);
        vectors.set(JAVA_LONG, 8, length);
        vectors.set(JAVA_LONG, 16, address);
        vectors.set(JAVA_LONG, 24, length);
        return Syscall.call(number, pid, vectors.address(), 1, vectors.address() + 16, 1, 0);
    }

    /** Reads whatever the protection of the pages, through /proc/PID/mem; bytes read or -errno. */
    public static long forceRead(int pid, long address, MemorySegment into, long length) {
        long fd = open(pid);
        if (fd < 0) {
            return fd;
        }
        long result = Syscall.call(SyscallNumber.PREAD64, fd, into.address(), length, address);
        Syscall.call(SyscallNumber.CLOSE, fd);
        return result;
    }

    /** Writes whatever the protection of the pages, through /proc/PID/mem; bytes written or -errno. */
    public static long forceWrite(int pid, long address, MemorySegment from, long length) {
        long fd = open(pid);
        if (fd < 0) {
            return fd;
        }
        long done = forceWriteTo(fd, address, from, length);
        Syscall.call(SyscallNumber.CLOSE, fd);
        return done;
    }

    /** As {@link #forceWrite}, through a descriptor of {@link #open}, or its -errno. */
    public static long forceWriteTo(long fd, long address, MemorySegment from, long length) {
        if (fd < 0) {
            return fd;
        }
        long done = 0;
        long result = 0;
        while (done < length) {
            result = Syscall.call(SyscallNumber.PWRITE64, fd, from.address() + done, length - done, address + done);
            if (result <= 0) {
                break;
            }
            done += result;
        }
        return done > 0 ? done : result;
    }

    /** Opens /proc/PID/mem; a descriptor or -errno. */
    public static long open(int pid) {
        return Files.open("/proc/" + pid + "/mem", O_RDWR_CLOEXEC, 0);
    }
}
