package reprise.record;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import reprise.linux.Errno;
import reprise.linux.LinuxException;
import reprise.linux.PeriodicSignal;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.trace.FileStore;
import reprise.trace.TraceWriter;
import reprise.tracee.AddressSpace;
import reprise.tracee.SeccompFilter;
import reprise.tracee.TaskStatus;
import reprise.tracee.TraceeGoneException;
import reprise.tracee.TracerClock;
import reprise.tracee.TracerCore;
import reprise.x86.Registers;

/**
 * Records a tree of processes.
 *
 * <p>One thread does everything here: it seized the tasks, waits for their stops, and decides whose turn it is. Inside a
 * domain one task runs user code at a time; it is changed only where an event names the moment.
 */
public final class Recorder {
    /** How long a write to the recording's output may take before a look whether it sleeps, in nanoseconds. */
    private static final long OUTPUT_PATIENCE = 2_000_000;

    /** How long to wait for a call that may block to return at once, before the turn is given away, in nanoseconds. */
    private static final long GRACE = 20_000;

    /** How long a domain that should move to another core waits for an event before its task is interrupted, in nanoseconds. */
    private static final long WITHOUT_EVENT = 300_000_000;
    /** Stops after which the recorder's counter is trapped again when the virtual machine had read it. */
    private static final int STOPS_TO_TRAP = 16;

    private final RecordOptions options;
    private final OwnSignals ownSignals;
    private final int ownGroup = (int) Syscall.call(SyscallNumber.GETPGID, 0);
    private final TraceWriter trace;
    private final Cores cores = new Cores();
    private final Crowding crowding = new Crowding(cores);
    private final SlicePolicy slices;
    private PeriodicSignal timer;
    private final Map<Integer, RecordedTask> tasks = new ConcurrentHashMap<>();
    /** Initial stops of tasks whose creation was not yet seen. */
    private final Map<Integer, Integer> early = new HashMap<>();

    private final SyscallBuffers buffers;
    private final SyscallRecorder syscalls;
    private final TimerStarvation starvation;
    private final SignalRecorder signals;
    private final ExecRecorder execs;
    private final ExitRecorder exits;
    private final ChecksumRecorder checksums;
    private final PointRecorder points;
    private final EmulatedPtrace emulation;
    private final CounterClock counter = new CounterClock();
    private TracerCore tracerCore;
    private int nextDomain = 1;
    private volatile int rootPid;
    private boolean started;
    private int rootStatus;

    /** A recorder that writes to {@code trace}; {@link #run} does the work on the calling thread. */
    public Recorder(RecordOptions options, TraceWriter trace, FileStore store, OwnSignals ownSignals) {
        this.options = options;
        this.ownSignals = ownSignals;
        ownSignals.attach(this);
        this.trace = trace;
        buffers = new SyscallBuffers(trace, counter, options.outputs());
        emulation = new EmulatedPtrace(this, trace, buffers);
        MappedFiles files = new MappedFiles(trace, store, inode -> buffers.fileMapped(inode, tasks.values()));
        RandomPatcher random = new RandomPatcher(files);
        checksums = new ChecksumRecorder(options, trace);
        PriorityFutexes priorityFutexes = new PriorityFutexes(this, trace);
        SitePatcher patcher = new SitePatcher(this, trace, buffers, options.stopsBeforeBuffering());
        syscalls = new SyscallRecorder(this, trace, files, random, buffers, patcher, priorityFutexes, options);
        starvation = new TimerStarvation(buffers);
        signals = new SignalRecorder(this, trace, buffers, patcher, counter, starvation, options.withheldSignal());
        execs = new ExecRecorder(this, trace, files, random);
        exits = new ExitRecorder(this, trace, buffers, priorityFutexes);
        slices = new SlicePolicy(options.chaos(), options.slice());
        points = new PointRecorder(this, trace, buffers, slices);
    }

