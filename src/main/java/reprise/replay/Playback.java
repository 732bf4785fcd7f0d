package reprise.replay;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Wait;
import reprise.runtime.ProbePlanner;
import reprise.trace.Event;
import reprise.tracee.ProcMaps;
import reprise.x86.Registers;

/**
 * A session and where it is: the state of all tasks at one position, which can be moved forward and copied.
 *
 * <p>Belongs to the thread that made it.
 */
final class Playback implements AutoCloseable {
    /** Sends nobody anywhere. */
    static final IntFunction<Armed> UNARMED = process -> Armed.NOTHING;

    /** No task is stepped. */
    static final IntPredicate NOBODY = tid -> false;

    private final ReplaySession session;
    private final EventCursor events;
    private final RunTimer timer;
    /** Executions of an instant's instruction at which the task is stopped before that is left to a probe. */
    private static final int ARRIVALS_LOOKED_AT = 20;
    /** Time to the next event, in the recording, for which it is worth to put breakpoints into memory, in nanoseconds. */
    private static final long LONG = 100_000;
    /** Halts since the last event after which that is not worth it any more. */
    private static final int FEW_HITS = 4;

    private static final int MOST_ARMED = 64;

    private final Stepper stepper = new Stepper();
    private final Route route;
    private final Map<Integer, ProcessInfo> processes = new HashMap<>();
    private long event;
    private long nanos;
    private ReplayTask running;
    private boolean entered;
    /** All that runs before the next event has run. */
    private boolean arrived;
    /** That it stands before the next event was told. */
    private boolean told;

    /** Halts at addresses since the last event. */
    private int hits;
    /** For what was armed lately, whether all of it is in code from files. */
    private final Map<Armed, Boolean> inText = new HashMap<>();

    private List<Watch> triggered = List.of();
    private Armed plain;
    private Armed withPoint;
    private long executed;
    private long counted;
    private Event applied;

    /** At the trace's very beginning. */
    Playback(ReplaySession session, EventCursor events, RunTimer timer) {
        this.session = session;
        this.events = events;
        this.timer = timer;
        this.route = new Route();
    }

    private Playback(Playback other) {
        session = other.session.copy();
        events = other.events;
        timer = other.timer;
        route = new Route(other.route);
        processes.putAll(other.processes);
        event = other.event;
        nanos = other.nanos;
        arrived = other.arrived;
        told = arrived;
        entered = other.entered && !route.isAtEvent();
        running = entered ? session.task(other.running.tid()) : null;
    }

    /** Another one in the same state. */
    Playback copy() {
        return new Playback(this);
    }

    ReplaySession session() {
        return session;
    }

    /** Sequence number of the last applied event. */
    long event() {
        return event;
    }

    /** Time of the last applied event. */
    long nanos() {
        return nanos;
    }

    Route route() {
        return route;
    }

    /** Where it is. At an armed address, the arrival there is part of the name from now on. */
    Position settle(Halt halt) {
        if (halt == Halt.ADDRESS) {
            route.stopAt(address());
        }
        return position();
    }

    /** As {@link #settle}, but for names that are only looked at. */
    Position look(Halt halt) {
        if (halt != Halt.ADDRESS) {
            return position();
        }
        Route copy = new Route(route);
        copy.stopAt(address());
        return new Position(event, copy.moves());
    }

    /** Where it was when it last settled. */
    Position position() {
        return new Position(event, route.moves());
    }

    /** The event to come; null behind the last. */
    Event next() {
        return events.at(event + 1);
    }

    /** The event that was applied last, of {@link Halt#APPLIED}. */
    Event applied() {
        return applied;
    }

    /** The task that runs, or ran up to where the playback stands. */
    ReplayTask running() {
        return running;
    }

    /** The watchpoints of {@link Halt#ACCESS}, or that a step triggered; else none. */
    List<Watch> triggered() {
        return triggered;
    }

    /** How many instructions were executed by single steps; a buffered system call with the code around it is one. */
    long executed() {
        return executed;
    }

