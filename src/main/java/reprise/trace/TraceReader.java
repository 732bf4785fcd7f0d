package reprise.trace;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Reads a trace. Used by one thread at a time.
 *
 * <p>The reader accepts the longest run of good chunks from the trace's beginning, so a trace whose recorder was
 * killed, or whose disk was full, is readable to its last good chunk.
 *
 * <p>The segments in events are native memory that the reader uses again: those of one chunk stay as they are until the
 * reader has gone on two chunks further, or {@link #seek} was called. A program that keeps one longer reads other
 * bytes, but never crashes. Consecutive events are mostly in the same chunk, and never further apart than
 * neighbouring ones: what {@link #next} gave is good at least until it has been called twice more.
 */
public final class TraceReader implements AutoCloseable {
    private final Path directory;
    private final TraceHeader header;
    private final ChunkIndex index;
    private final ChunkLoader loader;
    private int chunk = -1;
    private MemorySegment events;
    private EventDecoder decoder;
    private TraceException damage;

    private TraceReader(Path directory, TraceHeader header, ChunkIndex index) {
        this.directory = directory;
        this.header = header;
        this.index = index;
        this.loader = new ChunkLoader(index);
    }

    /**
     * Opens a trace, at its first event.
     *
     * @param directory as {@link TraceDirectories#resolve} gives it, or a pack
     * @throws TraceException if it is no trace, or of a newer format
     */
    public static TraceReader open(Path directory) {
        TraceHeader header = HeaderFile.read(directory);
        return new TraceReader(directory, header, ChunkIndex.of(directory));
    }

    /** Where the trace is: its directory, or the file it was packed in. */
    public Path directory() {
        return directory;
    }

    /** What was known when the recording started. */
    public TraceHeader header() {
        return header;
    }

    /** Version of the format this trace is written in. */
    public int formatVersion() {
        return index.size() == 0 ? TraceFormat.VERSION : index.get(0).header().version();
    }

    /**
     * Sequence number of the last event that can be read; 0 if there is none. Damage may still be found on the way to
     * it.
     */
    public long lastSequence() {
        return index.last();
    }

    /** Whether the trace ends before its recording did; with the damage that was found so far. */
    public boolean truncated() {
        return index.defect() != null;
    }

    /** Why the trace is {@link #truncated}, as half a sentence; null if it is not. */
    public String truncation() {
        return index.defect();
    }

    /**
     * The next event, null behind the last.
     *
     * @throws TraceException if it makes no sense; the reader is then at the end
     */
    public Event next() {
        if (damage != null) {
            return null;
        }
        while (decoder == null || decoder.atEnd()) {
            if (!enter(chunk + 1)) {
                return null;
            }
        }
        return decode();
    }

    private Event decode() {
        try {
            ChunkHeader current = index.get(chunk).header();
            Event event = decoder.next();
            if (decoder.atEnd() != (event.header().sequence() == current.last())) {
                throw new TraceException("the trace is damaged: the chunk of event "
                        + event.header().sequence() + " does not have the events it should");
            }
            return event;
        } catch (TraceException e) {
            damage = e;
            throw e;
        } catch (OutOfMemoryError e) {
            damage = new TraceException("there is not enough memory for event " + decoder.sequence(), e);
            throw damage;
        }
    }

    /** Makes a chunk the current one; false if there is none. */
    private boolean enter(int next) {
        if (next >= index.size()) {
            return false;
        }
        events = loader.load(next);
        if (events == null) {
            index.cut(next);
            // What the decoder worked on may have been overwritten: from here on, this is the end.
            chunk = next - 1;
            decoder = null;
            return false;
        }
        chunk = next;
        decoder = new EventDecoder(events, index.get(next).header().first());
        if (next + 1 < index.size()) {
            loader.prefetch(next + 1);
        }
        return true;
    }

    /**
     * Goes to an event, which {@link #next} then gives. Segments of events read before are no longer valid.
     *
     * @param sequence 1 to {@link #lastSequence} + 1
     * @throws TraceException if there is no such event
     */
    public void seek(long sequence) {
        if (sequence < 1 || sequence > index.last() + 1) {
            throw new TraceException("the trace has no event " + sequence + ": its last is event " + index.last());
        }
        damage = null;
        if (index.size() == 0) {
            return;
        }
        int target = index.find(sequence);
        if (target == chunk && decoder != null) {
            if (sequence < decoder.sequence()) {
                decoder = new EventDecoder(events, index.get(chunk).header().first());
            }
        } else if (!enter(target)) {
            throw new TraceException("event " + sequence + " cannot be read: " + index.defect());
        }
        while (decoder.sequence() < sequence) {
            decode();
        }
    }

    @Override
    public void close() {
        loader.close();
        index.close();
        events = null;
        decoder = null;
        chunk = index.size();
    }
}