    /**
     * Records until the last process has ended.
     *
     * @return the wait status of the first process
     * @throws LinuxException if tracing is not possible here or the program cannot be executed
     */
    public int run() {
        tracerCore = new TracerCore();
        Domain domain = new Domain(nextDomain++);
        domain.core = cores.take();
        cores.release(domain.core);
        RecordedTask root = Launch.start(options, domain.core);
        rootPid = root.tid();
        root.process = new RecordedProcess(root.tid(), 0, new RecordedProcess.Memory(new AddressSpace<>()));
        root.inCall = true;
        add(root);
        enterDomain(root, domain);
        timer = new PeriodicSignal(slices.tick(domain));
        makeCurrent(root);
        execs.executed(root, root.tid());
        started = true;
        ownSignals.started();
        counter.calibrate();
        TracerClock.trapCounter();
        try {
            recordTasks();
        } finally {
            TracerClock.allowCounter();
            tracerCore.release();
        }
        timer.close();
        trace.end(domain.id, rootPid, rootStatus);
        return rootStatus;
    }

    private void recordTasks() {
        int stops = 0;
        while (!tasks.isEmpty()) {
            long result = Wait.interruptible(-1, 0);
            if (result >= 0) {
                if (TracerClock.isAllowed() && ++stops >= STOPS_TO_TRAP) {
                    stops = 0;
                    TracerClock.trapCounter();
                }
                stopped(Wait.tid(result), Wait.status(result));
            } else if (result == -Errno.EINTR) {
                tick();
            } else if (result == -Errno.ECHILD) {
                break;
            } else {
                throw new LinuxException("wait4", (int) -result);
            }
        }
    }

    /** Passes a signal on to the first process; callable from any thread. */
    public void forward(int signal) {
        int pid = rootPid;
        if (pid > 0) {
            Syscall.call(SyscallNumber.KILL, pid, signal, 0);
        }
    }

    /** Whether the program has begun to run, so that a failure is no longer that it could not be started. */
    public boolean hasStarted() {
        return started;
    }

    /** Kills everything that is recorded; callable from any thread. What was recorded stays. */
    public void killAll() {
        for (Integer tid : List.copyOf(tasks.keySet())) {
            Syscall.call(SyscallNumber.KILL, tid, Signal.SIGKILL, 0);
        }
    }

    // ---- stops ----

    private void stopped(int tid, int status) {
        RecordedTask task = tasks.get(tid);
        if (task != null) {
            tracerCore.stopped(task.domain.core);
        }
        if (task == null) {
            if (Wait.isStopped(status)) {
                early.put(tid, status);
            } else {
                early.remove(tid);
            }
            return;
        }
        task.tracee.forgetRegisters();
        dispatch(task, status);
    }

    /** Gives a stop to its handler now, or once it is the task's turn. */
    void dispatch(RecordedTask task, int status) {
        if (!Wait.isStopped(status)) {
            exits.ended(task, status);
            return;
        }
        Domain domain = task.domain;
        boolean exiting = Wait.event(status) == Ptrace.EVENT_EXIT;
        if (domain.current == task || Wait.event(status) == Ptrace.EVENT_EXEC || exiting && !domain.isComputing()) {
            handle(task, status);
            return;
        }
        // What the kernel writes when a task exits must not come into the computation of another: it has its turn, too.
        if (exiting) {
            domain.ready.remove(task);
        }
        awaitTurn(task, status);
        if (domain.current == null) {
            schedule(domain);
        }
    }

    /** The stop is handled when it is the task's turn. */
    private void awaitTurn(RecordedTask task, int status) {
        task.pendingStatus = status;
        task.state = RecordedTask.State.READY;
        task.domain.ready.add(task);
    }

    /** The task is at its PTRACE_EVENT_EXIT: records its end, unless its tracer in the recording is to see it there first. */
    void die(RecordedTask task) {
        try {
            if (!emulation.dying(task)) {
                exits.exiting(task);
            }
        } catch (TraceeGoneException e) {
            gone(task, e);
        } catch (LinuxException e) {
            gone(task, e);
        }
    }

    private void handle(RecordedTask task, int status) {
        try {
            handleStop(task, status);
        } catch (TraceeGoneException e) {
            gone(task, e);
        } catch (LinuxException e) {
            gone(task, e);
        }
    }

