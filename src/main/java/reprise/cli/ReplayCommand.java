package reprise.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import reprise.linux.LinuxException;
import reprise.replay.DivergenceException;
import reprise.replay.ReplayOptions;
import reprise.replay.ReplayResult;
import reprise.replay.Replayer;
import reprise.trace.TraceDirectories;
import reprise.trace.TraceException;
import reprise.trace.TraceReader;

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
                "The exit status is 0 when the replay did what the recording did, " + ExitStatus.DIVERGED
                        + " when it did not.");
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
        try {
            Path directory = TraceDirectories.ofUser()
                    .resolve(arguments.beforeSeparator().stream().findFirst().orElse(null));
            return replay(directory, !arguments.has(QUIET));
        } catch (TraceException e) {
            throw new CommandFailure(ExitStatus.FAILED, e.getMessage());
        }
    }

    private static int replay(Path directory, boolean echo) {
        try (TraceReader reader = TraceReader.open(directory)) {
            ProcessorFeatures processor = ProcessorFeatures.ofThisMachine();
            processor.require(reader.header());
            return replay(reader, echo, processor);
        } catch (LinuxException e) {
            throw new CommandFailure(ExitStatus.FAILED, e.getMessage());
        }
    }

    private static int replay(TraceReader reader, boolean echo, ProcessorFeatures processor) {
        try (ProgressLine progress = new ProgressLine(reader.lastSequence());
                Replayer replayer = new Replayer(reader, reader.directory(), new ReplayOptions(echo, true, progress))) {
            ReplayResult result = replayer.run();
            if (!result.complete()) {
                System.err.println("reprise replay: the trace ends early, at event " + result.events() + ": "
                        + reader.truncation() + "; up to there the replay was faithful");
            }
            return ExitStatus.OK;
        } catch (DivergenceException e) {
            System.err.println(e.report());
            processor.note(reader.header()).ifPresent(System.err::println);
            return ExitStatus.DIVERGED;
        }
    }
}
