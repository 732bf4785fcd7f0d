package reprise.debug;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import reprise.replay.Position;
import reprise.replay.TaskInfo;
import reprise.replay.Timeline;

/**
 * What of the recording is debugged: the processes that the client is attached to, and where the first of them begins. Stays
 * when a client goes and another comes.
 *
 * <p>Belongs to the timeline's thread.
 */
final class Debuggee {
    private final Timeline timeline;
    private final TraceIndex index;
    private final TreeSet<Integer> processes = new TreeSet<>();
    private final Position firstOrigin;
    private final int first;
    private Position origin;

    /**
     * Finds the process to debug and goes to where debugging starts.
     *
     * @throws RefusedException if there is none such
     */
    Debuggee(Timeline timeline, TraceIndex index, DebugOptions options) {
        this.timeline = timeline;
        this.index = index;
        origin = timeline.position();
        choose(options.process());
        if (options.start() != null) {
            Position start = position(options.start());
            timeline.seek(start);
            if (options.process() instanceof DebugOptions.First) {
                attach(processOf(timeline.currentTask())
                        .or(() -> timeline.tasks().stream().findFirst().map(TaskInfo::process))
                        .orElseThrow(() -> new RefusedException("no process is alive at event " + start.event())));
            }
        }
        first = processes.first();
        firstOrigin = origin;
        if (!isAlive()) {
            throw new RefusedException("process " + processes.first() + " is not alive at event "
                    + timeline.position().event());
        }
    }

    private void choose(DebugOptions.ProcessChoice choice) {
        Optional<TraceIndex.Birth> birth = switch (choice) {
            case DebugOptions.First first -> Optional.empty();
            case DebugOptions.Executed executed ->
                index.first(each -> !each.isFork() && each.process() == executed.process());
            case DebugOptions.Forked forked -> index.first(each -> each.isFork() && each.process() == forked.process());
            case DebugOptions.Named named -> index.first(each -> !each.isFork() && isNamed(each, named.program()));
        };
        if (birth.isPresent()) {
            Position start = new Position(birth.get().event());
            timeline.seek(start);
            processes.add(birth.get().process());
            origin = start;
        } else if (choice instanceof DebugOptions.First) {
            processes.add(timeline.tasks().getFirst().process());
        } else {
            throw new RefusedException(
                    switch (choice) {
                        case DebugOptions.Executed executed ->
                            "no process " + executed.process() + " executed a program";
                        case DebugOptions.Forked forked -> "no process " + forked.process() + " was forked";
                        case DebugOptions.Named named -> "no process executed " + named.program();
                        case DebugOptions.First first -> "";
                    });
        }
    }

    private static boolean isNamed(TraceIndex.Birth birth, String name) {
        if (name.contains("/")) {
            return birth.program().equals(name);
        }
        Path file = Path.of(birth.program()).getFileName();
        return file != null && file.toString().equals(name);
    }

    /** The processes that the client is attached to. */
    Set<Integer> processes() {
        return processes;
    }

    /** Where debugging begins: the client cannot go back behind it. */
    Position origin() {
        return origin;
    }

    /** Attaches to one process alone, whose latest beginning becomes the {@link #origin}. */
    void attach(int process) {
        processes.clear();
        processes.add(process);
        index.latest(process, timeline.position().event()).ifPresent(birth -> origin = new Position(birth.event()));
    }

    /** Attaches to a process that was just forked from one of them. */
    void follow(int child) {
        processes.add(child);
    }

    /** Makes a client find the process that was chosen at first, if the last one let go of all. */
    void resumeDebugging() {
        if (processes.isEmpty()) {
            processes.add(first);
            origin = firstOrigin;
            if (!isAlive() || timeline.position().event() < origin.event()) {
                timeline.seek(origin);
            }
        }
    }

    /** Lets go of a process. What is left begins where the last of it began. */
    void detach(int process) {
        if (processes.remove(process) && processes.size() == 1) {
            index.latest(processes.first(), timeline.position().event()).ifPresent(birth -> {
                if (birth.isFork()) {
                    origin = new Position(birth.event());
                }
            });
        }
    }

    boolean isAttached(int process) {
        return processes.contains(process);
    }

    /** Whether any of the processes is alive at the present. */
    boolean isAlive() {
        return !tasks().isEmpty();
    }

    /** The tasks of these processes that are alive at the present. */
    List<TaskInfo> tasks() {
        return timeline.tasks().stream()
                .filter(task -> processes.contains(task.process()))
                .sorted(Comparator.comparing(TaskInfo::process).thenComparing(TaskInfo::tid))
                .toList();
    }

    /** A task of these processes by its id; null if there is none at the present. */
    TaskInfo task(int tid) {
        for (TaskInfo task : timeline.tasks()) {
            if (task.tid() == tid && processes.contains(task.process())) {
                return task;
            }
        }
        return null;
    }

    /** The task to show when nothing says which: whose turn it is, else a main thread, else any; null if none is alive. */
    TaskInfo usual() {
        TaskInfo current = task(timeline.currentTask());
        List<TaskInfo> all = tasks();
        if (current != null || all.isEmpty()) {
            return current;
        }
        return all.stream()
                .filter(task -> task.tid() == task.process())
                .findFirst()
                .orElse(all.getFirst());
    }

    /** The process of a task of the recording, whether debugged or not. */
    Optional<Integer> processOf(int tid) {
        return timeline.tasks().stream()
                .filter(task -> task.tid() == tid)
                .map(TaskInfo::process)
                .findFirst();
    }

    /**
     * The place that a user means.
     *
     * @param text an event's number, {@code start}, {@code end}, or a position as {@link Position#toString} writes it
     * @throws RefusedException if it is none, or before the {@link #origin}
     */
    Position position(String text) {
        Position position = switch (text) {
            case "", "start" -> origin;
            case "end" ->
                new Position(
                        index.end(processes.first()).map(event -> event - 1).orElse(timeline.lastEvent()));
            default -> parse(text);
        };
        if (position.event() < origin.event()) {
            throw new RefusedException("what is debugged begins at event " + origin.event());
        }
        if (position.event() > timeline.lastEvent()) {
            throw new RefusedException("the last event is " + timeline.lastEvent());
        }
        return position;
    }

    private static Position parse(String text) {
        try {
            return Position.parse(text);
        } catch (IllegalArgumentException e) {
            throw new RefusedException("'" + text + "' is no event: give a number, start or end");
        }
    }
}
