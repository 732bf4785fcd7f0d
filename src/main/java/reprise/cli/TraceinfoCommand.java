package reprise.cli;

import java.util.List;

/** {@code reprise traceinfo}: what a trace says of itself. */
final class TraceinfoCommand implements Command {
    @Override
    public Syntax syntax() {
        return new Syntax(
                "traceinfo",
                "[TRACE]",
                Syntax.Target.TRACE,
                "Print the header of TRACE, or of the latest one, as JSON: format, machine, program, environment.",
                List.of(),
                "");
    }

    @Override
    public int run(Arguments arguments) {
        if (arguments.operands().size() > 1) {
            throw syntax().wrongUse("one TRACE at a time");
        }
        return notBuilt();
    }
}