    private void handleStop(RecordedTask task, int status) {
        if (status == RecordedTask.RESUMED) {
            emulation.goOn(task);
            return;
        }
        if (Wait.event(status) == Ptrace.EVENT_EXIT) {
            die(task);
            return;
        }
        if (!task.inCall && isEntry(status) && !SyscallBuffers.isStop(task) && syscalls.reachesOthers(task)) {
            // It is alone from now on when it writes to their memory.
            awaitTurn(task, status);
            return;
        }
        if (task.undisturbed && Wait.event(status) != Ptrace.EVENT_STOP) {
            starvation.end(task);
            if (isEntry(status)) {
                // The call is what it did not get to: the signals that are held back strike behind it, or cut it short.
                task.midway = false;
                signals.resend(task);
            }
        }
        if (!task.inCall && Wait.event(status) != Ptrace.EVENT_EXEC) {
            if (SyscallBuffers.isInside(task)) {
                stoppedInside(task, status);
                return;
            }
            if (SyscallBuffers.isStop(task)) {
                buffers.flush(task, true);
                syscalls.cameOut(task);
                return;
            }
            if (Wait.event(status) == 0 && !Wait.isSyscallStop(status) || Wait.event(status) == Ptrace.EVENT_STOP) {
                // There may be no event; the calls made so far go before the one that comes next.
                task.performed |= buffers.isFilled(task);
            } else {
                task.performed |= buffers.flush(task, false);
            }
        }
        if (Wait.event(status) != Ptrace.EVENT_STOP && task.inCall) {
            // Any stop clears a request to stop. If it was made only after the stop, the task stops once more, in vain.
            task.interrupting = false;
        }
        if (Wait.isSyscallStop(status)) {
            if (task.inCall) {
                syscalls.left(task);
            } else {
                syscalls.entered(task);
            }
            return;
        }
        switch (Wait.event(status)) {
            case 0 -> {
                task.interrupting = false;
                signals.stopped(task, Wait.stopSignal(status));
            }
            case Ptrace.EVENT_SECCOMP -> {
                if (task.inCall) {
                    // A task with filters of its own stopped at the entry already.
                    if (Ptrace.eventMessage(task.tid()) != SeccompFilter.MESSAGE) {
                        // SECCOMP_RET_TRACE of the program's, for a tracer that it does not have: seccomp(2).
                        task.tracee.set(Registers.ORIG_RAX, -1);
                        task.tracee.set(Registers.RAX, -Errno.ENOSYS);
                    }
                    task.tracee.resume(Ptrace.SYSCALL, 0);
                    if (task.blocking) {
                        mayBlock(task);
                    }
                } else {
                    syscalls.entered(task);
                }
            }
            case Ptrace.EVENT_FORK, Ptrace.EVENT_VFORK, Ptrace.EVENT_CLONE ->
                syscalls.created(task, (int) Ptrace.eventMessage(task.tid()), Wait.event(status));
            case Ptrace.EVENT_EXEC -> executed(task);
            case Ptrace.EVENT_STOP -> groupStopped(task, Wait.stopSignal(status));
            default ->
                throw new IllegalStateException("task " + task.tid() + ": unexpected stop: " + Wait.describe(status));
        }
    }

    private static boolean isEntry(int status) {
        return Wait.isSyscallStop(status) || Wait.event(status) == Ptrace.EVENT_SECCOMP;
    }

    /** The current task was stopped in the midst of a call that it performs by itself: it comes out first. */
    private void stoppedInside(RecordedTask task, int status) {
        switch (Wait.event(status)) {
            case 0 -> signals.stoppedInside(task, Wait.stopSignal(status));
            case Ptrace.EVENT_STOP -> {
                if (Wait.stopSignal(status) != Signal.SIGTRAP || task.listening) {
                    groupStopped(task, Wait.stopSignal(status));
                    return;
                }
                task.interrupting = false;
                buffers.bringOut(task);
                task.tracee.resume(userResume(task), 0);
            }
            default ->
                throw new IllegalStateException(
                        "task " + task.tid() + " stopped inside the runtime: " + Wait.describe(status));
        }
    }

    /** The current task stands right behind a call that it performed by itself, as it was asked to. */
    void cameOut(RecordedTask task) {
        task.interrupting = false;
        task.atSyscall = false;
        markNamed(task);
        if (task.stopsBehind) {
            task.stopsBehind = false;
            stopAgain(task);
            return;
        }
        if (!task.tracee.held().isEmpty()) {
            resumeUser(task, 0);
            return;
        }
        afterEvent(task, false, true);
    }

