package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/** The cores that the recorder may use, and how many domains it has put on each. Owned by the recorder's thread. */
final class Cores {
    private static final int MASK_BYTES = 1024;
    private static final MemorySegment MASK = Arena.global().allocate(MASK_BYTES, 8);

    private final byte[] allowed;
    private final int[] cores;
    private final int[] domains;

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
    }

    /** The affinity mask that the recorder was started with. */
    byte[] allowed() {
        return allowed;
    }

    /** Takes the core with the fewest domains. */
    int take() {
        int best = 0;
        for (int index = 1; index < cores.length; index++) {
            if (domains[index] < domains[best]) {
                best = index;
            }
        }
        domains[best]++;
        return cores[best];
    }

    /**
     * The core for a domain whose turn-taker has this affinity mask, null for none: the present one unless the mask excludes
     * it, or the domain has company there while another core has at least two fewer.
     */
    int better(int core, byte[] mask) {
        int better = better(core);
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

    private int better(int core) {
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
