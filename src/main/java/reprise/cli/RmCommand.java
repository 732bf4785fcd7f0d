package reprise.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import reprise.trace.TraceDirectories;
import reprise.trace.TraceException;
import reprise.trace.TraceSummary;

/** {@code reprise rm}: deletes traces. */
final class RmCommand implements Command {
    static final Option FORCED =
            Option.flag('f', "Delete what is still being recorded or broken too, and do not mind what is missing.");

    private final TraceDirectories directories;

    RmCommand() {
        this(TraceDirectories.ofUser());
    }

    RmCommand(TraceDirectories directories) {
        this.directories = directories;
    }

    @Override
    public Syntax syntax() {
        return new Syntax(
                "rm",
                "TRACE...",
                Syntax.Target.TRACE,
                "Delete traces.",
                List.of(FORCED),
                "What is not a trace is never deleted. One that cannot be deleted does not keep the others.");
    }

    @Override
    public int run(Arguments arguments) {
        if (arguments.operands().isEmpty()) {
            throw syntax().wrongUse("no TRACE given");
        }
        int status = ExitStatus.OK;
        for (String name : arguments.operands()) {
            try {
                remove(name, arguments.has(FORCED));
            } catch (TraceException e) {
                System.err.println("reprise rm: " + Quotes.plain(e.getMessage()));
                status = ExitStatus.FAILED;
            }
        }
        return status;
    }

    private void remove(String name, boolean forced) {
        Optional<TraceSummary> found = find(name, forced);
        if (found.isEmpty()) {
            return;
        }
        TraceSummary trace = found.get();
        boolean known = trace.directory().startsWith(real(directories.root()));
        if (trace.state() == TraceSummary.State.BROKEN && !(forced && (known || trace.startedAt() != 0))) {
            String problem = String.valueOf(trace.problem());
            throw new TraceException(
                    (problem.contains(trace.directory().toString()) ? "" : trace.directory() + " is broken: ")
                            + problem
                            + (known ? " (to delete it, use 'reprise rm -f')" : ""));
        }
        if (trace.state() == TraceSummary.State.RECORDING && !forced) {
            throw new TraceException(
                    trace.directory() + " is still being recorded (to delete it, use 'reprise rm -f')");
        }
        directories.remove(trace.directory());
        clearLatest();
    }

    /** The trace of a name; empty if there is none and that is no matter. */
    private Optional<TraceSummary> find(String name, boolean forced) {
        try {
            return Optional.of(TraceSummary.of(directories.resolve(name)));
        } catch (TraceException e) {
            // A trace without a header is none for other commands, but can be deleted where only traces are.
            Optional<TraceSummary> broken = directories.list().stream()
                    .filter(each -> each.name().equals(name)
                            || each.directory().equals(Path.of(name).toAbsolutePath()))
                    .findFirst();
            if (broken.isEmpty() && !(forced && isMissing(name))) {
                throw e;
            }
            return broken;
        }
    }

    private boolean isMissing(String name) {
        return !name.isEmpty()
                && !Files.exists(Path.of(name))
                && (name.indexOf('/') >= 0 || !Files.exists(directories.root().resolve(name)));
    }

    /** A latest trace that is no more is not the latest. */
    private void clearLatest() {
        Path latest = directories.root().resolve(TraceDirectories.LATEST);
        try {
            if (Files.isSymbolicLink(latest) && !Files.exists(latest)) {
                Files.deleteIfExists(latest);
            }
        } catch (IOException e) {
            throw new TraceException("cannot delete " + latest + ": " + e.getMessage(), e);
        }
    }

    private static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException e) {
            return path;
        }
    }
}