    /** A task was killed while it was being dealt with. */
    void gone(RecordedTask task, TraceeGoneException e) {
        trace.abandon();
        if (e.waitStatus() != 0) {
            RecordedTask gone = tasks.get(e.tid());
            if (gone != null) {
                dispatch(gone, e.waitStatus());
            }
        } else if (task.domain.current == task) {
            // Its end will be reported; until then nobody else may see half of what it did.
            task.state = RecordedTask.State.EXITING;
        }
    }

    private void gone(RecordedTask task, LinuxException e) {
        if (!e.isNoSuchTask()) {
            throw e;
        }
        gone(task, new TraceeGoneException(task.tid(), 0));
    }

    private void executed(RecordedTask leader) {
        int former = (int) Ptrace.eventMessage(leader.tid());
        RecordedTask task = tasks.get(former);
        if (task != leader) {
            // The thread that called execve took over the leader's id; the leader ended without a word.
            forget(leader, -1);
            tasks.remove(former);
            task.tracee.rename(leader.tid());
            tasks.put(leader.tid(), task);
        }
        for (RecordedTask other : List.copyOf(task.process.threads)) {
            if (other != task) {
                forget(other, -1);
            }
        }
        task.tracee.forgetRegisters();
        Domain old = task.domain;
        if (old.current == task) {
            old.current = null;
            cores.release(old.core);
        }
        leaveDomain(task);
        Domain fresh = newDomain();
        enterDomain(task, fresh);
        makeCurrent(task);
        Cores.bind(task.tid(), fresh.core);
        task.boundTo = fresh.core;
        execs.executed(task, former);
        // Only now: what the program did in memory that it shared until its exec comes before others look at it.
        if (old.current == null) {
            schedule(old);
        }
    }

    private void groupStopped(RecordedTask task, int signal) {
        task.tracee.joinedGroupStop();
        if (emulation.groupStopped(task, signal)) {
            return;
        }
        boolean wasStopped = task.listening;
        task.listening = false;
        if (signal == Signal.SIGTRAP && !wasStopped) {
            interrupted(task);
            return;
        }
        if (signal == Signal.SIGTRAP) {
            // SIGCONT ended the group stop.
            task.midway = true;
            task.state = RecordedTask.State.RUNNING;
            task.tracee.resume(task.inCall ? Ptrace.SYSCALL : userResume(task), 0);
            return;
        }
        if (!isNamed(task) && !task.inCall && task.domain.tasks > 1 && goesOnToStop(task)) {
            return;
        }
        task.stayStopped();
        boolean named = isNamed(task);
        Ptrace.listen(task.tid());
        if (named) {
            // Only where an event names the moment may others of the domain run meanwhile.
            release(task);
        }
    }

    /**
     * A task was stopped together with its process, in the midst of its computation. The others wait for their turn to be stopped
     * too, and whoever stopped the process may wait for that: so the instant is named, if need be a little later.
     *
     * @return whether it goes on for that; it is stopped again behind
     */
    private boolean goesOnToStop(RecordedTask task) {
        task.state = RecordedTask.State.RUNNING;
        if (SyscallBuffers.isInside(task)) {
            task.stopsBehind = true;
            buffers.bringOut(task);
            task.tracee.resume(userResume(task), 0);
            return true;
        }
        nameBeforeStop(task);
        if (isNamed(task)) {
            return false;
        }
        if (nameInstant(task)) {
            stopAgain(task);
        }
        return true;
    }

    /** Lets a named task run into its process's stop, which it has left. */
    private void stopAgain(RecordedTask task) {
        task.interrupting = true;
        Ptrace.interrupt(task.tid());
        task.tracee.resume(userResume(task), 0);
    }

    // ---- interruption ----

