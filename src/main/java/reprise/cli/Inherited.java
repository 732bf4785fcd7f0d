package reprise.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the user's shell gave Reprise when it started it, before the launcher script and the JVM changed anything: what a
 * recorded program has to find. The launcher passes it on; without the launcher, the next best is read from the kernel.
 *
 * @param ignoredSignals the signals that were ignored, as the kernel's set: bit 0 is signal 1
 * @param blockedSignals the signals that were blocked, likewise
 * @param descriptors the open file descriptors, ascending
 * @param environment the strings of the environment, as they were to the byte
 * @param arguments the arguments of {@link Main#main}, as they were to the byte: Java's may have lost some that are not
 *     UTF-8
 */
record Inherited(
        long ignoredSignals,
        long blockedSignals,
        List<Integer> descriptors,
        List<byte[]> environment,
        List<byte[]> arguments) {

    /** Reads it. Cheap, but not free: only commands that start programs need it. */
    static Inherited read() {
        try {
            return new Inherited(
                    signals("reprise.sigign", "SigIgn:"),
                    signals("reprise.sigblk", "SigBlk:"),
                    descriptorNumbers(),
                    environmentStrings(),
                    argumentStrings());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read /proc/self", e);
        }
    }

    private static long signals(String property, String field) throws IOException {
        String set = System.getProperty(property);
        if (set == null) {
            try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
                set = lines.filter(line -> line.startsWith(field))
                        .map(line -> line.substring(field.length()).strip())
                        .findFirst()
                        .orElse("0");
            }
        }
        return Long.parseUnsignedLong(set, 16);
    }

    private static List<Integer> descriptorNumbers() throws IOException {
        String passed = System.getProperty("reprise.fds");
        if (passed != null) {
            return Stream.of(passed.split(","))
                    .filter(number -> !number.isEmpty())
                    .map(Integer::valueOf)
                    .sorted()
                    .toList();
        }
        // Whatever the JVM opened for itself is close-on-exec, but for its classes.
        List<Integer> inherited = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc/self/fdinfo"))) {
            for (Path info : all) {
                if (!isClosedOnExec(info)) {
                    inherited.add(Integer.valueOf(info.getFileName().toString()));
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        inherited.sort(null);
        return List.copyOf(inherited);
    }

    private static boolean isClosedOnExec(Path info) throws IOException {
        String target = reprise.linux.Files.readLink("/proc/self/fd/" + info.getFileName());
        if (Path.of(System.getProperty("java.home"), "lib", "modules")
                .toString()
                .equals(target)) {
            return true;
        }
        final long closeOnExec = 02000000;
        try (Stream<String> lines = Files.lines(info)) {
            return lines.filter(line -> line.startsWith("flags:"))
                    .anyMatch(line -> (Long.parseLong(line.substring(6).strip(), 8) & closeOnExec) != 0);
        } catch (NoSuchFileException gone) {
            return true;
        }
    }

    private static List<byte[]> environmentStrings() throws IOException {
        String passed = System.getenv("REPRISE_ENVIRON");
        return strings(
                passed == null
                        ? Files.readAllBytes(Path.of("/proc/self/environ"))
                        : Base64.getDecoder().decode(passed));
    }

    private static List<byte[]> argumentStrings() throws IOException {
        List<byte[]> all = strings(Files.readAllBytes(Path.of("/proc/self/cmdline")));
        for (int i = 0; i < all.size(); i++) {
            String argument = new String(all.get(i), StandardCharsets.ISO_8859_1);
            if (argument.equals(Main.class.getName())) {
                return all.subList(i + 1, all.size());
            }
            if (argument.equals("-jar")) {
                return all.subList(i + 2, all.size());
            }
        }
        return List.of();
    }

    /** Splits what ends in zeros. */
    private static List<byte[]> strings(byte[] zeroTerminated) {
        List<byte[]> strings = new ArrayList<>();
        ByteArrayOutputStream string = new ByteArrayOutputStream();
        for (byte b : zeroTerminated) {
            if (b == 0) {
                strings.add(string.toByteArray());
                string.reset();
            } else {
                string.write(b);
            }
        }
        return List.copyOf(strings);
    }
}
