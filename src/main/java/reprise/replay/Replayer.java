package reprise.replay;

import java.nio.file.Path;
import reprise.trace.Event;
import reprise.trace.TraceReader;

/**
 * Runs a trace again, event by event, and verifies that it does what was recorded.
 *
 * <p>Everything must be called by one thread, which becomes the tracer of the processes that execute the replay. They
 * die with it, and when the replayer is closed.
 */
public final class Replayer implements AutoCloseable {
    private static final int PROGRESS_INTERVAL = 512;

    private final TraceReader reader;
    private final ReplayOptions options;
    private final ReplaySession session;
    private long events;
    private long nanos;
    private boolean ended;

    /**
     * A replay that stands before the first event.
     *
     * @param reader at the first event; stays the caller's to close
     * @param directory of the trace
     * @throws reprise.linux.LinuxException if the kernel does not allow processes to be traced
     */
    public Replayer(TraceReader reader, Path directory, ReplayOptions options) {
        this.reader = reader;
        this.options = options;
        this.session =
                new ReplaySession(directory, new RefusedCalls(reader.header().refusedCalls()), options);
    }

    /** Where the replay is. */
    public Position position() {
        return new Position(events);
    }

    /**
     * Replays the next event.
     *
     * @return false if there is none
     * @throws DivergenceException if what happens is not what was recorded
     */
    public boolean step() {
        Event event = reader.next();
        if (event == null) {
            return false;
        }
        session.apply(event);
        events = event.header().sequence();
        nanos = event.header().nanos();
        ended |= event instanceof Event.End;
        return true;
    }

    /**
     * Replays to the end of the trace.
     *
     * @throws DivergenceException if what happens is not what was recorded
     */
    public ReplayResult run() {
        long next = events + PROGRESS_INTERVAL;
        while (step()) {
            if (events >= next) {
                next = events + PROGRESS_INTERVAL;
                options.progress().reached(events, nanos);
            }
        }
        options.progress().reached(events, nanos);
        return new ReplayResult(events, ended, session.waitStatus(), session.pagesVerified());
    }

    /** Ends the processes that execute the replay. */
    @Override
    public void close() {
        session.close();
    }
}
