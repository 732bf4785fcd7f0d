package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Wait;
import reprise.trace.Event;
import reprise.x86.Registers;
import reprise.x86.VectorState;

/**
 * Finds an instant that the recording named by its state: runs the carrier from one execution of the instruction to
 * the next until registers and memory are those recorded.
 */
final class PointSearch {
    /** Set by the kernel in eflags so that a breakpoint is not hit twice. */
    private static final long RESUME_FLAG = 1 << 16;

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
        if (isThere(point, carrier)) {
            return;
        }
        int tid = carrier.tid();
        Ptrace.setDebugRegister(tid, 0, Registers.get(point.registers(), Registers.RIP));
        Ptrace.setDebugRegister(tid, 7, 1);
        long hits = 0;
        try {
            while (true) {
                int status = carrier.run();
                if (Wait.isSyscallStop(status) || Wait.stopSignal(status) != Signal.SIGTRAP) {
                    throw new Mismatch("The recorded instant was not found: after " + hits
                            + " executions of its instruction the task is " + Wait.describe(status) + ".\n");
                }
                hits++;
                if (isThere(point, carrier)) {
                    return;
                }
            }
        } finally {
            Ptrace.setDebugRegister(tid, 7, 0);
        }
    }

    /** Whether the task that is loaded in the carrier stands at the instant. */
    boolean isThere(Event.ExecutionPoint point, Carrier carrier) {
        MemorySegment registers = carrier.tracee().registers();
        for (int register = 0; register < Registers.SIZE; register += 8) {
            long recorded = point.registers().get(JAVA_LONG, register);
            long seen = registers.get(JAVA_LONG, register);
            if (register == Registers.EFLAGS) {
                recorded &= ~RESUME_FLAG;
                seen &= ~RESUME_FLAG;
            }
            if (recorded != seen && register != Registers.ORIG_RAX) {
                return false;
            }
        }
        long size = carrier.tracee().extendedState(extendedState);
        return VectorState.hash(extendedState.asSlice(0, size)) == point.vectorHash()
                && memory.matches(point.pages(), point.hashes(), carrier.tracee());
    }
}
