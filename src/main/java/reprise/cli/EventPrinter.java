package reprise.cli;

import reprise.trace.Event;

/** Something that {@code reprise dump} makes of events. It must not keep them: a trace can be larger than memory. */
interface EventPrinter {
    /** Takes the next event. */
    void accept(Event event);

    /** There are no more. */
    default void finish() {}
}
