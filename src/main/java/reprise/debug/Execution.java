package reprise.debug;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import reprise.linux.Signal;
import reprise.linux.Wait;
import reprise.replay.Catches;
import reprise.replay.Diversion;
import reprise.replay.Position;
import reprise.replay.Stop;
import reprise.replay.TaskInfo;
import reprise.replay.Timeline;
import reprise.replay.Watch;

/**
 * Lets the program run and says why it stopped, as far as that concerns the processes that are debugged.
 *
 * <p>Belongs to the timeline's thread, but for {@link #interrupt}.
 */
final class Execution {
    /** What moves the program. */
    private interface Move {
        Stop go();
    }

    private final Timeline timeline;
    private final Debuggee debuggee;
    private final Breakpoints breakpoints;
    private final Present present;
    private final ClientFeatures client;
    private final StopReply answer;
    private final Runnable sendReply;
    private final AtomicBoolean running = new AtomicBoolean();
    private final AtomicBoolean interrupted = new AtomicBoolean();
    private Position armed;
    private boolean stopAtOnce;
    private Stop.Signal lastSignal;
    private int trapCode = Signal.SI_KERNEL;
    private boolean atEnd;
    /** The task whose fork or exec was told last, before anything else happened; 0 if there is none. */
    private int leaves;

    private TaskInfo told;

    Execution(
            Timeline timeline,
            Debuggee debuggee,
            Breakpoints breakpoints,
            Present present,
            ClientFeatures client,
            Reply reply,
            Runnable sendReply) {
        this.timeline = timeline;
        this.debuggee = debuggee;
        this.breakpoints = breakpoints;
        this.present = present;
        this.client = client;
        this.sendReply = sendReply;
        this.answer = new StopReply(reply, client);
    }

    /** Asks the program to stop. For any thread. */
    void interrupt() {
        interrupted.set(true);
        if (running.get()) {
            timeline.interrupt();
        }
    }

    /** The signal at which the program stands; null if it stands at none. */
    Stop.Signal signal() {
        return lastSignal;
    }

    /** The si_code of the SIGTRAP at which the program stands where {@link #signal} is null, as a live process would have it. */
    int trapCode() {
        return trapCode;
    }

    /** The next resumption goes to a position instead. */
    void arm(Position position) {
        armed = position;
    }

    /** Goes to a position now. The client resumes the program because that is what it does then; it is to stop at once. */
    void restart(Position position) {
        present.drop();
        leaves = 0;
        move(position);
        stopAtOnce = true;
    }

    /** Goes to a position, unless nothing that is debugged is alive there. */
    private void move(Position position) {
        Position before = timeline.position();
        timeline.seek(position);
        if (debuggee.isAlive()) {
            lastSignal = null;
            atEnd = false;
        } else {
            timeline.seek(before);
            answer.console("[The process is not alive at event " + position.event() + ".]\n");
            sendReply.run();
        }
    }

    // ---- resuming ----

    /** Resumes forwards; {@code task} is the one to step, {@code from} and {@code to} the range to step out of. */
    void forward(TaskInfo task, boolean step, long from, long to) {
        Diversion diversion = present.beforeResuming();
        if (diversion != null) {
            diverted(diversion, step);
            return;
        }
        if (seeks()) {
            return;
        }
        if (atEnd) {
            end();
            return;
        }
        int tid = task.tid();
        if (step && leaves == tid) {
            // Of a live process the kernel would have told in the midst of the call, and the step would lead out of it.
            leaves = 0;
            plain(GdbSignal.TRAP, task);
            return;
        }
        leaves = 0;
        run(
                false,
                !step
                        ? timeline::resume
                        : from != to ? () -> timeline.stepOutOf(tid, from, to) : () -> timeline.step(tid));
    }

    /** Resumes backwards. */
    void backward(TaskInfo task, boolean step) {
        present.drop();
        leaves = 0;
        if (seeks()) {
            return;
        }
        if (timeline.position().equals(debuggee.origin())) {
            begin();
        } else {
            atEnd = false;
            run(true, step ? () -> timeline.reverseStep(task.tid()) : timeline::reverseResume);
        }
    }

