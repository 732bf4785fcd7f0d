package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import reprise.linux.Errno;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.runtime.RandomInstruction;
import reprise.syscall.OutputPlan;
import reprise.syscall.Support;
import reprise.syscall.SyscallSpec;
import reprise.syscall.SyscallTable;
import reprise.trace.Event;
import reprise.trace.TraceWriter;
import reprise.tracee.TaskStatus;
import reprise.tracee.Tracee;
import reprise.x86.Registers;

/** Follows tasks through their system calls: decides at the entry what happens, and records at the exit what did. */
final class SyscallRecorder {
    private static final long CLONE_VM = 0x100;
    private static final long TRAP_FLAG = 0x100;
    private static final long CLONE_FILES = 0x400;
    private static final long CLONE_VFORK = 0x4000;
    private static final long CLONE_PARENT_SETTID = 0x100000;
    private static final long CLONE_CHILD_CLEARTID = 0x200000;
    private static final long CLONE_UNTRACED = 0x800000;
    private static final long CLONE_CHILD_SETTID = 0x1000000;
    private static final long CLONE_PIDFD = 0x1000;
    private static final long CLONE_THREAD = 0x10000;
    private static final int MADV_DONTNEED = 4;
    private static final int MADV_FREE = 8;
    private static final int PR_SET_TSC = 26;
    private static final int PR_GET_TSC = 25;
    private static final int PR_SET_MM = 35;
    private static final int PR_SET_MM_BRK = 7;
    private static final int PR_SET_MM_MAP = 14;
    /** Of brk in struct prctl_mm_map. */
    private static final int MM_MAP_BRK = 40;

    private static final int PR_TSC_ENABLE = 1;
    private static final int PR_TSC_SIGSEGV = 2;
    private static final int PR_GET_SECCOMP = 21;
    private static final int PR_SET_NO_NEW_PRIVS = 38;
    private static final int PR_GET_NO_NEW_PRIVS = 39;
    private static final int PR_SET_SECCOMP = 22;
    private static final int SECCOMP_MODE_STRICT = 1;
    private static final int SECCOMP_SET_MODE_STRICT = 0;

    /** The argument with which personality(2) changes nothing. */
    private static final int ASK_PERSONALITY = -1;
    /** PER_READ_IMPLIES_EXEC. */
    private static final long READ_IMPLIES_EXEC = 0x0400000;

    /** A number that no system call has, for noting something once. */
    private static final int LEGACY = 1023;

    private final Recorder recorder;
    private final TraceWriter trace;
    private final MappingRecorder mappings;
    private final ProcStatusView statusView;
    private final MappedFiles files;
    private final OutputDescriptors outputs;
    private final SyscallBuffers buffers;
    private final SitePatcher patcher;
    private final ScratchMemory scratch = new ScratchMemory();
    private final MemorySegment buffer = Arena.global().allocate(4096, 16);
    private final PriorityFutexes priorityFutexes;
    private final VsyscallPage vsyscalls;
    private final BitSet noted = new BitSet();

    SyscallRecorder(
            Recorder recorder,
            TraceWriter trace,
            MappedFiles files,
            RandomPatcher random,
            SyscallBuffers buffers,
            SitePatcher patcher,
            PriorityFutexes priorityFutexes,
            RecordOptions options) {
        this.recorder = recorder;
        this.buffers = buffers;
        this.patcher = patcher;
        this.trace = trace;
        this.files = files;
        this.mappings = new MappingRecorder(recorder, files, random);
        this.statusView = new ProcStatusView(recorder);
        this.vsyscalls = new VsyscallPage(recorder, trace);
        this.outputs = new OutputDescriptors(options.outputs());
        this.priorityFutexes = priorityFutexes;
    }

    // ---- entry ----

    /** The current task stopped behind a buffered call because it was asked to. */
    void cameOut(RecordedTask task) {
        skip(task);
        buffers.comeOut(task);
        recorder.cameOut(task);
    }

    /**
     * Whether the call that the current task is about to make writes to memory of a task that runs now. Their domains have
     * become one then.
     */
    boolean reachesOthers(RecordedTask task) {
        mappings.connectWritten(task, (int) Registers.get(task.tracee.registers(), Registers.ORIG_RAX));
        return task.domain.current != task;
    }

