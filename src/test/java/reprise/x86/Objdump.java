package reprise.x86;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/**
 * GNU objdump, as the second opinion on what our decoder and assembler say. It is there wherever gcc is, and it knows
 * instructions years before other disassemblers do.
 */
public final class Objdump {
    /**
     * One line of its output.
     *
     * @param bytes in hexadecimal
     * @param text in Intel syntax, as {@code mov rax,rbx}
     */
    public record Line(long address, String bytes, String text) {
        public int length() {
            return bytes.length() / 2;
        }

        /** Whether it is an instruction, not {@code (bad)}, cut off, or a lone prefix that it gave up on. */
        public boolean isInstruction() {
            return !text.contains("(bad)")
                    && !text.startsWith(".byte")
                    && !text.matches("((rex\\S*|data16|addr32|lock|repz?|repnz|[c-gs]s) ?)+");
        }
    }

    /** Takes the lines as they come. */
    public interface Consumer {
        void accept(Line line);
    }

    private Objdump() {}

    /** Skips the test if there is no objdump. */
    public static void assume() {
        boolean found = Arrays.stream(System.getenv("PATH").split(":"))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, "objdump")));
        Assumptions.assumeTrue(found, "objdump (package binutils) is not installed");
    }

    /** Disassembles the code of an ELF file between two addresses. */
    public static void file(Path file, long start, long end, Consumer consumer) {
        String from = "--start-address=" + start;
        String to = "--stop-address=" + end;
        run(consumer, "objdump", "-d", "-w", "-z", "-M", "intel", from, to, file.toString());
    }

    /** Disassembles bytes from their first to their last. */
    public static void bytes(byte[] code, long address, Consumer consumer) {
        try {
            Path file = Files.createTempFile("code", ".bin");
            try {
                Files.write(file, code);
                String base = "--adjust-vma=0x" + Long.toHexString(address);
                run(
                        consumer,
                        "objdump",
                        "-D",
                        "-w",
                        "-z",
                        "-M",
                        "intel",
                        "-b",
                        "binary",
                        "-m",
                        "i386:x86-64",
                        base,
                        file.toString());
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The instructions in {@code code}, with single spaces and without comments. */
    public static List<String> disassemble(byte[] code, long address) {
        List<String> lines = new ArrayList<>();
        bytes(code, address, line -> lines.add(line.text()));
        return lines;
    }

    private static void run(Consumer consumer, String... command) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            try (BufferedReader output = process.inputReader()) {
                for (String line = output.readLine(); line != null; line = output.readLine()) {
                    parse(line, consumer);
                }
            }
            if (process.waitFor() != 0) {
                throw new IllegalStateException(String.join(" ", command) + ": exit status " + process.exitValue());
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(String.join(" ", command), e);
        }
    }

    /** A line is {@code "  401000:\t48 89 c3 \tmov    rbx,rax"}, sometimes followed by a comment. */
    private static void parse(String line, Consumer consumer) {
        int colon = line.indexOf(":\t");
        int tab = colon < 0 ? -1 : line.indexOf('\t', colon + 2);
        if (tab < 0) {
            return;
        }
        long address = Long.parseUnsignedLong(line.substring(0, colon).strip(), 16);
        String bytes = line.substring(colon + 2, tab).replace(" ", "");
        int comment = line.indexOf('#', tab);
        String text =
                line.substring(tab + 1, comment < 0 ? line.length() : comment).strip();
        consumer.accept(new Line(address, bytes, text.replaceAll(" +", " ")));
    }
}
