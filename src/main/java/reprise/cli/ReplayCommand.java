package reprise.cli;

import java.nio.file.Path;
import java.util.List;
import reprise.linux.LinuxException;
import reprise.replay.DivergenceException;
import reprise.replay.ReplayOptions;
import reprise.replay.ReplayResult;
import reprise.replay.Replayer;
import reprise.trace.TraceException;
import reprise.trace.TraceReader;

/** {@code reprise replay}: runs a trace again, alone or for a debugger. */
final class ReplayCommand implements Command {
    static final Option AUTOMATIC = Option.flag('a', "autopilot", "Replay to the end without a debugger.");
    static final Option QUIET = Option.flag(
            'q', "no-redirect-output", "Do not repeat what the program wrote to its standard output and error.");

    @Override
    public Syntax syntax() {
        return new Syntax(
                "replay",
                "[TRACE] [-- DEBUGGER-ARGUMENT...]",
                Syntax.Target.TRACE,
                "Replay TRACE, or the latest one, and let gdb debug it, forwards and backwards.",
                List.of(
                        AUTOMATIC,
                        QUIET,
                        DebugCommand.PROCESS,
                        DebugCommand.FORK,
                        DebugCommand.EVENT,
                        DebugCommand.AT_END,
                        DebugCommand.PORT,
                        DebugCommand.HOST,
                        DebugCommand.KEEP_LISTENING,
                        DebugCommand.DEBUGGER,
                        DebugCommand.SCRIPT,
                        DebugCommand.DEBUGGER_OPTION,
                        DebugCommand.INTERPRETER,
                        DebugCommand.FULL_NAME),
                "The exit status is 0 when the replay did what the recording did, " + ExitStatus.DIVERGED
                        + " when it did not.");
    }

    @Override
    public int run(Arguments arguments) {
        try {
            Path directory = Traces.find(arguments.beforeSeparator(), syntax());
            return arguments.has(AUTOMATIC)
                    ? replay(directory, !arguments.has(QUIET))
                    : new DebugCommand(syntax(), arguments).run(directory, !arguments.has(QUIET));
        } catch (TraceException e) {
            throw new CommandFailure(ExitStatus.FAILED, e.getMessage());
        } catch (DivergenceException e) {
            System.err.println(e.report());
            return ExitStatus.DIVERGED;
        } catch (LinuxException e) {
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
