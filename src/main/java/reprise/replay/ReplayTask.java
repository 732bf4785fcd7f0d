package reprise.replay;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.x86.Registers;

/**
 * A task of the recording. It has no kernel task of its own: while it is not its carrier's current task it consists of
 * the two blocks here.
 */
final class ReplayTask {
    private final Arena arena = Arena.ofAuto();
    private final int tid;
    private final MemorySegment registers = arena.allocate(Registers.SIZE, 16);
    private final MemorySegment extendedState;
    private final int process;
    private final Carrier carrier;
    private boolean inKernel;
    private boolean restarted;
    private byte[] keptOutput;
    private String name;

    /**
     * A task that has not run.
     *
     * @param process thread group it belongs to
     * @param extendedStateSize size of this machine's extended state block
     */
    ReplayTask(int tid, int process, Carrier carrier, int extendedStateSize) {
        this.tid = tid;
        this.process = process;
        this.carrier = carrier;
        this.extendedState = arena.allocate(extendedStateSize, 64);
    }

    /** The same task of a copied session, in the copy of its carrier. */
    ReplayTask copy(Carrier carrierCopy) {
        ReplayTask copy = new ReplayTask(tid, process, carrierCopy, (int) extendedState.byteSize());
        copy.registers.copyFrom(carrier.registers(this));
        carrier.copyExtendedState(this, copy.extendedState);
        copy.inKernel = inKernel;
        copy.restarted = restarted;
        copy.keptOutput = keptOutput;
        copy.name = name;
        return copy;
    }

    int tid() {
        return tid;
    }

    int process() {
        return process;
    }

    Carrier carrier() {
        return carrier;
    }

    /** Its registers as of when it was current last; see {@link Carrier#registers}. */
    MemorySegment savedRegisters() {
        return registers;
    }

    /** Its extended state as of when it was current last. */
    MemorySegment savedExtendedState() {
        return extendedState;
    }

    /** Whether it is inside a system call whose exit is a later event. */
    boolean isInKernel() {
        return inKernel;
    }

    void setInKernel(boolean inside) {
        inKernel = inside;
    }

    /** Whether its last event was a system call that the kernel would restart. */
    boolean isRestarted() {
        return restarted;
    }

    void setRestarted(boolean restart) {
        restarted = restart;
    }

    /** What the system call that it is in will write, see {@link ProgramOutput#keep}; null if nothing. */
    byte[] keptOutput() {
        return keptOutput;
    }

    void setKeptOutput(byte[] output) {
        keptOutput = output;
    }

    /** The name that it, or the task that made it, gave itself; null if none did since the program was started. */
    String name() {
        return name;
    }

    void setName(String newName) {
        name = newName;
    }
}