    /** The current task is about to make a system call. */
    void entered(RecordedTask task) {
        MemorySegment registers = task.tracee.registers();
        int number = (int) Registers.get(registers, Registers.ORIG_RAX);
        if (VsyscallPage.isEntered(registers)) {
            if (vsyscalls.answer(task)) {
                return;
            }
            task.interrupting = false;
            task.tracee.resume(recorder.userResume(task), 0);
            return;
        }
        boolean legacy = isLegacy(task, registers);
        forgetStep(task, registers);
        if (!task.tracee.held().isEmpty()) {
            backOut(task, number);
            return;
        }
        if (recorder.emulation().wantsStop(task)) {
            takeBack(task);
            recorder.emulation().stopOnInstruction(task);
            return;
        }
        if (task.interrupting) {
            // The stop that was asked for must not cut the call short: should it still come (this stop has cleared the
            // request, unless it was made after the stop), it comes outside, then the call is made.
            task.interrupting = false;
            skip(task);
            rewind(task, number);
            task.atSyscall = true;
            recorder.resumeUser(task, 0);
            return;
        }
        MemorySegment.copy(registers, 0, task.entry, 0, Registers.SIZE);
        task.atSyscall = false;
        task.inCall = true;
        task.call = number;
        task.entryRecorded = false;
        task.exitRecorded = false;
        if (number != SyscallNumber.RESTART_SYSCALL) {
            // What goes on after an interruption still writes to where the interrupted call was directed.
            task.scratched = false;
        }
        task.child = null;
        task.answered = false;
        if (task.tracing != null && needsScratch(task, number)) {
            // Once its tracer has seen the entry there is no way back.
            leaveAndReturn(task, number);
            return;
        }
        if (!recorder.emulation().entered(task)) {
            decideAndResume(task, number, legacy);
        }
    }

    /** The current task's tracer in the recording lets it go on from the entry of a call, which is in the trace. */
    void proceed(RecordedTask task) {
        MemorySegment registers = task.tracee.registers();
        if (task.entryChanged) {
            MemorySegment.copy(registers, 0, task.entry, 0, Registers.SIZE);
            task.call = (int) Registers.get(registers, Registers.ORIG_RAX);
            if (task.call < 0) {
                task.plan.clear();
                answer(task, Registers.get(registers, Registers.RAX), false);
                return;
            }
        }
        decideAndResume(task, task.call, isLegacy(task, registers));
    }

    private void decideAndResume(RecordedTask task, int number, boolean legacy) {
        if (task.strict && !isAllowedInStrictMode(number)) {
            Syscall.call(SyscallNumber.KILL, task.process.pid, Signal.SIGKILL, 0);
        }
        if (legacy) {
            task.plan.clear();
            noteOnce(
                    task,
                    LEGACY,
                    "32-bit system calls (int 0x80) are not supported; they are answered with ENOSYS, first number "
                            + number);
            answer(task, -Errno.ENOSYS, false);
            return;
        }
        if (number == SyscallNumber.PTRACE) {
            task.plan.clear();
            answer(task, recorder.emulation().calls().perform(task), false);
            return;
        }
        if (recorder.emulation().waits().entered(task, number) != 0) {
            task.plan.clear();
            SyscallTable.of(number).plan(task, task.plan);
            answer(task, recorder.emulation().waits().take(task), true);
            return;
        }
        int errno = decide(task, number);
        if (errno >= 0) {
            answer(task, -errno, false);
            return;
        }
        if (neverReturns(number)) {
            // There may be no exit; the entry tells replay how far to run.
            recordEntry(task);
        }
        if (number == SyscallNumber.MREMAP) {
            task.process.memory.untrack(task.argument(0), task.argument(1) + 4095 & -4096L);
        }
        task.output = outputs.writtenBy(task, number);
        boolean mayBlock = mayBlock(task, number) && (task.output != 0 || !mappings.writesMappedFile(task, number))
                || waitsForOthersToDie(task, number);
        boolean locks = PriorityFutexes.locks(task);
        int lockWord = locks ? priorityFutexes.word(task) : 0;
        task.blocking = mayBlock;
        if (mayBlock && task.domain.tasks > 1 && task.plan.size() > 0 && number != SyscallNumber.RESTART_SYSCALL) {
            boolean suffices = scratch.suffices(task);
            if (!suffices && !task.entryRecorded) {
                leaveAndReturn(task, number);
                return;
            }
            if (suffices) {
                scratch.redirect(task);
            }
        }
        task.tracee.resume(Ptrace.SYSCALL, 0);
        if (mayBlock && task.output != 0 && recorder.awaitOutput(task)) {
            return;
        }
        if (locks && task.domain.tasks > 1) {
            if (recorder.awaitSleep(task)) {
                return;
            }
            priorityFutexes.slept(task, lockWord);
        }
        if (mayBlock) {
            recorder.mayBlock(task);
        }
    }

