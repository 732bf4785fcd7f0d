package reprise.record;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import reprise.linux.Ptrace;
import reprise.x86.Registers;

/** What the tracer that a recorded task has in the recording asked of it, and where that stands. Owned by {@link EmulatedPtrace}. */
final class EmulatedTracee {
    final RecordedTask tracer;
    /** By PTRACE_SEIZE, not PTRACE_ATTACH or PTRACE_TRACEME. */
    final boolean seized;
    /** PTRACE_O_ bits. */
    int options;
    /** Where it stands for its tracer; null while it goes on. */
    EmulatedStop stop;
    /** Stops that come before it executes another instruction. */
    final ArrayDeque<EmulatedStop> due = new ArrayDeque<>(2);
    /** The request with which it was resumed last. */
    int how = Ptrace.CONT;
    /** The signal with which it was resumed last, 0 for none. */
    int signal;
    /** Whether it left a system call, and has not yet shown that. */
    boolean exitDue;
    /** Whether PTRACE_INTERRUPT was asked for and not yet answered. */
    boolean interruptWanted;
    /** Whether PTRACE_LISTEN leaves it in its group stop. */
    boolean listening;
    /** The signal of a group stop that begins at the next named instant; 0 if none. */
    int groupSignal;
    /** Whether a signal goes to the task without a stop, because its tracer sent it. */
    int passing;
    /** Whether its tracer saw it die. */
    boolean dying;
    /** Whether the tracer changed registers in the present stop. */
    boolean changed;
    /** Whether it changed the extended state. */
    boolean extendedChanged;
    /** Registers at the present stop, before they were changed. */
    final MemorySegment before = Arena.ofAuto().allocate(Registers.SIZE, 16);
    /** The debug registers as its tracer set them; null if it set none. */
    long[] debugRegisters;

    EmulatedTracee(RecordedTask tracer, boolean seized, int options) {
        this.tracer = tracer;
        this.seized = seized;
        this.options = options;
    }

    boolean has(int option) {
        return (options & option) != 0;
    }
}
