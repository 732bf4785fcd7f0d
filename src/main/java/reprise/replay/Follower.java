package reprise.replay;

import java.util.List;
import java.util.function.IntFunction;

/** Follows a path within the interval between two events: says where to stop next, and is told of each halt. */
final class Follower {
    /** Arrivals that take longer with a stop at each than planting a probe. */
    private static final int WORTH_COUNTING = 100;

    private final List<Position.Move> moves;
    private final Marks marks;
    private int at;
    private long left;
    private Armed others;
    private Armed armed;
    private int armedFor = -1;

    Follower(List<Position.Move> moves, Marks marks) {
        this.moves = moves;
        this.marks = marks;
        load();
    }

    Follower(Follower other) {
        moves = other.moves;
        marks = other.marks;
        at = other.at;
        left = other.left;
    }

    private void load() {
        while (at < moves.size()) {
            left = switch (moves.get(at)) {
                case Position.Arrive arrive -> arrive.count();
                case Position.Step step -> step.count();
                case Position.Trigger trigger -> trigger.count();
                case Position.ToEvent event -> 1;
                case Position.Mark mark -> 1;
            };
            if (left > 0) {
                return;
            }
            at++;
        }
    }

    /** Whether the path's end is reached. */
    boolean isDone() {
        return at == moves.size();
    }

    /** Whether the task is to be stepped. */
    boolean isSingle() {
        return !isDone() && moves.get(at) instanceof Position.Step;
    }

    /** How many halts there are still to be in the part of the path that is being followed. */
    long left() {
        return isDone() ? 0 : left;
    }

    /** What has to be armed, besides other things; the same object while that is the same. */
    Armed arm(Armed besides, int process) {
        if (besides != others || armedFor != at) {
            others = besides;
            armedFor = at;
            armed = isDone() ? besides : with(besides, process);
        }
        return armed;
    }

    private Armed with(Armed besides, int process) {
        return switch (moves.get(at)) {
            case Position.Arrive arrive -> besides.with(arrive.address());
            case Position.Trigger trigger ->
                besides.with(new Watch(process, trigger.address(), trigger.length(), trigger.access()));
            case Position.Mark mark -> besides.with(marks.get(mark.number()).address());
            case Position.Step step -> besides;
            case Position.ToEvent event -> besides;
        };
    }

    /**
     * Takes a playback past all but {@code keep} of the arrivals that there are still to be, if these are many and can be counted
     * without a stop at each.
     *
     * @return whether it did
     * @throws IllegalArgumentException if the path cannot be followed: it is of another recording
     */
    boolean skip(Playback playback, long keep) {
        if (isDone() || left < keep + WORTH_COUNTING || !(moves.get(at) instanceof Position.Arrive arrive)) {
            return false;
        }
        Halt halt = playback.count(Playback.UNARMED, arrive.address(), left - keep);
        if (halt == null) {
            return false;
        }
        left -= playback.counted();
        if (left != keep) {
            throw new IllegalArgumentException("there is no such position: " + moves);
        }
        playback.settle(halt);
        return true;
    }

    /**
     * Takes a playback over the arrivals that there are still to be, or to a stop before, without a stop at each of them, if these
     * are many and nobody wants to stop there.
     *
     * @param besides where tasks of a process stop
     * @return where it came to a halt, of which {@link #see} is not to be told; null if it has to go by {@link #arm}
     */
    Halt count(Playback playback, IntFunction<Armed> besides) {
        if (isDone() || left < WORTH_COUNTING || !(moves.get(at) instanceof Position.Arrive arrive)) {
            return null;
        }
        ReplayTask task = playback.running();
        if (task == null || besides.apply(task.process()).has(arrive.address())) {
            return null;
        }
        Halt halt = playback.count(besides, arrive.address(), left);
        if (halt != null) {
            left -= playback.counted();
            if (left == 0) {
                playback.settle(halt);
                at++;
                load();
            }
        }
        return halt;
    }

    private static boolean hasTriggered(Playback playback, Position.Trigger trigger) {
        for (Watch watch : playback.triggered()) {
            if (watch.address() == trigger.address()
                    && watch.length() == trigger.length()
                    && watch.access() == trigger.access()) {
                return true;
            }
        }
        return false;
    }

    /**
     * Takes note of a halt of the playback.
     *
     * @throws IllegalArgumentException if the path cannot be followed: it is of another recording
     */
    void see(Playback playback, Halt halt) {
        if (isDone() || halt == Halt.ENTERED || halt == Halt.TIME) {
            return;
        }
        if (halt == Halt.APPLIED || halt == Halt.END) {
            throw new IllegalArgumentException("there is no such position: " + moves);
        }
        boolean progress = switch (moves.get(at)) {
            case Position.Arrive arrive -> halt != Halt.BEFORE_EVENT && playback.address() == arrive.address();
            case Position.Step step -> halt == Halt.STEPPED;
            case Position.Trigger trigger -> halt != Halt.BEFORE_EVENT && hasTriggered(playback, trigger);
            case Position.ToEvent event -> halt == Halt.BEFORE_EVENT;
            case Position.Mark mark -> halt != Halt.BEFORE_EVENT && playback.standsAt(marks.get(mark.number()));
        };
        if (progress && --left == 0) {
            if (moves.get(at) instanceof Position.Mark mark) {
                playback.route().marked(mark.number());
            } else {
                playback.settle(halt);
            }
            at++;
            load();
        }
    }
}
