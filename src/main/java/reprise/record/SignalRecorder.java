package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.runtime.RandomInstruction;
import reprise.trace.Event;
import reprise.trace.TraceWriter;
import reprise.tracee.TaskStatus;
import reprise.x86.Registers;

/** Decides when signals strike and records what they did. */
final class SignalRecorder {
    /** Offset of fpstate in a signal frame, from the stack pointer at the handler's first instruction. */
    private static final int FRAME_FPSTATE = 232;

    private static final int FRAME_FLAGS = 8 + 40 + 17 * 8;
    private static final long TRAP_FLAG = 0x100;
    /** Offset in fpstate of fpx_sw_bytes: magic1, extended_size. */
    private static final int SOFTWARE_BYTES = 464;

    private static final int FP_XSTATE_MAGIC1 = 0x46505853;
    private static final int LEGACY_STATE_SIZE = 512;

    private final Recorder recorder;
    private final TraceWriter trace;
    private final SyscallBuffers buffers;
    private final SitePatcher patcher;
    private final CounterClock counter;
    private final TimerStarvation starvation;
    private final int withheld;
    private final MemorySegment info = Arena.global().allocate(Ptrace.SIGINFO_SIZE, 8);
    private final MemorySegment before = Arena.global().allocate(Registers.SIZE, 16);
    private final MemorySegment code = Arena.global().allocate(16, 8);

    SignalRecorder(
            Recorder recorder,
            TraceWriter trace,
            SyscallBuffers buffers,
            SitePatcher patcher,
            CounterClock counter,
            TimerStarvation starvation,
            int withheld) {
        this.recorder = recorder;
        this.patcher = patcher;
        this.counter = counter;
        this.buffers = buffers;
        this.trace = trace;
        this.starvation = starvation;
        this.withheld = withheld;
    }

    /** The current task is in a signal-delivery stop. */
    void stopped(RecordedTask task, int signal) {
        Ptrace.getSignalInfo(task.tid(), info);
        if (signal == withheld) {
            pass(task, 0);
            return;
        }
        if (recorder.emulation().completeChildSignal(info)) {
            Ptrace.setSignalInfo(task.tid(), info);
        }
        int code = Ptrace.codeOf(info);
        if (code > 0 && Signal.canBeSynchronous(signal)) {
            boolean forced = task.frameFailedAt != null;
            if (!forced
                    && signal == Signal.SIGSEGV
                    && code == Signal.SI_KERNEL
                    && !task.counterFaults
                    && emulated(task)) {
                return;
            }
            if (task.tracing != null && signal == Signal.SIGTRAP && code == Signal.TRAP_HWBKPT) {
                recorder.emulation().steps().trapped(task);
                return;
            }
            if (!forced && signal == Signal.SIGILL && randomSupplied(task)) {
                return;
            }
            receive(task, signal, faultPoint(task, signal, code));
            return;
        }
        if (task.tracee.held().arrived(signal, info)) {
            Ptrace.setSignalInfo(task.tid(), info);
        }
        boolean starved = TimerStarvation.isStarved(task, signal, Ptrace.codeOf(info));
        if ((starved || !Recorder.isNamed(task)) && (task.tracing != null || isCaught(task, signal))) {
            // In the midst of a computation: it strikes at the next system call.
            task.tracee.held().putBack(signal, info);
            if (starved) {
                starvation.begin(task);
            } else {
                buffers.requestStop(task);
            }
            task.state = RecordedTask.State.RUNNING;
            task.tracee.resume(recorder.userResume(task), 0);
            if (!starved && task.midway && !task.interrupting) {
                // It may wait for this signal from rt_sigreturn on, and others behind it.
                task.interrupting = true;
                Ptrace.interrupt(task.tid());
            }
            return;
        }
        receive(task, signal, task.atSyscall ? Event.SignalPoint.AT_SYSCALL : Event.SignalPoint.AFTER_EVENT);
    }

    /** A signal is there for the current task: its tracer in the recording gets it first, if it has one. */
    private void receive(RecordedTask task, int signal, Event.SignalPoint point) {
        if (!recorder.emulation().intercepts(task, signal, point, info)) {
            deliver(task, signal, point);
        }
    }

    /** The current task's tracer in the recording let it have a signal, with the siginfo that the kernel has now. */
    void deliver(RecordedTask task, int signal) {
        Ptrace.getSignalInfo(task.tid(), info);
        deliver(task, signal, Event.SignalPoint.AFTER_EVENT);
    }

