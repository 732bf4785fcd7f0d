package reprise.cli;

import java.util.List;

/** {@code reprise ps}: the processes of a trace. */
final class PsCommand implements Command {
    @Override
    public Syntax syntax() {
        return new Syntax(
                "ps",
                "[TRACE]",
                Syntax.Target.TRACE,
                "List the processes of TRACE, or of the latest one: pid, parent, exit status and command.",
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
