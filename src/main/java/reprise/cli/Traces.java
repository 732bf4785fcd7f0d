package reprise.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import reprise.trace.TraceDirectories;
import reprise.trace.TraceException;
import reprise.trace.TraceReader;

/** What the commands that look at traces have in common. */
final class Traces {
    private Traces() {}

    /**
     * Opens a trace and prints something of it. A trace that ends early is told of on standard error, behind what was
     * printed.
     *
     * @param name of the trace; the latest if absent
     * @return the exit status
     * @throws CommandFailure if there is no such trace, or it cannot be read
     */
    static int print(String command, Optional<String> name, BiConsumer<TraceReader, Output> printer) {
        return telling(() -> {
            Path directory = TraceDirectories.ofUser().resolve(name.orElse(null));
            try (TraceReader reader = TraceReader.open(directory)) {
                int status = Output.print(output -> printer.accept(reader, output));
                if (reader.truncated()) {
                    System.err.println("reprise " + command + ": the trace ends early, at event "
                            + reader.lastSequence() + ": " + reader.truncation());
                }
                return status;
            }
        });
    }

    /**
     * The name that a command which takes one trace was given; nothing for the latest.
     *
     * @throws CommandFailure if it was given more
     */
    static Optional<String> only(List<String> operands, Syntax syntax) {
        if (operands.size() > 1) {
            throw syntax.wrongUse("one TRACE at a time");
        }
        return operands.stream().findFirst();
    }

    /** Where the only trace of a command lies. */
    static Path find(List<String> operands, Syntax syntax) {
        return TraceDirectories.ofUser().resolve(only(operands, syntax).orElse(null));
    }

    /** Does something with traces; their failures become the command's. */
    static <T> T telling(Supplier<T> work) {
        try {
            return work.get();
        } catch (TraceException e) {
            throw new CommandFailure(ExitStatus.FAILED, Quotes.plain(e.getMessage()));
        }
    }
}
