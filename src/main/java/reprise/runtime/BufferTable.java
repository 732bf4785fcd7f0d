package reprise.runtime;

import static reprise.linux.SyscallNumber.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import reprise.syscall.CompactOutput;
import reprise.syscall.CompactOutput.Rule;
import reprise.syscall.SyscallTable;

/**
 * Which system calls the stub performs without a stop, and how: the part of the system call table that goes into the
 * tracee. An entry is 16 bytes:
 *
 * <pre>
 *   way (8 bits) | 1 + argument that bounds the output, or 0 (4) | arguments (4) | its largest value, in units of 16 (16)
 *   three outputs, 32 bits each: rule (3) | if positive (1) | pointer (4) | counting argument (4) | size (20)
 * </pre>
 */
final class BufferTable {
    /** Logarithm of an entry's size. */
    static final int ENTRY_BITS = 4;

    static final int ENTRY_SIZE = 1 << ENTRY_BITS;
    private static final int OUTPUTS = 3;

    /** How a call is performed. */
    enum Way {
        /** Traced. */
        TRACED,
        /** Just so: it waits for nobody. */
        PLAIN,
        /** Reads a descriptor: only if there is something. */
        READ,
        /** Writes a descriptor: only if there is room. */
        WRITE,
        /** As {@link #WRITE}, from several pieces. */
        WRITE_VECTOR,
        /** Reads files only, which never block. */
        FILE_READ,
        /** Writes files only. */
        FILE_WRITE,
        /** Reads one file and writes another. */
        FILE_COPY,
        RECEIVE,
        CLOSE,
        OPEN,
        OPEN_AT,
        FCNTL,
        IOCTL,
        POLL,
        POLL_TIMED,
        EPOLL_WAIT,
        EPOLL_WAIT_MASKED,
        FUTEX_CALL,
        SIGNAL_MASK,
        PROCESS_CONTROL,
        WAIT,
        /** Changes the protection of pages: only where they are plain memory. */
        PROTECT,
        /** Empties pages: only where they are plain memory. */
        ADVISE,
        /** Maps fresh pages: only over plain memory. */
        MAP,
        /** Done within one of the plain ranges. */
        UNMAP,
        /** Done if it is known where the program break is. */
        BREAK,
        /** No call: the time stamp counter is read. */
        COUNTER
    }

    /** Makes a file share the content of another. */
    static final int FICLONE = 0x40049409;

    /** Commands of ioctl that are performed, with what they write; their entries lie behind those of the calls. */
    private static final int[][] IOCTLS = {
        {FICLONE, 0},
        {0x541b, 4}, // FIONREAD
        {0x5401, 36}, // TCGETS
        {0x5413, 8}, // TIOCGWINSZ
        {0x540f, 4}, // TIOCGPGRP
        {0x5421, 0}, // FIONBIO
        {0x5451, 0}, // FIOCLEX
        {0x5450, 0}, // FIONCLEX
    };

    /** Commands of fcntl that neither wait nor write. */
    static final int[] FCNTLS = {0, 1, 2, 3, 4, 6, 37, 1030
    }; // DUPFD, GET/SETFD, GET/SETFL, SETLK, OFD_SETLK, DUPFD_CLOEXEC

    /** The entry for reading the time stamp counter; numbers below are system calls. */
    static final int COUNTER = 479;

    /** First entry of the ioctl commands. */
    static final int FIRST_IOCTL = 480;

    /** Calls that replay performs, too: they change the address space. */
    static final int[] DONE_AGAIN = {MPROTECT, MADVISE, MUNMAP, MMAP, BRK};

