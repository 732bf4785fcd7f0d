package reprise.cli;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import reprise.trace.PackWriter;
import reprise.trace.TraceReader;

/** {@code reprise pack}: a trace in one file, to be kept or given away. */
final class PackCommand implements Command {
    static final Option FILE = Option.valued('o', "FILE", "Write FILE. Without it, NAME.rpk in the working directory.");

    @Override
    public Syntax syntax() {
        return new Syntax(
                "pack",
                "[TRACE]",
                Syntax.Target.TRACE,
                "Make one file of TRACE, or of the latest one, that holds all that replaying it needs. Every command that "
                        + "takes a TRACE takes such a file too, on this machine or another.",
                List.of(FILE),
                "The trace stays as it is. The file holds what the program read and wrote and its environment: give it "
                        + "only to those who may see that.");
    }

    @Override
    public int run(Arguments arguments) {
        return Traces.telling(() -> {
            Path trace = Traces.find(arguments.operands(), syntax());
            Path target = target(arguments, trace);
            if (target.equals(trace)) {
                throw new CommandFailure(ExitStatus.FAILED, trace + " cannot be packed into itself: choose with -o");
            }
            if (Files.isDirectory(target)) {
                throw new CommandFailure(ExitStatus.FAILED, target + " is a directory: name a file with -o");
            }
            long bytes = PackWriter.pack(trace, target);
            System.out.println(Quotes.plain(target.toString()) + ": " + Amounts.bytes(bytes));
            try (TraceReader reader = TraceReader.open(target)) {
                if (reader.truncated()) {
                    System.err.println("reprise pack: the trace ends early, at event " + reader.lastSequence() + ": "
                            + reader.truncation());
                }
            }
            return ExitStatus.OK;
        });
    }

    private Path target(Arguments arguments, Path trace) {
        String name = arguments.value(FILE).orElseGet(() -> trace.getFileName() + ".rpk");
        try {
            if (!name.isEmpty()) {
                return Path.of(name).toAbsolutePath().normalize();
            }
        } catch (InvalidPathException e) {
            // Told below: the file system has no such name.
        }
        throw syntax().wrongUse("-o needs the name of a file");
    }
}