    /**
     * Whether a call was made by int 0x80, whose numbers mean something else. The syscall instruction leaves its own
     * return address in rcx, so looking at the code is hardly ever needed.
     */
    private boolean isLegacy(RecordedTask task, MemorySegment registers) {
        long next = Registers.get(registers, Registers.RIP);
        return Registers.get(registers, Registers.RCX) != next
                && task.tracee.read(next - 2, buffer, 2) == 2
                && (buffer.get(JAVA_SHORT_UNALIGNED, 0) & 0xffff) == 0x80cd;
    }

    /**
     * The instruction copied the trap flag to r11 if it was reached by a single step of ours. In the flags that ptrace shows
     * the kernel leaves out a trap flag that is not the program's own.
     */
    private static void forgetStep(RecordedTask task, MemorySegment registers) {
        long copy = Registers.get(registers, Registers.R11);
        if ((copy & TRAP_FLAG) != 0 && copy == (Registers.get(registers, Registers.EFLAGS) | TRAP_FLAG)) {
            task.tracee.set(Registers.R11, Registers.get(registers, Registers.EFLAGS));
        }
    }

    private boolean needsScratch(RecordedTask task, int number) {
        SyscallSpec spec = SyscallTable.of(number);
        if (task.domain.tasks == 1
                || spec == null
                || number == SyscallNumber.RESTART_SYSCALL
                || !mayBlock(task, number)) {
            return false;
        }
        task.plan.clear();
        spec.plan(task, task.plan);
        return task.plan.size() > 0 && !scratch.suffices(task);
    }

    /** Takes a task from the entry of a call back onto the instruction. */
    void takeBack(RecordedTask task) {
        int number = (int) task.tracee.get(Registers.ORIG_RAX);
        skip(task);
        rewind(task, number);
    }

    /** A prctl told the kernel where the program break is, as if it had been moved. */
    private void setMemoryMap(RecordedTask task) {
        long address = switch ((int) task.argument(1)) {
            case PR_SET_MM_BRK -> task.argument(2);
            case PR_SET_MM_MAP -> task.tracee.readWord(task.argument(2) + MM_MAP_BRK);
            default -> 0;
        };
        if (address != 0) {
            task.process.memory.mappings.setBreakAddress(address);
            buffers.breakMoved(task);
        }
    }

    /** A signal is waiting to be delivered: undo the entry, so that it strikes on the syscall instruction. */
    private void backOut(RecordedTask task, int number) {
        skip(task);
        rewind(task, number);
        recorder.deliverStashed(task);
    }

    /** More scratch memory is needed, which a task at the entry of a call cannot get: once out and in again. */
    private void leaveAndReturn(RecordedTask task, int number) {
        skip(task);
        scratch.grow(task);
        if (task.scratchAddress != 0) {
            buffers.occupied(task, task.scratchAddress, task.scratchLength);
        }
        rewind(task, number);
        task.atSyscall = true;
        recorder.resumeUser(task, 0);
    }

    /** Takes the task from the entry stop to the exit stop without the call happening. */
    private static void skip(RecordedTask task) {
        task.tracee.set(Registers.ORIG_RAX, -1);
        int status;
        do {
            task.tracee.resume(Ptrace.SYSCALL, 0);
            status = task.tracee.awaitStop();
            // Between the two is the seccomp event of a task that has filters of its own.
        } while (!Wait.isSyscallStop(status));
    }

    /** Sets a task at an exit stop back onto the syscall instruction. */
    private static void rewind(RecordedTask task, int number) {
        task.tracee.set(Registers.RIP, task.tracee.get(Registers.RIP) - Registers.SYSCALL_LENGTH);
        task.tracee.set(Registers.RAX, number);
        task.inCall = false;
    }

