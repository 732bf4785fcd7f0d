package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import reprise.linux.Errno;
import reprise.linux.LinuxException;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.runtime.Patch;
import reprise.trace.Event;
import reprise.trace.TraceWriter;
import reprise.tracee.StashedSignal;
import reprise.tracee.TaskStatus;
import reprise.x86.Registers;

/**
 * Lets recorded programs trace each other.
 *
 * <p>A task has one tracer for the kernel, and that is the recorder. Where a recorded task has a tracer among the
 * recorded tasks, the recorder leaves it stopped wherever the kernel would have stopped it for that tracer, and resumes
 * it when the tracer asks. It stands only at instants that an event names, so that replay knows at which moment the
 * tracer's changes happen: writes to its memory are part of the tracer's system call, changes of its registers are an
 * event of its own ({@link Event.SignalEffect#TRACER}). Replay knows nothing else of tracers.
 */
final class EmulatedPtrace {
    private static final int SI_QUEUE = -1;
    private static final int SI_PID = 16;
    private static final int SI_UID = 20;
    private static final int SI_VALUE = 24;
    private static final int TRAP_BRKPT = 1;
    private static final int CLD_EXITED = 1;
    private static final int CLD_KILLED = 2;
    private static final int CLD_DUMPED = 3;
    private static final int CLD_TRAPPED = 4;
    private static final long CLONE_PTRACE = 0x2000;
    private static final long CLONE_VFORK = 0x4000;
    private static final long CLONE_UNTRACED = 0x800000;

    /** How a task goes on: from which stop, and what its tracer said then. */
    record Resumption(EmulatedStop stop, int how, int signal) {}

    private final Recorder recorder;
    private final TraceWriter trace;
    private final SyscallBuffers buffers;
    private final EmulatedWaits waits;
    private final EmulatedSteps steps;
    private final PtraceCalls calls;
    private final int ownPid = (int) Syscall.call(SyscallNumber.GETPID, 0);
    private final List<RecordedTask> tracees = new ArrayList<>();
    private final MemorySegment before = Arena.global().allocate(Registers.SIZE, 16);
    private final MemorySegment info = Arena.global().allocate(Ptrace.SIGINFO_SIZE, 8);

    EmulatedPtrace(Recorder recorder, TraceWriter trace, SyscallBuffers buffers) {
        this.recorder = recorder;
        this.trace = trace;
        this.buffers = buffers;
        waits = new EmulatedWaits(recorder, this);
        steps = new EmulatedSteps(recorder, this);
        calls = new PtraceCalls(recorder, this);
    }

    PtraceCalls calls() {
        return calls;
    }

    EmulatedWaits waits() {
        return waits;
    }

    EmulatedSteps steps() {
        return steps;
    }

    /** All tasks that have a tracer in the recording, in the order in which they got it. */
    List<RecordedTask> tracees() {
        return tracees;
    }

    // ---- tracers and tracees ----

    /**
     * A task gets a tracer.
     *
     * @param caller which of the two makes the call that brings it about, or else the task's creator
     */
    void attach(RecordedTask task, EmulatedTracee tracing, RecordedTask caller) {
        task.tracing = tracing;
        tracees.add(task);
        // The tracer writes to memory: nobody who has it may be in the midst of a computation then.
        recorder.merge(caller.domain, (caller == task ? tracing.tracer : task).domain);
        // Its system calls must stop it, and its tracer's waits must be seen.
        buffers.disable(task);
        buffers.disable(tracing.tracer);
        waits.attached(tracing.tracer);
    }

    /** A task has its tracer no longer. */
    private void part(RecordedTask task) {
        tracees.remove(task);
        waits.withdraw(task);
        task.tracing = null;
    }

