package reprise.replay;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import reprise.runtime.BufferLayout;
import reprise.trace.Event;

/**
 * Finds the instruction that was executed before a place, within the interval between two events.
 *
 * <p>Nothing counts instructions. So one goes, by breakpoints at addresses that are executed again and again, from a place
 * before it to later and later ones, until it is so near that single steps lead to it.
 */
final class StepBack {
    /** Single steps that are tried before other means. */
    private static final int STEPS = 250;
    /** Halts at one address after which it is left out. */
    private static final int OFTEN = 200;

    /** Arrivals before the place, if it is named by many, from which the search begins. */
    private static final int NEAR = 16;

    private static final int NOT_OFTEN = 20;
    /** Landmarks that the processor has room for. */
    private static final int FEW = CarrierBreakpoints.SLOTS - 2;

    private static final int MANY = 40;
    /** Halts of a pass after which its base is moved on for the first time. */
    private static final int FIRST_KEPT = 64;
    /** A run shorter than this, in nanoseconds, cannot be cut in two by a clock. */
    private static final long SHORTEST = 100_000;
    /** Steps after which a copy is made where there is no other way than to step. */
    private static final int LONG_WAY = 4096;

    /** Calls that are looked at. */
    private static final int CALLS = 6;

    /** Parts of a name of which a mark is better. */
    private static final int LONG_NAME = 8;

    private final History history;
    private final long event;
    private final boolean including;
    private final List<Position.Move> path;

    /** At or before the place looked for, and moving towards it. */
    private Playback base;

    private Follower way;
    /** Where the base was at first, and its way. */
    private Playback origin;

    private Follower wholeWay;
    private boolean hopped;
    /** Addresses that were executed from the base on, and how often. */
    private final Map<Long, Long> landmarks = new LinkedHashMap<>();

    private final CodeBefore codeBefore = new CodeBefore();
    /** The calls that the task is in at the place; null while that is not known. */
    private long[] calls;

    /** Landmarks that were executed too often in the last pass. */
    private final List<Long> leftOut = new ArrayList<>();

    private boolean nearer;
    private long lastDuration;
    private long steps;
    private boolean moved;

    /**
     * A search.
     *
     * @param event the interval's beginning
     * @param path to the place
     * @param including the place is no instruction of its own but what became of the one looked for
     */
    StepBack(History history, long event, List<Position.Move> path, boolean including) {
        this.history = history;
        this.event = event;
        this.path = path;
        this.including = including;
    }

    /**
     * Searches.
     *
     * @param guesses addresses that may have been executed right before; the likeliest first
     * @return a playback there; null if nothing was executed in the interval
     */
    Playback find(long[] guesses) {
        if (path.getLast() instanceof Position.Step step && !including) {
            List<Position.Move> shorter = new ArrayList<>(path.subList(0, path.size() - 1));
            if (step.count() > 1) {
                shorter.add(new Position.Step(step.count() - 1));
            } else if (!shorter.isEmpty() && isCall(shorter.getLast())) {
                return new StepBack(history, event, shorter, true).find(new long[0]);
            }
            return history.open(new Position(event, shorter));
        }
        begin();
        try {
            return search(guesses);
        } finally {
            base.close();
            origin.close();
        }
    }

    /** Whether a part of a path ends inside a buffered system call, which is no instruction of the program. */
    static boolean isCall(Position.Move move) {
        return move instanceof Position.Arrive arrive && arrive.address() == BufferLayout.ENTRY;
    }

    /** Goes to the nearest known place before. */
    private void begin() {
        if (!history.checkpoints().hasEvent(event)) {
            history.open(new Position(event)).close();
        }
        Position place = new Position(event, path);
        base = history.copy(history.checkpoints().before(place).getFirst());
        if (base.event() < event) {
            history.follow(base, new Position(event), true);
        }
        List<Position.Move> rest = base.route().remaining(path);
        Follower first = new Follower(rest.subList(0, rest.size() - 1), history.marks());
        while (!first.isDone()) {
            if (first.skip(base, 1)) {
                continue;
            }
            Halt halt = base.proceed(process -> first.arm(Armed.NOTHING, process), tid -> first.isSingle(), 0);
            first.see(base, halt);
        }
        way = new Follower(rest.subList(rest.size() - 1, rest.size()), history.marks());
        way.skip(base, NEAR);
        origin = history.copy(base);
        wholeWay = new Follower(way);
    }