    private boolean seeks() {
        boolean stop = stopAtOnce;
        stopAtOnce = false;
        if (armed != null) {
            Position target = armed;
            armed = null;
            move(target);
            stop = true;
        }
        if (stop) {
            plain(GdbSignal.NONE, debuggee.usual());
        }
        return stop;
    }

    private void run(boolean backwards, Move move) {
        lastSignal = null;
        timeline.setCatches(catches());
        running.set(true);
        try {
            while (true) {
                if (interrupted.getAndSet(false)) {
                    plain(GdbSignal.INT, debuggee.usual());
                    return;
                }
                Stop stop = move.go();
                if (backwards ? endsBackwards(stop) : endsForwards(stop)) {
                    return;
                }
            }
        } finally {
            running.set(false);
        }
    }

    private Catches catches() {
        return new Catches(
                signal -> !client.passed.contains(signal),
                number -> client.syscalls != null && (client.syscalls.isEmpty() || client.syscalls.contains(number)),
                true,
                true,
                true);
    }

    private boolean concerns(int tid) {
        return debuggee.task(tid) != null;
    }

    /** Whether a stop is one for the client; then the reply says so. */
    private boolean endsForwards(Stop stop) {
        switch (stop) {
            case Stop.Exit exit -> {
                return debuggee.isAttached(exit.process()) && exit(exit);
            }
            case Stop.End end -> {
                end();
                return true;
            }
            case Stop.Fork fork -> {
                if (!concerns(fork.tid()) || !client.forks) {
                    return false;
                }
                debuggee.follow(fork.child());
                leaves = fork.tid();
                thread(GdbSignal.TRAP, debuggee.task(fork.tid())).fork(fork.child());
                return true;
            }
            case Stop.Exec exec -> {
                if (!concerns(exec.tid()) || !client.execs) {
                    return false;
                }
                leaves = exec.tid();
                thread(GdbSignal.TRAP, debuggee.task(exec.tid())).exec(exec.program());
                return true;
            }
            case Stop.Start start -> throw new IllegalStateException("came to the start forwards");
            default -> {
                return endsEither(stop);
            }
        }
    }

    private boolean endsBackwards(Stop stop) {
        boolean before = timeline.position().event() < debuggee.origin().event() || !debuggee.isAlive();
        boolean atOrigin = timeline.position().equals(debuggee.origin());
        if (before || stop instanceof Stop.Start || atOrigin && !(stop instanceof Stop.Breakpoint)) {
            if (before) {
                timeline.seek(debuggee.origin());
            }
            begin();
            return true;
        }
        switch (stop) {
            case Stop.Exec exec -> {
                // It was reported behind the exec. Only before it there is the other program.
                if (!concerns(exec.tid()) || !client.execs) {
                    return false;
                }
                timeline.reverseStep(exec.tid());
                TaskInfo task = debuggee.task(exec.tid());
                TaskInfo shown = task == null ? debuggee.usual() : task;
                thread(GdbSignal.TRAP, shown).exec(shown.program());
                return true;
            }
            case Stop.Exit exit -> {
                return false;
            }
            case Stop.Fork fork -> {
                return false;
            }
            case Stop.End end -> throw new IllegalStateException("came to the end backwards");
            default -> {
                return endsEither(stop);
            }
        }
    }

    private boolean endsEither(Stop stop) {
        TaskInfo task = debuggee.task(stop.tid());
        if (stop instanceof Stop.Interrupted) {
            interrupted.set(false);
            plain(GdbSignal.INT, task == null ? debuggee.usual() : task);
            return true;
        }
        if (task == null) {
            return false;
        }
        trapCode = stop instanceof Stop.Stepped ? Signal.TRAP_TRACE : Signal.SI_KERNEL;
        switch (stop) {
            case Stop.Breakpoint breakpoint -> {
                return breakpoint(task, breakpoint.address());
            }
            case Stop.Watchpoint watchpoint -> {
                trapCode = Signal.TRAP_HWBKPT;
                StopReply reason = thread(GdbSignal.TRAP, task);
                reason.reason(
                        name(watchpoint.watch().access()), watchpoint.watch().address());
            }
            case Stop.Signal signal -> {
                lastSignal = signal;
                plain(GdbSignal.of(signal.signal()), task);
            }
            case Stop.SyscallEntry entry -> thread(GdbSignal.TRAP, task).reason("syscall_entry", entry.number());
            case Stop.SyscallReturn exit -> thread(GdbSignal.TRAP, task).reason("syscall_return", exit.number());
            default -> plain(GdbSignal.TRAP, task);
        }
        return true;
    }

