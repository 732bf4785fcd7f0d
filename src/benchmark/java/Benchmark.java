import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Runs workloads natively, recorded and replayed, and reports what that costs.
 *
 * <p>The ways take turns within each repetition, so that what else the machine does meets all of them alike.
 */
final class Benchmark {
    private static final long LIMIT_SECONDS = 120;
    /** A workload is not repeated once it took that long. */
    private static final long ENOUGH_NANOS = TimeUnit.SECONDS.toNanos(100);
    /** What takes longer than that with buffers is not recorded without. */
    private static final double LONG_SECONDS = 20;
    private static final long ALL_NANOS = TimeUnit.MINUTES.toNanos(18);
    private static final List<String> WAYS = List.of("native", "one core", "record", "record -n", "replay");

    private final Path directory = Path.of("target/benchmark").toAbsolutePath();
    private final Path reprise = Path.of("reprise").toAbsolutePath();
    private final Path traces = directory.resolve("traces");
    private final long begin = System.nanoTime();
    private final Report report = new Report();
    private long peak;

    private Benchmark() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        List<String> wanted = new ArrayList<>(List.of(args));
        boolean quick = wanted.remove("--quick");
        if (wanted.stream().anyMatch(word -> word.startsWith("-"))) {
            System.err.println("usage: ./benchmark [--quick] [WORKLOAD]...");
            System.exit(64);
        }
        new Benchmark().run(quick, wanted);
    }

    private void run(boolean quick, List<String> wanted) throws IOException, InterruptedException {
        Files.createDirectories(directory);
        List<Workload> workloads = Workload.all(directory, quick);
        for (Workload workload : workloads) {
            if (!wanted.isEmpty() && !wanted.contains(workload.name())) {
                continue;
            }
            if (System.nanoTime() - begin > ALL_NANOS) {
                report.remark("Left out, because the time was up: " + workload.name() + ".");
                continue;
            }
            measure(workload, quick ? 1 : 3);
        }
        String table = report.markdown(machine());
        Files.writeString(directory.resolve("results.md"), table);
        Files.writeString(directory.resolve("results.svg"), report.svg());
        delete(traces);
        System.out.println("\n" + table);
        System.out.println("In " + directory + ": results.md, results.svg");
    }

    private void measure(Workload workload, int repetitions) throws IOException, InterruptedException {
        List<List<Double>> seconds = new ArrayList<>();
        long[] bytes = new long[WAYS.size()];
        long[] copies = new long[WAYS.size()];
        long[] peaks = new long[WAYS.size()];
        WAYS.forEach(way -> seconds.add(new ArrayList<>()));
        long start = System.nanoTime();
        for (int repetition = 0; repetition < repetitions; repetition++) {
            if (repetition > 0 && System.nanoTime() - start > ENOUGH_NANOS) {
                report.remark(workload.name() + " takes long: medians of " + repetition + ".");
                break;
            }
            String expected = null;
            for (int way = 0; way < WAYS.size(); way++) {
                boolean failedBefore = way > 0 && seconds.get(way).size() < repetition;
                // Without buffering some take half a minute; that is to show how much, not how exactly.
                boolean onceIsEnough = WAYS.get(way).equals("record -n") && repetition > 0;
                boolean tooLong = WAYS.get(way).equals("record -n") && seconds.get(way - 1).stream().anyMatch(each -> each > LONG_SECONDS);
                if (failedBefore || onceIsEnough || tooLong) {
                    continue;
                }
                Path trace = traces.resolve(WAYS.get(way).replace(' ', '_'));
                if (way < 4) {
                    prepare(workload, trace);
                }
                Path output = directory.resolve("output");
                List<String> line = line(workload, way, trace);
                double taken = time(line, output);
                String printed = Files.readString(output, java.nio.charset.StandardCharsets.ISO_8859_1);
                expected = expected == null ? printed : expected;
                if (taken < 0 || !printed.equals(expected)) {
                    report.remark(workload.name() + ", " + WAYS.get(way) + ": "
                            + (taken < 0 ? "it failed or took longer than " + LIMIT_SECONDS + " s" : "other output than natively")
                            + ".");
                    if (way == 0) {
                        return;
                    }
                    continue;
                }
                seconds.get(way).add(taken);
                peaks[way] = Math.max(peaks[way], peak);
                if (way == 2 || way == 3) {
                    bytes[way] = size(trace, false);
                    copies[way] = size(trace, true);
                }
                System.out.printf("%-8s %-10s %8.3f s%n", workload.name(), WAYS.get(way), taken);
            }
        }
        for (int way = 0; way < WAYS.size(); way++) {
            if (!seconds.get(way).isEmpty()) {
                report.add(workload, WAYS.get(way), new Report.Series(seconds.get(way), bytes[way], copies[way], peaks[way]));
            }
        }
    }

    private List<String> line(Workload workload, int way, Path trace) {
        Path recorded = traces.resolve("record");
        List<String> line = new ArrayList<>(
                switch (way) {
                    case 0 -> List.<String>of();
                    case 1 -> List.of("/usr/bin/taskset", "-c", "0");
                    case 2 -> List.of(reprise.toString(), "record", "-o", trace.toString(), "--");
                    case 3 -> List.of(reprise.toString(), "record", "-n", "-o", trace.toString(), "--");
                    default -> List.of(reprise.toString(), "replay", "-a", recorded.toString());
                });
        if (way < 4) {
            line.addAll(workload.command());
        }
        return line;
    }

    private void prepare(Workload workload, Path trace) throws IOException {
        delete(trace);
        Files.createDirectories(traces);
        if (workload.scratch() != null) {
            delete(workload.scratch());
            Files.createDirectories(workload.scratch());
        }
    }

    /** Wall seconds; -1 if it failed. Notes the largest memory that the process itself had. */
    private double time(List<String> line, Path output) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(line)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(output.toFile())
                .redirectError(directory.resolve("errors").toFile());
        builder.environment().put("REPRISE_TRACE_DIR", traces.toString());
        builder.environment().put("REPRISE_BUILD", "no");
        long start = System.nanoTime();
        Process process = builder.start();
        peak = 0;
        while (!process.waitFor(20, TimeUnit.MILLISECONDS)) {
            peak = Math.max(peak, highWater(process.pid()));
            if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(LIMIT_SECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly().waitFor();
                return -1;
            }
        }
        return process.exitValue() == 0 ? (System.nanoTime() - start) / 1e9 : -1;
    }

    private static long highWater(long pid) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/status"))) {
            return lines.filter(line -> line.startsWith("VmHWM:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
                    .findFirst()
                    .orElse(0);
        } catch (IOException | java.io.UncheckedIOException e) {
            return 0;
        }
    }

    /** Of what was recorded, compressed; or of the copies of files that no other trace shares. */
    private static long size(Path trace, boolean copies) throws IOException {
        Path store = trace.resolve("files");
        try (Stream<Path> files = Files.walk(trace)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> file.startsWith(store) == copies)
                    .mapToLong(file -> {
                        try {
                            boolean shared = (int) Files.getAttribute(file, "unix:nlink") > 1;
                            return shared ? 0 : Files.size(file);
                        } catch (IOException e) {
                            return 0;
                        }
                    })
                    .sum();
        }
    }

    private static void delete(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static String machine() throws IOException {
        String model = Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("unknown processor");
        String kernel = Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip().replaceAll("-.*", "");
        String load = Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
        return LocalDate.now() + ": " + Runtime.getRuntime().availableProcessors() + " cores of " + model + ", Linux " + kernel
                + ", load average " + load + " at the end.";
    }
}
