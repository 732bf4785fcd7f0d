package reprise.replay;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reprise.linux.Errno;
import reprise.linux.Files;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.runtime.SyscallStub;
import reprise.syscall.SyscallTable;
import reprise.trace.Event;
import reprise.tracee.Parked;
import reprise.tracee.ProcMaps;
import reprise.tracee.RuntimePage;
import reprise.tracee.SeccompFilter;
import reprise.tracee.Tracee;
import reprise.x86.Registers;

/**
 * The kernel task that runs everything of one address space.
 *
 * <p>Since no system call is executed at replay and one task runs at a time, one kernel task is enough for all tasks of
 * an address space; it holds the registers of the one that ran last, the {@linkplain #load current} one.
 */
final class Carrier implements AutoCloseable {
    /** A page of the carrier's own behind the runtime page, for arguments of remote system calls. */
    static final long SCRATCH = RuntimePage.ADDRESS + RuntimePage.SIZE;

    /** Behind the carrier's own pages. */
    static final long OWN_END = SCRATCH + 4096;

    private static final int OPTIONS = Ptrace.O_TRACESYSGOOD
            | Ptrace.O_EXITKILL
            | Ptrace.O_TRACEFORK
            | Ptrace.O_TRACECLONE
            | Ptrace.O_TRACESECCOMP;
    private static final int PR_SET_TSC = 26;
    private static final int PR_TSC_ENABLE = 1;
    private static final int PR_TSC_SIGSEGV = 2;
    /** Runs without a trapped rdtsc after which trapping is turned off: it is what turning it off and on costs. */
    private static final int RUNS_TO_KEEP_TRAPPING = 8;

    private static final int ARCH_SET_CPUID = 0x1012;
    private static final int CLONE_PARENT = 0x8000;
    private static final int CLOSE_ALL_FROM = 3;

    private final Tracee tracee;
    private final int extendedStateSize;
    private final RefusedCalls refused;
    private final CarrierMemory memory;
    private final CarrierBuffer buffer = new CarrierBuffer(this);
    private final CarrierPatches patches = new CarrierPatches(this);
    private final Map<String, Integer> descriptors;
    private final CarrierBreakpoints breakpoints = new CarrierBreakpoints(this);
    private ReplayTask current;
    private int arrivedWith;
    private int tasks;
    private int core = -1;
    private boolean cpuidFaults;
    private boolean counterFaults;
    private int runsWithoutCounter;

    private Carrier(Tracee tracee, int extendedStateSize, Map<String, Integer> descriptors, RefusedCalls refused) {
        this.tracee = tracee;
        this.refused = refused;
        this.extendedStateSize = extendedStateSize;
        this.descriptors = descriptors;
        this.memory = new CarrierMemory(this);
    }

    /**
     * Makes an empty one, from which those of programs are {@linkplain #fork forked}: a runtime page, a scratch page,
     * a session of its own, all signals blocked.
     *
     * @param refused what the recording did not see
     */
    static Carrier create(RefusedCalls refused) {
        Tracee tracee = Parked.spawn(OPTIONS);
        Carrier carrier = new Carrier(tracee, extendedStateSize(tracee), new HashMap<>(), refused);
        // Out of the terminal's process group. Faults stop a ptraced task even where they are blocked.
        carrier.remote("setsid", SyscallNumber.SETSID, 0, 0, 0, 0, 0, 0);
        Ptrace.setSignalMask(tracee.tid(), -1);
        carrier.memory.clear();
        SeccompFilter.forReplay(SyscallStub.callsDoneAgain()).install(tracee, SCRATCH);
        return carrier;
    }

    private static int extendedStateSize(Tracee tracee) {
        try (Arena arena = Arena.ofConfined()) {
            return (int) tracee.extendedState(arena.allocate(65536, 64));
        }
    }

    /**
     * Another carrier with the same memory. It is a child of this process like all carriers, not of the forked one: so
     * that nobody but us has to reap it and its end sends no signal to a carrier.
     */
    Carrier fork() {
        long child = remote("clone", SyscallNumber.CLONE, CLONE_PARENT | Signal.SIGCHLD, 0, 0, 0, 0, 0);
        Tracee forked = new Tracee((int) child);
        forked.awaitStop();
        Carrier copy = new Carrier(forked, extendedStateSize, new HashMap<>(descriptors), refused.copy());
        copy.memory.inheritFrom(memory);
        copy.buffer.inheritFrom(buffer);
        copy.patches.inheritFrom(patches);
        copy.breakpoints.inheritFrom(breakpoints);
        copy.core = core;
        copy.arrivedWith = arrivedWith;
        copy.cpuidFaults = cpuidFaults;
        copy.counterFaults = counterFaults;
        return copy;
    }

