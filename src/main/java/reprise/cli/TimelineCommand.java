package reprise.cli;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import reprise.trace.Event;
import reprise.trace.TraceReader;

/** {@code reprise timeline}: a trace as a picture of what happened when. */
final class TimelineCommand implements Command {
    static final Option FILE = Option.valued('o', "FILE", "Write FILE. Without it, NAME.html (or .json) here.");
    static final Option PERFETTO =
            Option.flag("perfetto", "Write JSON for ui.perfetto.dev and chrome://tracing instead of a page.");
    static final Option SILENT =
            Option.flag("no-output", "Leave out what the program printed, so that nothing has to be replayed.");

    @Override
    public Syntax syntax() {
        return new Syntax(
                "timeline",
                "[TRACE]",
                Syntax.Target.TRACE,
                "Make a page that shows TRACE, or the latest one, over time. It shows which task ran when and waited where, "
                        + "system calls, signals, and output, and for each moment how to debug there.",
                List.of(FILE, PERFETTO, SILENT),
                "The page is one file that loads nothing from elsewhere. It shows the program's arguments and output.");
    }

    @Override
    public int run(Arguments arguments) {
        return Traces.telling(() -> {
            Path trace = Traces.find(arguments.operands(), syntax());
            String suffix = arguments.has(PERFETTO) ? ".json" : ".html";
            Path target = Path.of(arguments.value(FILE).orElseGet(() -> trace.getFileName() + suffix));
            try (TraceReader reader = TraceReader.open(trace)) {
                create(target);
                if (arguments.has(PERFETTO)) {
                    perfetto(reader, target);
                } else {
                    page(reader, target, arguments);
                }
                if (reader.truncated()) {
                    System.err.println("reprise timeline: the trace ends early, at event " + reader.lastSequence()
                            + ": " + reader.truncation());
                }
            } catch (IOException e) {
                throw new CommandFailure(ExitStatus.FAILED, "cannot write " + target + ": " + e.getMessage());
            }
            System.out.println(Quotes.plain(target.toString()));
            return ExitStatus.OK;
        });
    }

    /** Makes an empty file that only the user can read. */
    private static void create(Path target) throws IOException {
        Files.deleteIfExists(target);
        Files.createFile(target, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }

    private static void page(TraceReader reader, Path target, Arguments arguments) throws IOException {
        TimelineData data = new TimelineData();
        for (Event event = reader.next(); event != null; event = reader.next()) {
            data.accept(event);
        }
        ReplayedOutput output =
                arguments.has(SILENT) ? ReplayedOutput.NONE : ReplayedOutput.of(reader.directory(), data.output());
        String trace = reader.directory().toString();
        TimelinePage.write(target, reader.header(), data, output, trace);
    }

    private static void perfetto(TraceReader reader, Path target) throws IOException {
        try (Writer writer = Files.newBufferedWriter(target, StandardCharsets.UTF_8, StandardOpenOption.WRITE);
                PerfettoTrace json = new PerfettoTrace(writer)) {
            for (Event event = reader.next(); event != null; event = reader.next()) {
                json.accept(event);
            }
        }
    }
}