    /**
     * What to do with a call: -1 to let the kernel do it, else the errno to answer it with (0: success without doing it).
     * Fills the task's plan.
     */
    private int decide(RecordedTask task, int number) {
        if (number == SyscallNumber.RESTART_SYSCALL) {
            // The plan of the interrupted call is still in place.
            return -1;
        }
        task.plan.clear();
        SyscallSpec spec = SyscallTable.of(number);
        task.unknown = spec == null;
        if (spec == null) {
            return -1;
        }
        switch (number) {
            case SyscallNumber.MADVISE -> {
                if ((int) task.argument(2) == MADV_FREE) {
                    return freeAtOnce(task);
                }
            }
            case SyscallNumber.PRCTL -> {
                // The recorder's own settings are not the program's to see or to change.
                if ((int) task.argument(0) == PR_SET_TSC) {
                    int mode = (int) task.argument(1);
                    if (mode != PR_TSC_ENABLE && mode != PR_TSC_SIGSEGV) {
                        return Errno.EINVAL;
                    }
                    task.counterFaults = mode == PR_TSC_SIGSEGV;
                    if (task.counterFaults) {
                        // Where it was patched the counter could still be read.
                        buffers.disable(task);
                    }
                    return 0;
                }
                if ((int) task.argument(0) == PR_GET_SECCOMP && !task.ownFilters) {
                    return 0;
                }
                if (task.hiddenNoNewPrivs && task.argument(2) == 0 && task.argument(3) == 0 && task.argument(4) == 0) {
                    if ((int) task.argument(0) == PR_GET_NO_NEW_PRIVS && task.argument(1) == 0) {
                        return 0;
                    }
                    if ((int) task.argument(0) == PR_SET_NO_NEW_PRIVS && task.argument(1) == 1) {
                        task.hiddenNoNewPrivs = false;
                    }
                }
                if ((int) task.argument(0) == PR_SET_SECCOMP && task.argument(1) == SECCOMP_MODE_STRICT) {
                    return enterStrictMode(task);
                }
            }
            case SyscallNumber.SECCOMP -> {
                if (task.argument(0) == SECCOMP_SET_MODE_STRICT && task.argument(1) == 0 && task.argument(2) == 0) {
                    return enterStrictMode(task);
                }
            }
            case SyscallNumber.KILL -> {
                int target = (int) task.argument(0);
                if (target == -1 || target == 0 && recorder.sharesGroup(task) || target == -recorder.ownGroup()) {
                    recorder.ownSignals().expect((int) task.argument(1));
                }
            }
            case SyscallNumber.EXECVE, SyscallNumber.EXECVEAT -> {
                if (ProgramClass.is32Bit(task, number)) {
                    noteOnce(
                            task,
                            number,
                            "32-bit programs cannot be recorded; executing them is answered with ENOEXEC");
                    return Errno.ENOEXEC;
                }
            }
            case SyscallNumber.CLONE -> {
                if ((task.argument(0) & CLONE_UNTRACED) != 0) {
                    task.tracee.set(Registers.RDI, task.argument(0) & ~CLONE_UNTRACED);
                }
                return -1;
            }
            case SyscallNumber.SENDFILE -> {
                return deniedToOutput(task, 0);
            }
            case SyscallNumber.COPY_FILE_RANGE, SyscallNumber.SPLICE -> {
                return deniedToOutput(task, 2);
            }
            case SyscallNumber.TEE -> {
                return deniedToOutput(task, 1);
            }
            case SyscallNumber.SCHED_SETAFFINITY -> {
                return Affinity.set(recorder, task);
            }
            default -> {}
        }
        Support support = spec.plan(task, task.plan);
        task.unknown = support == Support.UNKNOWN;
        return switch (support) {
            case SUPPORTED, SPECIAL, UNKNOWN -> -1;
            case ANSWERED -> spec.errno(task);
            case UNSUPPORTED -> {
                noteOnce(
                        task,
                        number,
                        spec.describe(task) + " is not supported: " + spec.reason(task)
                                + "; what it writes is not recorded");
                yield -1;
            }
        };
    }

    /** Strict mode and filters, of which the recorder's is one, exclude each other: it is the recorder who is strict. */
    private int enterStrictMode(RecordedTask task) {
        if (task.ownFilters) {
            return Errno.EINVAL;
        }
        task.strict = true;
        buffers.disable(task);
        return 0;
    }

    private static boolean isAllowedInStrictMode(int number) {
        return number == SyscallNumber.READ
                || number == SyscallNumber.WRITE
                || number == SyscallNumber.EXIT
                || number == SyscallNumber.RT_SIGRETURN;
    }

    /** When pages given up by MADV_FREE lose their content is up to the kernel; here they do at once. */
    private int freeAtOnce(RecordedTask task) {
        long start = task.argument(0);
        boolean anonymous = task.process
                .memory
                .mappings
                .overlapping(start, start + task.argument(1))
                .isEmpty();
        if (!anonymous) {
            return Errno.EINVAL;
        }
        task.tracee.set(Registers.RDX, MADV_DONTNEED);
        return -1;
    }

    private void noteOnce(RecordedTask task, int number, String text) {
        int key = number >= 0 && number < LEGACY ? number : LEGACY;
        if (!noted.get(key)) {
            noted.set(key);
            recorder.note(task, text);
        }
    }

    private static String describe(RecordedTask task) {
        SyscallSpec spec = SyscallTable.of(task.call);
        return spec == null ? "system call " + task.call : spec.describe(task);
    }