    /** The current task, which has a tracer, began another program. Its event is in the trace. */
    void executed(RecordedTask task, int formerTid) {
        EmulatedTracee state = task.tracing;
        if (state == null) {
            return;
        }
        task.process.memory.bufferable = false;
        recorder.merge(task.domain, state.tracer.domain);
        state.debugRegisters = null;
        if (state.has(Ptrace.O_TRACEEXEC)) {
            state.due.add(event(Ptrace.EVENT_EXEC, formerTid));
        } else if (!state.seized) {
            byte[] sent = EmulatedStop.info(Signal.SIGTRAP, 0);
            EmulatedStop.word(sent, SI_PID, task.tid());
            EmulatedStop.word(sent, SI_UID, userOf(task));
            stash(task, Signal.SIGTRAP, sent);
        }
    }

    private static EmulatedStop event(int event, long message) {
        return EmulatedStop.ofEvent(EmulatedStop.Kind.NAMED, event, Signal.SIGTRAP, message);
    }

    /** A call of the current task made a new one, which is not yet running. */
    void created(RecordedTask parent, RecordedTask child, long flags, long exitSignal) {
        EmulatedTracee state = parent.tracing;
        if (state == null || (flags & CLONE_UNTRACED) != 0) {
            return;
        }
        int event = (flags & CLONE_VFORK) != 0
                ? Ptrace.EVENT_VFORK
                : exitSignal == Signal.SIGCHLD ? Ptrace.EVENT_FORK : Ptrace.EVENT_CLONE;
        boolean wanted = state.has(1 << event);
        if (wanted) {
            state.due.add(event(event, child.tid()));
        }
        if (wanted || (flags & CLONE_PTRACE) != 0) {
            attach(child, new EmulatedTracee(state.tracer, state.seized, state.options), parent);
        }
    }

    /** A new task is there; whether it stops before its first turn. */
    boolean born(RecordedTask task) {
        if (task.tracing == null) {
            return false;
        }
        recorder.markNamed(task);
        if (task.tracing.seized) {
            stop(task, interruption(Signal.SIGTRAP));
        } else {
            stop(
                    task,
                    EmulatedStop.ofSignal(
                            EmulatedStop.Kind.TRAP, Signal.SIGSTOP, EmulatedStop.info(Signal.SIGSTOP, 0)));
        }
        return true;
    }

    private static EmulatedStop interruption(int signal) {
        return EmulatedStop.ofEvent(EmulatedStop.Kind.NAMED, Ptrace.EVENT_STOP, signal, 0);
    }

    /** The current task made a child by vfork, and its event is in the trace. Whether it stops for that. */
    boolean vforked(RecordedTask task) {
        EmulatedStop event = task.tracing == null ? null : task.tracing.due.poll();
        if (event == null) {
            return false;
        }
        stop(
                task,
                new EmulatedStop(EmulatedStop.Kind.VFORKING, event.waitStatus(), event.signalInfo(), event.message()));
        return true;
    }

    /** The child of the current task's vfork goes its own way. */
    void vforkDone(RecordedTask task, long child) {
        if (task.tracing != null && task.tracing.has(Ptrace.O_TRACEVFORKDONE)) {
            task.tracing.due.add(event(Ptrace.EVENT_VFORK_DONE, child));
        }
    }

    // ---- stops ----

    /** Whether the task, which is about to make a system call, shall stop on the instruction. */
    boolean wantsStop(RecordedTask task) {
        return task.tracing != null && (task.tracing.interruptWanted || task.tracing.groupSignal != 0);
    }

    /** The current task was taken back to the system call instruction, and stops there. */
    void stopOnInstruction(RecordedTask task) {
        EmulatedTracee state = task.tracing;
        EmulatedStop stop = state.groupSignal != 0 ? groupStop(state, state.groupSignal) : interruption(Signal.SIGTRAP);
        state.groupSignal = 0;
        state.interruptWanted = false;
        nameOnInstruction(task, 0, task.tracee.get(Registers.RCX), task.tracee.get(Registers.R11));
        stop(task, stop);
    }

