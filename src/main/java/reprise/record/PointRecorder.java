package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.ProcessMemory;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Wait;
import reprise.trace.TraceWriter;
import reprise.tracee.MemoryScanner;
import reprise.tracee.ProcMaps;
import reprise.tracee.TaskStatus;
import reprise.tracee.TracerClock;
import reprise.x86.EffectiveAddress;
import reprise.x86.FlagUse;
import reprise.x86.GeneralRegister;
import reprise.x86.Instruction;
import reprise.x86.InstructionDecoder;
import reprise.x86.Registers;
import reprise.x86.VectorState;

/**
 * Names instants in the midst of a computation by the state at them.
 *
 * <p>Replay looks at the state each time it comes to the same instruction, mostly with a probe: code in the process that compares
 * registers and a few words of memory. So the task is let go on by single steps for a moment, to where a probe can be planted
 * well, and the words that it uses meanwhile are noted. Where code is written while it runs there are no probes, and a place
 * is looked for that is executed rarely: for a moment the task runs on to see whether it returns to one of its callers.
 */
final class PointRecorder {
    /** How long the task may take to return to a caller, in nanoseconds. */
    private static final long SEARCH = 1_000_000;

    /** Steps at most, of about ten microseconds: within these a hot loop comes round. */
    private static final int STEPS = 200;

    private static final int STEPS_AT_LEAST = 50;

    /** How long they may take before the next place is as good as any, in nanoseconds. */
    private static final long STEPPING = 3_000_000;

    /** More steps at most to a place that is good for a probe. */
    private static final int STEPS_TO_PLACE = 60;

    private static final int JUMP = 5;

    /** How often at most writes are forgotten, in nanoseconds, and how much longer than it takes that is. */
    private static final long FORGETTING = 20_000_000;

    private static final int FORGETTING_SHARE = 30;
    private static final int STACK = 8192;
    private static final int LOCATIONS = 4;
    /** DR7: local enable of breakpoints 0 to 3, each for execution. */
    private static final long ALL_ENABLED = 0x55;

    private static final GeneralRegister[] GENERAL = GeneralRegister.values();

    private static final long RESUME_FLAG = 1 << 16;
    private static final long USER_END = 0x7fff_ffff_f000L;

    private final Recorder recorder;
    private final TraceWriter trace;
    private final SyscallBuffers buffers;
    private final SlicePolicy slices;
    private final ProbeWords words = new ProbeWords();
    private final MemorySegment stack = Arena.global().allocate(STACK, 16);
    private final MemorySegment code = Arena.global().allocate(32, 8);
    private final MemorySegment info = Arena.global().allocate(Ptrace.SIGINFO_SIZE, 8);
    private final MemorySegment begin = Arena.global().allocate(Registers.SIZE, 16);
    private final long[] callers = new long[LOCATIONS];
    private final long[] targets = new long[STEPS];
    private int targetCount;
    private int registersChanging;
    private final byte[] bytes = new byte[32];
    private final InstructionDecoder decoder = new InstructionDecoder();
    private final Instruction instruction = new Instruction();
    private final Instruction following = new Instruction();

    /** What became of an attempt to move the task a little. */
    private enum Moved {
        THERE,
        /** Something else happened, which has been dealt with. */
        OVERTAKEN
    }

    PointRecorder(Recorder recorder, TraceWriter trace, SyscallBuffers buffers, SlicePolicy slices) {
        this.slices = slices;
        this.recorder = recorder;
        this.buffers = buffers;
        this.trace = trace;
    }

    /**
     * Names the instant at which a task stopped, or one shortly after it.
     *
     * @return whether it did; otherwise the task came to an event that names itself, which has been dealt with, or goes on
     */
    boolean name(RecordedTask task) {
        task.spinning = RecordedTask.Spinning.NO;
        TaskStatus status = TaskStatus.of(task.tid());
        if (hasTrapped(status)) {
            task.state = RecordedTask.State.RUNNING;
            task.tracee.resume(recorder.userResume(task), 0);
            return false;
        }
        words.begin(task);
        registersChanging = 0;
        if (canBreak(task, status)) {
            if (isWritable(task, task.tracee.get(Registers.RIP))) {
                int count = callers(task);
                if (count > 0 && runTo(task, count) == Moved.OVERTAKEN) {
                    return false;
                }
            }
            if (step(task) == Moved.OVERTAKEN) {
                return false;
            }
        }
        if (isInside(task)) {
            return false;
        }
        if (!record(task)) {
            // Try again later.
            task.state = RecordedTask.State.RUNNING;
            task.tracee.resume(recorder.userResume(task), 0);
            return false;
        }
        return true;
    }

