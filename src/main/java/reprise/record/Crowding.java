package reprise.record;

import java.util.SplittableRandom;
import reprise.linux.Files;
import reprise.tracee.TracerClock;

/**
 * Notices domains that wait for their core while another has nothing to do, and finds them that other one.
 *
 * <p>How long a task was ready to run and did not is in /proc/TID/schedstat (Documentation/scheduler/sched-stats.rst). Where
 * the kernel does not tell, domains stay where they are.
 */
final class Crowding {
    /** How often to look, in nanoseconds. */
    private static final long INTERVAL = 200_000_000;
    /** Which part of that time a task has to have waited. */
    private static final int PART = 4;
    /** The kernel counts in USER_HZ, which is 100 on x86. */
    private static final long TICK = 10_000_000;
    /** For how long a domain stays where it has moved to, at least. */
    private static final long STAY = 400_000_000;

    private final Cores cores;
    private final SplittableRandom random = new SplittableRandom();
    private long lastCheck = TracerClock.nanoTime();
    private long lastLook;

    Crowding(Cores cores) {
        this.cores = cores;
    }

    /** Whether it is time for {@link #check}; it is cheap to ask. */
    boolean isDue(long now) {
        return now - lastCheck > INTERVAL;
    }

    /** All tasks were checked. */
    void checked(long now) {
        lastCheck = now;
    }

    /** A task has the turn of its domain: sets which core the domain should move to. */
    void check(RecordedTask task, long now) {
        long waited = waited(task);
        long since = waited - task.waitedForCore;
        task.waitedForCore = waited;
        Domain domain = task.domain;
        if (since * PART < now - lastCheck || now < domain.staysUntil || domain.wantedCore >= 0) {
            return;
        }
        long span = now - lastLook;
        if (span > INTERVAL / 2) {
            cores.look();
            lastLook = now;
        }
        if (span < 4 * INTERVAL) {
            domain.wantedCore = cores.idler(domain.core, task.affinity, span / TICK);
            domain.wantedSince = now;
            // Others that look for a core at the same time find the same one.
            domain.staysUntil = now + STAY + random.nextLong(STAY);
        }
    }

    /** Nanoseconds for which a task has been ready, and another ran. */
    private static long waited(RecordedTask task) {
        String text = Files.readText("/proc/" + task.tid() + "/schedstat");
        String[] fields = text == null ? new String[0] : text.split(" ");
        return fields.length < 2 ? 0 : Long.parseLong(fields[1]);
    }
}
