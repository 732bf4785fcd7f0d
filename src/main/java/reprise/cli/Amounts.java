package reprise.cli;

import java.util.Locale;
import reprise.linux.Signal;
import reprise.linux.Wait;

/** Numbers as people read them. */
final class Amounts {
    private static final String[] UNITS = {"B", "K", "M", "G", "T"};
    private static final long SECOND = 1_000_000_000;

    private Amounts() {}

    /** Bytes in four or five characters, for example {@code 12B}, {@code 3.4K}, {@code 56M}. */
    static String bytes(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1000 && unit + 1 < UNITS.length) {
            value /= 1024;
            unit++;
        }
        boolean precise = unit > 0 && value < 9.95;
        return String.format(Locale.ROOT, precise ? "%.1f%s" : "%.0f%s", value, UNITS[unit]);
    }

    /** A duration, for example {@code 0.021s}, {@code 12.3s}, {@code 4m05s}, {@code 3h20m}. */
    static String duration(long nanos) {
        long seconds = nanos / SECOND;
        if (seconds < 10) {
            return String.format(Locale.ROOT, "%.3fs", nanos / (double) SECOND);
        }
        if (seconds < 60) {
            return String.format(Locale.ROOT, "%.1fs", nanos / (double) SECOND);
        }
        if (seconds < 3600) {
            return String.format("%dm%02ds", seconds / 60, seconds % 60);
        }
        return String.format("%dh%02dm", seconds / 3600, seconds / 60 % 60);
    }

    /** A part of a whole, for example {@code 12.5%}. */
    static String share(long part, long whole) {
        return whole == 0 ? "-" : String.format(Locale.ROOT, "%.1f%%", 100.0 * part / whole);
    }

    /** How a process ended: its exit status, or the name of the signal that killed it. */
    static String end(int waitStatus) {
        return Wait.isExited(waitStatus)
                ? Integer.toString(Wait.exitStatus(waitStatus))
                : Signal.name(Wait.terminatingSignal(waitStatus));
    }
}
