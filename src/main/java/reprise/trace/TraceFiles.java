package reprise.trace;

/** Names of the files of a trace. */
final class TraceFiles {
    /** The {@link TraceHeader}. */
    static final String HEADER = "header.json";
    /** The chunks. */
    static final String EVENTS = "events";
    /** The chunk that is not yet in {@link #EVENTS}; read if it continues where that ends. */
    static final String SIDE = "events.unfinished";
    /** Directory of stored files. */
    static final String FILES = "files";

    private TraceFiles() {}
}
