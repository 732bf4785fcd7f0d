package reprise.replay;

import java.util.ArrayList;
import java.util.List;

/**
 * A place in a replay: an event, and what was done since. It needs no counter: following the path again from the event
 * leads to the same instant, with the same registers and memory.
 *
 * <p>Two positions that are equal are the same instant. The same instant can have several names.
 *
 * @param event sequence number of the last event that was applied; 0 before the first
 * @param path what the task whose turn it is did since; empty at the event itself
 */
public record Position(long event, List<Move> path) {
    /** A part of a path. */
    public sealed interface Move {}

    /** The task ran until it had come to an instruction {@code count} times more. */
    public record Arrive(long address, long count) implements Move {
        @Override
        public String toString() {
            return String.format("0x%x*%d", address, count);
        }
    }

    /** The task executed {@code count} more instructions; a repeated string instruction is one. */
    public record Step(long count) implements Move {
        @Override
        public String toString() {
            return Long.toString(count);
        }
    }

    /** The task ran until it stood at what the next event says of it: inside its system call, or at its fault. */
    public record ToEvent() implements Move {
        @Override
        public String toString() {
            return "e";
        }
    }

    /** The task ran until what a watchpoint watches had been accessed {@code count} times more. */
    public record Trigger(long address, int length, Watch.Access access, long count) implements Move {
        @Override
        public String toString() {
            return String.format("w0x%x/%d/%d*%d", address, length, access.ordinal(), count);
        }
    }

    /** The task ran to an instant in mid-computation that is kept under a number, see {@link Timeline}. */
    public record Mark(long number) implements Move {
        @Override
        public String toString() {
            return "m" + number;
        }
    }

    public Position {
        path = List.copyOf(path);
    }

    /** The place right after an event. */
    public Position(long event) {
        this(event, List.of());
    }

    /** Whether nothing has run since the event. */
    public boolean isAtEvent() {
        return path.isEmpty();
    }

    /** The event's number, and behind it the path's parts, each after a plus sign. {@link #parse} reads it. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder().append(event);
        path.forEach(move -> text.append('+').append(move));
        return text.toString();
    }

    /**
     * The position that {@link #toString} wrote.
     *
     * @throws IllegalArgumentException if the text is none
     */
    public static Position parse(String text) {
        String[] parts = text.split("\\+", -1);
        List<Move> path = new ArrayList<>();
        for (int i = 1; i < parts.length; i++) {
            path.add(move(parts[i]));
        }
        return new Position(Long.parseLong(parts[0]), path);
    }

    private static Move move(String text) {
        if (text.equals("e")) {
            return new ToEvent();
        }
        if (text.startsWith("m")) {
            return new Mark(Long.parseLong(text.substring(1)));
        }
        int star = text.indexOf('*');
        if (text.startsWith("w0x") && star > 0) {
            String[] parts = text.substring(3, star).split("/", -1);
            return new Trigger(
                    Long.parseUnsignedLong(parts[0], 16),
                    Integer.parseInt(parts[1]),
                    Watch.Access.values()[Integer.parseInt(parts[2])],
                    Long.parseLong(text, star + 1, text.length(), 10));
        }
        if (text.startsWith("0x") && star > 0) {
            return new Arrive(
                    Long.parseUnsignedLong(text, 2, star, 16), Long.parseLong(text, star + 1, text.length(), 10));
        }
        return new Step(Long.parseLong(text));
    }
}
