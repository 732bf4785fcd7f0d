package reprise.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import reprise.syscall.Support;
import reprise.syscall.SyscallTable;

/** {@code reprise syscalls}: the system calls that Reprise knows, and how well. */
final class SyscallsCommand implements Command {
    static final Option JSON = Option.flag("json", "Print JSON.");
    static final Option MARKDOWN = Option.flag("markdown", "Print a Markdown table.");

    private static final int REASON_COLUMN = 68;

    @Override
    public Syntax syntax() {
        return new Syntax(
                "syscalls",
                "",
                Syntax.Target.NOTHING,
                "List the system calls, and how far each is supported. The commands of calls "
                        + "that are many in one, as ioctl, are listed where they differ.",
                List.of(JSON, MARKDOWN),
                "supported: recorded and replayed; special: too, by code of its own; answered: refused with an error "
                        + "number, and the kernel is not asked; unsupported: performed, but not recorded, and the "
                        + "recording says so.");
    }

    @Override
    public int run(Arguments arguments) {
        if (!arguments.operands().isEmpty()) {
            throw syntax().wrongUse("takes no operand");
        }
        if (arguments.has(JSON) && arguments.has(MARKDOWN)) {
            throw syntax().wrongUse("either --json or --markdown");
        }
        List<SyscallTable.Row> rows = SyscallTable.documentation();
        return Output.print(output -> {
            if (arguments.has(JSON)) {
                json(rows, output);
            } else if (arguments.has(MARKDOWN)) {
                markdown(rows, output);
            } else {
                text(rows, output);
            }
        });
    }

    private static void text(List<SyscallTable.Row> rows, Output output) {
        for (SyscallTable.Row row : rows) {
            String call = isCommand(row) ? "  " + row.name() : row.name() + "(" + row.arguments() + ")";
            output.right(row.number(), 3)
                    .add("  ")
                    .left(support(row.support()), 11)
                    .add("  ");
            if (row.reason().isEmpty()) {
                output.add(call).line();
            } else {
                output.left(call, REASON_COLUMN - 18)
                        .add("  ")
                        .add(row.reason())
                        .line();
            }
        }
    }

    private static void markdown(List<SyscallTable.Row> rows, Output output) {
        output.add("| number | call | support | why |").line();
        output.add("|---:|---|---|---|").line();
        for (SyscallTable.Row row : rows) {
            String call = isCommand(row) ? row.name() : row.name() + "(" + row.arguments() + ")";
            output.add("| ").add(row.number()).add(" | `").add(call).add("` | ");
            output.add(support(row.support())).add(" | ");
            output.add(row.reason().replace("|", "\\|")).add(" |").line();
        }
    }

    private static void json(List<SyscallTable.Row> rows, Output output) {
        try (JsonGenerator json = EventJson.generator(output).useDefaultPrettyPrinter()) {
            json.writeStartArray();
            for (SyscallTable.Row row : rows) {
                json.writeStartObject();
                json.writeNumberField("number", row.number());
                json.writeStringField("name", row.name());
                json.writeStringField("arguments", row.arguments());
                json.writeStringField("support", support(row.support()));
                json.writeStringField("reason", row.reason());
                json.writeEndObject();
            }
            json.writeEndArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        output.line();
    }

    /** Names of commands have a blank between call and command. */
    private static boolean isCommand(SyscallTable.Row row) {
        return row.name().indexOf(' ') >= 0;
    }

    private static String support(Support support) {
        return support.name().toLowerCase(Locale.ROOT);
    }
}
