package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import reprise.linux.Errno;
import reprise.linux.LinuxException;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.tracee.Parked;
import reprise.tracee.RuntimePage;
import reprise.tracee.SeccompFilter;
import reprise.tracee.Tracee;
import reprise.tracee.TraceeGoneException;
import reprise.x86.Registers;

/**
 * Starts the program to be recorded: a parked process gets the seccomp filter and the settings that survive exec, and
 * then executes the program, which finds what the user's shell would have given it.
 */
final class Launch {
    static final int OPTIONS = Ptrace.O_TRACESYSGOOD
            | Ptrace.O_TRACEFORK
            | Ptrace.O_TRACEVFORK
            | Ptrace.O_TRACECLONE
            | Ptrace.O_TRACEEXEC
            | Ptrace.O_TRACEEXIT
            | Ptrace.O_TRACESECCOMP
            | Ptrace.O_EXITKILL;

    private static final int PR_SET_TSC = 26;
    private static final int PR_TSC_SIGSEGV = 2;
    private static final int SIG_SETMASK = 2;

    private final RecordOptions options;
    private final Tracee tracee;
    private long memory;
    private long memoryUsed;
    private boolean unprivileged;

    private Launch(RecordOptions options, Tracee tracee) {
        this.options = options;
        this.tracee = tracee;
    }

    /**
     * Starts the program.
     *
     * @param core the core to bind it to, -1 for none
     * @return the task, stopped at its PTRACE_EVENT_EXEC
     * @throws LinuxException if tracing is not possible, or the program cannot be executed (its errno)
     */
    static RecordedTask start(RecordOptions options, int core) {
        Tracee tracee = Parked.spawn(OPTIONS);
        if (core >= 0) {
            Cores.bind(tracee.tid(), core);
        }
        try {
            Launch launch = new Launch(options, tracee);
            launch.execute();
            RecordedTask task = new RecordedTask(tracee);
            task.hiddenNoNewPrivs = launch.unprivileged;
            return task;
        } catch (TraceeGoneException e) {
            throw new LinuxException("starting " + options.program(), Errno.ESRCH);
        } catch (LinuxException e) {
            Syscall.call(SyscallNumber.KILL, tracee.tid(), Signal.SIGKILL, 0);
            Wait.any(tracee.tid(), 0);
            throw e;
        }
    }

    private void execute() {
        List<byte[]> environment = options.environment();
        long size = 65536;
        for (byte[] each : environment) {
            size += each.length + 16;
        }
        for (byte[] each : options.arguments()) {
            size += each.length + 16;
        }
        size = size + 4095 & ~4095L;
        // PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS
        memory = remote("mmap", SyscallNumber.MMAP, 0, size, 3, 0x22, -1, 0);
        remote("prctl PR_SET_TSC", SyscallNumber.PRCTL, PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0, 0);
        inheritSignals();
        closeOthers();
        long vector = vector(options.arguments());
        long variables = vector(environment);
        installFilter();
        LinuxException first = null;
        for (byte[] candidate : options.candidates()) {
            String path = new String(candidate, StandardCharsets.UTF_8);
            if (ProgramClass.is32Bit(path)) {
                throw new LinuxException("recording a 32-bit program, " + path, Errno.ENOEXEC);
            }
            int errno = executeFile(put(candidate), vector, variables);
            if (errno == 0) {
                return;
            }
            if (errno == Errno.ENOEXEC) {
                // What execvp(3) and shells do with a script that has no #! line.
                long shell = put("/bin/sh".getBytes());
                long script = vectorOf(shell, put(candidate), options.arguments());
                if (executeFile(shell, script, variables) == 0) {
                    return;
                }
            }
            LinuxException failure = new LinuxException("executing " + new String(candidate), errno);
            if (first == null || first.errno() == Errno.ENOENT) {
                first = failure;
            }
        }
        throw first == null ? new LinuxException("executing " + options.program(), Errno.ENOENT) : first;
    }

