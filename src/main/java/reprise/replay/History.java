package reprise.replay;

import java.nio.file.Path;
import java.util.List;
import reprise.trace.Event;
import reprise.trace.TraceReader;

/** All that a timeline goes back to: the events, checkpoints, marks; and the ways from there to any position. */
final class History implements AutoCloseable {
    /** Time between two checkpoints on the way, in nanoseconds. */
    private static final long INTERVAL = 100_000_000;
    /** Checkpoints are not to take more than one part in this of all time. */
    private static final int SHARE = 20;

    /** Checkpoints on a way that is counted are this far from its end, and 4, 16... times as far. */
    private static final int LEFT = 16;

    /** Arrivals that take longer with a stop at each than to go the way twice. */
    private static final int MANY = 2000;

    private final TraceReader reader;
    private final TraceReader lookupReader;
    private final EventCursor events;
    private final EventCursor lookup;
    private final RunTimer timer = new RunTimer();
    private final Marks marks = new Marks();
    private final Checkpoints checkpoints = new Checkpoints();
    private long lastCheckpoint = System.nanoTime();
    private long copyTime;

    History(Path directory, ReplayOptions options) {
        reader = TraceReader.open(directory);
        lookupReader = TraceReader.open(directory);
        events = new EventCursor(reader);
        lookup = new EventCursor(lookupReader);
        RefusedCalls refused = new RefusedCalls(reader.header().refusedCalls());
        Playback root = new Playback(new ReplaySession(directory, refused, options), events, timer);
        checkpoints.add(root, true, root);
    }

    RunTimer timer() {
        return timer;
    }

    Marks marks() {
        return marks;
    }

    Checkpoints checkpoints() {
        return checkpoints;
    }

    /** Sequence number of the last event. */
    long lastEvent() {
        return events.last();
    }

    /** An event to look at; those of playbacks stay valid. */
    Event event(long sequence) {
        return lookup.at(sequence);
    }

    /** A playback at a position, from the nearest checkpoint. */
    Playback open(Position position) {
        Playback playback = copy(checkpoints.nearest(position));
        follow(playback, position, true);
        return playback;
    }

    /** Copies a playback, and notes what that costs. */
    Playback copy(Playback original) {
        long start = System.nanoTime();
        Playback copy = original.copy();
        copyTime = (copyTime * 7 + System.nanoTime() - start) / 8;
        return copy;
    }

    /**
     * Moves a playback forward to a position.
     *
     * @param back whether this is a way back in time: more of it may follow, so checkpoints are made close to the end
     */
    void follow(Playback playback, Position position, boolean back) {
        while (playback.event() < position.event()) {
            Halt halt = playback.proceed(Playback.UNARMED, Playback.NOBODY, 0);
            if (halt == Halt.END) {
                throw new IllegalArgumentException("the trace has no event " + position.event());
            }
            if (halt == Halt.APPLIED) {
                long left = position.event() - playback.event();
                boolean close = back && (left == 0 || left <= 4096 && isPowerOfFour(left));
                if (close && !checkpoints.hasEvent(playback.event())) {
                    addCheckpoint(playback, false);
                } else {
                    consider(playback);
                }
            }
        }
        Follower follower = new Follower(playback.route().remaining(position.path()), marks);
        while (!follower.isDone()) {
            if (follower.skip(playback, Math.max(LEFT, powerOfFourBelow(follower.left())))) {
                addCheckpoint(playback, false);
                continue;
            }
            Halt halt =
                    playback.proceed(process -> follower.arm(Armed.NOTHING, process), tid -> follower.isSingle(), 0);
            follower.see(playback, halt);
            boolean counts = halt == Halt.STEPPED || halt == Halt.ADDRESS;
            if (counts && follower.left() >= LEFT && isPowerOfFour(follower.left())) {
                playback.settle(halt);
                addCheckpoint(playback, false);
            }
        }
        if (!position.isAtEvent()) {
            playback.route().rename(position.path());
        }
    }

    /**
     * Makes checkpoints shortly before a position that is many arrivals away, which are counted without a stop at each: for who
     * looks for what is right before it, and would have to stop.
     *
     * @return whether it was far enough
     */
    boolean approach(Playback from, Position to) {
        List<Position.Move> way = from.event() == to.event() ? from.route().remaining(to.path()) : to.path();
        boolean many = way != null
                && way.stream().anyMatch(move -> move instanceof Position.Arrive arrive && arrive.count() >= MANY);
        if (many) {
            try (Playback playback = copy(from)) {
                follow(playback, to, true);
            }
        }
        return many;
    }

    private static long powerOfFourBelow(long number) {
        int bits = 63 - Long.numberOfLeadingZeros(Math.max(1, number - 1));
        return 1L << (bits & ~1);
    }

    private static boolean isPowerOfFour(long number) {
        return Long.bitCount(number) == 1 && Long.numberOfTrailingZeros(number) % 2 == 0;
    }

    /** Makes a checkpoint if the last one was long ago. To be asked where an event was applied. */
    void consider(Playback playback) {
        long now = System.nanoTime();
        if (now - lastCheckpoint > Math.max(INTERVAL, SHARE * copyTime) && !checkpoints.hasEvent(playback.event())) {
            addCheckpoint(playback, false);
        }
    }

    /** Makes a checkpoint. */
    void addCheckpoint(Playback playback, boolean kept) {
        checkpoints.add(copy(playback), kept, playback);
        lastCheckpoint = System.nanoTime();
    }

    /** Makes a checkpoint where a long computation was stopped that nothing names. */
    void addMark(Playback playback) {
        Playback copy = copy(playback);
        copy.route().marked(marks.add(playback));
        checkpoints.add(copy, false, playback);
        lastCheckpoint = System.nanoTime();
    }

    @Override
    public void close() {
        checkpoints.close();
        timer.close();
        lookupReader.close();
        reader.close();
    }
}