    private static final int[] PLAIN = {
        GETPID,
        GETPPID,
        GETTID,
        GETUID,
        GETEUID,
        GETGID,
        GETEGID,
        GETPGRP,
        GETPGID,
        GETSID,
        GETRESUID,
        GETRESGID,
        GETGROUPS,
        UMASK,
        UNAME,
        GETCWD,
        CLOCK_GETRES,
        CLOCK_GETTIME,
        GETTIMEOFDAY,
        TIME,
        TIMES,
        GETRUSAGE,
        SYSINFO,
        GETRLIMIT,
        GETPRIORITY,
        STAT,
        LSTAT,
        FSTAT,
        NEWFSTATAT,
        STATX,
        STATFS,
        FSTATFS,
        ACCESS,
        FACCESSAT,
        FACCESSAT2,
        READLINK,
        READLINKAT,
        LSEEK,
        DUP,
        RT_SIGACTION,
        RT_SIGPENDING,
        GETCPU,
        GETRANDOM,
        GETITIMER,
        SETITIMER,
        ALARM,
        TIMER_SETTIME,
        TIMER_GETTIME,
        TIMER_GETOVERRUN,
        TIMERFD_CREATE,
        TIMERFD_SETTIME,
        TIMERFD_GETTIME,
        MKDIR,
        MKDIRAT,
        RMDIR,
        UNLINK,
        UNLINKAT,
        RENAME,
        RENAMEAT,
        RENAMEAT2,
        LINK,
        LINKAT,
        SYMLINK,
        SYMLINKAT,
        CHMOD,
        FCHMOD,
        FCHMODAT,
        CHOWN,
        FCHOWN,
        LCHOWN,
        FCHOWNAT,
        UTIME,
        UTIMES,
        FUTIMESAT,
        UTIMENSAT,
        FADVISE64,
        READAHEAD,
        CHDIR,
        FCHDIR,
        SOCKET,
        PIPE,
        PIPE2,
        EVENTFD,
        EVENTFD2,
        EPOLL_CREATE,
        EPOLL_CREATE1,
        EPOLL_CTL,
        BIND,
        LISTEN,
        SHUTDOWN,
        SETSOCKOPT,
        GETXATTR,
        LGETXATTR,
        FGETXATTR,
        SETXATTR,
        LSETXATTR,
        FSETXATTR,
        REMOVEXATTR,
        LREMOVEXATTR,
        FREMOVEXATTR,
        LISTXATTR,
        LLISTXATTR,
        FLISTXATTR,
        GETDENTS,
        GETDENTS64,
        SCHED_GETSCHEDULER,
        SCHED_GETPARAM,
        INOTIFY_ADD_WATCH,
        INOTIFY_RM_WATCH,
    };

    private static final boolean[] PERFORMED = new boolean[FIRST_IOCTL];

    private static final byte[] ARGUMENTS = new byte[FIRST_IOCTL + IOCTLS.length];

    static {
        for (int number = 0; number < FIRST_IOCTL; number++) {
            PERFORMED[number] = way(number) != Way.TRACED;
            if (number != COUNTER && PERFORMED[number]) {
                ARGUMENTS[number] = (byte) SyscallTable.of(number).arguments().size();
            }
        }
        Arrays.fill(ARGUMENTS, FIRST_IOCTL, ARGUMENTS.length, ARGUMENTS[IOCTL]);
    }

    private BufferTable() {}

    static boolean isPerformed(int number) {
        return number >= 0 && number < COUNTER && PERFORMED[number];
    }

    private static Way way(int number) {
        for (int plain : PLAIN) {
            if (plain == number) {
                return Way.PLAIN;
            }
        }
        return switch (number) {
            case COUNTER -> Way.COUNTER;
            case READ -> Way.READ;
            case WRITE, SENDTO -> Way.WRITE;
            case WRITEV -> Way.WRITE_VECTOR;
            case PREAD64 -> Way.FILE_READ;
            case PWRITE64 -> Way.FILE_WRITE;
            case COPY_FILE_RANGE -> Way.FILE_COPY;
            case RECVFROM -> Way.RECEIVE;
            case CLOSE -> Way.CLOSE;
            case OPEN -> Way.OPEN;
            case OPENAT -> Way.OPEN_AT;
            case FCNTL -> Way.FCNTL;
            case IOCTL -> Way.IOCTL;
            case POLL -> Way.POLL;
            case PPOLL -> Way.POLL_TIMED;
            case EPOLL_WAIT -> Way.EPOLL_WAIT;
            case EPOLL_PWAIT -> Way.EPOLL_WAIT_MASKED;
            case FUTEX -> Way.FUTEX_CALL;
            case RT_SIGPROCMASK -> Way.SIGNAL_MASK;
            case PRCTL -> Way.PROCESS_CONTROL;
            case WAIT4 -> Way.WAIT;
            case MPROTECT -> Way.PROTECT;
            case MADVISE -> Way.ADVISE;
            case MMAP -> Way.MAP;
            case MUNMAP -> Way.UNMAP;
            case BRK -> Way.BREAK;
            default -> Way.TRACED;
        };
    }

