package reprise.replay;

/** Runs over a part of the past to find the last place at which a debugger would have stopped. */
final class Scan {
    private final History history;
    private final StopRules rules;
    private Stop last;
    private Position place;
    private boolean interrupted;

    Scan(History history, StopRules rules) {
        this.history = history;
        this.rules = rules;
    }

    /** The last stop that was found; null if there was none. */
    Stop last() {
        return last;
    }

    /** Where it was. */
    Position place() {
        return place;
    }

    /** Whether somebody interrupted it. */
    boolean wasInterrupted() {
        return interrupted;
    }

    /**
     * Moves a playback to a position, noting the stops from where it is to there.
     *
     * @param including also those at the end itself, and not only what was written right before it
     */
    void run(Playback playback, Position end, boolean including) {
        last = null;
        place = null;
        if (!playback.route().isAtEvent()) {
            note(playback, Halt.ADDRESS, playback.position(), true);
        }
        Follower follower = null;
        while (true) {
            if (playback.event() == end.event()) {
                if (follower == null && playback.route().remaining(end.path()) == null) {
                    throw new IllegalStateException("from " + playback.position() + " there is no way to " + end);
                }
                if (follower == null) {
                    follower = new Follower(playback.route().remaining(end.path()), history.marks());
                }
                if (follower.isDone()) {
                    return;
                }
            }
            Follower way = follower;
            Halt counted = way == null ? null : way.count(playback, rules.points()::of);
            Halt halt = counted != null ? counted : proceed(playback, way);
            if (halt == Halt.END) {
                throw new IllegalArgumentException("there is no such position: " + end);
            }
            if (history.timer().takeInterrupt()) {
                interrupted = true;
                return;
            }
            if (way != null && counted == null) {
                way.see(playback, halt);
            } else if (halt == Halt.APPLIED) {
                history.consider(playback);
            }
            boolean ends = way != null
                    ? way.isDone()
                    : halt == Halt.APPLIED && playback.event() == end.event() && end.isAtEvent();
            note(playback, halt, playback.look(halt), !ends || including);
            if (ends) {
                return;
            }
        }
    }

    private Halt proceed(Playback playback, Follower way) {
        return way == null
                ? playback.proceed(rules.points()::of, Playback.NOBODY, 0)
                : playback.proceed(process -> way.arm(rules.points().of(process), process), tid -> way.isSingle(), 0);
    }

    private void note(Playback playback, Halt halt, Position here, boolean all) {
        Stop stop = rules.judge(playback, halt);
        // What was written right before the end is written before it.
        if (stop != null && (all || stop instanceof Stop.Watchpoint)) {
            last = stop;
            place = here;
        }
    }
}
