package reprise.debug;

/**
 * A thread as the protocol names it: {@code pPID.TID}, or {@code TID} alone without the multiprocess extension.
 *
 * @param process a process, {@link #ANY} or {@link #ALL}
 * @param task a thread, {@link #ANY} or {@link #ALL}
 */
record ThreadId(int process, int task) {
    static final int ANY = 0;
    static final int ALL = -1;

    static final ThreadId ANY_THREAD = new ThreadId(ANY, ANY);

    /** Takes one from a packet. */
    static ThreadId parse(Packet packet) {
        if (!packet.accept("p")) {
            return new ThreadId(ANY, number(packet));
        }
        int process = number(packet);
        return new ThreadId(process, packet.accept(".") ? number(packet) : ALL);
    }

    private static int number(Packet packet) {
        return packet.accept("-1") ? ALL : packet.hex(Integer.MAX_VALUE);
    }

    /** Whether it names a task of a process, or leaves open which. */
    boolean matches(int ofProcess, int tid) {
        return (process <= 0 || process == ofProcess) && (task <= 0 || task == tid);
    }

    /** Whether it names one task. */
    boolean isOne() {
        return task > 0;
    }
}