    /** Whether it stands at the next event, everything before having been run. */
    boolean hasArrived() {
        return arrived;
    }

    Map<Integer, ProcessInfo> processes() {
        return processes;
    }

    /** Whether the running task has faulted in a repeated string instruction, of which the next event tells. */
    boolean isInFaultOfString() {
        return arrived
                && next() instanceof Event.SignalDelivered signal
                && signal.point() == Event.SignalPoint.FAULT
                && stepper.isAtRepeatedString(running.carrier());
    }

    /** Whether the running task is in the code that takes system calls from the buffer. */
    boolean isInStub() {
        return running != null && CarrierPatches.isStub(address());
    }

    /** The instruction that the running task is about to execute. */
    long address() {
        return Registers.get(running.carrier().registers(running), Registers.RIP);
    }

    /**
     * Goes on to the next place of interest.
     *
     * @param arming where tasks of a process stop
     * @param single which tasks execute only one instruction
     * @param nanos after which a running task is stopped; 0 for never
     */
    Halt proceed(IntFunction<Armed> arming, IntPredicate single, long nanos) {
        triggered = List.of();
        Event next = next();
        if (next == null) {
            return Halt.END;
        }
        if (!arrived && !told) {
            if (!entered) {
                running = session.begin(next);
                if (running == null) {
                    told = true;
                    return Halt.BEFORE_EVENT;
                }
                entered = true;
                return Halt.ENTERED;
            }
            session.begin(next);
            boolean one = single.test(running.tid());
            Armed armed = arming.apply(running.process());
            Halt halt = one ? step(next, armed) : run(next, armed, nanos);
            if (halt == Halt.BEFORE_EVENT) {
                arrived = true;
                told = true;
                route.toEvent();
            }
            return halt;
        }
        apply(next);
        return Halt.APPLIED;
    }

    /**
     * Goes on to the nth arrival at an address, counting in the process, which takes nanoseconds for each, or to another place of
     * interest before it. How many arrivals there were tells {@link #counted}.
     *
     * @param arming where tasks of a process stop besides
     * @return {@link Halt#ADDRESS} with all arrivals counted at the last of them; null if that is not possible from here, and
     *     {@link #proceed} has to be used
     */
    Halt count(IntFunction<Armed> arming, long address, long most) {
        counted = 0;
        Event next = next();
        if (next == null || arrived || told || !entered) {
            return null;
        }
        session.begin(next);
        Carrier carrier = running.carrier();
        Armed armed = arming.apply(running.process());
        Event.ExecutionPoint point = next instanceof Event.ExecutionPoint given ? given : null;
        Armed all = point == null ? armed : with(armed, Registers.get(point.registers(), Registers.RIP));
        if (all.addresses().length > CarrierBreakpoints.SLOTS || !all.watches().isEmpty() || isNear(all, address)) {
            return null;
        }
        if (point != null && isThere(point, carrier)) {
            return null;
        }
        carrier.breakpoints().plant(all);
        PlantedProbe counter =
                carrier.patches().isOurs(address) || carrier.patches().isOurs(address())
                        ? null
                        : PlantedProbe.plantCounter(carrier, address, most);
        if (counter == null) {
            return null;
        }
        route.runs(armed.with(address));
        Halt halt = null;
        try {
            while (halt == null) {
                Stepper.depart(carrier, all, carrier.tracee().get(Registers.RIP));
                int status = carrier.resume(Ptrace.SYSEMU);
                if (stepper.isForeign(carrier, status)) {
                    continue;
                }
                if (!Wait.isSyscallStop(status) && counter.triggered()) {
                    halt = Halt.ADDRESS;
                } else if (Wait.isSyscallStop(status) || !counter.redirected()) {
                    halt = classify(status, carrier, armed, point);
                }
            }
            counted = most - counter.left();
        } finally {
            counter.remove();
        }
        route.arrived(address, counted);
        if (halt == Halt.BEFORE_EVENT) {
            arrived = true;
            told = true;
            route.toEvent();
        }
        return halt;
    }