    /** Interrupts those who compute for long while others wait for their turn, or signals for a moment to strike. */
    private void tick() {
        tracerCore.tick();
        long now = TracerClock.nanoTime();
        boolean checking = crowding.isDue(now);
        for (RecordedTask task : tasks.values()) {
            Domain domain = task.domain;
            if (checking && domain.current == task) {
                crowding.check(task, now);
            }
            boolean running = domain.current == task
                    && task.state == RecordedTask.State.RUNNING
                    && !task.inCall
                    && !task.interrupting;
            boolean contended = !domain.ready.isEmpty() || slices.interruptsAlways();
            boolean moving = domain.wantedCore >= 0;
            boolean wanted = contended && now > domain.computationEnd
                    || moving && now - domain.wantedSince > WITHOUT_EVENT
                    || !task.tracee.held().isEmpty();
            boolean overdue = contended && now > domain.sliceEnd
                    || moving
                    || !task.tracee.held().isEmpty();
            if (!running && domain.current == task && overdue && exits.vanished(task)) {
                continue;
            }
            if (running && overdue && !task.process.memory.stopRequested) {
                buffers.requestStop(task);
            }
            if (running && wanted) {
                task.interrupting = true;
                try {
                    Ptrace.interrupt(task.tid());
                } catch (LinuxException e) {
                    gone(task, e);
                }
            }
        }
        if (checking) {
            crowding.checked(now);
        }
    }

    /** The current task stopped because it was asked to. */
    private void interrupted(RecordedTask task) {
        boolean wanted = task.interrupting;
        task.interrupting = false;
        if (!wanted || task.atSyscall) {
            task.state = RecordedTask.State.RUNNING;
            task.tracee.resume(userResume(task), 0);
            return;
        }
        if (!isNamed(task)) {
            long begin = TracerClock.nanoTime();
            if (!points.name(task)) {
                return;
            }
            task.domain.noteNamingCost(TracerClock.nanoTime() - begin);
        }
        markNamed(task);
        if (task.undisturbed) {
            starvation.end(task);
        }
        if (emulation.stopIfDue(task)) {
            return;
        }
        if (!task.tracee.held().isEmpty()) {
            resumeUser(task, 0);
            return;
        }
        task.midway = true;
        slices.interrupted(task);
        waitForTurn(task);
        task.domain.current = null;
        cores.release(task.domain.core);
        schedule(task.domain);
    }

    /** The instant at which the task stands has a name: an event tells it. */
    void markNamed(RecordedTask task) {
        MemorySegment.copy(task.tracee.registers(), 0, task.resumed, 0, Registers.SIZE);
        task.performed = false;
    }

    /** A signal is about to stop a task in the midst of its computation: names the instant, so that others can have the turn. */
    void nameBeforeStop(RecordedTask task) {
        if (task.process.memory.scanner != null && points.nameHere(task)) {
            markNamed(task);
            // Nothing of the program is executed before the stop.
            task.midway = false;
        }
    }

    /**
     * Names the instant at which the current task stopped, or one shortly after it.
     *
     * @return whether it did; otherwise the task goes on, or came to an event that names itself
     */
    boolean nameInstant(RecordedTask task) {
        if (!points.name(task)) {
            return false;
        }
        markNamed(task);
        task.midway = false;
        return true;
    }

    /** Names the instant at which the current task stopped behind a single step; false if it cannot be named. */
    boolean nameStep(RecordedTask task) {
        return points.nameStep(task);
    }

    /** Whether the task is where its last event left it. */
    static boolean isNamed(RecordedTask task) {
        return !task.performed && hasRegistersOfLastEvent(task) && (!task.midway || isAboutToRestart(task));
    }

    /** Whether it stands behind a call that the kernel is going to restart: no program gets to see these results. */
    private static boolean isAboutToRestart(RecordedTask task) {
        long result = task.tracee.get(Registers.RAX);
        return task.tracee.get(Registers.ORIG_RAX) >= 0
                && result <= -Errno.ERESTARTSYS
                && result >= -Errno.ERESTART_RESTARTBLOCK;
    }

    static boolean hasRegistersOfLastEvent(RecordedTask task) {
        return MemorySegment.mismatch(task.tracee.registers(), 0, Registers.SIZE, task.resumed, 0, Registers.SIZE)
                == -1;
    }

    // ---- who runs ----

    int userResume(RecordedTask task) {
        return task.ownFilters ? Ptrace.SYSCALL : Ptrace.CONT;
    }

    /** The task goes on in user code; from here to its next event its own instructions determine it. */
    void resumeUser(RecordedTask task, int signal) {
        task.state = RecordedTask.State.RUNNING;
        markNamed(task);
        // Signals that came during remote calls would have struck here.
        signals.resend(task);
        task.tracee.resume(userResume(task), signal);
    }

