package reprise.replay;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import reprise.linux.Errno;
import reprise.runtime.BufferLayout;
import reprise.trace.Event;
import reprise.x86.Registers;

/**
 * A recording on which one moves in both directions.
 *
 * <p>All is done by the thread that opened it, which becomes the tracer of the processes that execute the replay; only
 * {@link #interrupt} may be called by others. What is replayed is one sequence: between two events it is the task of the
 * later one that runs. Every method may throw {@link DivergenceException}.
 *
 * <p>Going back is going forward from a copy of the replay that was made before. Such copies are made on the way; there are
 * many of the near past and few of the far.
 */
public final class Timeline implements AutoCloseable {
    /** How long a computation runs before a copy is made in its midst, in nanoseconds. */
    private static final long COMPUTATION = 500_000_000;

    /** Copies that are kept at once: each is as many processes as are alive. */
    private static final int MOST_KEPT = 100;

    /** How many stops without an event there are before a copy is made. */
    private static final int STOPS = 500;

    private final History history;
    private final StopPoints points = new StopPoints();
    private final StopRules rules = new StopRules(points);
    private final CodeBefore codeBefore = new CodeBefore();
    private final long first;
    private Playback now;
    /** The task whose breakpoint at the present place was reached already; 0 for none. */
    private int stoppedTask;

    private int stops;

    private Timeline(Path directory, ReplayOptions options) {
        history = new History(directory, options);
        try {
            first = firstExec();
            now = history.open(new Position(first));
        } catch (RuntimeException e) {
            history.close();
            throw e;
        }
    }

    /**
     * Opens a trace; the timeline stands right after the first program's start.
     *
     * @throws reprise.trace.TraceException if it is no trace
     * @throws reprise.linux.LinuxException if the kernel does not allow processes to be traced
     */
    public static Timeline open(Path directory, ReplayOptions options) {
        return new Timeline(directory, options);
    }

    private long firstExec() {
        for (long event = 1; event <= history.lastEvent(); event++) {
            if (history.event(event) instanceof Event.Exec) {
                return event;
            }
        }
        return history.lastEvent();
    }

    // ---- where ----

    /** The present. */
    public Position position() {
        return now.position();
    }

    /** The replay at the present. */
    Playback present() {
        return now;
    }

    /** Time from the recording's start to the last applied event, in nanoseconds. */
    public long nanos() {
        return now.nanos();
    }

    /** Sequence number of the trace's last event. */
    public long lastEvent() {
        return history.lastEvent();
    }

    // ---- what there is ----

    /** The tasks that are alive, by tid. */
    public List<TaskInfo> tasks() {
        return now.session().tasks().stream()
                .map(task -> {
                    ProcessInfo info = now.processes().get(task.process());
                    return new TaskInfo(
                            task.tid(),
                            task.process(),
                            info.parent(),
                            info.program(),
                            info.arguments(),
                            task.isInKernel(),
                            TaskNames.of(task, info.invokedAs()));
                })
                .sorted(Comparator.comparingInt(TaskInfo::tid))
                .toList();
    }

    /** The task that has its turn at the present: the one that the next event is about; 0 behind the last. */
    public int currentTask() {
        if (history.event(now.event()) instanceof Event.SignalDelivered signal
                && signal.effect() == Event.SignalEffect.FATAL
                && now.session().task(signal.header().tid()) != null) {
            // Others may end before it.
            return signal.header().tid();
        }
        for (long event = now.event() + 1; event <= history.lastEvent(); event++) {
            Event next = event == now.event() + 1 ? now.next() : history.event(event);
            int tid = next instanceof Event.Exec exec
                    ? exec.formerTid()
                    : next.header().tid();
            if (now.session().task(tid) != null) {
                return tid;
            }
        }
        return 0;
    }