    /**
     * A system call of a task is recorded; it goes on to compute while others wait, and may have to be interrupted. To name
     * that instant the pages that are written from here on are enough, so what was written before is forgotten now and then.
     */
    void afterCall(RecordedTask task) {
        RecordedProcess.Memory memory = task.process.memory;
        if (memory.forgettings == 0 || memory.abandoned) {
            return;
        }
        long begin = TracerClock.nanoTime();
        if (begin - memory.nextForgetting < 0) {
            return;
        }
        memory.forgettings--;
        memory.forgetWrites(task.tracee, !task.ownFilters);
        long end = TracerClock.nanoTime();
        memory.nextForgetting = end + Math.max(FORGETTING, FORGETTING_SHARE * (end - begin));
    }

    /**
     * Names the very instant at which a task stopped, if possible. Not for a task in a signal-delivery stop whose memory has no
     * scanner yet: to make one takes system calls, and the signal would be lost.
     */
    boolean nameHere(RecordedTask task) {
        if (hasTrapped(TaskStatus.of(task.tid()))) {
            return false;
        }
        words.begin(task);
        registersChanging = 0;
        return record(task);
    }

    /**
     * Names the instant at which a task stopped behind a single step, or at a breakpoint register. The instruction before it is
     * complete, so that the next may be a repeated one.
     *
     * @return whether it did
     */
    boolean nameStep(RecordedTask task) {
        words.begin(task);
        registersChanging = 0;
        return record(task, true);
    }

    private boolean record(RecordedTask task) {
        return record(task, false);
    }

    private boolean record(RecordedTask task, boolean atBegin) {
        if (!decode(task)
                || !atBegin && isRepeated()
                || instruction.kind() == Instruction.Kind.SYSCALL
                || Long.compareUnsigned(task.tracee.get(Registers.RIP), USER_END) >= 0) {
            // A system call will name itself; in the middle of a string instruction replay cannot stop.
            return false;
        }
        buffers.flush(task, false);
        // The kernel sets the resume flag where a breakpoint or a page fault stopped the task; no instruction shows it.
        task.tracee.set(Registers.EFLAGS, task.tracee.get(Registers.EFLAGS) & ~RESUME_FLAG);
        words.take(task.tracee);
        MemoryScanner.Changes changes = task.process.memory.written(task.tracee, !task.ownFilters);
        trace.executionPoint(
                task.domain.id,
                task.tid(),
                task.tracee.registers(),
                VectorState.hash(ExtendedState.read(task.tracee)),
                changes.complete(),
                changes.pages(),
                changes.hashes(),
                words.where(),
                words.values(),
                words.count(),
                registersChanging,
                words.changing());
        return true;
    }

    /** Whether the task got into a call that it performs by itself; it has been sent on to come out of it. */
    private boolean isInside(RecordedTask task) {
        if (!SyscallBuffers.isInside(task)) {
            return false;
        }
        buffers.bringOut(task);
        task.state = RecordedTask.State.RUNNING;
        task.tracee.resume(recorder.userResume(task), 0);
        return true;
    }

    /**
     * Whether the task stopped behind an int3, say, or at an instruction that faulted, of which the signal is still to come: an
     * interruption is told first (get_signal in kernel/signal.c). The instant behind the instruction and before its signal is
     * none: replay comes to the one with the other.
     */
    private static boolean hasTrapped(TaskStatus status) {
        return (status.pending() & ~status.blocked() & Signal.SYNCHRONOUS) != 0;
    }

    /** A breakpoint raises SIGTRAP; if that is blocked or ignored, the kernel would reset what the program set. */
    private static boolean canBreak(RecordedTask task, TaskStatus status) {
        if (task.tracing != null && task.tracing.debugRegisters != null) {
            return false;
        }
        return ((status.blocked() | status.ignored()) & Signal.bit(Signal.SIGTRAP)) == 0;
    }

