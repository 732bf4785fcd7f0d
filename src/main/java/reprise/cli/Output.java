package reprise.cli;

import java.io.PrintStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import reprise.linux.Files;

/**
 * Standard output for commands that print much: UTF-8, in large pieces, and aware of a reader that has gone.
 *
 * <p>{@link System#out} swallows failures; this ends the command at the first.
 */
final class Output extends Writer {
    private static final int PIECE = 1 << 16;
    private static final int STANDARD_OUTPUT = 1;
    private static final int TYPE_OF_FILE = 0170000;
    private static final int SOCKET = 0140000;

    private final PrintStream target = System.out;
    private final StringBuilder pending = new StringBuilder(PIECE + (PIECE >> 2));

    /** Nobody reads any more. */
    private static final class ReaderGone extends RuntimeException {
        private static final long serialVersionUID = 1;

        ReaderGone() {
            super(null, null, false, false);
        }
    }

    private Output() {}

    /**
     * Runs what prints, and flushes, also what was printed before a failure.
     *
     * @return the exit status: a reader that has had enough, as {@code head}, is none
     * @throws CommandFailure if the output cannot be written for another reason
     */
    static int print(Consumer<Output> printer) {
        Output output = new Output();
        try {
            try {
                printer.accept(output);
            } finally {
                output.flush();
            }
        } catch (ReaderGone expected) {
            return ExitStatus.OK;
        }
        return ExitStatus.OK;
    }

    /** What a printer prints, as a string; for little only. */
    static String collect(Consumer<Output> printer) {
        Output output = new Output();
        printer.accept(output);
        return output.pending.toString();
    }

    /** Prints text. */
    Output add(CharSequence text) {
        pending.append(text);
        return this;
    }

    /** Prints a number. */
    Output add(long number) {
        pending.append(number);
        return this;
    }

    /** Prints a number in a column. */
    Output right(long number, int width) {
        return right(Long.toString(number), width);
    }

    /** Prints text at the right edge of a column. */
    Output right(String text, int width) {
        pending.repeat(' ', Math.max(0, width - text.length())).append(text);
        return this;
    }

    /** Prints text at the left edge of a column. */
    Output left(String text, int width) {
        pending.append(text).repeat(' ', Math.max(0, width - text.length()));
        return this;
    }

    /** Ends a line. */
    void line() {
        pending.append('\n');
        if (pending.length() >= PIECE) {
            send();
        }
    }

    @Override
    public void write(char[] characters, int offset, int length) {
        pending.append(characters, offset, length);
        if (pending.length() >= PIECE) {
            send();
        }
    }

    @Override
    public void flush() {
        send();
        if (target.checkError()) {
            throw failure();
        }
    }

    @Override
    public void close() {
        flush();
    }

    private void send() {
        int length = pending.length();
        // The other half is still to come.
        if (length > 0 && Character.isHighSurrogate(pending.charAt(length - 1))) {
            length--;
        }
        byte[] bytes = pending.substring(0, length).getBytes(StandardCharsets.UTF_8);
        pending.delete(0, length);
        target.write(bytes, 0, bytes.length);
        if (target.checkError()) {
            throw failure();
        }
    }

    private RuntimeException failure() {
        pending.setLength(0);
        // Java does not tell why: a pipe or socket fails when the other end is closed, a file when the disk is full.
        Files.Status status = Files.status(STANDARD_OUTPUT);
        boolean connection = status != null && (status.isFifo() || (status.mode() & TYPE_OF_FILE) == SOCKET);
        return connection ? new ReaderGone() : new CommandFailure(ExitStatus.FAILED, "cannot write to standard output");
    }
}