    /**
     * The current task was taken back to a system call instruction that it was about to execute: an event tells it.
     *
     * @param rcx what the register was before the instruction changed it
     * @param r11 likewise
     */
    void nameOnInstruction(RecordedTask task, int signal, long rcx, long r11) {
        MemorySegment.copy(task.tracee.registers(), 0, before, 0, Registers.SIZE);
        task.tracee.set(Registers.RCX, rcx);
        task.tracee.set(Registers.R11, r11);
        recordChange(task, signal, Event.SignalPoint.AT_SYSCALL, true, null);
        task.atSyscall = false;
        recorder.markNamed(task);
    }

    private void recordChange(
            RecordedTask task, int signal, Event.SignalPoint point, boolean after, MemorySegment extended) {
        trace.signalDelivered(
                task.domain.id,
                task.tid(),
                signal,
                point,
                Event.SignalEffect.TRACER,
                before,
                info,
                after ? task.tracee.registers() : null,
                extended);
        trace.end();
        info.fill((byte) 0);
    }

    /** The current task is at the entry of a system call. Whether it stops there, with its entry in the trace. */
    boolean entered(RecordedTask task) {
        EmulatedTracee state = task.tracing;
        if (state == null || state.how != Ptrace.SYSCALL) {
            return false;
        }
        recorder.recordEntry(task);
        stop(task, EmulatedStop.ofCall(EmulatedStop.Kind.ENTRY, state.has(Ptrace.O_TRACESYSGOOD)));
        return true;
    }

    /** An event of the current task is complete. Whether it stops there. */
    boolean afterEvent(RecordedTask task, boolean systemCall) {
        EmulatedTracee state = task.tracing;
        if (state == null) {
            return false;
        }
        state.exitDue |= systemCall;
        if (state.how == Ptrace.SINGLESTEP) {
            int code = systemCall ? TRAP_BRKPT : Signal.TRAP_TRACE;
            state.due.add(EmulatedStop.ofSignal(
                    EmulatedStop.Kind.TRAP, Signal.SIGTRAP, EmulatedStop.info(Signal.SIGTRAP, code)));
        }
        return stopIfDue(task);
    }

    /** Stops the current task, which is at a named instant, if it has to stop there. */
    boolean stopIfDue(RecordedTask task) {
        EmulatedTracee state = task.tracing;
        if (state == null) {
            return false;
        }
        EmulatedStop next = state.due.poll();
        if (next == null && state.exitDue) {
            state.exitDue = false;
            if (state.how == Ptrace.SYSCALL) {
                next = EmulatedStop.ofCall(EmulatedStop.Kind.EXIT, state.has(Ptrace.O_TRACESYSGOOD));
            }
        }
        if (next == null && state.groupSignal != 0) {
            next = groupStop(state, state.groupSignal);
            state.groupSignal = 0;
        }
        if (next == null && state.interruptWanted) {
            state.interruptWanted = false;
            next = interruption(Signal.SIGTRAP);
        }
        if (next == null) {
            return false;
        }
        recorder.markNamed(task);
        stop(task, next);
        return true;
    }

    /**
     * The current task is in a signal-delivery stop. Whether its tracer gets the signal.
     *
     * @param signalInfo siginfo of the signal, 128 bytes
     */
    boolean intercepts(RecordedTask task, int signal, Event.SignalPoint point, MemorySegment signalInfo) {
        EmulatedTracee state = task.tracing;
        if (state == null) {
            return false;
        }
        if (state.passing == signal) {
            state.passing = 0;
            return false;
        }
        if (point != Event.SignalPoint.AFTER_EVENT) {
            buffers.flush(task, false);
            MemorySegment.copy(task.tracee.registers(), 0, before, 0, Registers.SIZE);
            MemorySegment.copy(signalInfo, 0, info, 0, Ptrace.SIGINFO_SIZE);
            recordChange(task, signal, point, false, null);
        }
        task.atSyscall = false;
        recorder.markNamed(task);
        stop(task, EmulatedStop.ofSignal(EmulatedStop.Kind.SIGNAL, signal, signalInfo.toArray(JAVA_BYTE)));
        return true;
    }