    /** Whether the program can write to the code at an address. Code from files is taken to be only read. */
    private static boolean isWritable(RecordedTask task, long address) {
        if (!task.process.memory.mappings.overlapping(address, address + 1).isEmpty()) {
            return false;
        }
        for (ProcMaps.Region region : ProcMaps.read(task.tid())) {
            if (region.start() <= address && address < region.end()) {
                return (region.protection() & ProcMaps.WRITE) != 0;
            }
        }
        return false;
    }

    // ---- stepping ----

    /** Steps until the task comes round to where it began, or for a while, and then to where a probe can be planted. */
    private Moved step(RecordedTask task) {
        targetCount = 0;
        registersChanging = 0;
        MemorySegment.copy(task.tracee.registers(), 0, begin, 0, Registers.SIZE);
        long start = Registers.get(begin, Registers.RIP);
        boolean round = false;
        boolean enough = false;
        boolean anyPlace = slices.anyPlace();
        int detour = 0;
        int overtime = STEPS_AT_LEAST;
        long deadline = TracerClock.nanoTime() + STEPPING;
        for (int steps = 0; steps < STEPS + STEPS_TO_PLACE; steps++) {
            if (SyscallBuffers.isInside(task) || !decode(task)) {
                return Moved.THERE;
            }
            // However slow the machine: a hot loop has to come round.
            long late = steps < STEPS_AT_LEAST ? 0 : TracerClock.nanoTime() - deadline;
            enough |= round && detour-- <= 0 || steps >= STEPS || late > 0;
            // Where the flags are of no use a probe is twice as fast.
            boolean best = steps > STEPS_TO_PLACE || FlagUse.areDead(bytes, 0, decoder, following);
            // Without a probe replay takes a thousand times as long as the program: worth a few more steps.
            boolean good = (best || anyPlace || late > 0) && isGoodPlace();
            if (enough && !isRepeated() && (good || late > STEPPING && overtime-- <= 0)) {
                return Moved.THERE;
            }
            Moved moved;
            if (isRepeated()) {
                // A string instruction may take long: one is enough.
                enough = true;
                callers[0] = instruction.end();
                moved = runTo(task, 1);
            } else if (isSteppable()) {
                moved = stepOnce(task);
            } else {
                return Moved.THERE;
            }
            if (moved == Moved.OVERTAKEN) {
                return Moved.OVERTAKEN;
            }
            if (!round && task.tracee.get(Registers.RIP) == start) {
                round = true;
                boolean changed = words.compare(task.tracee);
                registersChanging = changedRegisters(task);
                boolean still = registersChanging == 0;
                if (still && !changed || words.anyUnchanged() && seesOthers(task)) {
                    task.spinning = RecordedTask.Spinning.YES;
                } else if (still && words.anyUnchanged()) {
                    task.spinning = RecordedTask.Spinning.MAYBE;
                }
                detour = slices.detour(steps);
            }
        }
        return Moved.THERE;
    }

    /**
     * Whether a task is in the same loop as when it was last interrupted, and finds there what it has not written: who waits and
     * counts how long looks like one that computes, but for that.
     */
    private boolean seesOthers(RecordedTask task) {
        long places = words.unchangedPlaces();
        long values = words.unchangedValues();
        boolean sees = task.watchedPlaces == places && task.watchedValues != values;
        task.watchedPlaces = places;
        task.watchedValues = values;
        return sees;
    }

    /** The general registers that differ from those at the begin, a bit for each. */
    private int changedRegisters(RecordedTask task) {
        int changed = 0;
        for (GeneralRegister register : GENERAL) {
            int offset = Registers.offset(register);
            if (task.tracee.get(offset) != Registers.get(begin, offset)) {
                changed |= 1 << register.ordinal();
            }
        }
        return changed;
    }

    private boolean decode(RecordedTask task) {
        long address = task.tracee.get(Registers.RIP);
        int length = (int) Math.max(0, ProcessMemory.read(task.tid(), address, code, code.byteSize()));
        if (length < code.byteSize()) {
            // At the end of a mapping, or without permission to read.
            length = (int) Math.max(0, task.tracee.read(address, code, code.byteSize()));
        }
        MemorySegment.copy(code, JAVA_BYTE, 0, bytes, 0, length);
        return decoder.decode(bytes, 0, length, address, instruction);
    }

