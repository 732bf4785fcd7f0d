package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Wait;
import reprise.trace.TraceWriter;
import reprise.tracee.MemoryScanner;
import reprise.x86.Registers;
import reprise.x86.VectorState;

/**
 * Names instants in the midst of a computation by the state at them.
 *
 * <p>Replay has to look at the state each time that it comes to the same instruction, so a location that is executed
 * rarely is better than one in a hot loop: for a moment the task runs on to see whether it returns to one of its callers.
 */
final class PointRecorder {
    /** How long the task may take to return to a caller, in nanoseconds. */
    private static final long SEARCH = 1_000_000;

    private static final int STACK = 8192;
    private static final int LOCATIONS = 4;
    /** DR7: local enable of breakpoints 0 to 3, each for execution. */
    private static final long ALL_ENABLED = 0x55;

    private final Recorder recorder;
    private final TraceWriter trace;
    private final SyscallBuffers buffers;
    private final MemorySegment stack = Arena.global().allocate(STACK, 16);
    private final MemorySegment code = Arena.global().allocate(16, 8);
    private final MemorySegment info = Arena.global().allocate(Ptrace.SIGINFO_SIZE, 8);
    private final long[] callers = new long[LOCATIONS];

    PointRecorder(Recorder recorder, TraceWriter trace, SyscallBuffers buffers) {
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
        if (canBreak(task)) {
            int count = callers(task);
            if (count > 0 && !runTo(task, count)) {
                return false;
            }
        }
        if (isInside(task)) {
            return false;
        }
        if (repeatedLength(task) > 0 && canBreak(task)) {
            // Replay cannot stop in the middle of a string instruction: name the instant when it is done.
            callers[0] = task.tracee.get(Registers.RIP) + repeatedLength(task);
            if (!runTo(task, 1)) {
                return false;
            }
        }
        if (isInside(task)) {
            return false;
        }
        if (repeatedLength(task) > 0) {
            // Still there. Try again later.
            task.state = RecordedTask.State.RUNNING;
            task.tracee.resume(recorder.userResume(task), 0);
            return false;
        }
        buffers.flush(task, false);
        MemoryScanner.Changes changes = task.process.memory.changes(task.tracee, !task.ownFilters);
        trace.executionPoint(
                task.domain.id,
                task.tid(),
                task.tracee.registers(),
                VectorState.hash(ExtendedState.read(task.tracee)),
                changes.complete(),
                changes.pages(),
                changes.hashes(),
                changes.pages().length);
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

    /** A breakpoint raises SIGTRAP; if that is blocked or ignored, the kernel would reset what the program set. */
    private static boolean canBreak(RecordedTask task) {
        return (Ptrace.signalMask(task.tid()) & Signal.bit(Signal.SIGTRAP)) == 0
                && (TaskStatus.of(task.tid()).ignored() & Signal.bit(Signal.SIGTRAP)) == 0;
    }

    /** Finds return addresses on the stack: words behind call instructions; the outer ones if there are many. */
    private int callers(RecordedTask task) {
        long top = task.tracee.get(Registers.RSP);
        long length = task.tracee.read(top, stack, STACK);
        int found = 0;
        int skip = 1;
        for (long at = 0; at + 8 <= length && found < LOCATIONS; at += 8) {
            long word = stack.get(JAVA_LONG, at);
            if (word > 0x10000 && word < 0x7fff_ffff_f000L && isBehindCall(task, word) && --skip <= 0) {
                callers[found++] = word;
                skip = 1 << found;
            }
        }
        return found;
    }

    private boolean isBehindCall(RecordedTask task, long address) {
        if (reprise.linux.ProcessMemory.read(task.tid(), address - 7, code, 7) != 7) {
            return false;
        }
        boolean direct = code.get(JAVA_BYTE, 2) == (byte) 0xe8;
        return direct || isIndirectCall(5) || isIndirectCall(4) || isIndirectCall(1) || isIndirectCall(0);
    }

    /** Whether ff /2 is at an offset of the bytes read. */
    private boolean isIndirectCall(int offset) {
        return code.get(JAVA_BYTE, offset) == (byte) 0xff && (code.get(JAVA_BYTE, offset + 1) >> 3 & 7) == 2;
    }

    /** Lets the task run until it comes to one of the callers, or time is up; false if something else happened. */
    private boolean runTo(RecordedTask task, int count) {
        for (int index = 0; index < count; index++) {
            Ptrace.setDebugRegister(task.tid(), index, callers[index]);
        }
        Ptrace.setDebugRegister(task.tid(), 7, ALL_ENABLED & (1L << 2 * count) - 1);
        task.tracee.resume(recorder.userResume(task), 0);
        long deadline = System.nanoTime() + SEARCH;
        long result;
        do {
            result = Wait.any(task.tid(), Wait.WNOHANG);
            if (result == 0 && System.nanoTime() > deadline && !task.interrupting) {
                task.interrupting = true;
                Ptrace.interrupt(task.tid());
            }
        } while (result == 0 || result > 0 && heldBack(task, Wait.status(result)));
        task.tracee.forgetRegisters();
        int status = result > 0 ? Wait.status(result) : 0;
        boolean stopped = result > 0 && Wait.isStopped(status) && Wait.event(status) != Ptrace.EVENT_EXIT;
        if (stopped) {
            Ptrace.setDebugRegister(task.tid(), 7, 0);
        }
        boolean asked = stopped && Wait.event(status) == Ptrace.EVENT_STOP && Wait.stopSignal(status) == Signal.SIGTRAP;
        boolean hit = stopped
                && Wait.event(status) == 0
                && Wait.stopSignal(status) == Signal.SIGTRAP
                && isCaller(task, count);
        if (asked) {
            task.interrupting = false;
        }
        if (asked || hit) {
            return true;
        }
        if (result > 0) {
            recorder.dispatch(task, status);
        }
        return false;
    }

    /** Whether the stop is for a signal from outside, which has been held back; the task runs on. */
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
        task.tracee.stashSignal(signal);
        task.tracee.resume(recorder.userResume(task), 0);
        return true;
    }

    private boolean isCaller(RecordedTask task, int count) {
        long address = task.tracee.get(Registers.RIP);
        for (int index = 0; index < count; index++) {
            if (callers[index] == address) {
                return true;
            }
        }
        return false;
    }

    /** The length of the string instruction with a repeat prefix at which the task stands; 0 if there is none. */
    private int repeatedLength(RecordedTask task) {
        task.tracee.read(task.tracee.get(Registers.RIP), code, 4);
        boolean repeats = false;
        for (int index = 0; index < 4; index++) {
            int length = index + 1;
            int octet = code.get(JAVA_BYTE, index) & 0xff;
            switch (octet) {
                case 0xf2, 0xf3 -> repeats = true;
                case 0x66, 0x67, 0x48 -> {}
                case 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0x6c, 0x6d, 0x6e, 0x6f -> {
                    return repeats ? length : 0;
                }
                default -> {
                    return 0;
                }
            }
        }
        return 0;
    }
}
