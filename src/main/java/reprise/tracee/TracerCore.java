package reprise.tracee;

import reprise.linux.CpuSet;

/**
 * Where the tracer's thread runs: on the core of its tracees as long as all stops come from there.
 *
 * <p>The kernel would rather wake it on a core that is idle. To wake an idle core under a hypervisor takes longer than all else in
 * a stop (measured: 126 us for a system call with two stops, and 25 on one core), and while the tracee is stopped its own core has
 * nothing else to do. But where tracees on several cores stop, or none for long, the tracer goes where the kernel puts it: it
 * must not wait for one that computes.
 *
 * <p>Owned by the tracer's thread, which must be the one that makes this.
 */
public final class TracerCore {
    /** So many stops in a row have to come from a core. */
    private static final int ENOUGH = 8;
    /** So many in a row from others end it. */
    private static final int STRANGERS = 2;

    private static final int ANYWHERE = -1;

    private final CpuSet allowed = CpuSet.ofCallingThread();
    private final CpuSet one = new CpuSet();
    private int core = ANYWHERE;
    private int last = ANYWHERE;
    private int inRow;
    private int strangers;
    private boolean stopped;

    /** A tracee that is bound to a core has stopped; below 0 if it is bound to none. */
    public void stopped(int where) {
        stopped = true;
        if (where == core) {
            strangers = 0;
            return;
        }
        if (where != last) {
            last = where;
            inRow = 0;
        }
        inRow++;
        if (inRow >= ENOUGH && where >= 0) {
            move(where, one.only(where));
        } else if (++strangers >= STRANGERS) {
            release();
        }
    }

    /** Some time has passed; to be called every few milliseconds. */
    public void tick() {
        if (!stopped) {
            release();
        }
        stopped = false;
    }

    /** Lets the thread run wherever it might when this was made. */
    public void release() {
        if (core != ANYWHERE) {
            move(ANYWHERE, allowed);
        }
    }

    private void move(int where, CpuSet cores) {
        inRow = 0;
        strangers = 0;
        // A refusal is no error: the core may be outside of the cpuset by now.
        if (cores.bind(0)) {
            core = where;
        }
    }
}
