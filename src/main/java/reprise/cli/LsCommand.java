package reprise.cli;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import reprise.trace.Event;
import reprise.trace.TraceDirectories;
import reprise.trace.TraceException;
import reprise.trace.TraceReader;
import reprise.trace.TraceSummary;

/** {@code reprise ls}: the traces there are. */
final class LsCommand implements Command {
    static final Option DETAILED = Option.flag(
            'l', "Show when each was made, how long it took, its size on disk, how it ended, and the command.");
    static final Option BY_TIME = Option.flag('t', "Sort by time, the latest first.");
    static final Option REVERSED = Option.flag('r', "Reverse the order.");

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss");
    private static final String UNKNOWN = "-";

    private final TraceDirectories directories;

    LsCommand() {
        this(TraceDirectories.ofUser());
    }

    LsCommand(TraceDirectories directories) {
        this.directories = directories;
    }

    @Override
    public Syntax syntax() {
        return new Syntax(
                "ls",
                "[TRACE]...",
                Syntax.Target.TRACE,
                "List the traces, by name. With TRACE, list only that, wherever it is; packed ones too.",
                List.of(DETAILED, BY_TIME, REVERSED),
                "EXIT is the exit status, the signal that killed the program, 'recording', 'cut off' where the "
                        + "recorder was killed, or 'broken'. SIZE is what deleting the trace would free.");
    }

    @Override
    public int run(Arguments arguments) {
        return Traces.telling(() -> {
            List<TraceSummary> found = arguments.operands().isEmpty()
                    ? directories.list()
                    : arguments.operands().stream()
                            .map(name -> TraceSummary.of(directories.resolve(name)))
                            .toList();
            List<TraceSummary> traces = sorted(found, arguments);
            return Output.print(output -> {
                if (arguments.has(DETAILED)) {
                    table(traces, output);
                } else {
                    traces.forEach(
                            trace -> output.add(Quotes.plain(trace.name())).line());
                }
            });
        });
    }

    private static List<TraceSummary> sorted(List<TraceSummary> traces, Arguments arguments) {
        Comparator<TraceSummary> order = Comparator.comparing(TraceSummary::name, LsCommand::compareNames);
        if (arguments.has(BY_TIME)) {
            order = Comparator.comparingLong(TraceSummary::startedAt).reversed().thenComparing(order);
        }
        List<TraceSummary> sorted = new ArrayList<>(traces);
        sorted.sort(arguments.has(REVERSED) ? order.reversed() : order);
        return sorted;
    }

    /** By program, then by number: {@code true-2} comes before {@code true-10}. */
    static int compareNames(String one, String other) {
        int dash = one.lastIndexOf('-') + 1;
        boolean sameProgram = dash > 0
                && dash == other.lastIndexOf('-') + 1
                && one.regionMatches(0, other, 0, dash)
                && isNumber(one, dash)
                && isNumber(other, dash);
        return sameProgram && one.length() != other.length()
                ? Integer.compare(one.length(), other.length())
                : one.compareTo(other);
    }

    private static boolean isNumber(String name, int start) {
        return start < name.length() && name.chars().skip(start).allMatch(c -> c >= '0' && c <= '9');
    }

    private static void table(List<TraceSummary> traces, Output output) {
        int width = 4;
        for (TraceSummary trace : traces) {
            width = Math.max(width, trace.name().length());
        }
        output.left("NAME", width)
                .add("  WHEN                      DUR   SIZE  EXIT       CMD")
                .line();
        for (TraceSummary trace : traces) {
            Last last = Last.of(trace);
            output.left(Quotes.plain(trace.name()), width).add("  ");
            output.left(trace.startedAt() == 0 ? UNKNOWN : time(trace.startedAt()), 19)
                    .add("  ");
            output.right(last.duration, 8)
                    .add("  ")
                    .right(Amounts.bytes(trace.bytes()), 5)
                    .add("  ");
            output.left(last.exit, 9).add("  ");
            output.add(
                            trace.state() == TraceSummary.State.BROKEN && trace.problem() != null
                                    ? "(" + Quotes.plain(trace.problem()) + ")"
                                    : Quotes.command(trace.command()))
                    .line();
        }
    }

    private static String time(long millis) {
        return TIME.format(Instant.ofEpochMilli(millis).atZone(ZoneId.systemDefault()));
    }

    /** What the last event of a trace tells. */
    private record Last(String duration, String exit) {
        static Last of(TraceSummary trace) {
            String state = switch (trace.state()) {
                case RECORDING -> "recording";
                case BROKEN -> "broken";
                case COMPLETE, INCOMPLETE -> "cut off";
            };
            if (trace.events() == 0) {
                return new Last(UNKNOWN, state);
            }
            try (TraceReader reader = TraceReader.open(trace.directory())) {
                reader.seek(reader.lastSequence());
                Event event = reader.next();
                if (event == null) {
                    return new Last(UNKNOWN, state);
                }
                String duration = Amounts.duration(event.header().nanos());
                return new Last(duration, event instanceof Event.End end ? Amounts.end(end.waitStatus()) : state);
            } catch (TraceException e) {
                return new Last(UNKNOWN, state.equals("recording") ? state : "broken");
            }
        }
    }
}
