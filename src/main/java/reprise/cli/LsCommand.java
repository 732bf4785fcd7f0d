package reprise.cli;

import java.util.List;

/** {@code reprise ls}: the traces there are. */
final class LsCommand implements Command {
    static final Option DETAILED = Option.flag('l', "Show when each was made, its size, and the recorded command.");
    static final Option BY_TIME = Option.flag('t', "Sort by time, the latest first.");
    static final Option REVERSED = Option.flag('r', "Reverse the order.");

    @Override
    public Syntax syntax() {
        return new Syntax(
                "ls", "", Syntax.Target.NOTHING, "List the traces, by name.", List.of(DETAILED, BY_TIME, REVERSED), "");
    }

    @Override
    public int run(Arguments arguments) {
        if (!arguments.operands().isEmpty()) {
            throw syntax().wrongUse("takes no operand");
        }
        return notBuilt();
    }
}