    /** Data that goes to the recorded standard output must pass through memory, or replay could not show it. */
    private int deniedToOutput(RecordedTask task, int descriptorArgument) {
        SyscallTable.of(task.call).plan(task, task.plan);
        return outputs.which(task, (int) task.argument(descriptorArgument)) != 0 ? Errno.EINVAL : -1;
    }

    private static boolean neverReturns(int number) {
        return number == SyscallNumber.EXIT
                || number == SyscallNumber.EXIT_GROUP
                || number == SyscallNumber.EXECVE
                || number == SyscallNumber.EXECVEAT;
    }

    /** An exec ends the other threads, and these may wait for their tracer to let them go. */
    private static boolean waitsForOthersToDie(RecordedTask task, int number) {
        return task.tracing != null
                && task.process.threads.size() > 1
                && (number == SyscallNumber.EXECVE || number == SyscallNumber.EXECVEAT);
    }

    private static boolean mayBlock(RecordedTask task, int number) {
        if (number == SyscallNumber.CLONE
                || number == SyscallNumber.CLONE3
                || number == SyscallNumber.FORK
                || number == SyscallNumber.VFORK) {
            // Only the parent of a vfork blocks, and that is dealt with once the child exists.
            return false;
        }
        SyscallSpec spec = SyscallTable.of(number);
        return spec == null || spec.mayBlock(task);
    }

    /** Answers a call without the kernel; {@code outputs}: what the plan tells has been written. */
    private void answer(RecordedTask task, long result, boolean outputs) {
        int number = task.call;
        task.tracee.set(Registers.ORIG_RAX, -1);
        task.tracee.set(Registers.RAX, result);
        task.inCall = false;
        task.answered = true;
        if (task.ownFilters) {
            // This was the entry stop; an exit stop follows, with the result we give now.
            skip(task);
            task.tracee.set(Registers.RAX, result);
        }
        MemorySegment exit = task.entryChanged || isLegacy(task, task.entry) ? task.tracee.registers() : null;
        task.entryChanged = false;
        MemorySegment entry = task.entryRecorded ? null : task.entry;
        trace.syscallExit(task.domain.id, task.tid(), entry, number, result, exit, null, 0);
        if (outputs) {
            recordOutputs(task, result);
        }
        if (number == SyscallNumber.PTRACE) {
            recorder.emulation().calls().recordWrites(trace);
        }
        trace.end();
        if (task.domain.entered == task) {
            task.domain.entered = null;
        }
        if (number == SyscallNumber.PTRACE) {
            recorder.emulation().calls().complete();
        }
        recorder.afterEvent(task, true, false);
    }

    /** Others of the domain run while the task is in the kernel. */
    void recordEntry(RecordedTask task) {
        if (task.entryRecorded) {
            return;
        }
        trace.syscallEnter(task.domain.id, task.tid(), task.entry);
        task.entryRecorded = true;
    }

    // ---- creation ----

    /** A call of the task made a new one, which is not yet running. */
    void created(RecordedTask parent, int tid, int event) {
        recorder.awaitBirth(tid);
        long flags = cloneFlags(parent, event);
        RecordedTask child = new RecordedTask(new Tracee(tid));
        child.creator = parent;
        boolean sharesMemory = (flags & CLONE_VM) != 0;
        RecordedProcess.Memory memory = parent.process.memory;
        if ((flags & CLONE_THREAD) != 0) {
            child.process = parent.process;
        } else {
            if (!sharesMemory) {
                memory = memory.fork();
            }
            child.process = new RecordedProcess(tid, parent.process.pid, memory);
        }
        boolean sharesFiles = (flags & CLONE_FILES) != 0;
        if (sharesMemory != sharesFiles && (flags & CLONE_VFORK) == 0) {
            // What the stub knows of descriptors is kept once for each address space.
            buffers.disable(parent);
            buffers.disable(child);
        }
        child.ownFilters = parent.ownFilters;
        child.hiddenNoNewPrivs = parent.hiddenNoNewPrivs;
        child.affinity = parent.affinity;
        child.counterFaults = parent.counterFaults;
        child.strict = parent.strict;
        child.readImpliesExec = parent.readImpliesExec;
        child.state = RecordedTask.State.READY;
        if ((flags & CLONE_CHILD_CLEARTID) != 0) {
            child.clearTid = childTidAddress(parent);
        }
        Domain domain = parent.domain;
        if (!sharesMemory && !MappedFiles.sharesWritable(memory.mappings)) {
            domain = recorder.newDomain();
            Cores.bind(tid, domain.core);
            child.boundTo = domain.core;
        }
        recorder.add(child);
        recorder.enterDomain(child, domain);
        parent.child = child;
        recorder.emulation().created(parent, child, flags, exitSignal(parent));
        if ((flags & CLONE_VFORK) != 0) {
            // The parent stays in the kernel until the child has executed or ended, but its result is known.
            recordExit(parent, visibleTid(parent, tid), flags);
            parent.exitRecorded = true;
            parent.child = null;
            parent.vforkChild = tid;
            boolean stops = recorder.emulation().vforked(parent);
            recorder.born(child);
            if (!stops) {
                recorder.awaitVforkChild(parent);
            }
        } else {
            parent.tracee.resume(Ptrace.SYSCALL, 0);
        }
    }