    /** As {@link #fork}, but also with the memory that children are not to inherit as it is: for a copy of the whole replay. */
    Carrier copy() {
        List<ProcMaps.ForkAdvice> advised =
                memory.hasForkAdvice() || buffer.hasForkAdvice() ? ProcMaps.readForkAdvice(tid()) : List.of();
        for (ProcMaps.ForkAdvice advice : advised) {
            memory.inherit(advice);
        }
        Carrier copy = fork();
        for (ProcMaps.ForkAdvice advice : advised) {
            memory.advise(advice);
            copy.memory.advise(advice);
        }
        return copy;
    }

    int tid() {
        return tracee.tid();
    }

    Tracee tracee() {
        return tracee;
    }

    CarrierPatches patches() {
        return patches;
    }

    CarrierBuffer buffer() {
        return buffer;
    }

    CarrierMemory memory() {
        return memory;
    }

    int extendedStateSize() {
        return extendedStateSize;
    }

    /** Notes one more task that lives here. */
    void addTask() {
        tasks++;
    }

    /** Notes that a task has gone; whether it was the last. */
    boolean removeTask(ReplayTask task) {
        if (current == task) {
            current = null;
        }
        return --tasks == 0;
    }

    /** Makes {@code task} the current one: puts the other's state away and its own in place. */
    void load(ReplayTask task) {
        if (current == task) {
            return;
        }
        if (current != null) {
            MemorySegment.copy(tracee.registers(), 0, current.savedRegisters(), 0, Registers.SIZE);
            tracee.extendedState(current.placeOfExtendedState());
        }
        tracee.setAll(task.savedRegisters());
        tracee.setExtendedState(task.savedExtendedState());
        current = task;
    }

    /** Whether what a task's registers are is in the kernel, and not with the task. */
    boolean isCurrent(ReplayTask task) {
        return current == task;
    }

    /** The registers of one of its tasks; changes must be announced by {@link #registersChanged}. */
    MemorySegment registers(ReplayTask task) {
        return current == task ? tracee.registers() : task.savedRegisters();
    }

    /** Announces a change made through {@link #registers}. */
    void registersChanged(ReplayTask task) {
        if (current == task) {
            tracee.registersChanged();
        }
    }

    /** Replaces the registers of a task. The kernel is not to think that it is inside a system call. */
    void setRegisters(ReplayTask task, MemorySegment block) {
        if (current == task) {
            tracee.setAll(block);
        } else {
            MemorySegment.copy(block, 0, task.savedRegisters(), 0, Registers.SIZE);
        }
        Registers.set(registers(task), Registers.ORIG_RAX, -1);
        registersChanged(task);
    }

    /** Replaces the extended state of a task by a block that may come from a machine with more or less of it. */
    void setExtendedState(ReplayTask task, MemorySegment block) {
        MemorySegment own = task.placeOfExtendedState();
        long size = Math.min(block.byteSize(), own.byteSize());
        MemorySegment.copy(block, 0, own, 0, size);
        own.asSlice(size).fill((byte) 0);
        if (current == task) {
            tracee.setExtendedState(own);
        }
    }

    /** Copies the extended state of a task. */
    void copyExtendedState(ReplayTask task, MemorySegment into) {
        if (current == task) {
            tracee.extendedState(into);
        } else {
            into.copyFrom(task.savedExtendedState());
        }
    }

    /**
     * Runs the current task until it comes to a system call, which is not executed, or faults.
     *
     * @return the wait status: a system call stop or a stop by the fault's signal
     */
    int run() {
        if (arrivedWith != 0) {
            int status = arrivedWith;
            arrivedWith = 0;
            return status;
        }
        while (true) {
            int status = resume(Ptrace.SYSEMU);
            if (Wait.isSyscallStop(status)) {
                return status;
            }
            // All else but faults comes from outside and is not the recorded program's: dropped.
            if (Wait.event(status) == 0 && isFault(Wait.stopSignal(status))) {
                return status;
            }
        }
    }

    /** A way to resume a task at a system call instruction, which stops behind it even where the recorder did not see it. */
    static final int OVER_CALL = -1;

