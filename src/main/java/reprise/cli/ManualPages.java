package reprise.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Writes what the commands say of themselves as pages for man(1). */
final class ManualPages {
    private ManualPages() {}

    /** Writes {@code reprise.1} and {@code reprise-COMMAND.1} into a directory, which is made if need be. */
    static int write(String name) {
        try {
            Path directory = Files.createDirectories(Path.of(name));
            Files.writeString(directory.resolve("reprise.1"), overview(), StandardCharsets.UTF_8);
            for (Command command : Commands.all()) {
                Syntax syntax = command.syntax();
                Path page = directory.resolve("reprise-" + syntax.command() + ".1");
                Files.writeString(page, page(syntax), StandardCharsets.UTF_8);
            }
            return ExitStatus.OK;
        } catch (IOException | InvalidPathException e) {
            throw new CommandFailure(ExitStatus.FAILED, "cannot write to " + name + ": " + e.getMessage());
        }
    }

    static String page(Syntax syntax) {
        StringBuilder page = new StringBuilder();
        head(page, "reprise-" + syntax.command(), syntax.brief());
        page.append(".SH SYNOPSIS\n.B reprise ").append(text(syntax.command())).append('\n');
        page.append("[\\fIOPTION\\fR]... ").append(text(syntax.operands())).append('\n');
        page.append(".SH DESCRIPTION\n").append(text(syntax.summary())).append("\n.SH OPTIONS\n");
        for (Option option : syntax.options()) {
            page.append(".TP\n.B ").append(text(option.usage().strip())).append('\n');
            page.append(text(option.help())).append('\n');
        }
        if (!syntax.footer().isEmpty()) {
            page.append(".SH NOTES\n").append(text(syntax.footer())).append('\n');
        }
        return page.append(".SH SEE ALSO\n.BR reprise (1)\n").toString();
    }

    private static String overview() {
        StringBuilder page = new StringBuilder();
        head(page, "reprise", "records a tree of processes once and replays that execution as often as wanted");
        page.append(".SH SYNOPSIS\n.B reprise\n\\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIOPERAND\\fR]...\n");
        page.append(".SH COMMANDS\n");
        StringBuilder references = new StringBuilder(".SH SEE ALSO\n");
        for (Command command : Commands.all()) {
            Syntax syntax = command.syntax();
            page.append(".TP\n.B ").append(text(syntax.command())).append('\n');
            page.append(text(syntax.brief())).append('\n');
            references.append(".BR reprise-").append(syntax.command()).append(" (1)\n");
        }
        page.append("""
                .SH ENVIRONMENT
                .TP
                .B REPRISE_TRACE_DIR
                Where traces are kept, instead of ~/.local/share/reprise.
                .TP
                .B REPRISE_JAVA_HOME
                The Java that runs Reprise.
                .SH EXIT STATUS
                0 done; 1 failed; 2 a replay differed from its recording; 64 wrong use; 70 a fault of Reprise; otherwise
                that of the recorded program.
                """);
        return page.append(references).toString();
    }

    private static void head(StringBuilder page, String name, String brief) {
        page.append(".TH ").append(name.toUpperCase(java.util.Locale.ROOT)).append(" 1 \"\" \"Reprise\"\n");
        page.append(".SH NAME\n")
                .append(text(name))
                .append(" \\- ")
                .append(text(brief))
                .append('\n');
    }

    /** Text in which nothing is a request or an escape of troff. */
    private static String text(String value) {
        String escaped = value.replace("\\", "\\e").replace("-", "\\-");
        return escaped.startsWith(".") || escaped.startsWith("'") ? "\\&" + escaped : escaped;
    }
}
