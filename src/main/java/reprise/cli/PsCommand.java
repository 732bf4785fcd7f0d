package reprise.cli;

import java.util.List;
import reprise.trace.Event;
import reprise.trace.TraceReader;

/** {@code reprise ps}: the processes of a trace. */
final class PsCommand implements Command {
    @Override
    public Syntax syntax() {
        return new Syntax(
                "ps",
                "[TRACE]",
                Syntax.Target.TRACE,
                "List the processes of TRACE, or of the latest one.",
                List.of(),
                "EXIT is the exit status, the signal that killed the process, or 'none' if it had not ended. CMD is "
                        + "the first program that the process executed. The columns are separated by tabs.");
    }

    @Override
    public int run(Arguments arguments) {
        return Traces.print("ps", Traces.only(arguments.operands(), syntax()), PsCommand::list);
    }

    private static void list(TraceReader reader, Output output) {
        ProcessTree tree = new ProcessTree();
        for (Event event = reader.next(); event != null; event = reader.next()) {
            tree.accept(event);
        }
        output.add("PID\tPPID\tEXIT\tCMD").line();
        for (ProcessTree.Member process : tree.processes()) {
            output.add(process.pid()).add("\t");
            output.add(process.parentPid() == 0 ? "--" : Integer.toString(process.parentPid()));
            Integer status = process.waitStatus();
            output.add("\t").add(status == null ? "none" : Amounts.end(status)).add("\t");
            output.add(Quotes.command(process.command()));
            output.add(process.onlyForked() ? " (forked without exec)" : "").line();
        }
    }
}