    /** Copies a task's general registers: {@code user_regs_struct}, 216 bytes. */
    public void registers(int tid, MemorySegment into) {
        ReplayTask task = task(tid);
        MemorySegment block = task.carrier().registers(task);
        if (now.hasArrived()
                && now.next() instanceof Event.SignalDelivered signal
                && signal.point() == Event.SignalPoint.AT_SYSCALL
                && signal.header().tid() == tid) {
            // The replay is inside the system call that the recorder took back.
            block = signal.before();
        }
        MemorySegment.copy(block, 0, into, 0, Registers.SIZE);
        Registers.set(into, Registers.EFLAGS, Registers.get(into, Registers.EFLAGS) & ~Stepper.RESUME_FLAG);
        long address = Registers.get(into, Registers.RIP);
        if (address == BufferLayout.ENTRY) {
            // As the kernel shows a task that it stops at the entry of a system call.
            Registers.set(into, Registers.ORIG_RAX, Registers.get(into, Registers.RAX));
            Registers.set(into, Registers.RAX, -Errno.ENOSYS);
            Registers.set(into, Registers.R11, Registers.get(into, Registers.EFLAGS));
        }
        if (address == BufferLayout.ENTRY || address == BufferLayout.LEAVE) {
            address = Registers.get(into, Registers.RCX);
        }
        Registers.set(into, Registers.RIP, task.carrier().patches().original(address));
    }

    /** Copies a task's extended state in XSAVE's standard form; returns its size in bytes, at most 64 KB. */
    public long extendedState(int tid, MemorySegment into) {
        ReplayTask task = task(tid);
        int size = task.carrier().extendedStateSize();
        task.carrier().copyExtendedState(task, into.asSlice(0, size));
        return size;
    }

    /** Copies memory of a task's process, without breakpoints; returns the bytes up to the first unreadable page. */
    public long readMemory(int tid, long address, MemorySegment into, long length) {
        Carrier carrier = task(tid).carrier();
        long count = carrier.tracee().read(address, into, length);
        carrier.breakpoints().hide(address, into, count);
        carrier.patches().hide(address, into, count);
        return count;
    }

    /** What a task's process has mapped, ascending, with the names of the recording. */
    public List<MemoryRegion> mappings(int tid) {
        return new Places(task(tid).carrier(), now.session().files()).regions();
    }

    /** The auxiliary vector that a task's program was started with. */
    public byte[] auxiliaryVector(int tid) {
        return now.processes().get(task(tid).process()).auxiliaryVector().clone();
    }

    private ReplayTask task(int tid) {
        ReplayTask task = now.session().task(tid);
        if (task == null) {
            throw new IllegalArgumentException("there is no task " + tid + " at " + position());
        }
        return task;
    }

    // ---- where to stop ----

    /** Stops tasks of a process at an instruction. Doing it again changes nothing. */
    public void insertBreakpoint(int process, long address) {
        points.insert(process, address);
    }

    /** Takes a breakpoint away, if it is there. */
    public void removeBreakpoint(int process, long address) {
        points.remove(process, address);
    }

    /** Watches memory; false if the processor has no room for it. */
    public boolean insertWatchpoint(Watch watch) {
        return points.insert(watch);
    }

    /** Takes a watchpoint away, if it is there. */
    public void removeWatchpoint(Watch watch) {
        points.remove(watch);
    }

    /** What moves stop at besides breakpoints and watchpoints; {@link Catches#USUAL} at first. */
    public void setCatches(Catches catches) {
        rules.setCatches(catches);
    }

    // ---- forward ----

    /**
     * Runs on. A breakpoint at the instruction on which the task of the last stop stands does not stop it.
     */
    public Stop resume() {
        return forward(0);
    }

    /**
     * Lets a task execute one instruction; a system call is done with all that comes with it. Other tasks run as recorded
     * until it is the task's turn, and can stop the move before it.
     */
    public Stop step(int tid) {
        task(tid);
        return forward(tid);
    }

    /** Steps a task until it is outside [{@code from}, {@code to}), or at a breakpoint, or something else stops it. */
    public Stop stepOutOf(int tid, long from, long to) {
        while (true) {
            Stop stop = step(tid);
            if (!(stop instanceof Stop.Stepped) || !isIn(tid, from, to)) {
                return stop;
            }
        }
    }

    private boolean isIn(int tid, long from, long to) {
        ReplayTask task = task(tid);
        long address = Registers.get(task.carrier().registers(task), Registers.RIP);
        return Long.compareUnsigned(address, from) >= 0 && Long.compareUnsigned(address, to) < 0;
    }

