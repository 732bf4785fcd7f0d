package reprise.tracee;

import java.util.Map;
import java.util.TreeMap;
import reprise.linux.Files;
import reprise.linux.LinuxException;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.x86.Registers;

/**
 * The seccomp filter of a container, which every process in it has before ours.
 *
 * <p>Of all filters' answers the kernel takes the strictest, and an errno is stricter than a stop for a tracer: what such a
 * filter refuses is over before the recorder hears of it. In replay it is not refused, so it has to be known. Without
 * CAP_SYS_ADMIN a filter cannot be read; it is asked instead, by a process whose own filter lets no call be made.
 */
public final class OuterFilter {
    /** Stands for the numbers that no kernel has given to a call. */
    public static final int UNKNOWN = -1;

    /** The kernel makes these two without asking a filter (kernel/seccomp.c). */
    private static final int URETPROBE = 335;

    private static final int UPROBE = 336;

    private static final int PAGE = 4096;
    private static final int NO_SUCH_CALL = 100_000;
    private static final int LARGEST_ERRNO = 4095;

    /** CLONE_NEWNS, CLONE_NEWUSER. */
    private static final long NEW_MOUNTS = 0x0002_0000;

    private static final long NEW_USER = 0x1000_0000;

    /** Calls that are known to be refused by their arguments: a number, and the first three arguments. */
    private static final long[][] BY_ARGUMENTS = {
        {SyscallNumber.PERSONALITY, 0x40000, 0, 0}, // ADDR_NO_RANDOMIZE
        {SyscallNumber.PERSONALITY, 0x400000, 0, 0}, // READ_IMPLIES_EXEC
        {SyscallNumber.CLONE, NEW_USER | Signal.SIGCHLD, 0, 0},
        {SyscallNumber.CLONE, NEW_MOUNTS | Signal.SIGCHLD, 0, 0},
        {SyscallNumber.UNSHARE, NEW_USER, 0, 0},
        {SyscallNumber.UNSHARE, NEW_MOUNTS, 0, 0},
        {SyscallNumber.SETNS, 0, NEW_USER, 0},
        {SyscallNumber.SOCKET, 40, 1, 0}, // AF_VSOCK
        {SyscallNumber.SOCKET, 38, 5, 0}, // AF_ALG
        {SyscallNumber.SOCKET, 17, 3, 0}, // AF_PACKET
        {SyscallNumber.SOCKET, 16, 3, 0}, // AF_NETLINK
        {SyscallNumber.SOCKET, 16, 3, 9}, // AF_NETLINK, NETLINK_AUDIT
        {SyscallNumber.SOCKET, 10, 1, 0}, // AF_INET6
        {SyscallNumber.SOCKET, 2, 1, 0}, // AF_INET
        {SyscallNumber.SOCKET, 2, 3, 1}, // AF_INET, SOCK_RAW
        {SyscallNumber.SOCKET, 1, 1, 0}, // AF_UNIX
        {SyscallNumber.IOCTL, 0, 0x5412, 0}, // TIOCSTI
        {SyscallNumber.IOCTL, 0, 0x541c, 0}, // TIOCLINUX
        {SyscallNumber.MMAP, 0, 4096, 7}, // writable and executable
        {SyscallNumber.MPROTECT, 0, 4096, 5}, // executable
        {SyscallNumber.SHMAT, 0, 0, 0x8000}, // SHM_EXEC
        {SyscallNumber.SCHED_SETSCHEDULER, 0, 1, 0}, // SCHED_FIFO
        {SyscallNumber.CHMOD, 0, 06755, 0},
        {SyscallNumber.FCHMOD, 0, 06755, 0},
        {SyscallNumber.FCHMODAT, 0, 0, 06755},
        {SyscallNumber.KEYCTL, 0, 0, 0},
        {SyscallNumber.PRCTL, 22, 2, 0}, // PR_SET_SECCOMP
    };

    private final Map<Integer, Integer> refused = new TreeMap<>();
    private Tracee tracee;

    private OuterFilter() {}

    /**
     * Asks it. To be called by the tracer thread; takes some milliseconds where there is a filter.
     *
     * @return for the number of each call that is refused, always or with some arguments, the errno, and for {@link #UNKNOWN}
     *     if it refuses those; empty where there is no filter
     * @throws LinuxException if the kernel does not allow processes to be traced, EPERM
     */
    public static Map<Integer, Integer> refusedCalls() {
        String status = Files.readText("/proc/thread-self/status");
        return status == null || !status.contains("\nSeccomp:\t2\n") ? Map.of() : new OuterFilter().ask();
    }

    private Map<Integer, Integer> ask() {
        try {
            for (int number = 0; number < SyscallNumber.LIMIT; number++) {
                if (number != URETPROBE && number != UPROBE) {
                    ask(number, 0, 0, 0);
                }
            }
            for (long[] call : BY_ARGUMENTS) {
                ask((int) call[0], call[1], call[2], call[3]);
            }
            ask(NO_SUCH_CALL, 0, 0, 0);
        } finally {
            end();
        }
        Integer unknown = refused.remove(NO_SUCH_CALL);
        if (unknown != null) {
            refused.put(UNKNOWN, unknown);
        }
        return refused;
    }

    /** Brings a process to a call. That is not made: if the filter lets it pass, ours stops it, and it is taken back. */
    private void ask(int number, long first, long second, long third) {
        try {
            if (tracee == null) {
                tracee = Parked.spawn(Ptrace.O_TRACESYSGOOD | Ptrace.O_TRACESECCOMP | Ptrace.O_EXITKILL);
                // PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS
                long page = tracee.remote(SyscallNumber.MMAP, 0, PAGE, 3, 0x22, -1, 0);
                SeccompFilter.forAsking().install(tracee, Syscall.check(page, "mmap"));
            }
            tracee.set(Registers.RIP, RuntimePage.UNTRACED_SYSCALL);
            tracee.set(Registers.RAX, number);
            tracee.set(Registers.ORIG_RAX, -1);
            tracee.set(Registers.RDI, first);
            tracee.set(Registers.RSI, second);
            tracee.set(Registers.RDX, third);
            tracee.set(Registers.R10, 0);
            tracee.set(Registers.R8, 0);
            tracee.set(Registers.R9, 0);
            int status;
            do {
                // The exit of the call before comes first.
                tracee.resume(Ptrace.SYSCALL, 0);
                status = tracee.awaitStop();
            } while (!Wait.isSyscallStop(status) || tracee.get(Registers.ORIG_RAX) != number);
            tracee.resume(Ptrace.SYSCALL, 0);
            status = tracee.awaitStop();
            if (Wait.isSyscallStop(status)) {
                long result = tracee.get(Registers.RAX);
                if (result < 0 && result >= -LARGEST_ERRNO) {
                    refused.putIfAbsent(number, (int) -result);
                }
            } else if (Wait.event(status) == Ptrace.EVENT_SECCOMP) {
                tracee.set(Registers.ORIG_RAX, -1);
                tracee.resume(Ptrace.SYSCALL, 0);
                tracee.awaitStop();
            } else {
                // A filter that raises SIGSYS: the recorder sees that.
                end();
            }
        } catch (TraceeGoneException e) {
            // A filter that kills.
            end();
        }
    }

    private void end() {
        if (tracee != null) {
            Syscall.call(SyscallNumber.KILL, tracee.tid(), Signal.SIGKILL, 0);
            long result;
            do {
                result = Wait.any(tracee.tid(), 0);
            } while (result > 0 && Wait.isStopped(Wait.status(result)));
            tracee = null;
        }
    }
}