    /** What {@link #resume} returns behind such a call. */
    static final int REFUSED = -1;

    /** Wait status of a task at a system call that the filter did not let pass. */
    private static final int FILTERED = Signal.SIGSYS << 8 | 0x7f;

    /** Wait status of a task at the entry of a system call. */
    private static final int SYSTEM_CALL = (Signal.SIGTRAP | 0x80) << 8 | 0x7f;

    /** Wait status of a task behind a single step. */
    private static final int STEPPED = Signal.SIGTRAP << 8 | 0x7f;

    /**
     * Resumes the current task; returns the wait status of its next stop, whatever it is.
     *
     * <p>It does not run with PTRACE_SYSEMU where it shall stop at calls, but with a filter that raises SIGSYS: this stops it as
     * well, and lets calls pass that the stub makes in replay, too. A single step takes PTRACE_SYSEMU_SINGLESTEP, for a filter would
     * let it stop twice at a call.
     *
     * @param how PTRACE_SYSEMU to stop at the next call, {@link #OVER_CALL}, or another way of {@link Ptrace}
     */
    int resume(int how) {
        while (true) {
            tracee.resume(how == Ptrace.SYSEMU || how == OVER_CALL ? Ptrace.CONT : how, 0);
            int status = tracee.awaitStop();
            if (status == FILTERED) {
                // As at the entry of a call that the kernel emulates. One of the vsyscall page's is over in its eyes.
                if (tracee.get(Registers.ORIG_RAX) == -1) {
                    tracee.set(Registers.ORIG_RAX, tracee.get(Registers.RAX));
                }
                int errno = refused.errno(tracee.registers());
                if (errno != 0) {
                    tracee.set(Registers.RAX, -errno);
                    tracee.set(Registers.ORIG_RAX, -1);
                    if (how == OVER_CALL) {
                        return REFUSED;
                    }
                    continue;
                }
                tracee.set(Registers.RAX, -Errno.ENOSYS);
                return SYSTEM_CALL;
            }
            if (Wait.event(status) == Ptrace.EVENT_SECCOMP) {
                tracee.set(Registers.ORIG_RAX, -1);
                throw new Mismatch("The program came to a system call of the replayer's.\n");
            }
            if (!Wait.isSyscallStop(status) || !isOwnCall()) {
                return status;
            }
            performOwnCall();
            if (how == Ptrace.SYSEMU_SINGLESTEP) {
                return STEPPED;
            }
        }
    }

    /** Whether the stub has come to a call that replay makes, too. */
    private boolean isOwnCall() {
        return tracee.get(Registers.RIP) == RuntimePage.UNTRACED_SYSCALL + Registers.SYSCALL_LENGTH;
    }

    /** Only calls that succeeded are in the buffer. */
    private void performOwnCall() {
        int number = (int) tracee.get(Registers.ORIG_RAX);
        long result = tracee.remote(
                number,
                tracee.get(Registers.RDI),
                tracee.get(Registers.RSI),
                tracee.get(Registers.RDX),
                tracee.get(Registers.R10),
                tracee.get(Registers.R8),
                tracee.get(Registers.R9));
        if (result < 0) {
            throw new Mismatch(String.format(
                    "%s succeeded in the recording, and fails in replay: %s.%n",
                    SyscallTable.name(number), Errno.name((int) -result)));
        }
        tracee.set(Registers.RAX, result);
        tracee.set(Registers.ORIG_RAX, -1);
    }

    /** The current task was brought to where the next {@link #run} is to take it, which stopped with this status. */
    void arrived(int status) {
        arrivedWith = status;
    }

    /** What a task comes to without there being an event of it. */
    RefusedCalls refusedCalls() {
        return refused;
    }

    /** Where it stops besides. */
    CarrierBreakpoints breakpoints() {
        return breakpoints;
    }

    /** Forgets and closes the descriptors of files that are ours, of which the carrier shall have others. */
    void forgetOwnFiles() {
        String prefix = "/proc/" + ProcessHandle.current().pid() + "/fd/";
        for (String path : List.copyOf(descriptors.keySet())) {
            if (path.startsWith(prefix)) {
                remote("close", SyscallNumber.CLOSE, descriptors.remove(path), 0, 0, 0, 0, 0);
            }
        }
    }

