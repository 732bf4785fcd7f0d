package reprise.cli;

import java.util.List;

/** {@code reprise help}: the help page of Reprise, or of a command. */
final class HelpCommand implements Command {
    static final Option MANUAL =
            Option.required("man", "DIR", "Write manual pages for man(1), one for each command, into directory DIR.");

    @Override
    public Syntax syntax() {
        return new Syntax(
                "help",
                "[COMMAND]",
                Syntax.Target.COMMAND,
                "Show help for COMMAND, or list the commands.",
                List.of(MANUAL),
                "");
    }

    @Override
    public int run(Arguments arguments) {
        if (arguments.has(MANUAL)) {
            return ManualPages.write(arguments.value(MANUAL).orElseThrow());
        }
        switch (arguments.operands().size()) {
            case 0 -> System.out.print(overview());
            case 1 -> {
                String name = arguments.operands().getFirst();
                Command command =
                        Commands.named(name).orElseThrow(() -> syntax().wrongUse("there is no command '" + name + "'"));
                System.out.print(command.syntax().help());
            }
            default -> throw syntax().wrongUse("one COMMAND at a time");
        }
        return ExitStatus.OK;
    }

    /** The help page of Reprise itself. */
    static String overview() {
        StringBuilder page = new StringBuilder("""
                Usage: reprise COMMAND [OPTION]... [OPERAND]...
                       reprise PROGRAM [ARGUMENT]...   the same as 'reprise record PROGRAM ...'
                       reprise DIRECTORY               the same as 'reprise replay DIRECTORY'

                Records a tree of Linux processes once and replays that execution as often as wanted.

                Commands:
                """);
        for (Command command : Commands.all()) {
            Syntax syntax = command.syntax();
            Syntax.entry(page, syntax.command(), syntax.brief());
        }
        page.append("""

                Traces are kept in ~/.local/share/reprise, or in REPRISE_TRACE_DIR. Where a TRACE is left out, the
                latest one is meant.

                'reprise COMMAND --help' describes a command, 'reprise --version' shows the version.
                """);
        return page.toString();
    }
}
