package reprise.replay;

import java.util.ArrayList;
import reprise.trace.Event;
import reprise.trace.TraceReader;

/** Gives the events of a trace by number; cheap where the next one is asked for, the one before, or the same again. */
final class EventCursor {
    /** Events that are read at once where one goes backwards: the reader can only go forwards, from the beginning of a chunk. */
    private static final int BLOCK = 1024;

    private final TraceReader reader;
    /** The events that end with the one at which the reader is; empty where one goes forwards. */
    private final ArrayList<Event> block = new ArrayList<>();
    /** Sequence number of the first of them. */
    private long blockStart;

    private long sequence = -1;
    private Event event;

    EventCursor(TraceReader reader) {
        this.reader = reader;
    }

    /** Sequence number of the last event. */
    long last() {
        return reader.lastSequence();
    }

    /** The event of a number from 1 on; null behind the last. Its segments are valid until another is asked for. */
    Event at(long wanted) {
        if (wanted == sequence) {
            return event;
        }
        if (wanted > reader.lastSequence()) {
            return null;
        }
        if (wanted == sequence - 1 && sequence > 1) {
            backwards(wanted);
        } else {
            forwards(wanted);
        }
        sequence = event == null ? -1 : wanted;
        return event;
    }

    private void backwards(long wanted) {
        if (block.isEmpty() || wanted < blockStart) {
            block.clear();
            blockStart = Math.max(1, wanted - BLOCK + 1);
            reader.seek(blockStart);
            for (long at = blockStart; at <= wanted; at++) {
                block.add(reader.next());
            }
        }
        event = block.get((int) (wanted - blockStart));
    }

    private void forwards(long wanted) {
        if (wanted != sequence + 1 || !block.isEmpty()) {
            block.clear();
            reader.seek(wanted);
        }
        event = reader.next();
    }
}
