package reprise.tracee;

import java.lang.foreign.MemorySegment;

/** A signal that the kernel wanted to deliver at a moment when it could not be; {@code info} is its siginfo. */
public record StashedSignal(int signal, MemorySegment info) {}
