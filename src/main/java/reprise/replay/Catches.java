package reprise.replay;

import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * At which events of the recording a move stops, besides breakpoints and watchpoints.
 *
 * @param signals the signal numbers to stop at, before their delivery
 * @param syscalls the system call numbers to stop at, both inside the call before it has had an effect and after it
 * @param forks stop after a new process was made
 * @param execs stop after a program was started
 * @param exits stop before the last task of a process disappears
 */
public record Catches(IntPredicate signals, IntPredicate syscalls, boolean forks, boolean execs, boolean exits) {
    /** Nothing of the recording. */
    public static final Catches NONE = new Catches(number -> false, number -> false, false, false, false);

    private static final int MOST_NUMBERS = 1024;

    /** Whether there is a system call to stop at. */
    boolean anySyscall() {
        return IntStream.range(0, MOST_NUMBERS).anyMatch(syscalls);
    }

    /** What debuggers want to be told unless they say otherwise: all but system calls. */
    public static final Catches USUAL = new Catches(number -> true, number -> false, true, true, true);
}
