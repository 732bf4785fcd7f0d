import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What was measured, as a table in Markdown and as a plot in SVG. */
final class Report {
    private static final String[] COLORS = {"#999", "#3b82c4", "#8bb8dd", "#2a9d4a"};

    /** The runs of one workload in one way. */
    record Series(List<Double> seconds, long traceBytes, long copiedBytes, long peakBytes) {
        double median() {
            List<Double> sorted = seconds.stream().sorted().toList();
            int middle = sorted.size() / 2;
            return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
        }

        /** Half the distance between the fastest and the slowest run, as a part of the median. */
        double spread() {
            double lowest = seconds.stream().min(Double::compare).orElseThrow();
            double highest = seconds.stream().max(Double::compare).orElseThrow();
            return (highest - lowest) / 2 / median();
        }
    }

    /** Of "Lightweight User-Space Record And Replay", with hardware counters, on a laptop with four cores: megabytes a second compressed. */
    private record Paper(String workload, String like, double record, double replay, double unbuffered, double megabytes) {}

    private static final List<Paper> PAPER = List.of(
            new Paper("cp", "cp", 1.49, 0.72, 24.53, 19.03),
            new Paper("make", "make -j8", 7.85, 11.93, 11.32, 15.82),
            new Paper("node", "octane", 1.79, 1.56, 2.65, 0.08),
            new Paper("page", "htmltest", 1.49, 1.01, 4.66, 0.79),
            new Paper("redis", "sambatest", 1.57, 1.23, 2.23, 6.85));

    private final Map<Workload, Map<String, Series>> results = new LinkedHashMap<>();
    private final List<String> remarks = new ArrayList<>();

    void add(Workload workload, String way, Series series) {
        results.computeIfAbsent(workload, ignored -> new LinkedHashMap<>()).put(way, series);
    }

    void remark(String text) {
        remarks.add(text);
    }