    /** The current task is about to execute what follows a named instant. */
    void prepareToRun(RecordedTask task) {
        task.state = RecordedTask.State.RUNNING;
        markNamed(task);
        signals.resend(task);
    }

    /** An event of the current task is complete: it goes on, or its turn ends. */
    void afterEvent(RecordedTask task, boolean systemCall, boolean yield) {
        // A signal that waits already strikes right here; one that comes later may find the same registers.
        task.midway = systemCall
                && task.call == SyscallNumber.RT_SIGRETURN
                && !TaskStatus.of(task.tid()).isStruck();
        task.spinning = RecordedTask.Spinning.NO;
        checksums.afterEvent(task, systemCall);
        if (task.tracing != null && emulation.afterEvent(task, systemCall)) {
            return;
        }
        Domain domain = task.domain;
        if (systemCall && !domain.ready.isEmpty() && options.checksums() == RecordOptions.Checksums.NONE) {
            points.afterCall(task);
        }
        if (domain.current != task) {
            waitForTurn(task);
            return;
        }
        if (domain.tasks > 1 && (yield || options.switchAlways() || TracerClock.nanoTime() > domain.sliceEnd)) {
            collect();
            // What came in may have connected this domain with another one.
            domain = task.domain;
            if (!domain.ready.isEmpty() && domain.current == task) {
                waitForTurn(task);
                domain.current = null;
                cores.release(domain.core);
                schedule(domain);
                return;
            }
            if (domain.eager) {
                buffers.requestStop(task);
            } else {
                slices.begin(domain, task);
            }
        }
        if (domain.current == task) {
            if (domain.wantedCore >= 0) {
                chooseCore(task);
            }
            resumeUser(task, 0);
        }
    }

    /** The tracer of a stopped task, which is another recorded one, lets it go on: it waits for its turn. */
    void resumeStopped(RecordedTask task) {
        task.pendingStatus = RecordedTask.RESUMED;
        task.state = RecordedTask.State.READY;
        task.domain.ready.add(task);
        if (task.domain.current == null) {
            schedule(task.domain);
        }
    }

    private void waitForTurn(RecordedTask task) {
        task.pendingStatus = RecordedTask.GO_ON;
        task.state = RecordedTask.State.READY;
        markNamed(task);
        task.domain.ready.add(task);
    }

    /** Takes in all stops that are waiting, so that a task that stops all the time does not hide the others. */
    private void collect() {
        long result;
        while ((result = Wait.any(-1, Wait.WNOHANG)) > 0) {
            stopped(Wait.tid(result), Wait.status(result));
        }
    }

    /**
     * The current task writes to the recording's output. Others may write there too, at the same time on another core: so
     * that replay shows all in the same order, this one is finished first, unless it sleeps in the kernel.
     *
     * @return whether it was
     */
    boolean awaitOutput(RecordedTask task) {
        return awaitSleep(task, OUTPUT_PATIENCE);
    }

    /**
     * Waits until the current task, which is in a call, sleeps there or has come out.
     *
     * @return whether it came out; then that has been dealt with
     */
    boolean awaitSleep(RecordedTask task) {
        return awaitSleep(task, 0);
    }

    /** As {@link #awaitSleep}, with a look whether it sleeps only now and then, in nanoseconds. */
    private boolean awaitSleep(RecordedTask task, long patience) {
        long deadline = TracerClock.nanoTime() + patience;
        do {
            long result = Wait.any(task.tid(), Wait.WNOHANG);
            if (result != 0) {
                task.tracee.forgetRegisters();
                if (result > 0) {
                    dispatch(task, Wait.status(result));
                }
                return true;
            }
            Thread.onSpinWait();
            if (TracerClock.nanoTime() > deadline) {
                char state = TaskStatus.of(task.tid()).state();
                if (state == 'S') {
                    return false;
                }
                deadline = TracerClock.nanoTime() + patience;
            }
        } while (true);
    }

