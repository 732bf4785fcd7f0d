package reprise.debug;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import reprise.replay.ReplayOptions;
import reprise.replay.TaskInfo;
import reprise.replay.Timeline;

/**
 * Lets debuggers that speak gdb's remote serial protocol work with a recording, one after the other.
 *
 * <p>Belongs to the thread that opened it, which traces the processes that execute the replay; only {@link #stop} may be
 * called by others.
 */
public final class DebugServer implements AutoCloseable {
    /** Nanoseconds that a user does not notice. */
    private static final long LONGEST_LOOK = 300_000_000;

    private final Timeline timeline;
    private final RegisterLayout layout;
    private final TraceIndex index;
    private final Debuggee debuggee;
    private final Moments moments;
    private final DebugOptions options;
    private volatile boolean stopped;
    private volatile Session session;
    private volatile Connection connection;
    private volatile Listener listener;

    private DebugServer(Timeline timeline, TraceIndex index, DebugOptions options) {
        this.timeline = timeline;
        this.layout = Present.layout(timeline);
        this.index = index;
        this.options = options;
        this.debuggee = new Debuggee(timeline, index, options);
        this.moments = new Moments(timeline);
    }

    /**
     * Opens a trace and goes to where debugging starts.
     *
     * @throws StartException if there is no such place
     * @throws reprise.trace.TraceException if the trace cannot be read
     * @throws reprise.replay.DivergenceException if the replay on the way there is not what was recorded
     * @throws reprise.linux.LinuxException if the kernel does not allow processes to be traced
     */
    public static DebugServer open(Path trace, ReplayOptions replay, DebugOptions options) {
        TraceIndex index = new TraceIndex(trace);
        Timeline timeline = null;
        try {
            timeline = Timeline.open(trace, replay);
            return new DebugServer(timeline, index, options);
        } catch (RuntimeException e) {
            index.close();
            if (timeline != null) {
                timeline.close();
            }
            throw e instanceof RefusedException ? new StartException(e.getMessage()) : e;
        }
    }

    /** Path of the program that is debugged. */
    public String program() {
        TaskInfo task = debuggee.usual();
        return new RecordedFiles(timeline, index).program(task);
    }

    /** Whether the files that the recorded programs mapped, as far as a short look tells, are still what they were. */
    public boolean filesAreUnchanged() {
        return index.filesAreUnchanged(LONGEST_LOOK);
    }

    /** Where debugging cannot start; the message is half a sentence for the user. */
    public static final class StartException extends RuntimeException {
        private static final long serialVersionUID = 1;

        StartException(String message) {
            super(message);
        }
    }

    /** Serves clients until the last has gone, or one says that it is over, or {@link #stop}. */
    public void serve(Listener place) throws IOException, InterruptedException {
        listener = place;
        Session.End end = Session.End.LEFT;
        do {
            SocketChannel channel;
            try {
                channel = place.accept();
            } catch (ClosedChannelException e) {
                return;
            }
            try (channel) {
                end = serve(channel);
            } catch (IOException e) {
                System.err.println("reprise replay: lost a debugger: " + e.getMessage());
            }
        } while (end != Session.End.KILLED && options.keepListening() && !stopped);
    }

    private Session.End serve(SocketChannel channel) throws IOException, InterruptedException {
        Session client = new Session(timeline, layout, debuggee, index, moments, options);
        session = client;
        try (Connection line = new Connection(channel, client::interrupt)) {
            connection = line;
            if (stopped) {
                return Session.End.KILLED;
            }
            return client.serve(line);
        } finally {
            session = null;
            connection = null;
        }
    }

    /** Ends {@link #serve}. */
    public void stop() {
        stopped = true;
        try {
            Connection line = connection;
            if (line != null) {
                line.close();
            }
            Listener place = listener;
            if (place != null) {
                place.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Session client = session;
        if (client != null) {
            client.interrupt();
        }
    }

    /** Ends the replay. */
    @Override
    public void close() {
        timeline.close();
        index.close();
    }
}
