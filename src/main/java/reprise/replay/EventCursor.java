package reprise.replay;

import reprise.trace.Event;
import reprise.trace.TraceReader;

/** Gives the events of a trace by number; cheap where the next one is asked for, or the same again. */
final class EventCursor {
    private final TraceReader reader;
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
        if (wanted != sequence) {
            if (wanted > reader.lastSequence()) {
                return null;
            }
            if (wanted != sequence + 1) {
                reader.seek(wanted);
            }
            event = reader.next();
            sequence = event == null ? -1 : wanted;
        }
        return event;
    }
}
