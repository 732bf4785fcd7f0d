package reprise.debug;

import java.util.function.Function;
import reprise.trace.Event;

/**
 * How a replay is debugged.
 *
 * @param process which one, and so where the replay begins
 * @param start where the debugger finds the replay, by the text of a {@code seek} command; null: where the process begins
 * @param keepListening wait for the next client when one has gone
 * @param endIsSignal tell the client of a process's end by SIGKILL, as rr does and front ends expect, and not by the end
 *     of history, which says a person more
 * @param eventText prints an event for people, ending in a line feed
 */
public record DebugOptions(
        ProcessChoice process,
        String start,
        boolean keepListening,
        boolean endIsSignal,
        Function<Event, String> eventText) {

    /** Which process is debugged. */
    public sealed interface ProcessChoice {}

    /** The recording's first, or whose turn it is where the replay is started. */
    public record First() implements ProcessChoice {}

    /** The one with this id, from when it executes a program. */
    public record Executed(int process) implements ProcessChoice {}

    /** The one with this id, from when it was forked. */
    public record Forked(int process) implements ProcessChoice {}

    /** The first that executes a program of this name or path. */
    public record Named(String program) implements ProcessChoice {}
}