    String markdown(String machine) {
        StringBuilder text = new StringBuilder("# Benchmark\n\n" + machine + "\n\n");
        text.append("Seconds are medians, with half the range of the runs in percent; in brackets the ratio to native.\n\n");
        text.append("| workload | native | one core | record | record -n | replay | trace | trace/s | copies of files | recorder's memory |\n");
        text.append("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        results.forEach((workload, ways) -> {
            Series nativeRuns = ways.get("native");
            text.append("| ").append(workload.name());
            for (String way : List.of("native", "one core", "record", "record -n", "replay")) {
                text.append(" | ").append(cell(ways.get(way), nativeRuns, way.equals("native")));
            }
            Series recorded = ways.get("record");
            text.append(" | ").append(recorded == null ? "-" : bytes(recorded.traceBytes()));
            text.append(" | ").append(recorded == null ? "-" : bytes((long) (recorded.traceBytes() / nativeRuns.median())));
            text.append(" | ").append(recorded == null ? "-" : bytes(recorded.copiedBytes()));
            text.append(" | ").append(recorded == null ? "-" : bytes(recorded.peakBytes())).append(" |\n");
        });
        paper(text);
        text.append("\nWhat the workloads show: ");
        List<String> shown = new ArrayList<>();
        results.keySet().forEach(workload -> shown.add(workload.name() + ", " + workload.shows()));
        text.append(String.join("; ", shown)).append(".\n");
        text.append("The trace is what was recorded, compressed; per second of the native run, as in the paper. Beside it are copies of files that no other trace shares.\n");
        remarks.forEach(remark -> text.append("\n").append(remark).append("\n"));
        return text.toString();
    }

    /** Like workloads side by side: what rr's authors measured where there are counters. */
    private void paper(StringBuilder text) {
        text.append("\n| here | in the paper | record | its | record -n | its | replay | its | MB/s of trace | its |\n");
        text.append("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        for (Paper paper : PAPER) {
            results.forEach((workload, ways) -> {
                if (workload.name().equals(paper.workload) && ways.containsKey("record")) {
                    double base = ways.get("native").median();
                    text.append(String.format(
                            Locale.ROOT,
                            "| %s | %s | %s | %.2f | %s | %.2f | %s | %.2f | %.2f | %.2f |%n",
                            paper.workload,
                            paper.like,
                            ratio(ways.get("record"), base),
                            paper.record,
                            ratio(ways.get("record -n"), base),
                            paper.unbuffered,
                            ratio(ways.get("replay"), base),
                            paper.replay,
                            ways.get("record").traceBytes() / base / 1e6,
                            paper.megabytes));
                }
            });
        }
    }

    private static String ratio(Series series, double base) {
        return series == null ? "-" : String.format(Locale.ROOT, "%.2f", series.median() / base);
    }

    private static String cell(Series series, Series nativeRuns, boolean isNative) {
        if (series == null) {
            return "-";
        }
        String spread = series.seconds().size() > 1 ? String.format(Locale.ROOT, " ±%.0f%%", series.spread() * 100) : "";
        String ratio = isNative ? "" : String.format(Locale.ROOT, " (%.2f)", series.median() / nativeRuns.median());
        return String.format(Locale.ROOT, "%.3f", series.median()) + spread + ratio;
    }

    static String bytes(long bytes) {
        return bytes < 1 << 20
                ? String.format(Locale.ROOT, "%.0f KB", bytes / 1024.0)
                : String.format(Locale.ROOT, "%.1f MB", bytes / 1048576.0);
    }

    /** Bars of ratios to native, on a logarithmic scale. */
    String svg() {
        List<String> ways = List.of("one core", "record", "record -n", "replay");
        int row = 58;
        int left = 90;
        int width = 900;
        int height = 60 + results.size() * row;
        double largest = Math.log10(1000);
        double smallest = Math.log10(0.3);
        double unit = (width - left - 60) / (largest - smallest);
        StringBuilder svg = new StringBuilder();
        svg.append(String.format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">%n", width, height));
        svg.append("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
        for (double mark : new double[] {0.3, 1, 3, 10, 30, 100, 300, 1000}) {
            double x = left + (Math.log10(mark) - smallest) * unit;
            svg.append(String.format(Locale.ROOT, "<path d=\"M%.1f 36V%d\" stroke=\"%s\"/><text x=\"%.1f\" y=\"30\" text-anchor=\"middle\">%s</text>%n",
                    x, height - 10, mark == 1 ? "#000" : "#ddd", x, mark < 1 ? "0.3" : String.format(Locale.ROOT, "%.0fx", mark)));
        }
        for (int i = 0; i < ways.size(); i++) {
            svg.append(String.format("<rect x=\"%d\" y=\"4\" width=\"10\" height=\"10\" fill=\"%s\"/><text x=\"%d\" y=\"13\">%s</text>%n",
                    left + i * 120, COLORS[i], left + 15 + i * 120, ways.get(i)));
        }
        int y = 44;
        for (Map.Entry<Workload, Map<String, Series>> entry : results.entrySet()) {
            svg.append(String.format("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>%n", left - 8, y + 28, entry.getKey().name()));
            double base = entry.getValue().get("native").median();
            for (int i = 0; i < ways.size(); i++) {
                Series series = entry.getValue().get(ways.get(i));
                if (series != null) {
                    double ratio = series.median() / base;
                    double length = (Math.log10(Math.clamp(ratio, 0.3, 1000)) - smallest) * unit;
                    svg.append(String.format(Locale.ROOT, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"10\" fill=\"%s\"/><text x=\"%.1f\" y=\"%d\" font-size=\"10\">%.2f</text>%n",
                            left, y + i * 12, length, COLORS[i], left + length + 4, y + 9 + i * 12, ratio));
                }
            }
            y += row;
        }
        return svg.append("</svg>\n").toString();
    }
}