    /** The current task is in the kernel and may stay there; others may run if it does. */
    void mayBlock(RecordedTask task) {
        Domain domain = task.domain;
        task.state = RecordedTask.State.IN_CALL;
        domain.current = null;
        domain.entered = task.exitRecorded ? null : task;
        cores.release(domain.core);
        if (domain.ready.isEmpty()) {
            return;
        }
        long deadline = TracerClock.nanoTime() + GRACE;
        do {
            long result = Wait.any(task.tid(), Wait.WNOHANG);
            if (result > 0) {
                task.tracee.forgetRegisters();
                // First in line: it did not block, so its turn has not ended.
                makeCurrent(task);
                dispatch(task, Wait.status(result));
                return;
            }
            Thread.onSpinWait();
        } while (TracerClock.nanoTime() < deadline);
        schedule(domain);
    }

    /** The task cannot go on for now and holds its turn no longer. */
    void release(RecordedTask task) {
        Domain domain = task.domain;
        if (domain.current == task) {
            domain.current = null;
            cores.release(domain.core);
            schedule(domain);
        }
    }

    /** Gives the turn to the task that has waited longest. */
    void schedule(Domain domain) {
        if (domain.scheduling) {
            return;
        }
        domain.scheduling = true;
        try {
            giveTurn(domain);
        } finally {
            domain.scheduling = false;
        }
    }

    private void giveTurn(Domain domain) {
        while (domain.current == null && !domain.ready.isEmpty()) {
            RecordedTask next = slices.next(domain.ready);
            makeCurrent(next);
            slices.begin(domain, next);
            timer.setInterval(slices.tick(domain));
            if (domain.eager) {
                buffers.requestStop(next);
            }
            int status = next.pendingStatus;
            long killed = Wait.any(next.tid(), Wait.WNOHANG);
            if (killed > 0) {
                // Only SIGKILL moves a stopped task, to its exit event. To resume it would take it past that unseen.
                next.tracee.forgetRegisters();
                dispatch(next, Wait.status(killed));
            } else if (status == RecordedTask.GO_ON) {
                try {
                    if (!emulation.stopIfDue(next)) {
                        resumeUser(next, 0);
                    }
                } catch (TraceeGoneException e) {
                    gone(next, e);
                }
            } else {
                next.pendingStatus = RecordedTask.GO_ON;
                handle(next, status);
            }
        }
    }

    private void makeCurrent(RecordedTask task) {
        Domain domain = task.domain;
        if (domain.entered != null) {
            RecordedTask entered = domain.entered;
            domain.entered = null;
            if (entered != task) {
                syscalls.recordEntry(entered);
            }
        }
        domain.current = task;
        cores.occupy(domain.core);
        chooseCore(task);
    }

    /** The stopped current task may have got another affinity, company or a wish: moves its domain to the core that suits it. */
    void chooseCore(RecordedTask task) {
        Domain domain = task.domain;
        int better = cores.better(domain.core, domain.wantedCore, task.affinity);
        domain.wantedCore = -1;
        if (better != domain.core) {
            migrate(domain, better);
        }
        if (task.boundTo != domain.core) {
            Cores.bind(task.tid(), domain.core);
            task.boundTo = domain.core;
        }
    }

    private void migrate(Domain domain, int core) {
        cores.release(domain.core);
        cores.occupy(core);
        domain.core = core;
        // Its other tasks follow when it is their turn.
        trace.coreBound(domain.id, domain.current.tid(), core);
    }

    // ---- domains ----

    Domain newDomain() {
        Domain domain = new Domain(nextDomain++);
        domain.core = cores.take();
        cores.release(domain.core);
        return domain;
    }

    void enterDomain(RecordedTask task, Domain domain) {
        task.domain = domain;
        domain.tasks++;
    }

    private void leaveDomain(RecordedTask task) {
        Domain domain = task.domain;
        domain.tasks--;
        domain.ready.remove(task);
        if (domain.entered == task) {
            domain.entered = null;
        }
    }

    /** Two processes begin to share memory: from now on one of all their tasks runs at a time. */
    void merge(Domain into, Domain from) {
        if (into == from) {
            return;
        }
        for (RecordedTask task : tasks.values()) {
            if (task.domain == from) {
                task.domain = into;
                into.tasks++;
                Cores.bind(task.tid(), into.core);
                task.boundTo = into.core;
            }
        }
        into.ready.addAll(from.ready);
        from.ready.clear();
        from.tasks = 0;
        if (from.entered != null) {
            syscalls.recordEntry(from.entered);
            from.entered = null;
        }
        if (from.current != null) {
            // It is in the middle of its computation, where nothing names the moment: it keeps the turn, and the task
            // whose call connected the two waits (see afterEvent).
            cores.release(from.core);
            into.current = from.current;
            from.current = null;
        }
        trace.coreBound(into.id, into.current == null ? rootPid : into.current.tid(), into.core);
    }

