package reprise.debug;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reprise.replay.Diversion;
import reprise.replay.Timeline;
import reprise.replay.Watch;

/**
 * The breakpoints and watchpoints of one client, with their conditions.
 *
 * <p>Software and hardware breakpoints are the same here: neither is ever seen in the program's memory.
 */
final class Breakpoints {
    private static final int LARGEST_WATCH = 8;
    /** The processor has four debug registers. */
    private static final int MOST_WATCHES = 4;

    private final Timeline timeline;
    private final Map<Place, Breakpoint> breakpoints = new HashMap<>();
    private final Map<Watched, List<Watch>> watchpoints = new HashMap<>();
    private Diversion diversion;

    private record Place(int process, long address) {}

    private record Watched(int process, long address, long length, Watch.Access access) {}

    /** How many insertions hold it, software and hardware counted apart, and its conditions, any of which may be true. */
    private static final class Breakpoint {
        private boolean software;
        private boolean hardware;
        private List<AgentExpression> conditions = List.of();
    }

    Breakpoints(Timeline timeline) {
        this.timeline = timeline;
    }

    /** From now on breakpoints are also in a copy of a process, or (null) no longer. */
    void follow(Diversion copy) {
        diversion = copy;
        if (copy != null) {
            breakpoints.keySet().forEach(place -> copy.insertBreakpoint(place.address()));
        }
    }

    /** Inserts a breakpoint, or gives one that is there other conditions. */
    void insert(int process, long address, boolean hardware, List<AgentExpression> conditions) {
        Breakpoint breakpoint = breakpoints.computeIfAbsent(new Place(process, address), place -> new Breakpoint());
        breakpoint.conditions = conditions;
        breakpoint.software |= !hardware;
        breakpoint.hardware |= hardware;
        timeline.insertBreakpoint(process, address);
        if (diversion != null) {
            diversion.insertBreakpoint(address);
        }
    }

    /** Removes a breakpoint if it is there. */
    void remove(int process, long address, boolean hardware) {
        Place place = new Place(process, address);
        Breakpoint breakpoint = breakpoints.get(place);
        if (breakpoint == null) {
            return;
        }
        breakpoint.software &= hardware;
        breakpoint.hardware &= !hardware;
        if (!breakpoint.software && !breakpoint.hardware) {
            breakpoints.remove(place);
            timeline.removeBreakpoint(process, address);
            if (diversion != null) {
                diversion.removeBreakpoint(address);
            }
        }
    }

    /** Whether the client takes a breakpoint for one that the processor found. */
    boolean isHardware(int process, long address) {
        Breakpoint breakpoint = breakpoints.get(new Place(process, address));
        return breakpoint != null && !breakpoint.software;
    }

    /** Whether a breakpoint that was hit is to stop the program. */
    boolean stops(int process, long address, AgentExpression.Machine machine) {
        Breakpoint breakpoint = breakpoints.get(new Place(process, address));
        if (breakpoint == null || breakpoint.conditions.isEmpty()) {
            return breakpoint != null;
        }
        return breakpoint.conditions.stream().anyMatch(condition -> condition.isTrue(machine));
    }

    /**
     * Watches memory.
     *
     * @throws RefusedException if the processor cannot
     */
    void watch(int process, long address, long length, Watch.Access access) {
        Watched watched = new Watched(process, address, length, access);
        if (watchpoints.containsKey(watched)) {
            return;
        }
        List<Watch> done = new ArrayList<>();
        for (Watch part : parts(watched)) {
            if (!timeline.insertWatchpoint(part)) {
                done.forEach(timeline::removeWatchpoint);
                throw new RefusedException("the processor can watch no more");
            }
            done.add(part);
        }
        watchpoints.put(watched, done);
    }

    /** The processor watches 1, 2, 4 or 8 aligned bytes. */
    private static List<Watch> parts(Watched watched) {
        List<Watch> parts = new ArrayList<>();
        long at = watched.address();
        long left = watched.length();
        while (left > 0) {
            int size = LARGEST_WATCH;
            while (at % size != 0 || size > left) {
                size /= 2;
            }
            if (parts.size() == MOST_WATCHES) {
                throw new RefusedException("the processor cannot watch as much as " + watched.length() + " bytes");
            }
            parts.add(new Watch(watched.process(), at, size, watched.access()));
            at += size;
            left -= size;
        }
        return parts;
    }

    /** Watches no longer. */
    void unwatch(int process, long address, long length, Watch.Access access) {
        List<Watch> parts = watchpoints.remove(new Watched(process, address, length, access));
        if (parts != null) {
            parts.stream().filter(part -> !isWatched(part)).forEach(timeline::removeWatchpoint);
        }
    }

    private boolean isWatched(Watch part) {
        return watchpoints.values().stream().anyMatch(parts -> parts.contains(part));
    }

    /** Removes what concerns a process, or (0) everything. */
    void clear(int process) {
        for (Place place : List.copyOf(breakpoints.keySet())) {
            if (process == 0 || place.process() == process) {
                breakpoints.remove(place);
                timeline.removeBreakpoint(place.process(), place.address());
            }
        }
        for (Watched watched : List.copyOf(watchpoints.keySet())) {
            if (process == 0 || watched.process() == process) {
                unwatch(watched.process(), watched.address(), watched.length(), watched.access());
            }
        }
    }
}
