package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import reprise.linux.Files;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/**
 * The cores that the recorder may use, and how many domains it has put on each. Owned by the recorder's thread.
 *
 * <p>A domain is bound to a core, so the kernel cannot move it away from others that want the same one: other recordings, for
 * example. Who waits for its core too long gets another that was idle meanwhile.
 */
final class Cores {
    private static final int MASK_BYTES = 1024;
    /** Share of the time that a core must have been idle to be worth a move. */
    private static final double IDLE = 0.5;

    private static final MemorySegment MASK = Arena.global().allocate(MASK_BYTES, 8);

    private final byte[] allowed;
    private final int[] cores;
    private final int[] domains;
    /** Index of the core on which the kernel put the recorder. */
    private final int first;
    /** Ticks of the cores without work at the last look, and at the one before. */
    private long[] idle;

    private long[] idleBefore;

    Cores() {
        long size = Syscall.call(SyscallNumber.SCHED_GETAFFINITY, 0, MASK_BYTES, MASK.address());
        int bytes = size > 0 ? (int) size : 8;
        allowed = new byte[bytes];
        int count = 0;
        for (int index = 0; index < bytes; index++) {
            allowed[index] = MASK.get(ValueLayout.JAVA_BYTE, index);
            count += Integer.bitCount(allowed[index] & 0xff);
        }
        cores = new int[count];
        domains = new int[count];
        int at = 0;
        for (int core = 0; core < bytes * 8; core++) {
            if ((allowed[core / 8] >> core % 8 & 1) != 0) {
                cores[at++] = core;
            }
        }
        Syscall.call(SyscallNumber.GETCPU, MASK.address(), 0, 0);
        int present = MASK.get(JAVA_INT, 0);
        first = Math.max(0, Arrays.binarySearch(cores, present));
        idle = new long[count];
        idleBefore = new long[count];
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
        MASK.fill((byte) 0);
        MASK.set(JAVA_LONG, core / 64 * 8L, 1L << core % 64);
        Syscall.call(SyscallNumber.SCHED_SETAFFINITY, tid, MASK_BYTES, MASK.address());
    }
}