    /** The JVM handles and ignores signals for itself; the program gets what our own parent had set. */
    private void inheritSignals() {
        long action = memory + memoryUsed;
        MemorySegment block = scratch(32);
        for (int signal = 1; signal < Signal.LIMIT; signal++) {
            boolean wanted = (options.ignoredSignals() & Signal.bit(signal)) != 0;
            boolean have = (options.ownIgnoredSignals() & Signal.bit(signal)) != 0;
            if (wanted != have && signal != Signal.SIGKILL && signal != Signal.SIGSTOP) {
                block.set(JAVA_LONG, 0, wanted ? 1 : 0); // SIG_IGN, SIG_DFL
                tracee.write(action, block, 32);
                remote("rt_sigaction", SyscallNumber.RT_SIGACTION, signal, action, 0, 8, 0, 0);
            }
        }
        block.set(JAVA_LONG, 0, options.blockedSignals());
        tracee.write(action, block, 8);
        remote("rt_sigprocmask", SyscallNumber.RT_SIGPROCMASK, SIG_SETMASK, action, 0, 8, 0, 0);
    }

    /** What the JVM, or the launcher in place of closed standard descriptors, has open is not the program's. */
    private void closeOthers() {
        long next = 0;
        for (int descriptor : options.descriptors()) {
            closeRange(next, descriptor - 1L);
            next = descriptor + 1L;
        }
        closeRange(next, 0xffff_ffffL);
    }

    private void closeRange(long first, long last) {
        if (first <= last) {
            remote("close_range", SyscallNumber.CLOSE_RANGE, first, last, 0, 0, 0, 0);
        }
    }

    private void installFilter() {
        SeccompFilter filter = SeccompFilter.forRecording();
        unprivileged = filter.install(tracee, put(new byte[filter.size()]));
    }

    /** Lets the task execute a file; 0 if it stopped at the exec event, else the errno. */
    private int executeFile(long path, long arguments, long environment) {
        tracee.set(Registers.RIP, RuntimePage.UNTRACED_SYSCALL);
        tracee.set(Registers.RAX, SyscallNumber.EXECVE);
        tracee.set(Registers.ORIG_RAX, -1);
        tracee.set(Registers.RDI, path);
        tracee.set(Registers.RSI, arguments);
        tracee.set(Registers.RDX, environment);
        boolean entered = false;
        while (true) {
            tracee.resume(Ptrace.SYSCALL, 0);
            int status = tracee.awaitStop();
            if (Wait.event(status) == Ptrace.EVENT_EXEC) {
                return 0;
            }
            if (Wait.isSyscallStop(status)) {
                if (entered) {
                    return (int) -tracee.get(Registers.RAX);
                }
                entered = true;
            }
        }
    }

    private long remote(String what, int number, long a, long b, long c, long d, long e, long f) {
        return Syscall.check(tracee.remote(number, a, b, c, d, e, f), what);
    }

    private static MemorySegment scratch(long size) {
        return Arena.ofAuto().allocate(size, 16);
    }

    /** Puts bytes and a zero behind them into the task's memory; their address. */
    private long put(byte[] bytes) {
        long address = memory + memoryUsed;
        MemorySegment block = scratch(bytes.length + 1);
        MemorySegment.copy(bytes, 0, block, JAVA_BYTE, 0, bytes.length);
        tracee.write(address, block, bytes.length + 1L);
        memoryUsed += bytes.length + 16 & ~15L;
        return address;
    }

    private long vector(List<byte[]> strings) {
        long[] addresses = new long[strings.size()];
        int index = 0;
        for (byte[] each : strings) {
            addresses[index++] = put(each);
        }
        return putVector(addresses);
    }

    private long vectorOf(long first, long second, List<byte[]> rest) {
        long[] addresses = new long[Math.max(2, rest.size() + 1)];
        addresses[0] = first;
        addresses[1] = second;
        for (int index = 1; index < rest.size(); index++) {
            addresses[index + 1] = put(rest.get(index));
        }
        return putVector(addresses);
    }

    private long putVector(long[] addresses) {
        byte[] bytes = new byte[addresses.length * 8 + 8];
        MemorySegment view = MemorySegment.ofArray(bytes);
        for (int index = 0; index < addresses.length; index++) {
            view.set(JAVA_LONG_UNALIGNED, index * 8L, addresses[index]);
        }
        return put(bytes);
    }
}