    /** What the call of an entry writes. */
    static List<CompactOutput> outputs(int entry) {
        if (entry >= FIRST_IOCTL) {
            int size = entry - FIRST_IOCTL < IOCTLS.length ? IOCTLS[entry - FIRST_IOCTL][1] : 0;
            return size == 0 ? List.of() : List.of(new CompactOutput(Rule.FIXED, 2, 0, size, false));
        }
        return switch (entry) {
            // Of its outputs only the buffer: it is performed without an address only.
            case RECVFROM -> List.of(new CompactOutput(Rule.RESULT, 1, 2, 1, false));
            // The remaining time is not given, for the time that the kernel sees is another one.
            case PPOLL -> List.of(new CompactOutput(Rule.ARGUMENT, 0, 1, 8, false));
            // The commands that are performed write nothing.
            case FCNTL, FUTEX, PRCTL, COUNTER -> List.of();
            default -> way(entry) == Way.TRACED ? List.of() : CompactOutput.of(entry);
        };
    }

    /** How many arguments the call of an entry has. */
    static int arguments(int entry) {
        return entry < 0 || entry >= ARGUMENTS.length ? 0 : ARGUMENTS[entry];
    }

    /** ioctl's commands that are performed; the index is that behind {@link #FIRST_IOCTL}. */
    static int ioctl(int index) {
        return IOCTLS[index][0];
    }

    static int ioctls() {
        return IOCTLS.length;
    }

    /** The table as it lies in the tracee. */
    static byte[] image() {
        ByteBuffer table = ByteBuffer.allocate(BufferLayout.TABLE_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        for (int number = 0; number < FIRST_IOCTL; number++) {
            Way way = way(number);
            if (way != Way.TRACED) {
                entry(table, number, way, outputs(number));
            }
        }
        for (int index = 0; index < IOCTLS.length; index++) {
            entry(table, FIRST_IOCTL + index, Way.PLAIN, outputs(FIRST_IOCTL + index));
        }
        return table.array();
    }

    private static void entry(ByteBuffer table, int entry, Way way, List<CompactOutput> outputs) {
        if (outputs == null || outputs.size() > OUTPUTS) {
            throw new IllegalStateException("the outputs of system call " + entry + " do not fit into the table");
        }
        int at = entry * ENTRY_SIZE;
        table.put(at, (byte) way.ordinal());
        table.put(at + 1, (byte) (arguments(entry) << 4));
        for (int index = 0; index < outputs.size(); index++) {
            CompactOutput output = outputs.get(index);
            if (output.rule() != Rule.FIXED) {
                if ((table.get(at + 1) & 15) != 0) {
                    throw new IllegalStateException("system call " + entry + " has two outputs of any length");
                }
                table.put(at + 1, (byte) (arguments(entry) << 4 | output.count() + 1));
                table.putShort(at + 2, (short) (BufferLayout.LARGEST_OUTPUT / output.size() / 16));
            }
            table.putInt(
                    at + 4 + 4 * index,
                    output.rule().ordinal() + 1
                            | (output.ifPositive() ? 8 : 0)
                            | output.pointer() << 4
                            | output.count() << 8
                            | output.size() << 12);
        }
    }
}