    /** The current task, stopped in the kernel's group stop, has one for its tracer too, if it has a tracer. */
    boolean groupStopped(RecordedTask task, int signal) {
        EmulatedTracee state = task.tracing;
        if (state == null) {
            return false;
        }
        if (signal == Signal.SIGTRAP) {
            if (!state.listening) {
                return false;
            }
            state.listening = false;
            stop(task, interruption(Signal.SIGTRAP));
            return true;
        }
        state.listening = false;
        state.groupSignal = signal;
        if (SyscallBuffers.isInside(task)) {
            buffers.bringOut(task);
            task.state = RecordedTask.State.RUNNING;
            task.tracee.resume(recorder.userResume(task), 0);
        } else if (Recorder.isNamed(task) || recorder.nameInstant(task)) {
            state.groupSignal = 0;
            stop(task, groupStop(state, signal));
        }
        return true;
    }

    private static EmulatedStop groupStop(EmulatedTracee state, int signal) {
        return state.seized
                ? EmulatedStop.ofEvent(EmulatedStop.Kind.GROUP, Ptrace.EVENT_STOP, signal, 0)
                : EmulatedStop.ofSignal(EmulatedStop.Kind.GROUP, signal, null);
    }

    /** The task is at its PTRACE_EVENT_EXIT. Whether its tracer sees it there before it goes. */
    boolean dying(RecordedTask task) {
        EmulatedTracee state = task.tracing;
        if (state == null) {
            return false;
        }
        waits.withdraw(task);
        state.stop = null;
        state.due.clear();
        if (!state.has(Ptrace.O_TRACEEXIT) || state.dying) {
            return false;
        }
        state.dying = true;
        task.domain.ready.remove(task);
        task.pendingStatus = RecordedTask.GO_ON;
        if (task.domain.entered == task) {
            recorder.recordEntry(task);
            task.domain.entered = null;
        }
        stop(
                task,
                EmulatedStop.ofEvent(
                        EmulatedStop.Kind.DYING, Ptrace.EVENT_EXIT, Signal.SIGTRAP, Ptrace.eventMessage(task.tid())));
        return true;
    }

    /** Leaves the task stopped until its tracer resumes it. Unless it is dying, it is at an instant with a name. */
    void stop(RecordedTask task, EmulatedStop stop) {
        EmulatedTracee state = task.tracing;
        switch (stop.kind()) {
            case ENTRY, VFORKING, DYING -> {}
            default -> unpatch(task);
        }
        state.stop = stop;
        state.interruptWanted = false;
        state.changed = false;
        state.extendedChanged = false;
        task.state = RecordedTask.State.TRACE_STOPPED;
        waits.report(task, stop.waitStatus());
        notifyTracer(state.tracer, task, CLD_TRAPPED, stop.waitStatus() >> 8 & 0x7f);
        recorder.release(task);
    }

    /**
     * Restores the program's own code where it was patched: its tracer looks at it and plants breakpoints there. A task that is
     * inside moved code goes on there, and comes back.
     */
    private void unpatch(RecordedTask task) {
        List<Patch> patches = task.process.memory.code.restore();
        if (patches.isEmpty()) {
            return;
        }
        MemorySegment.copy(task.tracee.registers(), 0, before, 0, Registers.SIZE);
        trace.signalDelivered(
                task.domain.id,
                task.tid(),
                0,
                Event.SignalPoint.AFTER_EVENT,
                Event.SignalEffect.TRACER,
                before,
                info,
                null,
                null);
        for (Patch patch : patches) {
            for (Patch.Edit edit : patch.edits()) {
                MemorySegment into = trace.write(task.tid(), edit.address(), edit.before().length);
                MemorySegment.copy(edit.before(), 0, into, JAVA_BYTE, 0, edit.before().length);
                task.tracee.write(edit.address(), into, edit.before().length);
            }
        }
        trace.end();
    }

    // ---- resuming ----