    private static long cloneFlags(RecordedTask task, int event) {
        if (task.call == SyscallNumber.CLONE) {
            return task.argument(0);
        }
        if (task.call == SyscallNumber.CLONE3) {
            return task.tracee.readWord(task.argument(0));
        }
        return event == Ptrace.EVENT_VFORK ? CLONE_VM | CLONE_VFORK : 0;
    }

    /** The signal that the parent gets when the child ends. */
    private static long exitSignal(RecordedTask task) {
        return switch (task.call) {
            case SyscallNumber.CLONE -> task.argument(0) & 0xff;
            case SyscallNumber.CLONE3 -> task.tracee.readWord(task.argument(0) + 32);
            default -> Signal.SIGCHLD;
        };
    }

    private static long childTidAddress(RecordedTask task) {
        return task.call == SyscallNumber.CLONE3 ? task.tracee.readWord(task.argument(0) + 16) : task.argument(3);
    }

    private static long parentTidAddress(RecordedTask task) {
        return task.call == SyscallNumber.CLONE3 ? task.tracee.readWord(task.argument(0) + 24) : task.argument(2);
    }

    private static long pidfdAddress(RecordedTask task) {
        return task.call == SyscallNumber.CLONE3 ? task.tracee.readWord(task.argument(0) + 8) : task.argument(2);
    }

    /** The new task's id as its parent sees it, which differs in pid namespaces. */
    private static long visibleTid(RecordedTask parent, int tid) {
        return TaskStatus.visibleTid(parent.tid(), tid);
    }

    // ---- exit ----

    /** The current task came out of its call. */
    void left(RecordedTask task) {
        if (task.waiting && !recorder.emulation().waits().left(task)) {
            makeAgain(task);
            return;
        }
        if (task.exitRecorded) {
            task.inCall = false;
            task.exitRecorded = false;
            recorder.emulation().vforkDone(task, task.vforkChild);
            // The child of vfork had descriptors of its own in the same memory.
            buffers.forgetClasses(task);
            recorder.afterEvent(task, true, false);
            return;
        }
        long result = statusView.left(task, task.tracee.get(Registers.RAX));
        long flags =
                task.child == null ? 0 : cloneFlags(task, task.call == SyscallNumber.VFORK ? Ptrace.EVENT_VFORK : 0);
        if (PriorityFutexes.handsOver(task)) {
            priorityFutexes.settle(task.domain);
        }
        int number = recordExit(task, result, flags);
        RecordedTask child = task.child;
        task.child = null;
        task.inCall = false;
        if (!restarts(result)) {
            patcher.trapped(task);
        }
        if (child != null) {
            recorder.born(child);
        }
        recorder.afterEvent(task, true, number == SyscallNumber.SCHED_YIELD);
    }

    /**
     * A task was killed in a call, and is at its exit: what it wrote to the recording's output is written, though it will never come
     * out of the call.
     */
    void cutOff(RecordedTask task) {
        if (!task.inCall || task.exitRecorded || task.output == 0) {
            return;
        }
        long written = task.tracee.get(Registers.RAX);
        if (written > 0 && task.tracee.get(Registers.ORIG_RAX) == task.call) {
            recordExit(task, written, 0);
            task.inCall = false;
        }
    }

    /** A call that the kernel gave up at once is to be made again: an event like that of a call that is restarted. */
    private void makeAgain(RecordedTask task) {
        int number = recordExit(task, -Errno.ERESTARTSYS, 0);
        rewind(task, number);
        task.tracee.set(Registers.ORIG_RAX, -1);
        recorder.markNamed(task);
        recorder.resumeUser(task, 0);
    }

    private static boolean restarts(long result) {
        return result <= -Errno.ERESTARTSYS && result >= -Errno.ERESTART_RESTARTBLOCK;
    }

