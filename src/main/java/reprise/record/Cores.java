package reprise.record;

import java.util.Arrays;
import java.util.stream.IntStream;
import reprise.linux.CpuSet;
import reprise.linux.Files;

/**
 * The cores that the recorder may use, and how many domains it has put on each. Owned by the recorder's thread.
 *
 * <p>A domain is bound to a core, so the kernel cannot move it away from others that want the same one: other recordings, for
 * example. Who waits for its core too long gets another that was idle meanwhile.
 */
final class Cores {
    /** Share of the time that a core must have been idle to be worth a move. */
    private static final double IDLE = 0.5;

    private static final CpuSet ONE = new CpuSet();

    private final byte[] allowed;
    private final int[] cores;
    private final int[] domains;
    /** Index of the core on which the kernel put the recorder. */
    private final int first;
    /** Ticks of the cores without work at the last look, and at the one before. */
    private long[] idle;

    private long[] idleBefore;

    Cores() {
        CpuSet set = CpuSet.ofCallingThread();
        allowed = set.toBytes();
        cores = IntStream.range(0, allowed.length * 8).filter(set::contains).toArray();
        domains = new int[cores.length];
        first = Math.max(0, Arrays.binarySearch(cores, CpuSet.present()));
        idle = new long[cores.length];
        idleBefore = new long[cores.length];
    }

    /** The affinity mask that the recorder was started with. */
    byte[] allowed() {
        return allowed;
    }

    /** Takes the core with the fewest domains. */
    int take() {
        int best = first;
        for (int index = 0; index < cores.length; index++) {
            if (domains[index] < domains[best]) {
                best = index;
            }
        }
        domains[best]++;
        return cores[best];
    }

    /**
     * The core for a domain whose turn-taker has this affinity mask, null for none: the wanted one, -1 for none, or else the
     * present one, unless the mask excludes it, or the domain has company there while another core has at least two fewer.
     */
    int better(int core, int wanted, byte[] mask) {
        int better = wanted >= 0 ? wanted : withFewer(core);
        if (mask == null || contains(mask, better)) {
            return better;
        }
        if (!contains(mask, core)) {
            for (int other : cores) {
                if (contains(mask, other)) {
                    return other;
                }
            }
        }
        return core;
    }

    private static boolean contains(byte[] mask, int core) {
        return core >= 0 && core / 8 < mask.length && (mask[core / 8] >> core % 8 & 1) != 0;
    }

    private int withFewer(int core) {
        int own = 0;
        int best = 0;
        for (int index = 0; index < cores.length; index++) {
            if (cores[index] == core) {
                own = index;
            }
            if (domains[index] < domains[best]) {
                best = index;
            }
        }
        return domains[own] - domains[best] >= 2 ? cores[best] : core;
    }

    /** Looks how long each core has had no work. */
    void look() {
        long[] older = idleBefore;
        idleBefore = idle;
        idle = older;
        String text = Files.readText("/proc/stat");
        readIdle(text == null ? "" : text, cores, idle);
    }

    /** Adds up the fourth and fifth figure of the lines of some cores in /proc/stat: idle and iowait, in ticks; 0 where it has none. */
    static void readIdle(String stat, int[] cores, long[] idle) {
        Arrays.fill(idle, 0);
        for (String line : stat.split("\n")) {
            String[] fields = line.split(" ");
            if (fields.length > 5 && fields[0].matches("cpu[0-9]+")) {
                int index = Arrays.binarySearch(cores, Integer.parseInt(fields[0].substring(3)));
                if (index >= 0) {
                    idle[index] = Long.parseLong(fields[4]) + Long.parseLong(fields[5]);
                }
            }
        }
    }

    /**
     * A core that had no work for most of the time between the last two looks.
     *
     * @param mask which cores the task may use, null for all
     * @param ticks how long that time was, in hundredths of a second
     * @return -1 if there is none but the present one
     */
    int idler(int core, byte[] mask, long ticks) {
        int best = -1;
        double most = IDLE * ticks;
        for (int index = 0; index < cores.length; index++) {
            long without = idle[index] - idleBefore[index];
            if (cores[index] != core && without > most && (mask == null || contains(mask, cores[index]))) {
                best = cores[index];
                most = without;
            }
        }
        return best;
    }

    /** A domain on this core is gone, or sleeps. */
    void release(int core) {
        change(core, -1);
    }

    /** A domain on this core is awake again. */
    void occupy(int core) {
        change(core, 1);
    }

    private void change(int core, int by) {
        for (int index = 0; index < cores.length; index++) {
            if (cores[index] == core) {
                domains[index] += by;
            }
        }
    }

    /** Binds a task to a core; a refusal is no error (the core may be outside its cpuset). */
    static void bind(int tid, int core) {
        ONE.only(core).bind(tid);
    }
}