    /**
     * The tracer, whose call is not yet in the trace, changed the registers of a stopped task and now resumes it: an event
     * tells how it goes on.
     */
    void recordChanges(RecordedTask task) {
        EmulatedTracee state = task.tracing;
        if (!state.changed && !state.extendedChanged) {
            return;
        }
        switch (state.stop.kind()) {
            case ENTRY -> {
                task.entryChanged = true;
                return;
            }
            case DYING -> {
                return;
            }
            case VFORKING -> Registers.set(state.before, Registers.RAX, state.stop.message());
            default -> goBackToCall(task);
        }
        MemorySegment.copy(state.before, 0, before, 0, Registers.SIZE);
        MemorySegment extended = state.extendedChanged ? ExtendedState.read(task.tracee) : null;
        recordChange(task, 0, Event.SignalPoint.AFTER_EVENT, true, extended);
    }

    /** Registers that say that a call is to be made again: does what the kernel would do on the way to user code. */
    private static void goBackToCall(RecordedTask task) {
        long number = task.tracee.get(Registers.ORIG_RAX);
        long result = task.tracee.get(Registers.RAX);
        if (number >= 0 && result <= -Errno.ERESTARTSYS && result >= -Errno.ERESTART_RESTARTBLOCK) {
            boolean byBlock = result == -Errno.ERESTART_RESTARTBLOCK;
            task.tracee.set(Registers.RIP, task.tracee.get(Registers.RIP) - Registers.SYSCALL_LENGTH);
            task.tracee.set(Registers.RAX, byBlock ? SyscallNumber.RESTART_SYSCALL : number);
            task.tracee.set(Registers.ORIG_RAX, -1);
        }
    }

    /** Lets a stopped task go on as its tracer asked, once it has its turn. */
    void resume(RecordedTask task, int how, int signal) {
        EmulatedTracee state = task.tracing;
        Resumption resumption = new Resumption(state.stop, how, signal);
        state.stop = null;
        state.how = how;
        state.signal = signal;
        waits.withdraw(task);
        if (how == Ptrace.DETACH) {
            part(task);
        }
        if (resumption.stop.kind() == EmulatedStop.Kind.DYING) {
            recorder.die(task);
            return;
        }
        task.resumption = resumption;
        recorder.resumeStopped(task);
    }

    /** The current task goes on as its tracer asked. */
    void goOn(RecordedTask task) {
        Resumption from = task.resumption;
        task.resumption = null;
        task.state = RecordedTask.State.RUNNING;
        EmulatedStop.Kind kind = from.stop.kind();
        if (kind != EmulatedStop.Kind.ENTRY && kind != EmulatedStop.Kind.VFORKING) {
            recorder.markNamed(task);
        }
        switch (kind) {
            case ENTRY -> {
                inject(task, from.signal, false);
                recorder.proceed(task);
            }
            case VFORKING -> recorder.awaitVforkChild(task);
            case SIGNAL -> {
                if (from.signal == 0) {
                    goOnInProgram(task, from.how);
                } else {
                    deliver(task, from);
                }
            }
            case GROUP -> {
                if (from.how == Ptrace.DETACH) {
                    task.stayStopped();
                    listenInKernel(task);
                    recorder.release(task);
                } else {
                    goOnInProgram(task, from.how);
                }
            }
            case EXIT, TRAP -> {
                inject(task, from.signal, kind == EmulatedStop.Kind.TRAP);
                goOnInProgram(task, from.how);
            }
            case NAMED, DYING -> goOnInProgram(task, from.how);
        }
    }

    private void goOnInProgram(RecordedTask task, int how) {
        if (stopIfDue(task)) {
            return;
        }
        if (how == Ptrace.SINGLESTEP) {
            steps.step(task);
        } else {
            recorder.resumeUser(task, 0);
        }
    }

