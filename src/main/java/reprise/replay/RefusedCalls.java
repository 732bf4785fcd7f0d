package reprise.replay;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import reprise.linux.SyscallNumber;
import reprise.trace.Event;
import reprise.tracee.OuterFilter;
import reprise.x86.Registers;

/**
 * What a filter around the recording refused. The recorder did not see these calls, so there are no events of them: a task
 * that comes to one gets its errno and goes on. A filter may refuse a call with some arguments only, so a call that is the
 * next event is none of these.
 */
final class RefusedCalls {
    private static final int[] ARGUMENTS = {
        Registers.RDI, Registers.RSI, Registers.RDX, Registers.R10, Registers.R8, Registers.R9
    };

    private final Map<Integer, Integer> errnos;
    private Event next;

    /** {@code errnos}: of {@link reprise.trace.TraceHeader#refusedCalls}. */
    RefusedCalls(Map<Integer, Integer> errnos) {
        this.errnos = errnos;
    }

    /** For another carrier. */
    RefusedCalls copy() {
        return new RefusedCalls(errnos);
    }

    /** The event that the carrier's task runs to. */
    void expect(Event event) {
        next = event;
    }

    /**
     * What the filter answered.
     *
     * @param registers of a task that stands behind the instruction of a call that was not made
     * @return the errno; 0 if this is not such a call
     */
    int errno(MemorySegment registers) {
        if (errnos.isEmpty()) {
            return 0;
        }
        int number = (int) Registers.get(registers, Registers.ORIG_RAX);
        int known = number >= 0 && number < SyscallNumber.LIMIT ? number : OuterFilter.UNKNOWN;
        Integer errno = errnos.get(known);
        return errno == null || isNext(registers, number) ? 0 : errno;
    }

    private boolean isNext(MemorySegment registers, int number) {
        return switch (next) {
            case Event.SyscallEnter enter -> isAt(enter.registers(), registers);
            case Event.SyscallExit exit -> exit.entryRegisters() != null && isAt(exit.entryRegisters(), registers);
            case Event.SignalDelivered signal
            when signal.point() == Event.SignalPoint.AT_SYSCALL ->
                Registers.get(signal.before(), Registers.RIP) + Registers.SYSCALL_LENGTH
                                == Registers.get(registers, Registers.RIP)
                        && Registers.get(signal.before(), Registers.RAX) == number
                        && hasArguments(signal.before(), registers);
            case Event.SignalDelivered signal
            when signal.point() == Event.SignalPoint.FAULT ->
                Registers.get(signal.before(), Registers.RIP) == Registers.get(registers, Registers.RIP)
                        && hasArguments(signal.before(), registers);
            case Event.Exec exec -> number == SyscallNumber.EXECVE || number == SyscallNumber.EXECVEAT;
            case null, default -> false;
        };
    }

    private static boolean isAt(MemorySegment recorded, MemorySegment registers) {
        return Registers.get(recorded, Registers.RIP) == Registers.get(registers, Registers.RIP)
                && Registers.get(recorded, Registers.ORIG_RAX) == Registers.get(registers, Registers.ORIG_RAX)
                && hasArguments(recorded, registers);
    }

    private static boolean hasArguments(MemorySegment recorded, MemorySegment registers) {
        for (int register : ARGUMENTS) {
            if (Registers.get(recorded, register) != Registers.get(registers, register)) {
                return false;
            }
        }
        return true;
    }
}