    /**
     * Whether a step over the instruction leaves the state that it would leave anyhow, and makes no event. A step would
     * show pushf the trap flag; a step over a move to ss is two.
     */
    private boolean isSteppable() {
        return switch (instruction.kind()) {
            case OTHER ->
                isOneByteOpcode()
                        ? switch (instruction.opcode()) {
                            case 0x9c, 0x9d, 0x8e -> false;
                            default -> true;
                        }
                        : instruction.opcode() != 0xa2; // cpuid may be made to fault
            // Behind iretq, which loads the flags as popf does, the kernel would leave the trap flag set.
            case RETURN -> instruction.opcode() != 0xcf;
            case NOP, JUMP, CONDITIONAL_JUMP, LOOP, CALL, INDIRECT_JUMP, INDIRECT_CALL -> true;
            default -> false;
        };
    }

    /** Whether five bytes from here on are plain instructions to which nothing was seen to jump but the first. */
    private boolean isGoodPlace() {
        long address = instruction.address();
        for (int offset = 0; offset < JUMP; ) {
            if (!decoder.decode(bytes, offset, bytes.length, address + offset, following)) {
                return false;
            }
            boolean plain = switch (following.kind()) {
                case OTHER, NOP, CONDITIONAL_JUMP -> true;
                // What follows a jump may be no code, or code whose address something takes: nothing of it may be
                // replaced.
                case JUMP -> offset + following.length() >= JUMP;
                default -> false;
            };
            // Constants may be read by other instructions, so that replay leaves them where they are.
            if (!plain || following.hasWideImmediate()) {
                return false;
            }
            offset += following.length();
        }
        for (int i = 0; i < targetCount; i++) {
            if (targets[i] > address && targets[i] < address + JUMP) {
                return false;
            }
        }
        return true;
    }

    private Moved stepOnce(RecordedTask task) {
        long operand = EffectiveAddress.of(bytes, 0, instruction, task.tracee.registers());
        if (operand != EffectiveAddress.NONE) {
            words.use(task.tracee, operand);
        }
        long end = instruction.end();
        Moved moved = run(task, Ptrace.SINGLESTEP, Long.MAX_VALUE);
        if (moved == Moved.THERE) {
            long next = task.tracee.get(Registers.RIP);
            if (next != end && targetCount < targets.length) {
                targets[targetCount++] = next;
            }
        }
        return moved;
    }

    /** The string instruction with a repeat prefix that was decoded last: the task may be in the middle of it. */
    private boolean isRepeated() {
        return isRepeated(bytes, instruction);
    }

    /** Whether an instruction of which {@code bytes} are the code is a string instruction with a repeat prefix. */
    static boolean isRepeated(byte[] bytes, Instruction instruction) {
        boolean repeats = false;
        for (int index = 0; index < instruction.opcodeOffset(); index++) {
            repeats |= bytes[index] == (byte) 0xf2 || bytes[index] == (byte) 0xf3;
        }
        return repeats
                && isOneByteOpcode(bytes, instruction)
                && switch (instruction.opcode()) {
                    case 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0x6c, 0x6d, 0x6e, 0x6f -> true;
                    default -> false;
                };
    }

    private boolean isOneByteOpcode() {
        return isOneByteOpcode(bytes, instruction);
    }

    /** Whether nothing but prefixes is before the opcode. */
    static boolean isOneByteOpcode(byte[] bytes, Instruction instruction) {
        for (int index = 0; index < instruction.opcodeOffset(); index++) {
            boolean prefix = switch (bytes[index] & 0xff) {
                case 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 -> true;
                default -> (bytes[index] & 0xf0) == 0x40;
            };
            if (!prefix) {
                return false;
            }
        }
        return true;
    }

    // ---- running to a caller ----

    /** Finds return addresses on the stack: words behind call instructions; the outer ones if there are many. */
    private int callers(RecordedTask task) {
        long top = task.tracee.get(Registers.RSP);
        long length = task.tracee.read(top, stack, STACK);
        int found = 0;
        int skip = 1;
        for (long at = 0; at + 8 <= length && found < LOCATIONS; at += 8) {
            long word = stack.get(JAVA_LONG, at);
            if (word > 0x10000 && word < USER_END && isBehindCall(task, word) && --skip <= 0) {
                callers[found++] = word;
                skip = 1 << found;
            }
        }
        return found;
    }

    private boolean isBehindCall(RecordedTask task, long address) {
        if (ProcessMemory.read(task.tid(), address - 7, code, 7) != 7) {
            return false;
        }
        boolean direct = code.get(JAVA_BYTE, 2) == (byte) 0xe8;
        return direct || isIndirectCall(5) || isIndirectCall(4) || isIndirectCall(1) || isIndirectCall(0);
    }

