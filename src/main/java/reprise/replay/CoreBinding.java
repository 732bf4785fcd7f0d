package reprise.replay;

import reprise.linux.CpuSet;

/** Which cores tasks may run on. */
final class CoreBinding implements AutoCloseable {
    private static final ThreadLocal<CpuSet> ONE = ThreadLocal.withInitial(CpuSet::new);

    private final CpuSet original = CpuSet.ofCallingThread();
    private int bound = -1;

    /** Binds a task to one core; whether there is such a core that it may run on. */
    static boolean bind(int tid, int core) {
        return ONE.get().only(core).bind(tid);
    }

    /** Lets the calling thread follow to a core: a stop costs a third where tracer and tracee share one. */
    void follow(int core) {
        if (core != bound) {
            bound = core;
            bind(0, core);
        }
    }

    /** The calling thread may run where it might before. */
    @Override
    public void close() {
        original.bind(0);
    }
}