    private Playback search(long[] guesses) {
        // No more than the processor has room for.
        boolean point = history.event(event + 1) instanceof Event.ExecutionPoint;
        pass(Armed.NOTHING.withGuesses(Arrays.copyOf(guesses, Math.min(guesses.length, point ? FEW : FEW + 1))), OFTEN);
        hop();
        if (moved) {
            long[] returns = codeBefore.returns(history, base);
            if (returns.length > 0) {
                pass(Armed.NOTHING.withGuesses(returns), OFTEN);
            }
        }
        boolean entered = false;
        while (!reach(STEPS)) {
            if (!entered) {
                entered = true;
                enter();
                if (moved) {
                    continue;
                }
            }
            if (walkOverCalls()) {
                continue;
            }
            long[] rare = landmarks.entrySet().stream()
                    .sorted(Map.Entry.comparingByValue())
                    .mapToLong(Map.Entry::getKey)
                    .toArray();
            pass(Armed.NOTHING.with(Arrays.copyOf(rare, Math.min(rare.length, FEW))), OFTEN);
            if (!moved && rare.length > FEW) {
                pass(Armed.NOTHING.with(Arrays.copyOfRange(rare, FEW, Math.min(rare.length, MANY))), NOT_OFTEN);
            }
            hop();
            if (!moved && !cut() && !leftOut.isEmpty()) {
                // A loop that is executed often, but not for long: it has to be gone through.
                pass(Armed.NOTHING.with(leftOut.getLast()), Long.MAX_VALUE);
            }
            if (!moved && !nearer) {
                if (reach(LONG_WAY)) {
                    break;
                }
                advanceBySteps(LONG_WAY);
            }
        }
        return result();
    }

    /** Moves the base to the last of the calls that the task is in at the place. */
    private void enter() {
        moved = false;
        for (int at = 0; at < calls.length && !moved; at += FEW) {
            pass(Armed.NOTHING.withGuesses(Arrays.copyOfRange(calls, at, Math.min(calls.length, at + FEW))), OFTEN);
            hop();
        }
    }

    /** Steps on, but through what is called; whether that led into a call in which the place is. */
    private boolean walkOverCalls() {
        if (way.isSingle()) {
            return false;
        }
        CallWalk walk = new CallWalk(history, codeBefore);
        walk.run(base, way, STEPS);
        landmarks.clear();
        landmarks.putAll(walk.addresses());
        replaceBase(walk.place(), walk.way());
        return walk.hasDescended();
    }

    /** Steps a copy for a while; whether it came to the place. Notes where it was. */
    private boolean reach(int limit) {
        landmarks.clear();
        try (Playback walk = history.copy(base)) {
            Follower follower = new Follower(way);
            long start = walk.executed();
            for (int i = 0; i <= limit; i++) {
                Halt halt = single(walk, follower);
                if (follower.isDone()) {
                    steps = walk.executed() - start;
                    return true;
                }
                if (halt == Halt.STEPPED) {
                    landmarks.merge(walk.address(), 1L, Long::sum);
                }
            }
            return false;
        }
    }

    /** Makes one step. */
    static Halt single(Playback playback, Follower follower) {
        Halt halt;
        do {
            halt = playback.proceed(process -> follower.arm(Armed.NOTHING, process), tid -> true, 0);
        } while (halt == Halt.ENTERED);
        follower.see(playback, halt);
        return halt;
    }

    private void advanceBySteps(int count) {
        Playback next = history.copy(base);
        Follower follower = new Follower(way);
        for (int i = 0; i < count; i++) {
            Follower before = new Follower(follower);
            if (i == count - 1) {
                replaceBase(next, before);
                return;
            }
            single(next, follower);
        }
    }

    /** The base is so many steps before the place. */
    private Playback result() {
        long wanted = including ? steps : steps - 1;
        if (wanted < 0) {
            // The base is the place itself.
            return base.route().isAtEvent()
                    ? null
                    : new StepBack(history, event, base.position().path(), false).find(new long[0]);
        }
        if (wanted == 0
                && !base.route().isAtEvent()
                && isCall(base.position().path().getLast())) {
            return new StepBack(history, event, base.position().path(), true).find(new long[0]);
        }
        if (!base.route().isAtEvent()) {
            if (base.position().path().size() > LONG_NAME) {
                base.route().marked(history.marks().add(base));
            }
            history.addCheckpoint(base, false);
        }
        Playback result = history.copy(base);
        Follower follower = new Follower(way);
        for (long i = 0; i < wanted; i++) {
            single(result, follower);
        }
        return result;
    }