    /** The current task is in a signal-delivery stop in the midst of a call that it performs by itself. */
    void stoppedInside(RecordedTask task, int signal) {
        Ptrace.getSignalInfo(task.tid(), info);
        if (recorder.emulation().completeChildSignal(info)) {
            Ptrace.setSignalInfo(task.tid(), info);
        }
        int code = Ptrace.codeOf(info);
        if (signal == withheld) {
            pass(task, 0);
        } else if (code > 0 && Signal.canBeSynchronous(signal)) {
            // A pointer of the program's leads nowhere: the kernel shall say so.
            SyscallBuffers.abort(task);
            pass(task, 0);
        } else {
            if (task.tracee.held().arrived(signal, info)) {
                Ptrace.setSignalInfo(task.tid(), info);
            }
            if (task.tracing != null || isCaught(task, signal)) {
                task.tracee.held().putBack(signal, info);
                buffers.bringOut(task);
                pass(task, 0);
            } else {
                pass(task, signal);
            }
        }
    }

    /**
     * SIGSYS, and a SIGSEGV forced because a frame could not be pushed or was found broken by rt_sigreturn, are not raised by
     * an instruction.
     */
    private static Event.SignalPoint faultPoint(RecordedTask task, int signal, int code) {
        if (task.frameFailedAt != null) {
            return task.frameFailedAt;
        }
        boolean brokenFrame = signal == Signal.SIGSEGV
                && code == Signal.SI_KERNEL
                && task.call == SyscallNumber.RT_SIGRETURN
                && Recorder.hasRegistersOfLastEvent(task);
        // A process can send itself a siginfo that looks like a fault's: it strikes behind the call. What is taken for
        // one
        // here strikes at the first instruction behind an event, so that nothing has to be run to get there.
        boolean named = Recorder.isNamed(task);
        return signal == Signal.SIGSYS || brokenFrame || named
                ? Event.SignalPoint.AFTER_EVENT
                : Event.SignalPoint.FAULT;
    }

    private static boolean isCaught(RecordedTask task, int signal) {
        return (TaskStatus.of(task.tid()).caught() & Signal.bit(signal)) != 0;
    }

    /** The task was taken back to a syscall instruction so that the signals held back can strike there. */
    void deliverStashed(RecordedTask task) {
        task.atSyscall = true;
        recorder.resumeUser(task, 0);
    }

    /** Sends the signals held back to the task again. It stands at a named instant, where they can strike. */
    void resend(RecordedTask task) {
        if (!task.tracee.held().isEmpty()) {
            task.midway = false;
        }
        task.tracee.held().sendAgain(task.process.pid, task.tid());
    }

    /** Lets the kernel act on a signal that has no handler; nothing for the trace. */
    private void pass(RecordedTask task, int signal) {
        task.state = RecordedTask.State.RUNNING;
        task.tracee.resume(recorder.userResume(task), signal);
    }

    private void deliver(RecordedTask task, int signal, Event.SignalPoint point) {
        TaskStatus status = TaskStatus.of(task.tid());
        if ((status.caught() & Signal.bit(signal)) != 0) {
            runHandler(task, signal, point);
            return;
        }
        boolean ignored = (status.ignored() & Signal.bit(signal)) != 0 || Signal.isIgnoredByDefault(signal);
        if (!ignored
                && !Signal.stopsByDefault(signal)
                && (point == Event.SignalPoint.FAULT || Recorder.isNamed(task))) {
            MemorySegment.copy(task.tracee.registers(), 0, before, 0, Registers.SIZE);
            buffers.flush(task, false);
            trace.signalDelivered(
                    task.domain.id, task.tid(), signal, point, Event.SignalEffect.FATAL, before, info, null, null);
            trace.end();
        }
        task.frameFailedAt = null;
        if (!ignored && Signal.stopsByDefault(signal) && task.domain.tasks > 1 && !Recorder.isNamed(task)) {
            recorder.nameBeforeStop(task);
        }
        pass(task, signal);
    }

    private void runHandler(RecordedTask task, int signal, Event.SignalPoint point) {
        MemorySegment.copy(task.tracee.registers(), 0, before, 0, Registers.SIZE);
        // In the frame the program, and whoever walks its stack, shall find its own code.
        long original = task.process.memory.code.original(Registers.get(before, Registers.RIP));
        if (original != Registers.get(before, Registers.RIP)) {
            task.tracee.set(Registers.RIP, original);
        }
        // A step into a handler stops at its first instruction, before anything of it has run.
        task.tracee.resume(Ptrace.SINGLESTEP, signal);
        int status = task.tracee.awaitStop();
        if (Wait.event(status) != 0 || Wait.stopSignal(status) != Signal.SIGTRAP) {
            // The frame could not be pushed: the kernel forces SIGSEGV instead, at the same point.
            task.frameFailedAt = point;
            recorder.dispatch(task, status);
            return;
        }
        task.frameFailedAt = null;
        task.atSyscall = false;
        buffers.flush(task, false);
        hideStep(task);
        MemorySegment after = task.tracee.registers();
        trace.signalDelivered(
                task.domain.id,
                task.tid(),
                signal,
                point,
                Event.SignalEffect.HANDLER,
                before,
                info,
                after,
                ExtendedState.read(task.tracee));
        long stack = Registers.get(after, Registers.RSP);
        long length = frameLength(task, stack);
        MemorySegment into = trace.write(task.tid(), stack, length);
        trace.shortenLastWrite(task.tracee.read(stack, into, length));
        trace.end();
        recorder.afterEvent(task, false, false);
    }