    private boolean isFault(int signal) {
        if (!Signal.canBeSynchronous(signal)) {
            return false;
        }
        MemorySegment info = memory.buffer();
        Ptrace.getSignalInfo(tid(), info);
        return Ptrace.codeOf(info) > 0;
    }

    /** Lets {@code cpuid} fault from now on. Only asked for where the recording's did. */
    void trapCpuid() {
        if (!cpuidFaults) {
            remote("arch_prctl ARCH_SET_CPUID", SyscallNumber.ARCH_PRCTL, ARCH_SET_CPUID, 0, 0, 0, 0, 0);
            cpuidFaults = true;
        }
    }

    /**
     * Lets the next run stop at {@code rdtsc}, or says that it will not come to one: in the recording each was an event.
     *
     * <p>Not trapped all the time, for the kernel then changes CR4 at every switch between carrier and tracer, which under
     * a hypervisor can cost more than all else of a stop (measured: 15 of 24 us).
     */
    void expectCounterRead(boolean expected) {
        if (expected) {
            runsWithoutCounter = 0;
            setCounterFaults(true);
        } else if (counterFaults && ++runsWithoutCounter > RUNS_TO_KEEP_TRAPPING) {
            setCounterFaults(false);
        }
    }

    /** Lets {@code rdtsc} do what it does by itself. */
    void allowCounterReads() {
        setCounterFaults(false);
    }

    private void setCounterFaults(boolean faults) {
        if (counterFaults != faults) {
            int mode = faults ? PR_TSC_SIGSEGV : PR_TSC_ENABLE;
            remote("prctl PR_SET_TSC", SyscallNumber.PRCTL, PR_SET_TSC, mode, 0, 0, 0, 0);
            counterFaults = faults;
        }
    }

    /** Binds the carrier to a core, if it is there. */
    void bind(int wanted) {
        if (core != wanted) {
            core = wanted;
            CoreBinding.bind(tid(), wanted);
        }
    }

    /** Performs a system call in the carrier, which must succeed. */
    long remote(String what, int number, long a, long b, long c, long d, long e, long f) {
        long result = tracee.remote(number, a, b, c, d, e, f);
        if (result < 0 && result >= -4095) {
            throw new Mismatch(String.format(
                    "The replayer could not repeat a change: %s(0x%x, 0x%x, 0x%x, 0x%x, 0x%x, 0x%x) failed with %s.%n",
                    what, a, b, c, d, e, f, Errno.name((int) -result)));
        }
        return result;
    }

    /** A descriptor in the carrier for a path of this machine; opened at most once and inherited by forks. */
    int descriptor(String path, boolean writable) {
        Integer known = descriptors.get(path);
        if (known != null) {
            return known;
        }
        long result = open(path, writable);
        if (result == -Errno.EMFILE) {
            remote("close_range", SyscallNumber.CLOSE_RANGE, CLOSE_ALL_FROM, 0xffffffffL, 0, 0, 0, 0);
            descriptors.clear();
            result = open(path, writable);
        }
        if (result < 0) {
            throw new Mismatch("The replayer could not open " + path + ": " + Errno.name((int) -result) + ".\n");
        }
        descriptors.put(path, (int) result);
        return (int) result;
    }

    /** Opens the files that mappings show, for all carriers that will be forked from this one. */
    void openAll(List<Event.Mapping> mappings, StoredFiles files) {
        for (Event.Mapping mapping : mappings) {
            if (mapping.backing() instanceof Event.PrivateFile file) {
                descriptor(files.pathToOpen(file.file()), false);
            }
        }
    }

    private long open(String path, boolean writable) {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        MemorySegment buffer = memory.buffer();
        MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
        buffer.set(ValueLayout.JAVA_BYTE, bytes.length, (byte) 0);
        if (bytes.length >= 4096 || !tracee.write(SCRATCH, buffer, bytes.length + 1)) {
            return -Errno.ENAMETOOLONG;
        }
        int flags = (writable ? Files.O_RDWR : Files.O_RDONLY) | Files.O_CLOEXEC;
        return tracee.remote(SyscallNumber.OPEN, SCRATCH, flags, 0, 0, 0, 0);
    }

    /** Ends the kernel task. */
    @Override
    public void close() {
        Syscall.call(SyscallNumber.KILL, tid(), Signal.SIGKILL, 0);
        long result;
        do {
            result = Wait.any(tid(), 0);
        } while (result > 0 && Wait.isStopped(Wait.status(result)));
    }
}