    /** Goes to the next stop; {@code stepped} is the task to execute one instruction, or 0. */
    private Stop forward(int stepped) {
        history.timer().setInterruptible(true);
        int passing = stoppedTask;
        try {
            while (true) {
                if (history.timer().takeInterrupt()) {
                    return stopped(new Stop.Interrupted(currentTask()));
                }
                Halt halt = now.proceed(points::of, tid -> tid == stepped, COMPUTATION);
                if (halt == Halt.END) {
                    return stopped(new Stop.End(stepped));
                }
                if (halt == Halt.TIME) {
                    mark();
                    continue;
                }
                boolean passes = halt == Halt.ENTERED
                        && (now.running().tid() == passing || now.running().tid() == stepped);
                Stop stop = passes ? null : rules.judge(now, halt);
                if (stop == null && stepped != 0) {
                    stop = endOfStep(halt, stepped);
                }
                if (stop != null) {
                    now.settle(halt);
                    keepStops(halt);
                    return stopped(stop);
                }
                if (halt == Halt.APPLIED) {
                    passing = 0;
                    if (noTasksBehind()) {
                        return stopped(new Stop.End(stepped));
                    }
                    history.consider(now);
                }
            }
        } finally {
            history.timer().setInterruptible(false);
        }
    }

    /** Many stops since the last event are a long way back. */
    private void keepStops(Halt halt) {
        if ((halt == Halt.STEPPED || halt == Halt.ADDRESS) && ++stops % STOPS == 0) {
            history.addCheckpoint(now, false);
        }
    }

    /** The end is where no task is left to look at. */
    private boolean noTasksBehind() {
        return now.session().tasks().isEmpty() && now.event() >= first;
    }

    private Stop stopped(Stop stop) {
        stoppedTask = stop.tid();
        return stop;
    }

    /** A computation takes long, or is interrupted in its midst. */
    private void mark() {
        history.addMark(now);
        if (history.timer().isInterrupted()) {
            now.route().marked(history.marks().last());
        }
    }

    private Stop endOfStep(Halt halt, int tid) {
        if (halt == Halt.STEPPED) {
            return new Stop.Stepped(tid);
        }
        if (halt != Halt.APPLIED) {
            return null;
        }
        Event applied = now.applied();
        if (now.session().task(tid) == null) {
            return new Stop.End(tid);
        }
        boolean own = applied.header().tid() == tid;
        return switch (applied) {
            case Event.SyscallExit exit when own -> new Stop.Stepped(tid);
            case Event.InstructionTrapped trapped when own -> new Stop.Stepped(tid);
            case Event.BufferedCalls buffered when own && buffered.stops() -> new Stop.Stepped(tid);
            case Event.SignalDelivered signal when own -> new Stop.Stepped(tid);
            case Event.Exec exec when own -> new Stop.Stepped(tid);
            default -> null;
        };
    }

    // ---- backward ----

    /** Goes back to the last stop before the present. */
    public Stop reverseResume() {
        Position end = position();
        Scan scan = new Scan(history, rules);
        history.timer().setInterruptible(true);
        try {
            boolean including = false;
            Set<Playback> scanned = new HashSet<>();
            int marks = 1;
            Position approached = null;
            Playback start;
            while ((start = nextToScan(end, scanned, marks)) != null) {
                if (!end.equals(approached) && history.approach(start, end)) {
                    approached = end;
                    continue;
                }
                scanned.add(start);
                boolean marked = isMarked(start);
                Position from = start.position();
                try (Playback playback = history.copy(start)) {
                    scan.run(playback, end, including);
                }
                if (scan.wasInterrupted()) {
                    return stopped(new Stop.Interrupted(currentTask()));
                }
                if (scan.last() != null) {
                    history.timer().setInterruptible(false);
                    return arriveAt(scan.last(), scan.place());
                }
                if (marked) {
                    // To look for a mark would take long: from further back, one comes here again.
                    marks *= 2;
                } else {
                    end = from;
                    including = true;
                    marks = 1;
                }
            }
        } finally {
            history.timer().setInterruptible(false);
        }
        seekToStart();
        return stopped(new Stop.Start(currentTask()));
    }

    /** The nearest checkpoint before a place that was not scanned from; or, of marks, the nth nearest. */
    private Playback nextToScan(Position end, Set<Playback> scanned, int nth) {
        Playback next = null;
        int marks = 0;
        for (Playback playback : history.checkpoints().before(end)) {
            if (!scanned.contains(playback)) {
                if (next != null && !isMarked(playback)) {
                    return next;
                }
                next = playback;
                if (!isMarked(playback) || ++marks == nth) {
                    return next;
                }
            }
        }
        return next;
    }

