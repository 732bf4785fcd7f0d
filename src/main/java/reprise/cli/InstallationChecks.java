package reprise.cli;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import reprise.trace.TraceDirectories;

/** Looks at what Reprise runs on, apart from the kernel: the place for traces, gdb, Java. */
final class InstallationChecks {
    private static final long LITTLE = 1L << 30;

    private final List<Finding> findings = new ArrayList<>();

    private InstallationChecks() {}

    /** All findings. */
    static List<Finding> run(TraceDirectories directories) {
        InstallationChecks checks = new InstallationChecks();
        checks.directory(directories);
        checks.debugger();
        checks.java();
        checks.processor();
        return checks.findings;
    }

    private void directory(TraceDirectories directories) {
        Path root = directories.root();
        String advice = "choose another directory with REPRISE_TRACE_DIR";
        Path existing = root;
        while (existing != null && !Files.exists(existing)) {
            existing = existing.getParent();
        }
        if (existing == null || !Files.isDirectory(existing) || !Files.isWritable(existing)) {
            findings.add(Finding.fatal("trace directory", root + " cannot be written", "traces have no place", advice));
            return;
        }
        try {
            FileStore store = Files.getFileStore(existing);
            long free = store.getUsableSpace();
            String seen = root + " on " + store.type() + ", " + Amounts.bytes(free) + " free";
            findings.add(
                    free < LITTLE
                            ? Finding.lacking(
                                    "trace directory",
                                    seen,
                                    "a long recording may end when the disk is full; up to there it stays usable",
                                    advice + ", or delete traces with 'reprise rm'")
                            : Finding.ok("trace directory", seen));
        } catch (IOException e) {
            findings.add(
                    Finding.fatal("trace directory", root + ": " + e.getMessage(), "traces have no place", advice));
            return;
        }
        findings.add(
                TraceDirectories.sharesBlocks(existing)
                        ? Finding.ok("reflinks", "copies of files share their blocks")
                        : Finding.lacking(
                                "reflinks",
                                "this file system has none",
                                "the first recording of a program copies it and its libraries; later ones share the copies",
                                "Btrfs and XFS have reflinks: " + advice));
    }

    private void debugger() {
        String version = firstLine("gdb", "--version");
        findings.add(
                version == null
                        ? Finding.lacking(
                                "gdb",
                                "not found in PATH",
                                "traces can be recorded, replayed, dumped, but not debugged",
                                "install it, for example with apt install gdb or dnf install gdb")
                        : Finding.ok("gdb", version));
    }

    /** The first line that a program prints; null if it does not run. */
    private static String firstLine(String... command) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String line = process.inputReader().readLine();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            return line;
        } catch (IOException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    private void java() {
        String version = System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version");
        findings.add(Finding.ok("Java", version + " in " + System.getProperty("java.home")));
        byte[] line = reprise.linux.Files.readAll("/proc/self/cmdline");
        String arguments = line == null ? "" : new String(line, java.nio.charset.StandardCharsets.UTF_8);
        findings.add(
                arguments.contains("-XX:AOTCache=")
                        ? Finding.ok("AOT cache", "used")
                        : Finding.lacking(
                                "AOT cache",
                                "not used",
                                "each command takes about a quarter of a second longer to start",
                                "unset REPRISE_AOT; let the launcher write to target/ or ~/.cache/reprise"));
    }

    private void processor() {
        int cores = Runtime.getRuntime().availableProcessors();
        findings.add(
                cores > 1
                        ? Finding.ok("cores", cores + ", " + Machine.processorModel())
                        : Finding.lacking(
                                "cores",
                                "one",
                                "the program and the compression of its trace take turns",
                                "allow more with taskset or the container's limits"));
    }
}
