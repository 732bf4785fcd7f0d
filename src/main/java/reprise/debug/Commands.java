package reprise.debug;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import reprise.replay.Position;
import reprise.replay.TaskInfo;
import reprise.replay.Timeline;
import reprise.trace.Event;

/**
 * The commands that the protocol has no packets for. Their names and answers are rr's where rr has them, because front ends
 * read them.
 */
final class Commands {
    /** All of them, for people; some have two words. */
    static final List<String> NAMES = List.of(
            "when",
            "when-end",
            "when-tid",
            "elapsed-time",
            "absolute-time",
            "info recording",
            "checkpoint",
            "info checkpoints",
            "delete checkpoint",
            "restart",
            "seek",
            "back",
            "forward",
            "events");

    private static final List<String> INTERNAL = List.of("history-push", "rr-history-push");
    private static final int EVENTS_SHOWN = 10;
    private static final int MOST_EVENTS = 10_000;
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSSSSS", Locale.ROOT);

    private final Timeline timeline;
    private final Debuggee debuggee;
    private final TraceIndex index;
    private final Moments moments;
    private final Execution execution;
    private final Function<Event, String> eventText;

    Commands(
            Timeline timeline,
            Debuggee debuggee,
            TraceIndex index,
            Moments moments,
            Execution execution,
            Function<Event, String> eventText) {
        this.timeline = timeline;
        this.debuggee = debuggee;
        this.index = index;
        this.moments = moments;
        this.execution = execution;
        this.eventText = eventText;
    }

    boolean isKnown(String name) {
        return NAMES.contains(name) || INTERNAL.contains(name);
    }

    /** The command that a line of words begins with. */
    Optional<String> named(List<String> words) {
        return NAMES.stream()
                .filter(name -> List.of(name.split(" "))
                        .equals(words.subList(0, Math.min(words.size(), name.split(" ").length))))
                .findFirst();
    }

    /**
     * Does a command.
     *
     * @return the answer, ending in a line feed; empty for one that moves, which takes place when the program is resumed
     */
    String execute(String name, List<String> arguments) {
        try {
            return switch (name) {
                case "when" -> "Current event: " + timeline.position().event() + "\n";
                case "when-end" -> "Last event: " + timeline.lastEvent() + "\n";
                case "when-tid" -> "Current tid: " + timeline.currentTask() + "\n";
                case "elapsed-time" -> String.format(Locale.ROOT, "Elapsed Time (s): %.6f%n", timeline.nanos() / 1e9);
                case "absolute-time" -> absoluteTime() + "\n";
                case "info recording" -> recording();
                case "checkpoint" -> checkpoint(arguments);
                case "info checkpoints" -> checkpoints();
                case "delete checkpoint" -> delete(arguments);
                case "restart" -> go(checkpoint(first(arguments)).position());
                case "seek" -> go(debuggee.position(first(arguments)));
                case "back" -> travel(-1);
                case "forward" -> travel(1);
                case "events" -> events(arguments);
                default -> {
                    moments.visit();
                    yield "\n";
                }
            };
        } catch (RefusedException e) {
            String reason = e.getMessage();
            return Character.toUpperCase(reason.charAt(0)) + reason.substring(1) + ".\n";
        }
    }

    private static String first(List<String> arguments) {
        return arguments.isEmpty() ? "" : arguments.getFirst();
    }

    /**
     * Where a restart leads.
     *
     * @param text as of {@code seek}, or the number of a checkpoint behind a c
     * @throws RefusedException if there is no such place
     */
    Position target(String text) {
        return text.startsWith("c") ? checkpoint(text.substring(1)).position() : debuggee.position(text);
    }

    private String go(Position position) {
        execution.arm(position);
        return "";
    }

    private String travel(int by) {
        Position position = moments.travel(by);
        if (position == null) {
            throw new RefusedException(by < 0 ? "there is nothing earlier to go back to" : "there is nothing later");
        }
        return go(position);
    }

    private String absoluteTime() {
        Instant start = Instant.ofEpochMilli(index.header().startedAt());
        return "Absolute Time: " + TIME.format(start.plusNanos(timeline.nanos()).atZone(ZoneId.systemDefault()));
    }

    private String recording() {
        StringBuilder text = new StringBuilder();
        text.append("Recorded: ")
                .append(String.join(" ", index.header().command()))
                .append('\n');
        text.append("Events: ").append(timeline.lastEvent()).append(", now at ").append(timeline.position());
        text.append('\n')
                .append("Debugged from event ")
                .append(debuggee.origin().event())
                .append(": process");
        debuggee.processes().forEach(process -> text.append(' ').append(process));
        for (TaskInfo task : debuggee.tasks()) {
            if (task.tid() == task.process()) {
                text.append("\n  ").append(task.process()).append(' ').append(String.join(" ", task.arguments()));
            }
        }
        return text.append('\n').toString();
    }

    // ---- checkpoints ----

    private String checkpoint(List<String> arguments) {
        String where = String.join(" ", arguments).replaceAll("\\s+", " ").strip();
        String shown = where.isEmpty() ? "event " + timeline.position() : where;
        return "Checkpoint " + moments.checkpoint(shown) + " at " + shown + "\n";
    }

    private Moments.Checkpoint checkpoint(String number) {
        Moments.Checkpoint checkpoint = moments.checkpoints().get(number(number));
        if (checkpoint == null) {
            throw new RefusedException("there is no checkpoint " + number);
        }
        return checkpoint;
    }

    private String checkpoints() {
        if (moments.checkpoints().isEmpty()) {
            return "No checkpoints.\n";
        }
        StringBuilder table = new StringBuilder("ID\tWhen\tWhere\n");
        for (Map.Entry<Integer, Moments.Checkpoint> entry :
                moments.checkpoints().entrySet()) {
            Moments.Checkpoint checkpoint = entry.getValue();
            table.append(entry.getKey())
                    .append('\t')
                    .append(checkpoint.position().event());
            table.append('\t').append(checkpoint.where()).append('\n');
        }
        return table.toString();
    }

    private String delete(List<String> arguments) {
        int number = number(first(arguments));
        if (!moments.delete(number)) {
            throw new RefusedException("there is no checkpoint " + first(arguments));
        }
        return "Deleted checkpoint " + number + ".\n";
    }

    private static int number(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new RefusedException(text.isEmpty() ? "a number is needed" : "'" + text + "' is no number");
        }
    }

    // ---- events ----

    private String events(List<String> arguments) {
        int count = arguments.isEmpty() ? EVENTS_SHOWN : Math.clamp(number(first(arguments)), 1, MOST_EVENTS);
        long here = timeline.position().event();
        StringBuilder text = new StringBuilder();
        List<Event> around = new ArrayList<>(index.events(here - count / 2 + 1, here + (count + 1) / 2));
        for (Event event : around) {
            text.append(eventText.apply(event));
            if (event.header().sequence() == here) {
                text.append("--------- now").append(timeline.position().isAtEvent() ? "" : " (and some instructions)");
                text.append('\n');
            }
        }
        return text.isEmpty() ? "No events.\n" : text.toString();
    }
}
