package reprise.cli;

import java.util.List;
import java.util.stream.Stream;

/** {@code reprise replay}: runs a trace again. */
final class ReplayCommand implements Command {
    static final Option AUTOMATIC = Option.flag('a', "Replay to the end without a debugger.");
    static final Option QUIET =
            Option.flag('q', "Do not repeat what the program wrote to its standard output and error.");

    /** Known, and refused: what the debugger will need. */
    private static final List<Option> NOT_YET = List.of(
            Option.valued('p', "PID", "Start the debugger where process PID starts. Not supported yet."),
            Option.valued('g', "EVENT", "Start the debugger at EVENT. Not supported yet."),
            Option.flag('e', "Start the debugger at the end. Not supported yet."),
            Option.valued('s', "PORT", "Wait for a debugger at PORT. Not supported yet."),
            Option.valued('h', "HOST", "Wait for a debugger at the address HOST. Not supported yet."),
            Option.flag('k', "Wait for the next debugger when one has gone. Not supported yet."),
            Option.valued('d', "FILE", "Use FILE as the debugger. Not supported yet."),
            Option.valued('x', "FILE", "Let the debugger read commands from FILE. Not supported yet."),
            Option.valued('o', "OPT", "Pass OPT to the debugger. Not supported yet."));

    @Override
    public Syntax syntax() {
        return new Syntax(
                "replay",
                "[TRACE] [-- DEBUGGER-ARGUMENT...]",
                Syntax.Target.TRACE,
                "Replay TRACE, or the latest one.",
                Stream.concat(Stream.of(AUTOMATIC, QUIET), NOT_YET.stream()).toList(),
                "The exit status is the recorded program's, or " + ExitStatus.DIVERGED
                        + " when replay did something else than the recording.");
    }

    @Override
    public int run(Arguments arguments) {
        for (Option option : NOT_YET) {
            if (arguments.has(option)) {
                throw syntax().wrongUse(option.name() + " is not supported yet");
            }
        }
        if (!arguments.has(AUTOMATIC)) {
            throw syntax().wrongUse("only -a (without a debugger) is supported yet");
        }
        if (arguments.beforeSeparator().size() > 1) {
            throw syntax().wrongUse("one TRACE at a time");
        }
        return notBuilt();
    }
}
