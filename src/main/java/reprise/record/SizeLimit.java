package reprise.record;

import java.nio.file.Path;
import reprise.linux.Files;

/**
 * Ends a recording whose events take more room on disk than is allowed: kills the recorded processes, so that the recording
 * ends as if they had been killed by somebody, with all their ends recorded.
 *
 * <p>They cannot go on unrecorded: their seccomp filter, which cannot be taken off, fails system calls without a tracer.
 *
 * <p>Looks at the file from a thread of its own; the tracer's does not pay for it.
 */
public final class SizeLimit implements AutoCloseable {
    private static final long INTERVAL_MILLIS = 50;

    private final String events;
    private final long limit;
    private final Recorder recorder;
    private final Thread thread;
    private volatile boolean closed;
    private volatile boolean reached;

    /**
     * Begins to watch.
     *
     * @param events the file of the trace's events
     * @param limit in bytes
     */
    public SizeLimit(Path events, long limit, Recorder recorder) {
        this.events = events.toString();
        this.limit = limit;
        this.recorder = recorder;
        thread = new Thread(this::watch, "size limit");
        thread.setDaemon(true);
        thread.start();
    }

    private void watch() {
        while (!closed) {
            Files.Status status = Files.status(events);
            if (reached || status != null && status.size() >= limit) {
                reached = true;
                // Again and again: processes may be born while others are killed.
                recorder.killAll();
            }
            try {
                Thread.sleep(INTERVAL_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** Whether the limit was reached and the recorded processes were killed. */
    public boolean reached() {
        return reached;
    }

    /** Ends the watch. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }
}
