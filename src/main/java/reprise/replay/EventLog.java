package reprise.replay;

import reprise.trace.Event;

/** The last few events, for reports. Keeps numbers only: the events' memory is the reader's and goes away. */
final class EventLog {
    private static final int SIZE = 10;

    private final Event.Header[] headers = new Event.Header[SIZE];
    private final Class<?>[] kinds = new Class<?>[SIZE];
    private final int[] numbers = new int[SIZE];
    private final long[] results = new long[SIZE];
    private int next;

    void add(Event event) {
        headers[next] = event.header();
        kinds[next] = event.getClass();
        numbers[next] = number(event);
        results[next] = result(event);
        next = (next + 1) % SIZE;
    }

    static int number(Event event) {
        return switch (event) {
            case Event.SyscallExit exit -> exit.number();
            case Event.SignalDelivered signal -> signal.signal();
            default -> -1;
        };
    }

    static long result(Event event) {
        return switch (event) {
            case Event.SyscallExit exit -> exit.result();
            case Event.SignalDelivered signal -> signal.point().ordinal();
            case Event.TaskExit exit -> exit.waitStatus();
            default -> 0;
        };
    }

    /** Appends one line per event, oldest first. */
    void appendTo(StringBuilder text) {
        for (int i = 0; i < SIZE; i++) {
            int at = (next + i) % SIZE;
            Event.Header header = headers[at];
            if (header == null) {
                continue;
            }
            text.append(String.format("  %8d  task %-7d ", header.sequence(), header.tid()));
            text.append(EventNames.describe(kinds[at], numbers[at], results[at]))
                    .append('\n');
        }
    }
}