    private void deliver(RecordedTask task, Resumption from) {
        // Behind rt_sigsuspend and its like, PTRACE_GETSIGMASK names the mask that the call will restore; what lets
        // the signal through, or queues it again (ptrace_signal in kernel/signal.c), is the one in force.
        TaskStatus status = TaskStatus.of(task.tid());
        boolean ignored = (status.ignored() & Signal.bit(from.signal)) != 0
                || Signal.isIgnoredByDefault(from.signal) && (status.caught() & Signal.bit(from.signal)) == 0;
        if ((status.blocked() & Signal.bit(from.signal)) != 0 && !Signal.canBeSynchronous(from.signal)) {
            inject(task, from.signal, false);
            goOnInProgram(task, from.how);
        } else if (ignored && from.how == Ptrace.SINGLESTEP) {
            goOnInProgram(task, from.how);
        } else {
            if (stopIfDue(task)) {
                return;
            }
            byte[] signalInfo = from.stop.signalInfo();
            Ptrace.getSignalInfo(task.tid(), info);
            if (Ptrace.signalOf(info) != from.signal) {
                // The kernel would name the recorder as the one who sent it.
                signalInfo = EmulatedStop.info(from.signal, 0);
                if (task.tracing != null) {
                    EmulatedStop.word(signalInfo, SI_PID, task.tracing.tracer.process.pid);
                    EmulatedStop.word(signalInfo, SI_UID, userOf(task.tracing.tracer));
                }
                MemorySegment.copy(signalInfo, 0, info, JAVA_BYTE, 0, signalInfo.length);
                Ptrace.setSignalInfo(task.tid(), info);
            }
            info.fill((byte) 0);
            recorder.deliver(task, from.signal);
        }
    }

    /**
     * Sends the task a signal on its tracer's behalf, to strike where it stands.
     *
     * @param seen whether it goes to the task without another stop
     */
    private void inject(RecordedTask task, int signal, boolean seen) {
        if (signal == 0) {
            return;
        }
        if (task.tracing != null && seen) {
            task.tracing.passing = signal;
        }
        stash(task, signal, EmulatedStop.info(signal, 0x80));
    }

    private static void stash(RecordedTask task, int signal, byte[] sent) {
        task.tracee.held().add(withInfo(signal, sent));
    }

    private static StashedSignal withInfo(int signal, byte[] info) {
        MemorySegment segment = Arena.ofAuto().allocate(Ptrace.SIGINFO_SIZE, 8);
        MemorySegment.copy(info, 0, segment, JAVA_BYTE, 0, info.length);
        return new StashedSignal(signal, segment);
    }

    /** Sends the task a signal that looks as if the kernel had sent it. */
    void send(RecordedTask task, int signal) {
        task.tracee.held().send(task.process.pid, task.tid(), withInfo(signal, EmulatedStop.info(signal, 0x80)));
    }

    /** PTRACE_LISTEN: the task stays in its group stop. */
    void listen(RecordedTask task) {
        EmulatedTracee state = task.tracing;
        state.stop = null;
        state.listening = true;
        state.interruptWanted = false;
        waits.withdraw(task);
        task.stayStopped();
        listenInKernel(task);
    }

    /** Its stop may have been at an event that came just before the kernel's group stop. */
    private static void listenInKernel(RecordedTask task) {
        try {
            Ptrace.listen(task.tid());
        } catch (LinuxException e) {
            if (e.errno() != Errno.EIO) {
                throw e;
            }
            Ptrace.interrupt(task.tid());
            task.tracee.resume(Ptrace.CONT, 0);
            task.tracee.awaitStop();
            Ptrace.listen(task.tid());
        }
    }

    /** PTRACE_INTERRUPT, or what follows PTRACE_SEIZE and PTRACE_ATTACH where the task is stopped already. */
    void interrupt(RecordedTask task) {
        EmulatedTracee state = task.tracing;
        if (state.listening) {
            Ptrace.interrupt(task.tid());
            return;
        }
        state.interruptWanted = true;
        boolean running = task.state == RecordedTask.State.RUNNING && task.domain.current == task;
        if (state.stop == null && task.resumption == null && (running || task.state == RecordedTask.State.IN_CALL)) {
            task.interrupting |= running && !task.inCall;
            Ptrace.interrupt(task.tid());
        }
    }

