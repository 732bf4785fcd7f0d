package reprise.replay;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds the instruction that was executed before a place, within the interval between two events.
 *
 * <p>Nothing counts instructions. So one goes, by breakpoints at addresses that are executed again and again, from a place
 * before it to later and later ones, until it is so near that single steps lead to it.
 */
final class StepBack {
    /** Single steps that are tried before other means. */
    private static final int STEPS = 250;
    /** Halts of one pass after which addresses that are executed often are left out. */
    private static final int PATIENCE = 3000;

    private static final int OFTEN = 300;
    /** A run shorter than this, in nanoseconds, cannot be cut in two by a clock. */
    private static final long SHORTEST = 100_000;
    /** Steps after which a copy is made where there is no other way than to step. */
    private static final int LONG_WAY = 4096;

    private final History history;
    private final long event;
    private final boolean including;
    private final List<Position.Move> path;

    /** At or before the place looked for, and moving towards it. */
    private Playback base;

    private Follower way;
    private final Set<Long> landmarks = new LinkedHashSet<>();
    private long lastDuration;
    private long steps;

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
     * @param guesses addresses that may have been executed right before; at most two
     * @return a playback there; null if nothing was executed in the interval
     */
    Playback find(long[] guesses) {
        if (path.getLast() instanceof Position.Step step && !including) {
            List<Position.Move> shorter = new ArrayList<>(path.subList(0, path.size() - 1));
            if (step.count() > 1) {
                shorter.add(new Position.Step(step.count() - 1));
            }
            return history.open(new Position(event, shorter));
        }
        begin();
        try {
            return search(guesses);
        } finally {
            base.close();
        }
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
            Halt halt =
                    base.proceed(process -> first.arm(Armed.NOTHING, process), tid -> first.isSingle(), 0);
            first.see(base, halt);
        }
        way = new Follower(rest.subList(rest.size() - 1, rest.size()), history.marks());
    }

    private Playback search(long[] guesses) {
        pass(guesses);
        while (true) {
            landmarks.clear();
            if (reach(STEPS)) {
                return result();
            }
            if (!pass(landmarks.stream().mapToLong(Long::longValue).toArray()) && !cut()) {
                while (!reach(LONG_WAY)) {
                    advanceBySteps(LONG_WAY);
                }
                return result();
            }
        }
    }

    /** Steps a copy for a while; whether it came to the place. Notes where it was. */
    private boolean reach(int limit) {
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
                    landmarks.add(walk.address());
                }
            }
            return false;
        }
    }

    private static Halt single(Playback playback, Follower follower) {
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
            single(next, follower);
        }
        replaceBase(next, follower);
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
        if (!base.route().isAtEvent()) {
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
     * Runs a copy to the place, halting at landmarks. The last one becomes the base.
     *
     * @return whether there was one
     */
    private boolean pass(long[] addresses) {
        Map<Long, Long> counts = new HashMap<>();
        long last = 0;
        Follower lastWay = null;
        long start = System.nanoTime();
        try (Playback run = history.copy(base)) {
            Follower follower = new Follower(way);
            Armed[] armed = {Armed.NOTHING.with(addresses)};
            int halts = 0;
            while (true) {
                Halt halt = run.proceed(process -> follower.arm(armed[0], process), Playback.NOBODY, 0);
                follower.see(run, halt);
                if (follower.isDone()) {
                    break;
                }
                if (halt == Halt.ADDRESS) {
                    last = run.address();
                    counts.merge(last, 1L, Long::sum);
                    lastWay = new Follower(follower);
                    if (++halts % PATIENCE == 0) {
                        armed[0] = new Armed(
                                java.util.Arrays.stream(armed[0].addresses())
                                        .filter(address -> counts.getOrDefault(address, 0L) < OFTEN)
                                        .toArray(),
                                List.of());
                    }
                }
            }
        }
        lastDuration = System.nanoTime() - start;
        if (lastWay == null) {
            return false;
        }
        Playback next = history.copy(base);
        Follower there = new Follower(List.of(new Position.Arrive(last, counts.get(last))), history.marks());
        while (!there.isDone()) {
            Halt halt = next.proceed(process -> there.arm(Armed.NOTHING, process), Playback.NOBODY, 0);
            there.see(next, halt);
        }
        replaceBase(next, lastWay);
        return true;
    }

    /** Runs for a part of the time that it takes to come to the place; whether it got somewhere. */
    private boolean cut() {
        for (long time = lastDuration / 2; time > SHORTEST; time /= 2) {
            Playback run = history.copy(base);
            Follower follower = new Follower(way);
            while (true) {
                Halt halt = run.proceed(process -> follower.arm(Armed.NOTHING, process), Playback.NOBODY, time);
                if (halt == Halt.TIME) {
                    run.route().marked(history.marks().add(run));
                    replaceBase(run, follower);
                    return true;
                }
                follower.see(run, halt);
                if (follower.isDone()) {
                    run.close();
                    break;
                }
            }
        }
        return false;
    }

    private void replaceBase(Playback next, Follower nextWay) {
        base.close();
        base = next;
        way = nextWay;
    }
}