    private int recordExit(RecordedTask task, long result, long cloneFlags) {
        int number = task.call;
        MemorySegment registers = task.tracee.registers();
        MemorySegment exitRegisters = null;
        MemorySegment extendedState = null;
        if (task.scratched || number == SyscallNumber.MADVISE || number == SyscallNumber.CLONE) {
            // The kernel got other arguments than the program gave.
            for (int index = 0; index < 6; index++) {
                task.tracee.set(Registers.argument(index), task.argument(index));
            }
        }
        if (number == SyscallNumber.RT_SIGRETURN) {
            long at = task.tracee.get(Registers.RIP);
            long moved = task.process.memory.code.moved(at);
            if (moved != at) {
                task.tracee.set(Registers.RIP, moved);
            }
            exitRegisters = registers;
            extendedState = ExtendedState.read(task.tracee);
        } else if (number == SyscallNumber.ARCH_PRCTL) {
            exitRegisters = registers;
        } else if (task.entryChanged) {
            exitRegisters = restarts(result) ? restarted(registers, result) : registers;
        }
        task.entryChanged = false;
        long effect = isRolledBack(task, number, result) ? -Errno.ENOSYS : result;
        boolean restarts = restarts(result);
        int effective = number;
        if (number == SyscallNumber.RESTART_SYSCALL && task.interruptedCall >= 0) {
            effective = task.interruptedCall;
        }
        if (restarts) {
            task.interruptedCall = effective;
        }
        if (number == SyscallNumber.BRK) {
            buffers.findBreak(task);
        }
        mappings.prepare(task, effective, effect);
        int output = effect > 0 ? task.output : 0;
        trace.syscallExit(
                task.domain.id,
                task.tid(),
                task.entryRecorded ? null : task.entry,
                number,
                result,
                exitRegisters,
                extendedState,
                output);
        for (Event.MappingChange change : mappings.changes()) {
            trace.change(change);
        }
        if (number == SyscallNumber.RT_SIGTIMEDWAIT && effect == Signal.SIGCHLD) {
            boolean scratched = task.scratched && task.scratchOf[0] != 0;
            recorder.emulation().waits().completeTaken(task, scratched ? task.scratchOf[0] : task.argument(1));
        }
        for (long address : mappings.patched()) {
            trace.write(task.tid(), address, 1).set(JAVA_BYTE, 0, RandomInstruction.REPLACEMENT);
        }
        recordOutputs(task, effect);
        statusView.recordRest(task, trace);
        recordSpecial(task, effective, effect);
        if (task.child != null) {
            recordChild(task, cloneFlags);
        }
        trace.end();
        if (task.child != null && task.child.domain != task.domain) {
            // What cpuid answers depends on the core.
            trace.coreBound(task.child.domain.id, task.child.tid(), task.child.domain.core);
        }
        if (!restarts) {
            task.interruptedCall = -1;
        }
        if (task.unknown && result >= 0) {
            task.unknown = false;
            recorder.note(task, describe(task) + " is not known; if it wrote to memory, that is not recorded");
        }
        if (task.domain.entered == task) {
            task.domain.entered = null;
        }
        buffers.mappingsChanged(task, mappings.changes());
        mappings.commit(task);
        return number;
    }

    /** Registers at the exit of a call, as the kernel changes them to make it again. */
    private static MemorySegment restarted(MemorySegment registers, long result) {
        MemorySegment copy = Arena.ofAuto().allocate(Registers.SIZE, 16).copyFrom(registers);
        boolean byBlock = result == -Errno.ERESTART_RESTARTBLOCK;
        long number = byBlock ? SyscallNumber.RESTART_SYSCALL : Registers.get(copy, Registers.ORIG_RAX);
        Registers.set(copy, Registers.RIP, Registers.get(copy, Registers.RIP) - Registers.SYSCALL_LENGTH);
        Registers.set(copy, Registers.RAX, number);
        return copy;
    }

    /** Whether a filter of the program's own raised SIGSYS: the call was not made, and its number is in the place of the result. */
    private static boolean isRolledBack(RecordedTask task, int number, long result) {
        return task.ownFilters
                && result == number
                && (TaskStatus.of(task.tid()).pending() & Signal.bit(Signal.SIGSYS)) != 0;
    }

    private void recordOutputs(RecordedTask task, long result) {
        OutputPlan plan = task.plan;
        long filled = 0;
        for (int index = 0; index < plan.size(); index++) {
            if (!plan.follows(index)) {
                filled = 0;
            }
            long word = plan.hasLengthWord(index) ? lengthWord(task, index) : 0;
            long length = plan.written(index, result, word, filled);
            filled += length;
            if (result == -Errno.EFAULT && plan.extent(index) != OutputPlan.Extent.NOTHING) {
                // The kernel may have written what came before the bad page.
                length = plan.capacity(index);
            }
            if (length > 0) {
                copyOut(task, index, length);
            }
        }
    }