    /** Arrivals of the last {@link #count}. */
    long counted() {
        return counted;
    }

    /** Whether an armed address is in what a probe moves: nobody would come there. */
    private static boolean isNear(Armed armed, long site) {
        for (long address : armed.addresses()) {
            if (address >= site && address < site + ProbePlanner.JUMP) {
                return true;
            }
        }
        return false;
    }

    private void apply(Event next) {
        if (needsPlainMemory(next)) {
            session.tasks().forEach(task -> task.carrier().breakpoints().removeSoftware());
        }
        ProcessInfo.before(next, session, processes);
        session.apply(next);
        ProcessInfo.after(next, session, processes);
        applied = next;
        event = next.header().sequence();
        this.nanos = next.header().nanos();
        route.reset();
        arrived = false;
        told = false;
        entered = false;
        running = null;
        hits = 0;
        if (next instanceof Event.Exec || inText.size() > MOST_ARMED) {
            inText.clear();
        }
    }

    private boolean needsPlainMemory(Event next) {
        boolean any = false;
        for (ReplayTask task : session.tasks()) {
            any |= task.carrier().breakpoints().hasSoftware();
        }
        return any && !(next instanceof Event.SyscallEnter);
    }

    private Halt run(Event next, Armed armed, long nanos) {
        Carrier carrier = running.carrier();
        Event.ExecutionPoint point = next instanceof Event.ExecutionPoint given ? given : null;
        if (point != null && armed.isEmpty()) {
            // The search by itself is faster than what is here.
            carrier.breakpoints().clear();
            return Halt.BEFORE_EVENT;
        }
        if (point != null && isThere(point, carrier)) {
            return Halt.BEFORE_EVENT;
        }
        Armed all = point == null ? armed : with(armed, Registers.get(point.registers(), Registers.RIP));
        route.runs(armed);
        long from = carrier.tracee().get(Registers.RIP);
        boolean takesLong = point == null && takesLong(next, all, carrier);
        plant(all, takesLong, carrier);
        if (carrier.breakpoints().hasSoftware(from)) {
            Halt halt = pass(next, armed);
            if (halt != null) {
                return halt;
            }
        }
        for (int arrivals = 0; ; ) {
            if (arrivals == ARRIVALS_LOOKED_AT && canProbe(armed, point, carrier)) {
                Halt halt = search(next, armed, point, nanos);
                if (halt != null) {
                    return halt;
                }
            }
            plant(all, takesLong, carrier);
            Stepper.depart(carrier, all, carrier.tracee().get(Registers.RIP));
            timer.begin(carrier.tid(), nanos);
            int status;
            try {
                status = carrier.resume(Ptrace.SYSEMU);
            } finally {
                timer.end();
            }
            if (stepper.isForeign(carrier, status)) {
                if (nanos != 0 || timer.isInterrupted()) {
                    return standsInString(carrier, next, armed);
                }
                continue;
            }
            Halt halt = classify(status, carrier, armed, point);
            if (halt != null) {
                hits += halt == Halt.ADDRESS ? 1 : 0;
                return halt;
            }
            arrivals++;
        }
    }

    private static void plant(Armed armed, boolean takesLong, Carrier carrier) {
        if (takesLong) {
            carrier.breakpoints().plantForLong(armed);
        } else {
            carrier.breakpoints().plant(armed);
        }
    }

    /** Whether it will take long to the next event, in code where breakpoints in memory disturb nobody. */
    private boolean takesLong(Event next, Armed armed, Carrier carrier) {
        return next.header().nanos() - nanos > LONG
                && hits < FEW_HITS
                && armed.addresses().length > 0
                && armed.watches().isEmpty()
                && armed.guesses().length == 0
                && inText.computeIfAbsent(armed, all -> isInText(all, carrier));
    }

