package reprise.trace;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.Errno;
import reprise.linux.Files;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/** Copies what a file has of data. */
final class SparseCopy {
    private static final int SEEK_SET = 0;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;
    private static final int BUFFER = 1 << 20;

    private SparseCopy() {}

    /**
     * Copies a file into an empty one, holes as holes. What is cut off meanwhile is missing in the copy.
     *
     * @param size of the source
     * @return 0 or -errno
     */
    static long copy(long from, long to, long size) {
        long offset = 0;
        while (offset < size) {
            long start = seek(from, offset, SEEK_DATA);
            if (start == -Errno.ENXIO) {
                // Only a hole is left, or the file was cut off here.
                break;
            }
            long end = start < 0 ? size : seek(from, start, SEEK_HOLE);
            if (start < 0) {
                start = offset;
            }
            end = end <= start ? size : Math.min(end, size);
            long result = copyRange(from, to, start, end - start);
            if (result < 0) {
                return result;
            }
            offset = end;
        }
        Files.Status status = Files.status(from);
        return FileCalls.truncate(to, status == null ? size : Math.min(size, status.size()));
    }

    private static long copyRange(long from, long to, long offset, long length) {
        seek(from, offset, SEEK_SET);
        seek(to, offset, SEEK_SET);
        long done = 0;
        while (done < length) {
            long count = FileCalls.copyRange(from, to, Math.min(length - done, 1 << 30));
            if (count <= 0) {
                // Not between these file systems, or (0) one that has its data from elsewhere; or the end of the file.
                return copyThroughMemory(from, to, offset + done, length - done);
            }
            done += count;
        }
        return 0;
    }

    private static long copyThroughMemory(long from, long to, long offset, long length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(Math.min(length, BUFFER));
            long done = 0;
            while (done < length) {
                long count = FileCalls.readFully(
                        from, buffer.address(), Math.min(length - done, buffer.byteSize()), offset + done);
                if (count <= 0) {
                    return count;
                }
                long result = FileCalls.writeFully(to, buffer.address(), count, offset + done);
                if (result < 0) {
                    return result;
                }
                done += count;
            }
            return 0;
        }
    }

    private static long seek(long descriptor, long offset, int whence) {
        return Syscall.call(SyscallNumber.LSEEK, descriptor, offset, whence);
    }
}
