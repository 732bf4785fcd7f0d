package reprise.replay;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * Names the place where a playback is, as the way there from the last event.
 *
 * <p>Arrivals at an address that was watched all the time since the event make the shortest name, and the same one however
 * one came there. Else the name is that of the last stop and what was done since.
 */
final class Route {
    private final List<Position.Move> moves = new ArrayList<>();
    /** Arrivals since the event at the addresses that were watched all the time; null if none was yet. */
    private Map<Long, Long> sinceEvent;

    private final Map<Long, Long> sinceStop = new HashMap<>();
    private boolean atEvent = true;

    Route() {}

    Route(Route other) {
        adopt(other);
    }

    /** Becomes a copy of another one. */
    void adopt(Route other) {
        moves.clear();
        sinceStop.clear();
        moves.addAll(other.moves);
        sinceEvent = other.sinceEvent == null ? null : new HashMap<>(other.sinceEvent);
        sinceStop.putAll(other.sinceStop);
        atEvent = other.atEvent;
    }

    /** An event was applied. */
    void reset() {
        if (!atEvent || !moves.isEmpty()) {
            moves.clear();
            sinceStop.clear();
            sinceEvent = null;
            atEvent = true;
        }
    }

    /** The place is known by another name, too, which is used from now on. */
    void rename(List<Position.Move> path) {
        moves.clear();
        moves.addAll(path);
        sinceStop.clear();
    }

    /** The way from the last event to the last stop. */
    List<Position.Move> moves() {
        return moves;
    }

    /** Whether nothing has run since the event. */
    boolean isAtEvent() {
        return atEvent;
    }

    /** Arrivals since the event at an address; -1 if that is not known. */
    long arrivals(long address) {
        if (atEvent) {
            return 0;
        }
        return sinceEvent == null ? -1 : sinceEvent.getOrDefault(address, -1L);
    }

    /** The task is about to run, and to stop at these addresses. */
    void runs(Armed armed) {
        if (atEvent) {
            atEvent = false;
            sinceEvent = null;
            if (armed.addresses().length > 0) {
                sinceEvent = new HashMap<>();
                for (long address : armed.addresses()) {
                    sinceEvent.put(address, 0L);
                }
            }
        } else if (sinceEvent != null) {
            sinceEvent.keySet().removeIf(address -> !armed.has(address));
        }
    }

    /** The task stopped at an address that it was to stop at. */
    void arrived(long address) {
        arrived(address, 1);
    }

    /** As {@link #arrived(long)}, several times. */
    void arrived(long address, long times) {
        if (sinceEvent != null) {
            sinceEvent.computeIfPresent(address, (at, count) -> count + times);
        }
        sinceStop.merge(address, times, Long::sum);
    }

    /** The last arrival is what the next part of the way starts from. */
    void stopAt(long address) {
        if (arrivals(address) > 0) {
            moves.clear();
            moves.add(new Position.Arrive(address, arrivals(address)));
        } else {
            long count = sinceStop.getOrDefault(address, 0L);
            add(
                    new Position.Arrive(address, count),
                    (last, more) -> last instanceof Position.Arrive arrive && arrive.address() == address
                            ? new Position.Arrive(address, arrive.count() + count)
                            : null);
        }
        sinceStop.clear();
    }

    /** The task executed one instruction and is now at an address. */
    void stepped(long address) {
        atEvent = false;
        if (sinceEvent != null) {
            sinceEvent.computeIfPresent(address, (at, count) -> count + 1);
        }
        sinceStop.clear();
        add(
                new Position.Step(1),
                (last, more) -> last instanceof Position.Step step ? new Position.Step(step.count() + 1) : null);
    }

    /** The task triggered a watchpoint for the nth time since the last stop, and is now at an address. */
    void triggered(Watch watch, long count) {
        sinceStop.clear();
        add(
                new Position.Trigger(watch.address(), watch.length(), watch.access(), count),
                (last, more) -> last instanceof Position.Trigger trigger
                                && trigger.address() == watch.address()
                                && trigger.length() == watch.length()
                                && trigger.access() == watch.access()
                        ? new Position.Trigger(watch.address(), watch.length(), watch.access(), trigger.count() + count)
                        : null);
    }

    /** The task stands at the next event. */
    void toEvent() {
        moves.clear();
        moves.add(new Position.ToEvent());
        sinceStop.clear();
        atEvent = false;
    }

    /** The task is at an instant that is kept under a number. */
    void marked(long number) {
        moves.clear();
        moves.add(new Position.Mark(number));
        sinceStop.clear();
        atEvent = false;
    }

    /**
     * What is left of the way to a place when one is here.
     *
     * @param path from the same event
     * @return null if it is not known that the place is not before this one
     */
    List<Position.Move> remaining(List<Position.Move> path) {
        if (atEvent) {
            return path;
        }
        if (path.isEmpty()) {
            return null;
        }
        Position.Move first = path.getFirst();
        if (first instanceof Position.ToEvent && !isToEvent()) {
            return path;
        }
        if (first instanceof Position.Arrive arrive && arrivals(arrive.address()) >= 0) {
            long left = arrive.count() - arrivals(arrive.address());
            if (left > 0) {
                List<Position.Move> rest = new ArrayList<>(path);
                rest.set(0, new Position.Arrive(arrive.address(), left));
                return rest;
            }
        }
        return behindPrefix(path);
    }

    private boolean isToEvent() {
        return !moves.isEmpty() && moves.getFirst() instanceof Position.ToEvent;
    }

    private List<Position.Move> behindPrefix(List<Position.Move> path) {
        int count = moves.size();
        if (count == 0 || path.size() < count || !path.subList(0, count - 1).equals(moves.subList(0, count - 1))) {
            return null;
        }
        List<Position.Move> rest = new ArrayList<>(path.subList(count, path.size()));
        Position.Move own = moves.getLast();
        Position.Move wanted = path.get(count - 1);
        if (own.equals(wanted)) {
            return rest;
        }
        Position.Move part = null;
        if (own instanceof Position.Step a && wanted instanceof Position.Step b && a.count() < b.count()) {
            part = new Position.Step(b.count() - a.count());
        } else if (own instanceof Position.Arrive a
                && wanted instanceof Position.Arrive b
                && a.address() == b.address()
                && a.count() < b.count()) {
            part = new Position.Arrive(a.address(), b.count() - a.count());
        }
        if (part == null) {
            return null;
        }
        rest.addFirst(part);
        return rest;
    }

    private void add(Position.Move move, BiFunction<Position.Move, Position.Move, Position.Move> merge) {
        Position.Move merged = moves.isEmpty() ? null : merge.apply(moves.getLast(), move);
        if (merged == null) {
            moves.add(move);
        } else {
            moves.set(moves.size() - 1, merged);
        }
    }
}
