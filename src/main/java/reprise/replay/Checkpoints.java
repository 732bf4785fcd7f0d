package reprise.replay;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Copies of the replay at some positions, so that one need not begin anew: many near the present, few far away.
 *
 * <p>Owns the playbacks in it. They are never moved, only copied.
 */
final class Checkpoints implements AutoCloseable {
    /** How many are kept that nobody asked for. */
    private static final int MOST = 40;
    /** An event counts as so much time, in nanoseconds, when distances are compared. */
    private static final double EVENT = 10_000;
    /** So does a step. */
    private static final double STEP = 10;
    /** And what is between two marks. */
    private static final double MARK = 1e8;

    private static final double NEAR = 100;

    private record Checkpoint(Playback playback, boolean kept, double coordinate) {}

    private final List<Checkpoint> all = new ArrayList<>();

    /** Adds a copy; unless {@code kept} it may go when there are too many, judged from {@code present}. */
    void add(Playback copy, boolean kept, Playback present) {
        double coordinate = coordinate(copy);
        int at = all.size();
        while (at > 0 && all.get(at - 1).coordinate > coordinate) {
            at--;
        }
        all.add(at, new Checkpoint(copy, kept, coordinate));
        thin(present);
    }

    /** How many there are. */
    int size() {
        return all.size();
    }

    /** How many somebody asked for. */
    long kept() {
        return all.stream().filter(Checkpoint::kept).count();
    }

    /** Whether there is one right after an event. */
    boolean hasEvent(long event) {
        return all.stream()
                .anyMatch(checkpoint -> checkpoint.playback.event() == event
                        && checkpoint.playback.route().isAtEvent());
    }

    /** No longer keeps what was added to be kept at a position. */
    void forget(Position position) {
        for (int i = 0; i < all.size(); i++) {
            Checkpoint checkpoint = all.get(i);
            if (checkpoint.kept && i > 0 && checkpoint.playback.position().equals(position)) {
                all.remove(i);
                checkpoint.playback.close();
                return;
            }
        }
    }

    /** The one from which it is the shortest way to a position. */
    Playback nearest(Position position) {
        Playback best = null;
        for (Checkpoint checkpoint : all.reversed()) {
            if (distance(checkpoint.playback, position)
                    < (best == null ? Double.MAX_VALUE : distance(best, position))) {
                best = checkpoint.playback;
            }
        }
        return best;
    }

    /** All that are before a position, the nearest first. */
    List<Playback> before(Position position) {
        // Those further on first, where the distance does not tell.
        return all.reversed().stream()
                .map(Checkpoint::playback)
                .filter(playback ->
                        distance(playback, position) != Double.MAX_VALUE && distance(playback, position) > 0)
                .sorted(Comparator.comparingDouble(playback -> distance(playback, position)))
                .toList();
    }

    /** A measure of the way from a playback to a position; MAX_VALUE if the position is not known to be behind it. */
    static double distance(Playback from, Position to) {
        if (from.event() > to.event()) {
            return Double.MAX_VALUE;
        }
        List<Position.Move> way = to.path();
        if (from.event() == to.event()) {
            way = from.route().remaining(to.path());
            if (way == null) {
                return Double.MAX_VALUE;
            }
        }
        double distance = (to.event() - from.event()) * 1e6;
        for (Position.Move move : way) {
            distance += switch (move) {
                case Position.Arrive arrive -> arrive.count();
                case Position.Step step -> step.count();
                case Position.Trigger trigger -> trigger.count();
                case Position.ToEvent event -> 5e5;
                case Position.Mark mark -> 9e5;
            };
        }
        // In the same interval those further on are nearer to what is behind it.
        boolean further = from.event() < to.event() && !from.route().isAtEvent();
        return further ? distance - 1 : distance;
    }

    /** Takes away those that are close to their neighbours, as seen from the present. */
    private void thin(Playback present) {
        while (all.stream().filter(checkpoint -> !checkpoint.kept).count() > MOST) {
            all.remove(leastUseful(coordinate(present))).playback.close();
        }
    }

    private int leastUseful(double present) {
        int worst = -1;
        double least = Double.MAX_VALUE;
        for (int i = 0; i < all.size(); i++) {
            if (!all.get(i).kept) {
                double here = all.get(i).coordinate;
                double before = i == 0 ? here : all.get(i - 1).coordinate;
                double behind = i + 1 < all.size() ? all.get(i + 1).coordinate : 2 * here - before;
                double useful = (behind - before + 1) / (Math.abs(here - present) + NEAR);
                // One goes back more than forward.
                useful = here > present ? useful / 4 : useful;
                if (useful < least) {
                    least = useful;
                    worst = i;
                }
            }
        }
        return worst;
    }

    /** About how far a place is from the beginning, in nanoseconds. */
    private static double coordinate(Playback playback) {
        double way = 0;
        for (Position.Move move : playback.position().path()) {
            way += switch (move) {
                case Position.Arrive arrive -> arrive.count() * STEP;
                case Position.Step step -> step.count() * STEP;
                case Position.Trigger trigger -> trigger.count() * STEP;
                case Position.ToEvent event -> EVENT;
                case Position.Mark mark -> mark.number() * MARK;
            };
        }
        return playback.nanos() + playback.event() * EVENT + way;
    }

    @Override
    public void close() {
        for (Checkpoint checkpoint : all.reversed()) {
            checkpoint.playback.close();
        }
        all.clear();
    }
}