    private static boolean isInText(Armed armed, Carrier carrier) {
        List<ProcMaps.Region> regions = ProcMaps.read(carrier.tid());
        return Arrays.stream(armed.addresses())
                .allMatch(address -> regions.stream()
                        .anyMatch(region -> region.start() <= address
                                && address < region.end()
                                && (region.protection() & (ProcMaps.WRITE | ProcMaps.EXECUTE)) == ProcMaps.EXECUTE
                                && !region.shared()
                                && !region.path().isEmpty()));
    }

    private static boolean canProbe(Armed armed, Event.ExecutionPoint point, Carrier carrier) {
        long site = Registers.get(point.registers(), Registers.RIP);
        return carrier.tracee().get(Registers.RIP) == site
                && armed.addresses().length <= CarrierBreakpoints.SLOTS
                && armed.watches().isEmpty()
                && !isNear(armed, site)
                && !carrier.patches().isOurs(site);
    }

    /**
     * Runs on from the instruction of an instant that is executed again and again, with a probe for it instead of a stop at
     * each execution.
     *
     * @return null if there can be no probe
     */
    private Halt search(Event next, Armed armed, Event.ExecutionPoint point, long nanos) {
        Carrier carrier = running.carrier();
        PlantedProbe probe = session.points().plant(point, carrier);
        if (probe == null) {
            return null;
        }
        try {
            boolean leaving = false;
            while (true) {
                carrier.breakpoints().plant(armed);
                Stepper.depart(carrier, armed, carrier.tracee().get(Registers.RIP));
                int status;
                if (leaving) {
                    status = carrier.resume(Ptrace.SYSEMU_SINGLESTEP);
                } else {
                    timer.begin(carrier.tid(), nanos);
                    try {
                        status = carrier.resume(Ptrace.SYSEMU);
                    } finally {
                        timer.end();
                    }
                }
                boolean foreign = stepper.isForeign(carrier, status);
                boolean stopped = foreign ? nanos != 0 || timer.isInterrupted() : leaving;
                if (!foreign && !Wait.isSyscallStop(status) && probe.triggered()) {
                    if (isThere(point, carrier)) {
                        return Halt.BEFORE_EVENT;
                    }
                    probe.pass();
                } else if (!foreign && !Wait.isSyscallStop(status) && probe.redirected()) {
                    continue;
                } else if (!foreign && !(leaving && stepper.isOurTrap(carrier, status))) {
                    Halt halt = classify(status, carrier, armed, point);
                    if (halt != null) {
                        return halt;
                    }
                }
                // Nothing may be seen of the comparison: where time strikes in its midst it is finished first.
                leaving = stopped && probe.isAtWork();
                if (stopped && !leaving) {
                    break;
                }
            }
        } finally {
            probe.remove();
        }
        return standsInString(carrier, next, armed);
    }

    /** {@code armed} and the address of the instant to come; the same object while these are the same. */
    private Armed with(Armed armed, long address) {
        if (armed != plain || !withPoint.has(address)) {
            plain = armed;
            withPoint = armed.with(address);
        }
        return withPoint;
    }

    /** Steps over an {@code int3} of ours; null if nothing came of it. */
    private Halt pass(Event next, Armed armed) {
        Route before = new Route(route);
        Halt halt = step(next, armed);
        if (halt != Halt.STEPPED) {
            return halt;
        }
        // Part of the run: it is not to show in the name.
        route.adopt(before);
        if (armed.has(address())) {
            route.arrived(address());
            route.stopAt(address());
            return Halt.ADDRESS;
        }
        return null;
    }

    /** Time struck. In the midst of a string instruction nothing could be named: it is finished. */
    private Halt standsInString(Carrier carrier, Event next, Armed armed) {
        if (stepper.isAtRepeatedString(carrier)) {
            Halt halt = step(next, armed);
            return halt == Halt.STEPPED ? Halt.TIME : halt;
        }
        return Halt.TIME;
    }