    /** A task that got a tracer is in a group stop, in which the kernel does not let the recorder touch it: ends that. */
    void stopListening(RecordedTask task) {
        Ptrace.interrupt(task.tid());
        task.tracee.awaitStop();
        recorder.dispatch(
                task,
                EmulatedStop.ofEvent(EmulatedStop.Kind.GROUP, Ptrace.EVENT_STOP, Signal.SIGSTOP, 0)
                        .waitStatus());
    }

    // ---- deaths ----

    /** The task has ended, or was swallowed by an exec (status -1). */
    void ended(RecordedTask task, int status) {
        if (task.tracing != null) {
            RecordedTask tracer = task.tracing.tracer;
            boolean child = task.tid() == task.process.pid && task.process.parent == tracer.process.pid;
            part(task);
            if (status >= 0 && !child) {
                waits.reportDeath(tracer, task, status);
                int code = (status & 0x7f) == 0 ? CLD_EXITED : (status & 0x80) != 0 ? CLD_DUMPED : CLD_KILLED;
                notifyTracer(tracer, task, code, (status & 0x7f) == 0 ? status >> 8 & 0xff : status & 0x7f);
            }
        }
        if (status < 0) {
            return;
        }
        waits.forget(task);
        for (RecordedTask tracee : List.copyOf(tracees)) {
            if (tracee.tracing != null && tracee.tracing.tracer == task) {
                abandon(tracee);
            }
        }
    }

    /** The task's tracer has ended. */
    private void abandon(RecordedTask task) {
        EmulatedTracee state = task.tracing;
        if (state.has(Ptrace.O_EXITKILL)) {
            part(task);
            Syscall.call(SyscallNumber.KILL, task.process.pid, Signal.SIGKILL, 0);
            return;
        }
        if (state.stop == null) {
            part(task);
            return;
        }
        try {
            recordChanges(task);
            resume(task, Ptrace.DETACH, 0);
        } catch (LinuxException e) {
            if (!e.isNoSuchTask()) {
                throw e;
            }
        }
    }

    // ---- SIGCHLD ----

    /** Tells a tracer by SIGCHLD that something happened to its tracee. */
    private void notifyTracer(RecordedTask tracer, RecordedTask task, int code, int status) {
        TaskStatus receiver = TaskStatus.of(tracer.tid());
        if (((receiver.caught() | receiver.blocked()) & Signal.bit(Signal.SIGCHLD)) == 0) {
            return;
        }
        MemorySegment sent = Arena.ofAuto().allocate(Ptrace.SIGINFO_SIZE, 8);
        sent.set(JAVA_INT, 0, Signal.SIGCHLD);
        // Only a process itself may send what looks like the kernel's: it gets its final form when it is delivered.
        sent.set(JAVA_INT, 8, SI_QUEUE);
        sent.set(JAVA_INT, SI_PID, ownPid);
        sent.set(JAVA_INT, SI_UID, userOf(task));
        sent.set(JAVA_LONG, SI_VALUE, (long) task.tid() << 32 | (long) code << 16 | status);
        Syscall.call(SyscallNumber.RT_SIGQUEUEINFO, tracer.process.pid, Signal.SIGCHLD, sent.address());
    }

    /** Whether a siginfo is of a SIGCHLD from {@link #notifyTracer}; if so, gives it its final form. */
    boolean completeChildSignal(MemorySegment signalInfo) {
        if (tracees.isEmpty() && !waits.isActive()
                || Ptrace.signalOf(signalInfo) != Signal.SIGCHLD
                || Ptrace.codeOf(signalInfo) != SI_QUEUE
                || signalInfo.get(JAVA_INT, SI_PID) != ownPid) {
            return false;
        }
        long value = signalInfo.get(JAVA_LONG, SI_VALUE);
        signalInfo.set(JAVA_INT, 8, (int) (value >> 16 & 0xff));
        signalInfo.set(JAVA_INT, SI_PID, (int) (value >> 32));
        signalInfo.set(JAVA_LONG, SI_VALUE, value & 0xffff);
        return true;
    }

    /** The real user id of a task. */
    static int userOf(RecordedTask task) {
        return TaskStatus.user(task.tid());
    }
}
