package reprise.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The few file calls that java.nio cannot make (flags, /proc files, device and inode numbers). */
public final class Files {
    public static final int O_RDONLY = 0;
    public static final int O_RDWR = 2;
    public static final int O_CREAT = 0100;
    public static final int O_EXCL = 0200;
    public static final int O_NONBLOCK = 04000;
    public static final int O_CLOEXEC = 02000000;
    public static final int O_PATH = 010000000;
    private static final int AT_FDCWD = -100;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STAT_SIZE = 144;

    private static final ThreadLocal<MemorySegment> PATH =
            ThreadLocal.withInitial(() -> Arena.global().allocate(4096 + 16));
    private static final ThreadLocal<MemorySegment> BUFFER =
            ThreadLocal.withInitial(() -> Arena.global().allocate(65536, 16));

    private Files() {}

    /** What fstat tells. Times in nanoseconds since the epoch. */
    public record Status(
            long device,
            long inode,
            long links,
            int mode,
            long specialDevice,
            long size,
            long blocks,
            long modified,
            long changed) {
        public boolean isRegular() {
            return (mode & 0170000) == 0100000;
        }

        public boolean isCharacterDevice() {
            return (mode & 0170000) == 0020000;
        }

        public boolean isFifo() {
            return (mode & 0170000) == 0010000;
        }
    }

    /** The calling thread's buffer for a path, filled; valid until its next use. */
    private static long path(String path) {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        MemorySegment segment = PATH.get();
        if (bytes.length >= 4096) {
            throw new LinuxException("path " + path, Errno.ENAMETOOLONG);
        }
        MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
        segment.set(JAVA_BYTE, bytes.length, (byte) 0);
        return segment.address();
    }

    /** openat(2) of a path; a descriptor or -errno. */
    public static long open(String path, int flags, int mode) {
        return Syscall.call(SyscallNumber.OPENAT, AT_FDCWD, path(path), flags | O_CLOEXEC, mode);
    }

    /** close(2). */
    public static void close(long descriptor) {
        Syscall.call(SyscallNumber.CLOSE, descriptor);
    }

    /** stat(2), following links; null if there is no such file. */
    public static Status status(String path) {
        MemorySegment buffer = BUFFER.get();
        long result = Syscall.call(SyscallNumber.NEWFSTATAT, AT_FDCWD, path(path), buffer.address(), 0);
        return result < 0 ? null : decode(buffer);
    }

    /** lstat(2); null on failure. Of a link in /proc/PID/fd the permissions tell how the file was opened. */
    public static Status linkStatus(String path) {
        MemorySegment buffer = BUFFER.get();
        long result =
                Syscall.call(SyscallNumber.NEWFSTATAT, AT_FDCWD, path(path), buffer.address(), AT_SYMLINK_NOFOLLOW);
        return result < 0 ? null : decode(buffer);
    }

    /** fstat(2); null on failure. */
    public static Status status(long descriptor) {
        MemorySegment buffer = BUFFER.get();
        long result = Syscall.call(SyscallNumber.NEWFSTATAT, descriptor, path(""), buffer.address(), AT_EMPTY_PATH);
        return result < 0 ? null : decode(buffer);
    }

    private static Status decode(MemorySegment stat) {
        assert stat.byteSize() >= STAT_SIZE;
        return new Status(
                stat.get(JAVA_LONG, 0),
                stat.get(JAVA_LONG, 8),
                stat.get(JAVA_LONG, 16),
                stat.get(JAVA_INT, 24),
                stat.get(JAVA_LONG, 40),
                stat.get(JAVA_LONG, 48),
                stat.get(JAVA_LONG, 64),
                stat.get(JAVA_LONG, 88) * 1_000_000_000L + stat.get(JAVA_LONG, 96),
                stat.get(JAVA_LONG, 104) * 1_000_000_000L + stat.get(JAVA_LONG, 112));
    }

    /** readlink(2); null on failure. Bytes that are not UTF-8 are replaced. */
    public static String readLink(String path) {
        MemorySegment buffer = BUFFER.get();
        long length = Syscall.call(SyscallNumber.READLINK, path(path), buffer.address(), buffer.byteSize());
        if (length < 0) {
            return null;
        }
        return new String(buffer.asSlice(0, length).toArray(JAVA_BYTE), StandardCharsets.UTF_8);
    }

    /** The whole content of a small file, also of those in /proc that tell no size; null on failure. */
    public static byte[] readAll(String path) {
        long descriptor = open(path, O_RDONLY, 0);
        if (descriptor < 0) {
            return null;
        }
        MemorySegment buffer = BUFFER.get();
        byte[] content = new byte[4096];
        int size = 0;
        while (true) {
            long count = Syscall.call(SyscallNumber.READ, descriptor, buffer.address(), buffer.byteSize());
            if (count <= 0) {
                close(descriptor);
                return count < 0 ? null : Arrays.copyOf(content, size);
            }
            if (size + count > content.length) {
                content = Arrays.copyOf(content, Math.max(content.length * 2, size + (int) count));
            }
            MemorySegment.copy(buffer, JAVA_BYTE, 0, content, size, (int) count);
            size += (int) count;
        }
    }

    /** As {@link #readAll}, as text; null on failure. */
    public static String readText(String path) {
        byte[] content = readAll(path);
        return content == null ? null : new String(content, StandardCharsets.ISO_8859_1);
    }

    /**
     * memfd_create(2).
     *
     * @throws LinuxException if it is refused
     */
    public static int memoryFile(String name, boolean executable) {
        // MFD_CLOEXEC, MFD_EXEC (since Linux 6.3; without it vm.memfd_noexec decides, older kernels answer EINVAL).
        long result = Syscall.call(SyscallNumber.MEMFD_CREATE, path(name), executable ? 0x11 : 0x1, 0);
        if (result == -Errno.EINVAL) {
            result = Syscall.call(SyscallNumber.MEMFD_CREATE, path(name), 0x1, 0);
        }
        return (int) Syscall.check(result, "memfd_create");
    }
}