    private static boolean isMarked(Playback playback) {
        return !playback.route().isAtEvent() && playback.position().path().getFirst() instanceof Position.Mark;
    }

    private Stop arriveAt(Stop stop, Position place) {
        if (place.event() < first || place.event() == first && stop instanceof Stop.Exec) {
            seekToStart();
            return stopped(new Stop.Start(currentTask()));
        }
        replace(history.open(place));
        if (stop instanceof Stop.Watchpoint) {
            // Backwards, what has been written is to be undone.
            Stop back = reverseStep(stop.tid());
            return back instanceof Stop.Stepped ? stopped(stop) : back;
        }
        return stopped(stop);
    }

    /** Goes back to the instant at which a task was about to execute the last instruction that it executed. */
    public Stop reverseStep(int tid) {
        ReplayTask task = task(tid);
        Event next = now.next();
        boolean runs = !now.route().isAtEvent() && now.running() == task;
        if (runs) {
            boolean inCall = now.hasArrived() && isCall(next);
            Playback before = inCall ? beforeCall(next) : inside(now.position());
            if (before != null) {
                return steppedBack(before, tid);
            }
        }
        for (long event = now.event(); event > first; event--) {
            Event done = history.event(event);
            if (bears(done, tid)) {
                replace(history.open(new Position(event)));
                return stopped(new Stop.Start(tid));
            }
            int actor = done instanceof Event.Exec exec
                    ? exec.formerTid()
                    : done.header().tid();
            if (actor == tid) {
                Playback before = before(done);
                if (before != null) {
                    return steppedBack(before, tid);
                }
            }
        }
        seekToStart();
        return stopped(new Stop.Start(tid));
    }

    private Stop steppedBack(Playback playback, int tid) {
        replace(playback);
        ReplayTask task = task(tid);
        long address = Registers.get(task.carrier().registers(task), Registers.RIP);
        return stopped(points.has(task.process(), address) ? new Stop.Breakpoint(tid, address) : new Stop.Stepped(tid));
    }

    private static boolean bears(Event event, int tid) {
        return event instanceof Event.SyscallExit exit
                && exit.child() != null
                && exit.child().tid() == tid;
    }

    /** Whether an event is a system call that is made right before it. */
    private static boolean isCall(Event event) {
        return switch (event) {
            case Event.SyscallEnter enter -> true;
            case Event.SyscallExit exit -> exit.entryRegisters() != null;
            case Event.Exec exec -> true;
            default -> false;
        };
    }

    /** Where the event's task was when it was about to execute the last instruction before it; null if it did nothing. */
    private Playback before(Event event) {
        long start = event.header().sequence() - 1;
        return switch (event) {
            case Event.SyscallEnter enter -> beforeCall(enter);
            case Event.SyscallExit exit when exit.entryRegisters() != null -> beforeCall(exit);
            case Event.InstructionTrapped trapped -> beforeCall(trapped);
            case Event.BufferedCalls buffered when buffered.stops() -> beforeCall(buffered);
            case Event.Exec exec -> beforeExec(exec);
            case Event.SignalDelivered signal
            when signal.point() == Event.SignalPoint.AFTER_EVENT -> history.open(new Position(start));
            case Event.SignalDelivered signal -> history.open(new Position(start, List.of(new Position.ToEvent())));
            case Event.ExecutionPoint point -> inside(new Position(start, List.of(new Position.ToEvent())));
            default -> null;
        };
    }

    /** Where the task that started a program was about to do so; null if it was inside its call already. */
    private Playback beforeExec(Event.Exec exec) {
        try (Playback before = history.open(new Position(exec.header().sequence() - 1))) {
            if (before.session().runner(exec) == null) {
                return null;
            }
        }
        return beforeCall(exec);
    }

