package reprise.debug;

import java.util.Set;
import java.util.TreeSet;

/** What a client told of itself, and what it wants to be told. Belongs to its session. */
final class ClientFeatures {
    /** It names threads by process and thread. */
    boolean multiprocess;
    /** It knows that a stop can be by a breakpoint, and so that the program counter need not be put right. */
    boolean softwareBreakpoints;

    boolean hardwareBreakpoints;
    boolean forks;
    boolean execs;
    /** A process's end is told as SIGKILL. */
    boolean endIsSignal;
    /** Signals, by the kernel's numbers, that are no reason to stop. */
    final Set<Integer> passed = new TreeSet<>();
    /** System calls to stop at; null for none, empty for all. */
    Set<Integer> syscalls;
}
