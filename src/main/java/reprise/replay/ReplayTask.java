package reprise.replay;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.x86.Registers;

/**
 * A task of the recording. It has no kernel task of its own: while it is not its carrier's current task it consists of
 * the two blocks here.
 *
 * <p>Copies share the blocks until one of them needs its own: of a thousand threads few run between two checkpoints.
 */
final class ReplayTask {
    private final int tid;
    private final int process;
    private final Carrier carrier;
    private final int extendedStateSize;
    private MemorySegment registers;
    private MemorySegment extendedState;
    private boolean sharesRegisters;
    private boolean sharesExtendedState;
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
        this.extendedStateSize = extendedStateSize;
        this.registers = allocateRegisters();
        this.extendedState = allocateExtendedState();
    }

    private ReplayTask(ReplayTask other, Carrier carrier) {
        this.tid = other.tid;
        this.process = other.process;
        this.carrier = carrier;
        this.extendedStateSize = other.extendedStateSize;
    }

    /** The same task of a copied session, in the copy of its carrier. */
    ReplayTask copy(Carrier carrierCopy) {
        ReplayTask copy = new ReplayTask(this, carrierCopy);
        if (carrier.isCurrent(this)) {
            copy.registers = allocateRegisters().copyFrom(carrier.registers(this));
            copy.extendedState = allocateExtendedState();
            carrier.copyExtendedState(this, copy.extendedState);
        } else {
            copy.registers = registers;
            copy.extendedState = extendedState;
            sharesRegisters = true;
            sharesExtendedState = true;
            copy.sharesRegisters = true;
            copy.sharesExtendedState = true;
        }
        copy.inKernel = inKernel;
        copy.restarted = restarted;
        copy.keptOutput = keptOutput;
        copy.name = name;
        return copy;
    }

    private static MemorySegment allocateRegisters() {
        return Arena.ofAuto().allocate(Registers.SIZE, 16);
    }

    private MemorySegment allocateExtendedState() {
        return Arena.ofAuto().allocate(extendedStateSize, 64);
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

    /** Its registers as of when it was current last, which may be changed; see {@link Carrier#registers}. */
    MemorySegment savedRegisters() {
        if (sharesRegisters) {
            sharesRegisters = false;
            registers = allocateRegisters().copyFrom(registers);
        }
        return registers;
    }

    /** Its extended state as of when it was current last, to be read. */
    MemorySegment savedExtendedState() {
        return extendedState;
    }

    /** The place for its extended state, which is to be overwritten as a whole. */
    MemorySegment placeOfExtendedState() {
        if (sharesExtendedState) {
            sharesExtendedState = false;
            extendedState = allocateExtendedState();
        }
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