    /** At the instruction that an event of this kind comes from: the first time that it is executed it ends the interval. */
    private Playback beforeCall(Event event) {
        long start = event.header().sequence() - 1;
        long address = switch (event) {
            case Event.SyscallEnter enter -> callAddress(enter.registers());
            case Event.SyscallExit exit -> callAddress(exit.entryRegisters());
            case Event.InstructionTrapped trapped -> Registers.get(trapped.before(), Registers.RIP);
            default -> 0;
        };
        if (address == 0 || isOurs(address)) {
            return new StepBack(history, start, List.of(new Position.ToEvent()), true).find(new long[0]);
        }
        Playback playback = history.open(new Position(start));
        Halt halt = playback.proceed(process -> Armed.NOTHING, Playback.NOBODY, 0);
        if (halt != Halt.ENTERED || playback.address() != address) {
            playback.close();
            return history.open(new Position(start, List.of(new Position.Arrive(address, 1))));
        }
        return playback;
    }

    /** Whether an address is in code that the recorder put into a process. */
    private boolean isOurs(long address) {
        for (ReplayTask task : now.session().tasks()) {
            if (task.carrier().patches().isOurs(address)) {
                return true;
            }
        }
        return false;
    }

    private static long callAddress(MemorySegment entry) {
        return Registers.get(entry, Registers.RIP) - Registers.SYSCALL_LENGTH;
    }

    private static long register(Playback playback, int tid, int register) {
        ReplayTask task = playback.session().task(tid);
        return Registers.get(task.carrier().registers(task), register);
    }

    /** One instruction before a place in mid-computation; null if nothing was executed since the event. */
    private Playback inside(Position place) {
        if (now.position().equals(place) && now.isInFaultOfString()) {
            // The instruction may have done a part of its work before.
            int tid = now.running().tid();
            Playback begun = new StepBack(history, place.event(), place.path(), true).find(new long[0]);
            if (register(now, tid, Registers.RCX) != register(begun, tid, Registers.RCX)) {
                return begun;
            }
            begun.close();
        }
        boolean inStub = now.position().equals(place) && now.isInStub();
        long[] guesses = now.position().equals(place) && !inStub ? codeBefore.guess(now) : new long[0];
        return new StepBack(history, place.event(), place.path(), inStub).find(guesses);
    }

    /** Steps a task back until it is outside [{@code from}, {@code to}), or at a breakpoint, or something else stops it. */
    public Stop reverseStepOutOf(int tid, long from, long to) {
        while (true) {
            Stop stop = reverseStep(tid);
            if (!(stop instanceof Stop.Stepped) || !isIn(tid, from, to)) {
                return stop;
            }
        }
    }

    // ---- going somewhere ----

    /** Ends the move in progress, or the next one, with {@link Stop.Interrupted}. For other threads. */
    public void interrupt() {
        history.timer().interrupt();
    }

    /**
     * Goes to a position.
     *
     * @throws IllegalArgumentException if there is no such position in the recording
     */
    public void seek(Position position) {
        Playback nearest = history.checkpoints().nearest(position);
        if (Checkpoints.distance(now, position) <= Checkpoints.distance(nearest, position)) {
            history.follow(now, position, false);
        } else {
            replace(history.open(position));
        }
        stoppedTask = currentTask();
    }

    /** Goes to the place right after the first program's start. */
    public void seekToStart() {
        seek(new Position(first));
    }

    /** Goes behind the last event at which a task is alive. */
    public void seekToEnd() {
        long event = history.lastEvent();
        while (event > first && !isLastSeen(history.event(event))) {
            event--;
        }
        seek(new Position(Math.max(first, event - 1)));
    }

    /** Whether an event takes something away that can still be looked at before it. */
    private static boolean isLastSeen(Event event) {
        return event instanceof Event.TaskExit;
    }

    /** Keeps the present, so that {@link #seek} to its position is fast, until {@link #forget}. Of very many, only the first. */
    public Position keep() {
        if (history.checkpoints().kept() < MOST_KEPT) {
            history.addCheckpoint(now, true);
        }
        return position();
    }

    /** Undoes {@link #keep}. */
    public void forget(Position position) {
        history.checkpoints().forget(position);
    }

    /** A copy of a task's process at the present, in which anything may be done. */
    public Diversion divert(int tid) {
        task(tid);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment registers = arena.allocate(Registers.SIZE, 16);
            registers(tid, registers);
            return new Diversion(history.copy(now), tid, registers, history.timer());
        }
    }

    private void replace(Playback playback) {
        now.close();
        now = playback;
    }

    /** Ends the processes that execute the replay. */
    @Override
    public void close() {
        now.close();
        history.close();
    }
}