    private Halt classify(int status, Carrier carrier, Armed armed, Event.ExecutionPoint point) {
        boolean isDebugException = stepper.isOurTrap(carrier, status);
        if (!isDebugException) {
            if (!Wait.isSyscallStop(status) && isOwnInt3(carrier, status)) {
                carrier.tracee().set(Registers.RIP, carrier.tracee().get(Registers.RIP) - 1);
            } else {
                carrier.arrived(status);
                return Halt.BEFORE_EVENT;
            }
        }
        long address = carrier.tracee().get(Registers.RIP);
        if (point != null && isThere(point, carrier)) {
            return Halt.BEFORE_EVENT;
        }
        triggered = isDebugException ? carrier.breakpoints().triggered() : List.of();
        if (!triggered.isEmpty() && stepper.isAtRepeatedString(carrier)) {
            if (eventEndsStep(carrier, armed)) {
                return Halt.BEFORE_EVENT;
            }
            address = carrier.tracee().get(Registers.RIP);
        }
        while (!triggered.isEmpty() && carrier.patches().isOurs(address)) {
            // Written by a buffered system call: what the program sees is the state behind it.
            if (eventEndsStep(carrier, armed)) {
                return Halt.BEFORE_EVENT;
            }
            address = carrier.tracee().get(Registers.RIP);
            if (carrier.patches().isOurs(address) && armed.has(address)) {
                route.arrived(address);
            }
        }
        boolean there = armed.has(address);
        if (there) {
            route.arrived(address);
        }
        if (!triggered.isEmpty()) {
            route.triggered(triggered.getFirst(), 1);
            return Halt.ACCESS;
        }
        return there ? Halt.ADDRESS : null;
    }

    /** Makes one step with the watchpoint's hit kept. */
    private boolean eventEndsStep(Carrier carrier, Armed armed) {
        List<Watch> seen = triggered;
        int ended = stepper.step(carrier, armed);
        if (ended != 0) {
            carrier.arrived(ended);
            return true;
        }
        triggered = seen;
        return false;
    }

    private static boolean isOwnInt3(Carrier carrier, int status) {
        return Wait.stopSignal(status) == Signal.SIGTRAP
                && carrier.breakpoints().hasSoftware(carrier.tracee().get(Registers.RIP) - 1);
    }

    private Halt step(Event next, Armed armed) {
        Carrier carrier = running.carrier();
        Event.ExecutionPoint point = next instanceof Event.ExecutionPoint given ? given : null;
        if (point != null && isThere(point, carrier)) {
            return Halt.BEFORE_EVENT;
        }
        do {
            int status = stepper.step(carrier, armed);
            if (status != 0) {
                carrier.arrived(status);
                return Halt.BEFORE_EVENT;
            }
            triggered = stepper.triggered().isEmpty() ? triggered : stepper.triggered();
            if (point != null && isThere(point, carrier)) {
                executed++;
                return Halt.BEFORE_EVENT;
            }
            long address = carrier.tracee().get(Registers.RIP);
            if (carrier.patches().isOurs(address) && armed.has(address)) {
                // In the midst of what is one step: somebody wants to see a buffered call.
                route.runs(armed);
                route.arrived(address);
                return Halt.ADDRESS;
            }
        } while (carrier.patches().isOurs(carrier.tracee().get(Registers.RIP)));
        executed++;
        route.stepped(carrier.tracee().get(Registers.RIP));
        return Halt.STEPPED;
    }

    private boolean isThere(Event.ExecutionPoint point, Carrier carrier) {
        if (Registers.get(point.registers(), Registers.RIP) != carrier.tracee().get(Registers.RIP)) {
            return false;
        }
        carrier.breakpoints().removeSoftware();
        return session.points().isThere(point, carrier);
    }

    /** Whether the running task stands at a mark. */
    boolean standsAt(Marks.Mark mark) {
        Carrier carrier = running.carrier();
        if (mark.address() != carrier.tracee().get(Registers.RIP)) {
            return false;
        }
        carrier.breakpoints().removeSoftware();
        return session.points().isThere(mark, carrier);
    }

    @Override
    public void close() {
        session.close();
    }
}
