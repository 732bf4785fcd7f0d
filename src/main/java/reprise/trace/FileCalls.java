package reprise.trace;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import reprise.linux.Errno;
import reprise.linux.Files;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/**
 * File system calls of the recording side, straight to the kernel: the first use of each corner of java.nio costs
 * milliseconds, which a recorder that starts for a short program cannot hide. Results are those of the calls, or
 * -errno.
 */
final class FileCalls {
    private static final int AT_FDCWD = -100;
    /** {@code _IOW(0x94, 9, int)}. */
    private static final long FICLONE = 0x40049409;

    private static final int PATH_SPACE = 4096;
    private static final ThreadLocal<MemorySegment> PATHS =
            ThreadLocal.withInitial(() -> Arena.global().allocate(2 * PATH_SPACE, 16));

    private FileCalls() {}

    private static long path(int slot, String path) {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        if (bytes.length >= PATH_SPACE) {
            throw TraceException.ofErrno("cannot use " + path, Errno.ENAMETOOLONG);
        }
        MemorySegment space = PATHS.get().asSlice((long) slot * PATH_SPACE, PATH_SPACE);
        MemorySegment.copy(bytes, 0, space, JAVA_BYTE, 0, bytes.length);
        space.set(JAVA_BYTE, bytes.length, (byte) 0);
        return space.address();
    }

    static long mkdir(String path) {
        return Syscall.call(SyscallNumber.MKDIR, path(0, path), 0700, 0);
    }

    static long rmdir(String path) {
        return Syscall.call(SyscallNumber.RMDIR, path(0, path));
    }

    static long unlink(String path) {
        return Syscall.call(SyscallNumber.UNLINK, path(0, path));
    }

    static long rename(String from, String to) {
        return Syscall.call(SyscallNumber.RENAME, path(0, from), path(1, to), 0);
    }

    static long link(String from, String to) {
        return Syscall.call(SyscallNumber.LINKAT, AT_FDCWD, path(0, from), AT_FDCWD, path(1, to), 0, 0);
    }

    static long symlink(String target, String link) {
        return Syscall.call(SyscallNumber.SYMLINK, path(0, target), path(1, link), 0);
    }

    static long truncate(long descriptor, long length) {
        return Syscall.call(SyscallNumber.FTRUNCATE, descriptor, length, 0);
    }

    /** A reflink of a whole file: both share the blocks until one is written to. */
    static long clone(long from, long to) {
        return Syscall.call(SyscallNumber.IOCTL, to, FICLONE, from);
    }

    /** Copies inside the kernel, at and advancing both file positions; bytes copied, 0 at the end of the source. */
    static long copyRange(long from, long to, long length) {
        return Syscall.call(SyscallNumber.COPY_FILE_RANGE, from, 0, to, 0, length, 0);
    }

    /** Writes all of it; 0, or -errno when not everything could be written. */
    static long writeFully(long descriptor, long address, long length, long offset) {
        long done = 0;
        while (done < length) {
            long count = Syscall.call(SyscallNumber.PWRITE64, descriptor, address + done, length - done, offset + done);
            if (count == -Errno.EINTR) {
                continue;
            }
            if (count <= 0) {
                return count == 0 ? -Errno.EIO : count;
            }
            done += count;
        }
        return 0;
    }

    /** Reads an extended attribute into memory; its length, or -errno: ERANGE if it is longer. */
    static long attribute(String path, String name, MemorySegment value) {
        return Syscall.call(
                SyscallNumber.GETXATTR, path(0, path), path(1, name), value.address(), value.byteSize(), 0, 0);
    }

    static long setAttribute(String path, String name, MemorySegment value, long length) {
        return Syscall.call(SyscallNumber.SETXATTR, path(0, path), path(1, name), value.address(), length, 0, 0);
    }

    /** Reads until the end of the file at most; bytes read, or -errno. */
    static long readFully(long descriptor, long address, long length, long offset) {
        long done = 0;
        while (done < length) {
            long count = Syscall.call(SyscallNumber.PREAD64, descriptor, address + done, length - done, offset + done);
            if (count == -Errno.EINTR) {
                continue;
            }
            if (count < 0) {
                return count;
            }
            if (count == 0) {
                break;
            }
            done += count;
        }
        return done;
    }

    /** Makes (or empties) a file readable by its owner only, with this content. */
    static long writeFile(String path, byte[] content) {
        long descriptor = Files.open(path, 1 | Files.O_CREAT | 01000, 0600); // O_WRONLY, O_TRUNC
        if (descriptor < 0) {
            return descriptor;
        }
        long result;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(Math.max(content.length, 1));
            MemorySegment.copy(content, 0, copy, JAVA_BYTE, 0, content.length);
            result = writeFully(descriptor, copy.address(), content.length, 0);
        }
        Files.close(descriptor);
        return result;
    }

    /**
     * What {@link Files#status} leaves out.
     *
     * @param links number of names
     * @param bytes allocated on disk
     */
    record Allocation(long device, long inode, long links, long bytes) {}

    /** lstat(2); null on failure. */
    static Allocation allocation(String path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stat = arena.allocate(144, 8);
            if (Syscall.call(SyscallNumber.LSTAT, path(0, path), stat.address(), 0) < 0) {
                return null;
            }
            return new Allocation(
                    stat.get(JAVA_LONG, 0),
                    stat.get(JAVA_LONG, 8),
                    stat.get(JAVA_LONG, 16),
                    stat.get(JAVA_LONG, 64) * 512);
        }
    }

    /** Whether a path, followed through links, is a directory. */
    static boolean isDirectory(String path) {
        Files.Status status = Files.status(path);
        return status != null && (status.mode() & 0170000) == 0040000;
    }

    /** This process. */
    static long processId() {
        return Syscall.call(SyscallNumber.GETPID, 0);
    }

    /** Nanoseconds since the epoch, from the clock that the kernel stamps files with. */
    static long now() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment time = arena.allocate(16, 8);
            Syscall.call(SyscallNumber.CLOCK_GETTIME, 5, time.address(), 0); // CLOCK_REALTIME_COARSE
            return time.get(JAVA_LONG, 0) * 1_000_000_000L + time.get(JAVA_LONG, 8);
        }
    }
}
