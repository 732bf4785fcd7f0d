package reprise.linux;

/** A system call failed; carries the call and its errno. */
public final class LinuxException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int errno;

    /** A failure of {@code call} with the positive {@code errno}. */
    public LinuxException(String call, int errno) {
        super(call + ": " + Errno.name(errno));
        this.errno = errno;
    }

    /** The positive error number. */
    public int errno() {
        return errno;
    }

    /** Whether the task the call was about no longer exists (or is no longer stopped, which only SIGKILL causes). */
    public boolean isNoSuchTask() {
        return errno == Errno.ESRCH;
    }
}
