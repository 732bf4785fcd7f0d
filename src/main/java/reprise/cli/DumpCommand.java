package reprise.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code reprise dump}: the events of a trace, as text. */
final class DumpCommand implements Command {
    static final Option JSON = Option.flag("json", "Print one JSON object a line.");
    static final Option STATISTICS = Option.flag("stats", "Print counts and sizes instead of events.");
    static final Option TID = Option.valued('t', "TID", "Print only the events of thread TID.");

    private static final Pattern RANGE = Pattern.compile("([0-9]{1,18})(?:-([0-9]{1,18}))?|end");

    @Override
    public Syntax syntax() {
        return new Syntax(
                "dump",
                "[TRACE] [RANGE]",
                Syntax.Target.TRACE,
                "Print the events of TRACE, or of the latest one.",
                List.of(JSON, STATISTICS, TID),
                "RANGE is an event number, FIRST-LAST, or 'end' for the last event.");
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
        return dump(trace, range);
    }

    private int dump(Optional<String> trace, EventRange range) {
        return notBuilt();
    }

    private void checkTid(String tid) {
        if (!tid.matches("[0-9]{1,9}")) {
            throw syntax().wrongUse("-t needs a thread's number, not '" + tid + "'");
        }
    }

    private static boolean isRange(String operand) {
        return RANGE.matcher(operand).matches() && !Files.exists(Path.of(operand));
    }

    private EventRange range(String text) {
        Matcher matcher = RANGE.matcher(text);
        if (!matcher.matches()) {
            throw syntax().wrongUse("RANGE is an event number, FIRST-LAST or 'end', not '" + text + "'");
        }
        if (text.equals("end")) {
            return EventRange.LAST;
        }
        long first = Long.parseLong(matcher.group(1));
        long last = matcher.group(2) == null ? first : Long.parseLong(matcher.group(2));
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