    /**
     * Runs a copy to the place, halting at landmarks. Where it halted last becomes the base.
     *
     * @param limit halts after which a landmark is left out, as it is executed too often
     */
    private void pass(Armed where, long limit) {
        Map<Long, Long> hits = new HashMap<>();
        Map<Long, Long> sinceBase = new HashMap<>();
        long last = 0;
        Follower lastWay = null;
        // Now and then the base is moved on, so that the last halt will be near it.
        int halts = 0;
        int keep = FIRST_KEPT;
        moved = false;
        nearer = false;
        leftOut.clear();
        long start = System.nanoTime();
        try (Playback run = history.copy(base)) {
            Follower follower = new Follower(way);
            Armed[] armed = {where};
            while (true) {
                Halt halt = run.proceed(process -> follower.arm(armed[0], process), Playback.NOBODY, 0);
                follower.see(run, halt);
                if (follower.isDone()) {
                    calls = calls == null ? codeBefore.calls(run, CALLS) : calls;
                    break;
                }
                if (halt != Halt.ADDRESS) {
                    continue;
                }
                long address = run.address();
                if (hits.merge(address, 1L, Long::sum) == limit && armed[0].has(address)) {
                    armed[0] = armed[0].without(address);
                    leftOut.add(address);
                    if (last == address) {
                        lastWay = null;
                    }
                    continue;
                }
                last = address;
                lastWay = new Follower(follower);
                sinceBase.merge(address, 1L, Long::sum);
                if (++halts == keep) {
                    keep += keep / 4;
                    Playback better = history.copy(run);
                    better.settle(halt);
                    replaceBase(better, lastWay);
                    sinceBase.clear();
                    lastWay = null;
                }
            }
        }
        lastDuration = System.nanoTime() - start;
        if (lastWay != null) {
            moveTo(last, sinceBase.get(last), lastWay);
            moved = true;
        }
    }

    /**
     * Moves the base to the last execution of one that was left out; they are counted without a stop at each. Counted from where the
     * search began, so that the name is short; once, for it might lead back before the base the next time.
     */
    private void hop() {
        for (long address : hopped ? List.<Long>of() : leftOut) {
            long count;
            try (Playback run = history.copy(origin)) {
                count = count(run, new Follower(wholeWay), address, Long.MAX_VALUE);
            }
            if (count > 0) {
                Playback next = history.copy(origin);
                Follower follower = new Follower(wholeWay);
                count(next, follower, address, count);
                next.settle(Halt.ADDRESS);
                replaceBase(next, follower);
                moved = true;
                hopped = true;
                return;
            }
        }
    }

    /** Runs a playback to the nth arrival at an address, or to the end of its way; how many there were, 0 if that is not known. */
    private static long count(Playback run, Follower follower, long address, long most) {
        long count = 0;
        while (true) {
            IntFunction<Armed> arming = process -> follower.arm(Armed.NOTHING, process);
            Halt halt = follower.isSingle() ? null : run.count(arming, address, most - count);
            if (halt == null && count == 0 && run.proceed(arming, Playback.NOBODY, 0) == Halt.ENTERED) {
                continue;
            }
            if (halt == null) {
                return 0;
            }
            count += run.counted();
            if (count == most) {
                return count;
            }
            follower.see(run, halt);
            if (follower.isDone()) {
                return count;
            }
        }
    }

    private void moveTo(long address, long count, Follower wayFromThere) {
        Playback next = history.copy(base);
        Follower there = new Follower(List.of(new Position.Arrive(address, count)), history.marks());
        while (!there.isDone()) {
            Halt halt = next.proceed(process -> there.arm(Armed.NOTHING, process), Playback.NOBODY, 0);
            there.see(next, halt);
        }
        replaceBase(next, wayFromThere);
    }

    /** Runs for parts of the time that it takes to come to the place; whether it got nearer. */
    private boolean cut() {
        nearer = false;
        for (long time = lastDuration / 2; time > SHORTEST; time /= 2) {
            Playback run = history.copy(base);
            Follower follower = new Follower(way);
            Halt halt = runFor(run, follower, time);
            if (halt == Halt.TIME) {
                replaceBase(run, follower);
                nearer = true;
            } else {
                run.close();
            }
        }
        if (nearer) {
            base.route().marked(history.marks().add(base));
        }
        return nearer;
    }

    private static Halt runFor(Playback run, Follower follower, long time) {
        while (true) {
            Halt halt = run.proceed(process -> follower.arm(Armed.NOTHING, process), Playback.NOBODY, time);
            follower.see(run, halt);
            if (halt == Halt.TIME || follower.isDone()) {
                return halt;
            }
        }
    }

    private void replaceBase(Playback next, Follower nextWay) {
        base.close();
        base = next;
        way = nextWay;
    }
}
