package reprise.replay;

import java.lang.foreign.MemorySegment;

/**
 * A copy of a process in which registers and memory may be changed and code run, for functions that a debugger calls. It
 * leaves the timeline as it is. System calls that only concern the copy itself are performed, those that write to standard
 * output and error too; all others answer ENOSYS.
 *
 * <p>Belongs to the timeline's thread.
 */
public final class Diversion implements AutoCloseable {
    Diversion() {}

    /** The task whose registers it has. */
    public int tid() {
        throw new UnsupportedOperationException();
    }

    /** Copies the general registers. */
    public void registers(MemorySegment into) {
        throw new UnsupportedOperationException();
    }

    /** Replaces the general registers. */
    public void setRegisters(MemorySegment from) {
        throw new UnsupportedOperationException();
    }

    /** Copies the extended state; returns its size. */
    public long extendedState(MemorySegment into) {
        throw new UnsupportedOperationException();
    }

    /** Replaces the extended state. */
    public void setExtendedState(MemorySegment from) {
        throw new UnsupportedOperationException();
    }

    /** Copies memory; returns the bytes up to the first unreadable page. */
    public long readMemory(long address, MemorySegment into, long length) {
        throw new UnsupportedOperationException();
    }

    /** Writes memory; whether all of it could be written. */
    public boolean writeMemory(long address, MemorySegment from, long length) {
        throw new UnsupportedOperationException();
    }

    /** Stops at an instruction. */
    public void insertBreakpoint(long address) {
        throw new UnsupportedOperationException();
    }

    /** Takes a breakpoint away. */
    public void removeBreakpoint(long address) {
        throw new UnsupportedOperationException();
    }

    /** Runs to a breakpoint, a fault ({@link Stop.Signal}), its exit ({@link Stop.Exit}) or an interruption. */
    public Stop resume() {
        throw new UnsupportedOperationException();
    }

    /** Executes one instruction. */
    public Stop step() {
        throw new UnsupportedOperationException();
    }

    /** Ends the copy. */
    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
