package reprise.tracee;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.Files;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/**
 * Lets the kernel note which pages of an address space are written: userfaultfd's asynchronous write protection (6.7).
 *
 * <p>It does not survive fork, exec or mremap: a mapping that is not registered is seen to be so by the page map, and
 * registered again.
 */
final class WriteTracking implements AutoCloseable {
    private static final int USER_MODE_ONLY = 1;
    private static final long UFFDIO_API = 0xc018aa3fL;
    private static final long UFFDIO_REGISTER = 0xc020aa00L;
    private static final long UFFDIO_UNREGISTER = 0x8010aa01L;
    private static final long API = 0xaa;
    private static final long FEATURE_WP_UNPOPULATED = 1 << 13;
    private static final long FEATURE_WP_ASYNC = 1 << 15;
    private static final long MODE_WP = 2;

    private final MemorySegment argument = Arena.ofAuto().allocate(32, 8);
    private final long descriptor;

    private WriteTracking(long descriptor) {
        this.descriptor = descriptor;
    }

    /** Sets it up for the address space of a stopped task; null where the kernel does not have it or forbids it. */
    static WriteTracking start(Tracee tracee) {
        long remote = tracee.remote(SyscallNumber.USERFAULTFD, Files.O_CLOEXEC | USER_MODE_ONLY, 0, 0, 0, 0, 0);
        if (remote < 0) {
            return null;
        }
        long own = fetch(threadGroup(tracee.tid()), remote);
        tracee.remote(SyscallNumber.CLOSE, remote, 0, 0, 0, 0, 0);
        if (own < 0) {
            return null;
        }
        WriteTracking tracking = new WriteTracking(own);
        if (!tracking.enable()) {
            tracking.close();
            return null;
        }
        return tracking;
    }

    private static long fetch(int process, long remote) {
        long pidfd = Syscall.call(SyscallNumber.PIDFD_OPEN, process, 0, 0);
        if (pidfd < 0) {
            return pidfd;
        }
        long own = Syscall.call(SyscallNumber.PIDFD_GETFD, pidfd, remote, 0);
        Files.close(pidfd);
        return own;
    }

    private static int threadGroup(int tid) {
        String status = Files.readText("/proc/" + tid + "/status");
        int at = status == null ? -1 : status.indexOf("\nTgid:\t");
        return at < 0 ? tid : Integer.parseInt(status, at + 7, status.indexOf('\n', at + 7), 10);
    }

    private boolean enable() {
        argument.set(JAVA_LONG, 0, API);
        argument.set(JAVA_LONG, 8, FEATURE_WP_UNPOPULATED | FEATURE_WP_ASYNC);
        argument.set(JAVA_LONG, 16, 0);
        return Syscall.call(SyscallNumber.IOCTL, descriptor, UFFDIO_API, argument.address()) == 0;
    }

    /** Begins with a mapping; whether that was possible. Its present pages count as written. */
    boolean register(long start, long length) {
        argument.set(JAVA_LONG, 0, start);
        argument.set(JAVA_LONG, 8, length);
        argument.set(JAVA_LONG, 16, MODE_WP);
        argument.set(JAVA_LONG, 24, 0);
        return Syscall.call(SyscallNumber.IOCTL, descriptor, UFFDIO_REGISTER, argument.address()) == 0;
    }

    /** Ends with a range; nothing happens if a part of it cannot be tracked at all, or is none. */
    void unregister(long start, long length) {
        argument.set(JAVA_LONG, 0, start);
        argument.set(JAVA_LONG, 8, length);
        Syscall.call(SyscallNumber.IOCTL, descriptor, UFFDIO_UNREGISTER, argument.address());
    }

    @Override
    public void close() {
        Files.close(descriptor);
    }
}
