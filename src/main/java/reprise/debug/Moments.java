package reprise.debug;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import reprise.replay.Position;
import reprise.replay.Timeline;

/** The checkpoints, and where the user has been. Stays when a client goes and another comes. */
final class Moments {
    private static final int LONGEST_HISTORY = 1000;

    private final Timeline timeline;
    private final Map<Integer, Checkpoint> checkpoints = new TreeMap<>();
    private final List<Position> history = new ArrayList<>();
    private int present = -1;
    private int nextNumber = 1;

    /** {@code where}: for people. */
    record Checkpoint(Position position, String where) {}

    Moments(Timeline timeline) {
        this.timeline = timeline;
    }

    /** Keeps the present; its number. */
    int checkpoint(String where) {
        checkpoints.put(nextNumber, new Checkpoint(timeline.keep(), where));
        return nextNumber++;
    }

    /** All checkpoints by their numbers. */
    Map<Integer, Checkpoint> checkpoints() {
        return checkpoints;
    }

    /** Forgets a checkpoint; whether there was one. */
    boolean delete(int number) {
        Checkpoint checkpoint = checkpoints.remove(number);
        if (checkpoint != null) {
            timeline.forget(checkpoint.position());
        }
        return checkpoint != null;
    }

    /** The user is shown the present. */
    void visit() {
        Position here = timeline.position();
        if (present >= 0 && history.get(present).equals(here)) {
            return;
        }
        history.subList(present + 1, history.size()).clear();
        history.add(here);
        if (history.size() > LONGEST_HISTORY) {
            history.removeFirst();
        }
        present = history.size() - 1;
    }

    /** Goes {@code by} moments on in the history, back if negative; null if there are not so many. */
    Position travel(int by) {
        int target = present + by;
        if (target < 0 || target >= history.size()) {
            return null;
        }
        present = target;
        return history.get(target);
    }
}