    /**
     * Before popf and iret the kernel takes the trap flag for the program's own (is_setting_trap_flag in
     * arch/x86/kernel/step.c), and the step into the handler would leave it in the frame: to strike when the handler returns.
     */
    private void hideStep(RecordedTask task) {
        long address = task.tracee.get(Registers.RSP) + FRAME_FLAGS;
        long flags = task.tracee.readWord(address);
        if ((flags & ~Registers.get(before, Registers.EFLAGS) & TRAP_FLAG) != 0) {
            task.tracee.writeWord(address, flags & ~TRAP_FLAG);
        }
    }

    private long frameLength(RecordedTask task, long stack) {
        long state = task.tracee.readWord(stack + FRAME_FPSTATE);
        if (state == 0) {
            return FRAME_FPSTATE + 8 + 64 + 8 + Ptrace.SIGINFO_SIZE;
        }
        long size = LEGACY_STATE_SIZE;
        if (task.tracee.readInt(state + SOFTWARE_BYTES) == FP_XSTATE_MAGIC1) {
            size = task.tracee.readInt(state + SOFTWARE_BYTES + 4);
        }
        return state + size - stack;
    }

    /** Supplies the number that rdrand or rdseed asked for; false if the task does not stand at one that was replaced. */
    private boolean randomSupplied(RecordedTask task) {
        long address = task.tracee.get(Registers.RIP);
        int count = (int) task.tracee.read(address, code, RandomInstruction.LONGEST);
        byte[] bytes = code.toArray(JAVA_BYTE);
        int length = RandomInstruction.length(bytes, 0, count);
        if (length == 0) {
            return false;
        }
        MemorySegment.copy(task.tracee.registers(), 0, before, 0, Registers.SIZE);
        int destination = RandomInstruction.register(bytes, 0, length);
        Syscall.check(Syscall.call(SyscallNumber.GETRANDOM, info.address(), 8, 0), "getrandom");
        long value = RandomInstruction.result(
                bytes, 0, length, Registers.get(before, Registers.general(destination)), info.get(JAVA_LONG, 0));
        RandomInstruction.complete(task.tracee.registers(), destination, value, length);
        task.tracee.set(Registers.RIP, address + length);
        buffers.flush(task, false);
        trace.instructionTrapped(
                task.domain.id, task.tid(), Event.TrappedInstruction.RDRAND, before, value, destination, length, 0);
        task.atSyscall = false;
        recorder.afterEvent(task, false, false);
        return true;
    }

    /** Emulates rdtsc and rdtscp, which PR_SET_TSC makes fault; false if the task stands at neither. */
    private boolean emulated(RecordedTask task) {
        long address = task.tracee.get(Registers.RIP);
        long count = task.tracee.read(address, code, 3);
        int first = code.get(JAVA_BYTE, 0) & 0xff;
        int second = code.get(JAVA_BYTE, 1) & 0xff;
        int third = code.get(JAVA_BYTE, 2) & 0xff;
        boolean plain = count >= 2 && first == 0x0f && second == 0x31;
        boolean withCore = count >= 3 && first == 0x0f && second == 0x01 && third == 0xf9;
        if (!plain && !withCore) {
            return false;
        }
        MemorySegment.copy(task.tracee.registers(), 0, before, 0, Registers.SIZE);
        long ticks = counter.now();
        long low = ticks & 0xffffffffL;
        long high = ticks >>> 32;
        long core = Math.max(0, task.domain.core);
        task.tracee.set(Registers.RAX, low);
        task.tracee.set(Registers.RDX, high);
        if (withCore) {
            task.tracee.set(Registers.RCX, core);
        }
        task.tracee.set(Registers.RIP, address + (plain ? 2 : 3));
        buffers.flush(task, false);
        trace.instructionTrapped(
                task.domain.id,
                task.tid(),
                plain ? Event.TrappedInstruction.RDTSC : Event.TrappedInstruction.RDTSCP,
                before,
                low,
                Registers.get(before, Registers.RBX),
                withCore ? core : Registers.get(before, Registers.RCX),
                high);
        task.atSyscall = false;
        if (plain) {
            patcher.trapped(task, address);
        }
        recorder.afterEvent(task, false, false);
        return true;
    }
}