    private long lengthWord(RecordedTask task, int index) {
        int region = task.plan.lengthRegion(index);
        long base = task.scratched && task.scratchOf[region] != 0 ? task.scratchOf[region] : task.plan.address(region);
        long address = base + task.plan.lengthOffset(index);
        return task.tracee.read(address, buffer, 4) == 4 ? buffer.get(JAVA_INT_UNALIGNED, 0) & 0xffffffffL : 0;
    }

    private void copyOut(RecordedTask task, int index, long length) {
        long address = task.plan.address(index);
        long from = task.scratched && task.scratchOf[index] != 0 ? task.scratchOf[index] : address;
        MemorySegment into = trace.write(task.tid(), address, length);
        long count = task.tracee.read(from, into, length);
        if (from != address && count > 0) {
            scratch.restorePointers(task, index, into, count);
            task.tracee.write(address, into, count);
        }
        if (count < length) {
            trace.shortenLastWrite(count);
        }
    }

    /** Writes to memory that the table cannot describe. */
    private void recordSpecial(RecordedTask task, int number, long result) {
        switch (number) {
            case SyscallNumber.CLOSE -> buffers.forgetClass(task, task.argument(0));
            case SyscallNumber.DUP2, SyscallNumber.DUP3 -> buffers.forgetClass(task, task.argument(1));
            case SyscallNumber.CLOSE_RANGE -> buffers.forgetClasses(task);
            case SyscallNumber.UNSHARE -> {
                if ((task.argument(0) & CLONE_FILES) != 0 && task.process.threads.size() > 1) {
                    buffers.disable(task);
                }
            }
            case SyscallNumber.BRK -> buffers.breakMoved(task);
            case SyscallNumber.PERSONALITY -> {
                if ((int) task.argument(0) != ASK_PERSONALITY) {
                    task.readImpliesExec = (task.argument(0) & READ_IMPLIES_EXEC) != 0;
                    if (task.readImpliesExec) {
                        // The stub maps what is no code.
                        buffers.disable(task);
                    }
                }
            }
            case SyscallNumber.SET_TID_ADDRESS -> task.clearTid = task.argument(0);
            case SyscallNumber.SCHED_GETAFFINITY -> {
                if (result > 0) {
                    Affinity.get(recorder, task, result, trace);
                }
            }
            case SyscallNumber.SECCOMP, SyscallNumber.PRCTL -> {
                if (result >= 0 && number == SyscallNumber.PRCTL && task.argument(0) == PR_SET_MM) {
                    setMemoryMap(task);
                }
                if (result >= 0 && number == SyscallNumber.PRCTL && task.argument(0) == PR_GET_TSC) {
                    MemorySegment into = trace.write(task.tid(), task.argument(1), 4);
                    into.set(JAVA_INT_UNALIGNED, 0, task.counterFaults ? PR_TSC_SIGSEGV : PR_TSC_ENABLE);
                    task.tracee.write(task.argument(1), into, 4);
                }
                if (result >= 0 && (number == SyscallNumber.SECCOMP || task.argument(0) == PR_SET_SECCOMP)) {
                    for (RecordedTask thread : task.process.threads) {
                        thread.ownFilters = true;
                    }
                    // The program's filter would judge the stub's questions too.
                    buffers.disable(task);
                }
            }
            default -> {}
        }
        mappings.recordOwnPages(task, trace);
        if (result >= 0) {
            mappings.openCode(task, number, trace);
            mappings.recordFileWrites(task, number, result, trace);
            mappings.recordForeignWrites(task, number, result, trace);
        }
    }

    private void recordChild(RecordedTask task, long flags) {
        RecordedTask child = task.child;
        if ((flags & CLONE_PARENT_SETTID) != 0) {
            word(task, task.tid(), parentTidAddress(task));
        }
        if ((flags & CLONE_PIDFD) != 0) {
            word(task, task.tid(), pidfdAddress(task));
        }
        if ((flags & CLONE_CHILD_SETTID) != 0) {
            word(child, child.tid(), childTidAddress(task));
        }
        trace.child(new Event.NewTask(
                child.tid(), child.domain.id, flags, (flags & CLONE_VM) != 0, child.tracee.registers()));
    }

    private void word(RecordedTask in, int owner, long address) {
        MemorySegment into = trace.write(owner, address, 4);
        if (in.tracee.read(address, into, 4) != 4) {
            trace.shortenLastWrite(0);
        }
    }
}