    private static String name(Watch.Access access) {
        return switch (access) {
            case WRITE -> "watch";
            case READ -> "rwatch";
            case READ_OR_WRITE -> "awatch";
        };
    }

    private boolean breakpoint(TaskInfo task, long address) {
        if (!breakpoints.stops(task.process(), address, present.machine(task))) {
            return false;
        }
        StopReply stop = thread(GdbSignal.TRAP, task);
        if (breakpoints.isHardware(task.process(), address)) {
            trapCode = Signal.TRAP_HWBKPT;
            if (client.hardwareBreakpoints) {
                stop.reason("hwbreak");
            }
        } else if (client.softwareBreakpoints) {
            stop.reason("swbreak");
        }
        return true;
    }

    // ---- ends ----

    private boolean exit(Stop.Exit exit) {
        if (debuggee.processes().size() > 1) {
            breakpoints.clear(exit.process());
            debuggee.detach(exit.process());
            answer.exited(exit.process(), exit.waitStatus());
            return true;
        }
        atEnd = true;
        if (!client.endIsSignal) {
            answer.console("[Process " + exit.process() + " ends here: " + describe(exit.waitStatus()) + "]\n");
            sendReply.run();
        }
        end();
        return true;
    }

    private static String describe(int waitStatus) {
        return Wait.isSignaled(waitStatus)
                ? "killed by " + Signal.name(Wait.terminatingSignal(waitStatus))
                : "exit status " + Wait.exitStatus(waitStatus);
    }

    private void begin() {
        thread(GdbSignal.NONE, debuggee.usual()).history("begin");
    }

    private void end() {
        TaskInfo task = debuggee.usual();
        if (task == null) {
            nothing();
        } else if (client.endIsSignal) {
            plain(GdbSignal.KILL, task);
        } else {
            thread(GdbSignal.NONE, task).history("end");
        }
    }

    // ---- diversions ----

    private void diverted(Diversion diversion, boolean step) {
        TaskInfo task = debuggee.task(diversion.tid());
        running.set(true);
        try {
            Stop stop = step ? diversion.step() : diversion.resume();
            lastSignal = stop instanceof Stop.Signal signal ? signal : null;
            switch (stop) {
                case Stop.Signal signal -> plain(GdbSignal.of(signal.signal()), task);
                case Stop.Exit exit -> {
                    answer.console("[The function ended the copy of the process in which it was called.]\n");
                    sendReply.run();
                    present.drop();
                    plain(GdbSignal.KILL, task);
                }
                case Stop.Interrupted stopped -> {
                    interrupted.set(false);
                    plain(GdbSignal.INT, task);
                }
                case Stop.Breakpoint breakpoint -> breakpoint(task, breakpoint.address());
                default -> plain(GdbSignal.TRAP, task);
            }
        } finally {
            running.set(false);
        }
    }

    // ---- replies ----

    /** The answer to {@code ?}: where the program stands. */
    void where() {
        TaskInfo task = debuggee.usual();
        if (task == null) {
            nothing();
        } else {
            plain(GdbSignal.TRAP, task);
        }
    }

    /** There is no process to show. */
    private void nothing() {
        answer.exited(debuggee.processes().stream().findFirst().orElse(0), 0);
    }

    private void plain(int signal, TaskInfo task) {
        thread(signal, task);
    }

    private StopReply thread(int signal, TaskInfo task) {
        TaskInfo shown = Optional.ofNullable(task)
                .orElseThrow(() -> new IllegalStateException(
                        "no debugged task is alive at " + timeline.position().event()));
        answer.stopped(signal);
        for (int number : new int[] {RegisterLayout.RBP, RegisterLayout.RSP, RegisterLayout.RIP}) {
            RegisterLayout.Register register = present.layout().register(number);
            answer.register(number, present.register(shown, register));
        }
        told = shown;
        return answer.thread(shown.process(), shown.tid());
    }

    /** The task of the stop that was told since this was asked last; null if none was. */
    TaskInfo takeTold() {
        TaskInfo task = told;
        told = null;
        return task;
    }
}
