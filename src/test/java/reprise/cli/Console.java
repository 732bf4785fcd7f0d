package reprise.cli;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntSupplier;

/** Runs commands in this virtual machine and keeps what they print. */
final class Console {
    private Console() {}

    /** A finished command. */
    record Run(int status, String out, String err) {
        List<String> lines() {
            return out.lines().toList();
        }
    }

    /** A command line, without {@code reprise}. */
    static Run reprise(String... line) {
        return capture(() -> Main.run(line));
    }

    /** A command that was made for the test; its failures are told as {@link Main} does. */
    static Run run(Command command, String... line) {
        return capture(() -> {
            try {
                return command.run(command.syntax().parse(List.of(line)));
            } catch (CommandFailure e) {
                System.err.println(e.getMessage());
                return e.status();
            }
        });
    }

    private static Run capture(IntSupplier work) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        ByteArrayOutputStream complained = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
            int status = work.getAsInt();
            return new Run(
                    status, printed.toString(StandardCharsets.UTF_8), complained.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }
}
