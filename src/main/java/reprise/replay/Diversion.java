package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.x86.Registers;

/**
 * A copy of a process in which registers and memory may be changed and code run, for functions that a debugger calls. It
 * leaves the timeline as it is. System calls that only concern the copy itself are performed, those that write to standard
 * output and error too; all others answer ENOSYS. Other threads do not run.
 *
 * <p>Belongs to the timeline's thread.
 */
public final class Diversion implements AutoCloseable {
    private final Playback copy;
    private final ReplayTask task;
    private final Carrier carrier;
    private final RunTimer timer;
    private final Stepper stepper = new Stepper();
    private final DivertedCalls calls;
    private final MemorySegment info = Arena.ofAuto().allocate(Ptrace.SIGINFO_SIZE, 8);
    private Armed armed = Armed.NOTHING;

    /** Takes over {@code copy}; {@code registers} are those of the task as a debugger sees them. */
    Diversion(Playback copy, int tid, MemorySegment registers, RunTimer timer) {
        this.copy = copy;
        this.task = copy.session().task(tid);
        this.carrier = task.carrier();
        this.timer = timer;
        this.calls = new DivertedCalls(task);
        carrier.arrived(0);
        carrier.load(task);
        carrier.setRegisters(task, registers);
        carrier.allowCounterReads();
    }

    /** The task whose registers it has. */
    public int tid() {
        return task.tid();
    }

    /** Copies the general registers. */
    public void registers(MemorySegment into) {
        MemorySegment.copy(carrier.registers(task), 0, into, 0, Registers.SIZE);
        Registers.set(into, Registers.EFLAGS, Registers.get(into, Registers.EFLAGS) & ~Stepper.RESUME_FLAG);
    }

    /** Replaces the general registers. */
    public void setRegisters(MemorySegment from) {
        carrier.setRegisters(task, from);
    }

    /** Copies the extended state; returns its size. */
    public long extendedState(MemorySegment into) {
        carrier.copyExtendedState(task, into.asSlice(0, carrier.extendedStateSize()));
        return carrier.extendedStateSize();
    }

    /** Replaces the extended state. */
    public void setExtendedState(MemorySegment from) {
        carrier.setExtendedState(task, from);
    }

    /** Copies memory; returns the bytes up to the first unreadable page. */
    public long readMemory(long address, MemorySegment into, long length) {
        long count = carrier.tracee().read(address, into, length);
        carrier.breakpoints().hide(address, into, count);
        return count;
    }

    /** Writes memory; whether all of it could be written. */
    public boolean writeMemory(long address, MemorySegment from, long length) {
        carrier.breakpoints().removeSoftware();
        return carrier.tracee().write(address, from, length);
    }

    /** Stops at an instruction. */
    public void insertBreakpoint(long address) {
        armed = armed.with(address);
    }

    /** Takes a breakpoint away. */
    public void removeBreakpoint(long address) {
        armed = armed.without(address);
    }

    /**
     * Runs to a breakpoint, a fault ({@link Stop.Signal}), its exit ({@link Stop.Exit}) or an interruption. A breakpoint where
     * it stands does not stop it.
     */
    public Stop resume() {
        timer.setInterruptible(true);
        try {
            carrier.breakpoints().plant(armed);
            if (carrier.breakpoints().hasSoftware(address())) {
                Stop stop = step();
                if (!(stop instanceof Stop.Stepped) || armed.has(address())) {
                    return stop instanceof Stop.Stepped ? new Stop.Breakpoint(tid(), address()) : stop;
                }
            }
            Stop stop;
            do {
                stop = run();
            } while (stop == null);
            return stop;
        } finally {
            timer.setInterruptible(false);
        }
    }

    private Stop run() {
        if (timer.takeInterrupt()) {
            return new Stop.Interrupted(tid());
        }
        carrier.breakpoints().plant(armed);
        Stepper.depart(carrier, armed, address());
        timer.begin(carrier.tid(), 0);
        int status;
        try {
            status = carrier.resume(Ptrace.SYSEMU);
        } finally {
            timer.end();
        }
        if (stepper.isForeign(carrier, status)) {
            return null;
        }
        if (stepper.isOurTrap(carrier, status)) {
            return armed.has(address()) ? new Stop.Breakpoint(tid(), address()) : null;
        }
        if (!Wait.isSyscallStop(status)
                && Wait.stopSignal(status) == Signal.SIGTRAP
                && carrier.breakpoints().hasSoftware(address() - 1)) {
            carrier.tracee().set(Registers.RIP, address() - 1);
            return new Stop.Breakpoint(tid(), address());
        }
        return ended(status);
    }

    private long address() {
        return carrier.tracee().get(Registers.RIP);
    }

    /** Executes one instruction. */
    public Stop step() {
        int status = stepper.step(carrier, armed);
        Stop stop = status == 0 ? null : ended(status);
        return stop == null ? new Stop.Stepped(tid()) : stop;
    }

    /** A system call, which is dealt with, or a fault. */
    private Stop ended(int status) {
        if (!Wait.isSyscallStop(status)) {
            Ptrace.getSignalInfo(carrier.tid(), info);
            return new Stop.Signal(tid(), Wait.stopSignal(status), info.toArray(JAVA_BYTE), true);
        }
        int number = (int) carrier.tracee().get(Registers.ORIG_RAX);
        if (number == SyscallNumber.EXIT || number == SyscallNumber.EXIT_GROUP) {
            int code = (int) carrier.tracee().get(Registers.RDI) & 0xff;
            return new Stop.Exit(tid(), task.process(), code << 8);
        }
        carrier.tracee().set(Registers.RAX, calls.perform(number));
        carrier.tracee().set(Registers.ORIG_RAX, -1);
        return null;
    }

    /** Ends the copy. */
    @Override
    public void close() {
        copy.close();
    }
}