    // ---- tasks ----

    RecordedTask find(int tid) {
        return tasks.get(tid);
    }

    int taskCount() {
        return tasks.size();
    }

    Iterable<RecordedTask> all() {
        return tasks.values();
    }

    /** The live tasks, as a copy. */
    List<RecordedTask> list() {
        return List.copyOf(tasks.values());
    }

    OwnSignals ownSignals() {
        return ownSignals;
    }

    /** The recorder's process group. */
    int ownGroup() {
        return ownGroup;
    }

    /** Whether the task is in the recorder's process group. */
    boolean sharesGroup(RecordedTask task) {
        return Syscall.call(SyscallNumber.GETPGID, task.tid()) == ownGroup;
    }

    Cores cores() {
        return cores;
    }

    /** Waits until a new task has made its first stop. */
    void awaitBirth(int tid) {
        Integer status = early.remove(tid);
        if (status != null) {
            return;
        }
        long result = Wait.any(tid, 0);
        if (result < 0 || !Wait.isStopped(Wait.status(result))) {
            throw new TraceeGoneException(tid, 0);
        }
    }

    void add(RecordedTask task) {
        tasks.put(task.tid(), task);
        task.process.threads.add(task);
        task.process.memory.enter();
    }

    /** A new task waits for its first turn. */
    void born(RecordedTask task) {
        if (emulation.born(task)) {
            return;
        }
        waitForTurn(task);
        if (task.domain.current == null) {
            schedule(task.domain);
        }
    }

    /**
     * Somebody's end is about to change memory: what another task of the domain computed up to the call that it is in comes
     * before that.
     */
    void recordOpenEntry(Domain domain) {
        RecordedTask open = domain.current != null && domain.current.inCall ? domain.current : domain.entered;
        domain.entered = null;
        if (open != null && !open.exitRecorded) {
            syscalls.recordEntry(open);
        }
    }

    /** A task was killed in a call, see {@link SyscallRecorder#cutOff}. */
    void cutOff(RecordedTask task) {
        syscalls.cutOff(task);
    }

    /** The entry of the task's call becomes an event of its own, if it is not yet. */
    void recordEntry(RecordedTask task) {
        syscalls.recordEntry(task);
    }

    EmulatedPtrace emulation() {
        return emulation;
    }

    /** The current task, at the entry of a call that is in the trace, goes on there. */
    void proceed(RecordedTask task) {
        syscalls.proceed(task);
    }

    /** Takes the current task from the entry of a call back onto the instruction. */
    void takeBack(RecordedTask task) {
        syscalls.takeBack(task);
    }

    /** The current task waits in the kernel for the child of its vfork. */
    void awaitVforkChild(RecordedTask task) {
        task.tracee.resume(Ptrace.SYSCALL, 0);
        mayBlock(task);
    }

    /** The current task, in a signal-delivery stop at a named instant, gets the signal. */
    void deliver(RecordedTask task, int signal) {
        signals.deliver(task, signal);
    }

    void deliverStashed(RecordedTask task) {
        signals.deliverStashed(task);
    }

    /**
     * The task has ended.
     *
     * @param status as wait(2) told it; -1 if it was swallowed by an exec
     */
    void forget(RecordedTask task, int status) {
        emulation.ended(task, status);
        tasks.remove(task.tid(), task);
        task.process.threads.remove(task);
        leaveDomain(task);
        task.process.memory.leave();
        if (task.domain.current == task) {
            task.domain.current = null;
            cores.release(task.domain.core);
            schedule(task.domain);
        }
    }

    /** The first process ended. */
    void processEnded(int pid, int waitStatus) {
        if (pid == rootPid) {
            rootStatus = waitStatus;
        }
    }

    /** Tells the user, and later readers of the trace, something about this recording. */
    void note(RecordedTask task, String text) {
        trace.note(task.domain.id, task.tid(), text);
        System.err.println("reprise: " + text);
    }
}
