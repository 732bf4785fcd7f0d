package reprise.replay;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Wait;
import reprise.trace.Event;
import reprise.tracee.Tracee;
import reprise.x86.Registers;

/**
 * Finds an instant that the recording named by its state: runs the carrier from one execution of the instruction to
 * the next until registers and memory are those recorded.
 *
 * <p>First with a breakpoint, which costs ten microseconds at each execution and tells in what the states differ; if the
 * instruction is executed more often, with a {@link PlantedProbe probe} that compares without stopping.
 */
final class PointSearch {
    /** Executions looked at with the breakpoint: about what it costs to plant a probe. */
    private static final int LEARNED = 20;

    /** How often a probe is planted in code that is written again and again. */
    private static final int ATTEMPTS = 100;

    private final MemorySegment extendedState = Arena.ofAuto().allocate(65536, 64);
    private final MemoryCheck memory;

    PointSearch(MemoryCheck memory) {
        this.memory = memory;
    }

    /**
     * Runs a carrier, in which the task is loaded, to the instant.
     *
     * @throws Mismatch if it comes to a system call or faults before
     */
    void find(Event.ExecutionPoint point, Carrier carrier) {
        PointState wanted = new PointState(point, memory, extendedState);
        search(wanted, carrier);
        Tracee tracee = carrier.tracee();
        tracee.set(Registers.EFLAGS, tracee.get(Registers.EFLAGS) & ~PointState.RESUME_FLAG);
    }

    /** Plants a probe for an instant, at whose instruction the carrier stands; null if that is not possible there. */
    PlantedProbe plant(Event.ExecutionPoint point, Carrier carrier) {
        return PlantedProbe.plantInvisible(carrier, new PointState(point, memory, extendedState));
    }

    private static void search(PointState wanted, Carrier carrier) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            if (isThere(wanted, carrier) || withBreakpoint(wanted, carrier, LEARNED)) {
                return;
            }
            PlantedProbe probe = PlantedProbe.plant(carrier, wanted);
            if (probe == null) {
                break;
            }
            if (withProbe(wanted, carrier, probe)) {
                return;
            }
        }
        withBreakpoint(wanted, carrier, Long.MAX_VALUE);
    }

    /** Whether the instant is one of the next {@code most} executions; if not, the carrier stands at the last of them. */
    private static boolean withBreakpoint(PointState wanted, Carrier carrier, long most) {
        int tid = carrier.tid();
        Ptrace.setDebugRegister(tid, 0, wanted.site());
        Ptrace.setDebugRegister(tid, 7, 1);
        try {
            for (long hits = 0; hits < most; hits++) {
                int status = carrier.run();
                if (Wait.isSyscallStop(status) || Wait.stopSignal(status) != Signal.SIGTRAP) {
                    throw notFound(hits + " executions of its instruction", status);
                }
                if (isThere(wanted, carrier)) {
                    return true;
                }
                if (hits < LEARNED) {
                    wanted.learn(carrier.tracee());
                }
            }
            return false;
        } finally {
            Ptrace.setDebugRegister(tid, 7, 0);
        }
    }

    /** Returns false if the program wrote to its code, so that the probe had to go. */
    private static boolean withProbe(PointState wanted, Carrier carrier, PlantedProbe probe) {
        long lookalikes = 0;
        try {
            while (true) {
                int status = carrier.run();
                if (!Wait.isSyscallStop(status) && probe.triggered()) {
                    // The code may be part of the memory that is compared.
                    probe.hide();
                    if (isThere(wanted, carrier)) {
                        return true;
                    }
                    probe.show();
                    lookalikes++;
                    probe.pass();
                } else if (!Wait.isSyscallStop(status) && probe.isAboutToBeWritten(status)) {
                    return false;
                } else if (Wait.isSyscallStop(status) || !probe.redirected()) {
                    throw notFound(lookalikes + " executions of its instruction with its registers and probes", status);
                }
            }
        } finally {
            probe.remove();
        }
    }

    /** Whether the task that is loaded in the carrier stands at the instant. */
    boolean isThere(Event.ExecutionPoint point, Carrier carrier) {
        return isThere(new PointState(point, memory, extendedState), carrier);
    }

    /** Whether the task that is loaded in the carrier stands at an instant that need not be one of the recording's. */
    boolean isThere(Marks.Mark mark, Carrier carrier) {
        return carrier.buffer().remaining() == mark.remaining()
                && new PointState(mark.point(), memory, extendedState).matches(carrier.tracee());
    }

    /** Not as long as there are buffered calls to come: the state does not tell how many were made. */
    private static boolean isThere(PointState wanted, Carrier carrier) {
        return carrier.buffer().isEmpty() && wanted.matches(carrier.tracee());
    }

    private static Mismatch notFound(String after, int status) {
        return new Mismatch(
                "The recorded instant was not found: after " + after + " the task is " + Wait.describe(status) + ".\n");
    }
}