    /** Whether ff /2 is at an offset of the bytes read. */
    private boolean isIndirectCall(int offset) {
        return code.get(JAVA_BYTE, offset) == (byte) 0xff && (code.get(JAVA_BYTE, offset + 1) >> 3 & 7) == 2;
    }

    /** Lets the task run until it comes to one of the callers, or time is up. */
    private Moved runTo(RecordedTask task, int count) {
        for (int index = 0; index < count; index++) {
            Ptrace.setDebugRegister(task.tid(), index, callers[index]);
        }
        Ptrace.setDebugRegister(task.tid(), 7, ALL_ENABLED & (1L << 2 * count) - 1);
        return run(task, recorder.userResume(task), TracerClock.nanoTime() + SEARCH);
    }

    /** Lets the task go on until it stops for us, or time is up. Signals from outside are held back meanwhile. */
    private Moved run(RecordedTask task, int how, long deadline) {
        boolean breakpoints = how != Ptrace.SINGLESTEP;
        task.tracee.resume(how, 0);
        long result;
        while (true) {
            result = Wait.any(task.tid(), breakpoints ? Wait.WNOHANG : 0);
            if (result > 0
                    && (heldBack(task, Wait.status(result)) || isInVain(task, Wait.status(result), breakpoints))) {
                task.tracee.resume(how, 0);
            } else if (result != 0) {
                break;
            } else if (TracerClock.nanoTime() > deadline && !task.interrupting) {
                task.interrupting = true;
                Ptrace.interrupt(task.tid());
            }
        }
        task.tracee.forgetRegisters();
        int status = result > 0 ? Wait.status(result) : 0;
        boolean stopped = result > 0 && Wait.isStopped(status) && Wait.event(status) != Ptrace.EVENT_EXIT;
        if (stopped && breakpoints) {
            Ptrace.setDebugRegister(task.tid(), 7, 0);
        }
        boolean trapped = stopped && Wait.stopSignal(status) == Signal.SIGTRAP && !Wait.isSyscallStop(status);
        if (trapped && Wait.event(status) == Ptrace.EVENT_STOP) {
            task.interrupting = false;
            return Moved.THERE;
        }
        if (trapped && Wait.event(status) == 0 && isOurs(task)) {
            // A request that was made at the last moment is gone with this stop, or its stop comes in vain.
            task.interrupting = false;
            return Moved.THERE;
        }
        if (result > 0) {
            recorder.dispatch(task, status);
        }
        return Moved.OVERTAKEN;
    }

    /**
     * Whether it was stopped on a request, and what it was let go for is yet to come: a step (the request was an earlier one), or
     * the signal of a breakpoint at which it stands, which may wait behind.
     */
    private boolean isInVain(RecordedTask task, int status, boolean breakpoints) {
        if (!Wait.isStopped(status)
                || Wait.event(status) != Ptrace.EVENT_STOP
                || Wait.stopSignal(status) != Signal.SIGTRAP) {
            return false;
        }
        if (!breakpoints) {
            return true;
        }
        task.tracee.forgetRegisters();
        long address = task.tracee.get(Registers.RIP);
        for (long caller : callers) {
            if (caller == address) {
                return true;
            }
        }
        return false;
    }

    /** Whether a SIGTRAP comes from a step or a breakpoint register. */
    private boolean isOurs(RecordedTask task) {
        Ptrace.getSignalInfo(task.tid(), info);
        int cause = Ptrace.codeOf(info);
        return cause == Signal.TRAP_TRACE || cause == Signal.TRAP_HWBKPT;
    }

    /** Whether the stop is for a signal from outside, which has been held back; the task can go on. */
    private boolean heldBack(RecordedTask task, int status) {
        task.tracee.forgetRegisters();
        if (!Wait.isStopped(status) || Wait.event(status) != 0 || Wait.isSyscallStop(status)) {
            return false;
        }
        Ptrace.getSignalInfo(task.tid(), info);
        int signal = Wait.stopSignal(status);
        if (Signal.stopsByDefault(signal) || Signal.canBeSynchronous(signal) && Ptrace.codeOf(info) > 0) {
            return false;
        }
        task.tracee.holdSignal(signal);
        return true;
    }
}
