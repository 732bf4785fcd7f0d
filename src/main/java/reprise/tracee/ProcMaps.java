package reprise.tracee;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import reprise.linux.Files;

/** The kernel's list of a process's mappings, from /proc/PID/maps. */
public final class ProcMaps {
    /** PROT_READ. */
    public static final int READ = 1;
    /** PROT_WRITE. */
    public static final int WRITE = 2;
    /** PROT_EXEC. */
    public static final int EXECUTE = 4;

    private static final String FLAGS = "VmFlags:";

    private ProcMaps() {}

    /**
     * A mapping.
     *
     * @param end address behind it
     * @param protection PROT_ bits
     * @param device in the encoding of stat's st_dev
     * @param path as the kernel prints it; empty for anonymous memory
     */
    public record Region(
            long start, long end, int protection, boolean shared, long offset, long device, long inode, String path) {
        public long length() {
            return end - start;
        }
    }

    /** Reads the mappings of a process, ascending; empty if it has none or is gone. */
    public static List<Region> read(int pid) {
        List<Region> regions = new ArrayList<>();
        byte[] text = Files.readAll("/proc/" + pid + "/maps");
        int position = 0;
        while (text != null && position < text.length) {
            int end = position;
            while (text[end] != '\n') {
                end++;
            }
            regions.add(parse(text, position, end));
            position = end + 1;
        }
        return regions;
    }

    /**
     * A mapping that a child does not inherit as it is.
     *
     * @param end address behind it
     * @param absent whether it is not there in the child (MADV_DONTFORK)
     * @param wiped whether it is empty there (MADV_WIPEONFORK)
     */
    public record ForkAdvice(long start, long end, boolean absent, boolean wiped) {}

    /**
     * Reads which mappings of a process a child would not inherit as they are, from /proc/PID/smaps. The kernel walks all
     * its page tables for that: 10 ms for each GiB in use.
     */
    public static List<ForkAdvice> readForkAdvice(int pid) {
        List<ForkAdvice> advised = new ArrayList<>();
        byte[] bytes = Files.readAll("/proc/" + pid + "/smaps");
        if (bytes == null) {
            return advised;
        }
        long start = 0;
        long end = 0;
        for (String line : new String(bytes, StandardCharsets.UTF_8).split("\n")) {
            if (line.startsWith(FLAGS)) {
                List<String> flags =
                        List.of(line.substring(FLAGS.length()).trim().split(" "));
                // The kernel's own, which nobody has advised, are not copied either: their pages are no memory ("io",
                // "pf").
                boolean absent = flags.contains("dc") && !flags.contains("io");
                if (absent || flags.contains("wf")) {
                    advised.add(new ForkAdvice(start, end, absent, flags.contains("wf")));
                }
                continue;
            }
            // All lines but those that begin a mapping have a name and a colon.
            int dash = line.indexOf('-');
            int space = line.indexOf(' ');
            if (dash > 0 && dash < space && line.indexOf(':') > space) {
                start = Long.parseUnsignedLong(line.substring(0, dash), 16);
                end = Long.parseUnsignedLong(line.substring(dash + 1, space), 16);
            }
        }
        return advised;
    }

    private static Region parse(byte[] text, int from, int to) {
        Cursor cursor = new Cursor(text, from);
        long start = cursor.hex();
        long end = cursor.hex();
        int protection = (text[cursor.at] == 'r' ? READ : 0)
                | (text[cursor.at + 1] == 'w' ? WRITE : 0)
                | (text[cursor.at + 2] == 'x' ? EXECUTE : 0);
        boolean shared = text[cursor.at + 3] == 's';
        cursor.at += 5;
        long offset = cursor.hex();
        long major = cursor.hex();
        long minor = cursor.hex();
        long inode = 0;
        while (text[cursor.at] >= '0' && text[cursor.at] <= '9') {
            inode = inode * 10 + text[cursor.at++] - '0';
        }
        while (cursor.at < to && text[cursor.at] == ' ') {
            cursor.at++;
        }
        String path = new String(text, cursor.at, to - cursor.at, StandardCharsets.UTF_8);
        long device = minor & 0xff | (major & 0xfff) << 8 | (minor & ~0xffL) << 12 | (major & ~0xfffL) << 32;
        return new Region(start, end, protection, shared, offset, device, inode, path);
    }

    private static final class Cursor {
        private final byte[] text;
        private int at;

        Cursor(byte[] text, int at) {
            this.text = text;
            this.at = at;
        }

        /** A hexadecimal number and the one character behind it. */
        long hex() {
            long value = 0;
            int digit;
            while ((digit = Character.digit(text[at++], 16)) >= 0) {
                value = value << 4 | digit;
            }
            return value;
        }
    }
}
