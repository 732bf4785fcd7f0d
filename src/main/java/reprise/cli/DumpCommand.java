package reprise.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import reprise.trace.Event;
import reprise.trace.TraceDirectories;
import reprise.trace.TraceReader;
import reprise.trace.TraceSize;

/** {@code reprise dump}: the events of a trace, as text. */
final class DumpCommand implements Command {
    static final Option JSON = Option.flag("json", "Print one JSON object a line, with everything that was recorded.");
    static final Option STATISTICS = Option.flag("stats", "Print counts and sizes instead of events.");
    static final Option TID = Option.valued('t', "TID", "Only the events of task TID.");
    static final Option VERBOSE =
            Option.flag('v', "verbose", "Print all mappings of a program, and which memory was written, too.");

    /** In place of a task's number. */
    private static final int ANY = 0;

    private static final Pattern RANGE = Pattern.compile("([0-9]{1,18})(?:-([0-9]{1,18})?)?|end");

    @Override
    public Syntax syntax() {
        return new Syntax(
                "dump",
                "[TRACE] [RANGE]",
                Syntax.Target.TRACE,
                "Print the events of TRACE, or of the latest one, much as strace would. Each line begins with the "
                        + "event's number, the seconds since the recording began, the domain and the task.",
                List.of(JSON, STATISTICS, TID, VERBOSE),
                "RANGE is an event number, FIRST-LAST, FIRST- or 'end' for the last event.");
    }

    @Override
    public int run(Arguments arguments) {
        List<String> operands = arguments.operands();
        if (operands.size() > 2) {
            throw syntax().wrongUse("one TRACE and one RANGE at most");
        }
        arguments.value(TID).ifPresent(this::checkTid);
        boolean onlyRange = operands.size() == 1 && isRange(operands.getFirst());
        Optional<String> trace =
                onlyRange ? Optional.empty() : operands.stream().findFirst();
        EventRange range = onlyRange || operands.size() == 2 ? range(operands.getLast()) : EventRange.ALL;
        return Traces.print("dump", trace, (reader, output) -> dump(reader, output, range, arguments));
    }

    private static void dump(TraceReader reader, Output output, EventRange range, Arguments arguments) {
        int tid = arguments.value(TID).map(Integer::valueOf).orElse(ANY);
        EventPrinter printer = printer(reader, output, arguments);
        if (range.equals(EventRange.LAST)) {
            reader.seek(Math.max(1, reader.lastSequence()));
        } else if (!range.equals(EventRange.ALL)) {
            seek(reader, range.first());
        }
        boolean found = false;
        for (Event event = reader.next();
                event != null && event.header().sequence() <= range.last();
                event = reader.next()) {
            if (tid == ANY || event.header().tid() == tid) {
                printer.accept(event);
                found = true;
            }
        }
        if (tid != ANY && !found) {
            throw new CommandFailure(ExitStatus.FAILED, "there is no event of task " + tid);
        }
        printer.finish();
    }

    private static void seek(TraceReader reader, long event) {
        if (event > reader.lastSequence()) {
            throw new CommandFailure(
                    ExitStatus.FAILED,
                    "the trace has no event " + event + ": its last is event " + reader.lastSequence());
        }
        reader.seek(event);
    }

    private static EventPrinter printer(TraceReader reader, Output output, Arguments arguments) {
        if (arguments.has(STATISTICS)) {
            return new EventStatistics(output, TraceSize.of(reader.directory()), arguments.has(JSON));
        }
        return arguments.has(JSON) ? new EventJson(output) : new EventText(output, arguments.has(VERBOSE));
    }

    private void checkTid(String tid) {
        if (!tid.matches("[1-9][0-9]{0,8}")) {
            throw syntax().wrongUse("-t needs the number of a task, not '" + tid + "'");
        }
    }

    /** Where there is a trace of that name, it is meant. */
    private static boolean isRange(String operand) {
        return RANGE.matcher(operand).matches()
                && !Files.exists(Path.of(operand))
                && !Files.exists(TraceDirectories.ofUser().root().resolve(operand));
    }

    private EventRange range(String text) {
        Matcher matcher = RANGE.matcher(text);
        if (!matcher.matches()) {
            throw syntax().wrongUse("RANGE is an event number, FIRST-LAST, FIRST- or 'end', not '" + text + "'");
        }
        if (text.equals("end")) {
            return EventRange.LAST;
        }
        long first = Long.parseLong(matcher.group(1));
        boolean open = text.endsWith("-");
        long last = open ? Long.MAX_VALUE : matcher.group(2) == null ? first : Long.parseLong(matcher.group(2));
        if (last < first) {
            throw syntax().wrongUse("the range " + text + " ends before it begins");
        }
        return new EventRange(first, last);
    }

    /** Event numbers, both included. */
    record EventRange(long first, long last) {
        static final EventRange ALL = new EventRange(0, Long.MAX_VALUE);

        /** Only the last event, whichever number it has. */
        static final EventRange LAST = new EventRange(Long.MAX_VALUE, Long.MAX_VALUE);
    }
}
