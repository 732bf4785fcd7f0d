package reprise.cli;

import java.util.List;

/** {@code reprise gdbinit}: what gdb has to load where something else than {@code reprise replay} starts it. */
final class GdbinitCommand implements Command {
    @Override
    public Syntax syntax() {
        return new Syntax(
                "gdbinit",
                "",
                Syntax.Target.NOTHING,
                "Print a Python script that gives gdb the commands for replays.",
                List.of(),
                "Put it in a file, and let gdb 'source' that: for front ends that start gdb themselves.");
    }

    @Override
    public int run(Arguments arguments) {
        if (!arguments.operands().isEmpty()) {
            throw syntax().wrongUse("takes no operand");
        }
        System.out.print(DebugCommand.script());
        return ExitStatus.OK;
    }
}
