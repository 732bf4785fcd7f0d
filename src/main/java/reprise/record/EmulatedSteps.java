package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Wait;
import reprise.x86.Instruction;
import reprise.x86.InstructionDecoder;
import reprise.x86.Registers;

/**
 * Single steps and breakpoint registers of recorded tracers. Each stop gets an event that names the instant; replay runs there
 * without stepping.
 */
final class EmulatedSteps {
    private static final int LONGEST = 15;
    private static final int PUSHF = 0x9c;
    private static final long TRAP_FLAG = 0x100;
    /** Steps at most from an instruction at which no instant can be named to one where it can. */
    private static final int STEPS_TO_NAME = 64;

    private final Recorder recorder;
    private final EmulatedPtrace emulation;
    private final MemorySegment info = Arena.global().allocate(Ptrace.SIGINFO_SIZE, 8);
    private final MemorySegment code = Arena.global().allocate(16, 8);
    private final byte[] bytes = new byte[LONGEST];
    private final InstructionDecoder decoder = new InstructionDecoder();
    private final Instruction instruction = new Instruction();

    EmulatedSteps(Recorder recorder, EmulatedPtrace emulation) {
        this.recorder = recorder;
        this.emulation = emulation;
    }

    /** The current task, at a named instant, executes one instruction and stops. A repeated string instruction is one. */
    void step(RecordedTask task) {
        recorder.prepareToRun(task);
        stepOn(task, STEPS_TO_NAME);
    }

    private void stepOn(RecordedTask task, int left) {
        long address = task.tracee.get(Registers.RIP);
        boolean decoded = decode(task, address);
        boolean pushesFlags = decoded
                && instruction.kind() == Instruction.Kind.OTHER
                && instruction.opcode() == PUSHF
                && PointRecorder.isOneByteOpcode(bytes, instruction);
        boolean repeats = decoded && PointRecorder.isRepeated(bytes, instruction);
        int status;
        do {
            do {
                task.tracee.resume(Ptrace.SINGLESTEP, 0);
                status = task.tracee.awaitStop();
            } while (isInterruption(task, status));
            if (!isTrap(task, status)) {
                if (Wait.event(status) == Ptrace.EVENT_SECCOMP || Wait.isSyscallStop(status)) {
                    // The syscall instruction copied the trap flag that the kernel had set.
                    task.tracee.set(Registers.R11, task.tracee.get(Registers.R11) & ~TRAP_FLAG);
                }
                recorder.dispatch(task, status);
                return;
            }
        } while (repeats && task.tracee.get(Registers.RIP) == address);
        if (pushesFlags) {
            // The processor pushed the trap flag that the kernel had set.
            long top = task.tracee.get(Registers.RSP);
            task.tracee.writeWord(top, task.tracee.readWord(top) & ~TRAP_FLAG);
        }
        trapped(task, left);
    }

    /** The current task stopped at a breakpoint register, which only its tracer sets. */
    void trapped(RecordedTask task) {
        Ptrace.getSignalInfo(task.tid(), info);
        trapped(task, STEPS_TO_NAME);
    }

    private void trapped(RecordedTask task, int left) {
        byte[] cause = info.toArray(JAVA_BYTE);
        long address = task.tracee.get(Registers.RIP);
        if (decode(task, address) && instruction.kind() == Instruction.Kind.SYSCALL) {
            long rcx = task.tracee.get(Registers.RCX);
            long r11 = task.tracee.get(Registers.R11);
            task.tracee.resume(recorder.userResume(task), 0);
            int status = task.tracee.awaitStop();
            if (Wait.event(status) != Ptrace.EVENT_SECCOMP && !Wait.isSyscallStop(status)) {
                recorder.dispatch(task, status);
                return;
            }
            recorder.takeBack(task);
            emulation.nameOnInstruction(task, Signal.SIGTRAP, rcx, r11);
        } else if (recorder.nameStep(task)) {
            recorder.markNamed(task);
        } else if (left > 0) {
            stepOn(task, left - 1);
            return;
        } else {
            throw new IllegalStateException("task " + task.tid() + " was stepped to 0x" + Long.toHexString(address)
                    + ", and neither there nor behind it could the instant be named");
        }
        if (task.tracing != null) {
            emulation.stop(task, EmulatedStop.ofSignal(EmulatedStop.Kind.TRAP, Signal.SIGTRAP, cause));
        }
    }

    /**
     * Whether the task stopped because it was asked to, which is of no matter to a task that stops anyhow: asked while it stood
     * in its last stop, it stops again before it executes anything. If it has stepped, the step's own stop follows.
     */
    private static boolean isInterruption(RecordedTask task, int status) {
        if (Wait.event(status) != Ptrace.EVENT_STOP || Wait.stopSignal(status) != Signal.SIGTRAP) {
            return false;
        }
        task.tracee.joinedGroupStop();
        task.interrupting = false;
        return true;
    }

    /** Whether the task stopped behind its step, or at a breakpoint register. */
    private boolean isTrap(RecordedTask task, int status) {
        if (Wait.event(status) != 0 || Wait.stopSignal(status) != Signal.SIGTRAP) {
            return false;
        }
        Ptrace.getSignalInfo(task.tid(), info);
        int cause = Ptrace.codeOf(info);
        return cause == Signal.TRAP_TRACE || cause == Signal.TRAP_HWBKPT;
    }

    private boolean decode(RecordedTask task, long address) {
        int length = (int) Math.max(0, task.tracee.read(address, code, LONGEST));
        MemorySegment.copy(code, JAVA_BYTE, 0, bytes, 0, length);
        return decoder.decode(bytes, 0, length, address, instruction);
    }
}
