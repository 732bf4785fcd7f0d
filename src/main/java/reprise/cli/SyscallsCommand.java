package reprise.cli;

import java.util.List;

/** {@code reprise syscalls}: the system calls that Reprise knows, and how well. */
final class SyscallsCommand implements Command {
    static final Option JSON = Option.flag("json", "Print JSON.");
    static final Option MARKDOWN = Option.flag("markdown", "Print a Markdown table.");

    @Override
    public Syntax syntax() {
        return new Syntax(
                "syscalls",
                "",
                Syntax.Target.NOTHING,
                "List the system calls: number, name, arguments, and how far each is supported.",
                List.of(JSON, MARKDOWN),
                "");
    }

    @Override
    public int run(Arguments arguments) {
        if (!arguments.operands().isEmpty()) {
            throw syntax().wrongUse("takes no operand");
        }
        if (arguments.has(JSON) && arguments.has(MARKDOWN)) {
            throw syntax().wrongUse("either --json or --markdown");
        }
        return notBuilt();
    }
}
