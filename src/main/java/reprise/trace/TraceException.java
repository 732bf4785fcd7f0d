package reprise.trace;

import reprise.linux.Errno;

/** A trace cannot be written, found or read. The message is one line that can be shown to the user as it is. */
public final class TraceException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** A failure told in one line. */
    public TraceException(String message) {
        super(message);
    }

    /** A failure told in one line, with what caused it. */
    public TraceException(String message, Throwable cause) {
        super(message, cause);
    }

    /** A failure of a system call; {@code what} as in "cannot write PATH". */
    static TraceException ofErrno(String what, long errno) {
        return new TraceException(what + ": " + reason((int) errno));
    }

    private static String reason(int errno) {
        return switch (errno) {
            case Errno.ENOSPC -> "no space left on the device";
            case Errno.EDQUOT -> "disk quota exceeded";
            case Errno.EFBIG -> "file too large";
            case Errno.EACCES, Errno.EPERM -> "permission denied";
            case Errno.EROFS -> "read-only file system";
            case Errno.ENOENT -> "no such file or directory";
            case Errno.ENOTDIR -> "not a directory";
            case Errno.EEXIST -> "it exists already";
            case Errno.ENAMETOOLONG -> "the name is too long";
            case Errno.EIO -> "input/output error";
            case Errno.ENOMEM -> "out of memory";
            default -> Errno.name(errno);
        };
    }
}
