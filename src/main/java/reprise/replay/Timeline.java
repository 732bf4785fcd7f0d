package reprise.replay;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;

/**
 * A recording on which one moves in both directions.
 *
 * <p>All is done by the thread that opened it, which becomes the tracer of the processes that execute the replay; only
 * {@link #interrupt} may be called by others. What is replayed is one sequence: between two events it is the task of the
 * later one that runs. Every method may throw {@link DivergenceException}.
 */
public final class Timeline implements AutoCloseable {
    private Timeline() {}

    /** Opens a trace; the timeline stands right after the first program's start. */
    public static Timeline open(Path directory, ReplayOptions options) {
        throw new UnsupportedOperationException();
    }

    // ---- where ----

    /** The present. */
    public Position position() {
        throw new UnsupportedOperationException();
    }

    /** Time from the recording's start to the last applied event, in nanoseconds. */
    public long nanos() {
        throw new UnsupportedOperationException();
    }

    /** Sequence number of the trace's last event. */
    public long lastEvent() {
        throw new UnsupportedOperationException();
    }

    // ---- what there is ----

    /** The tasks that are alive, by tid. */
    public List<TaskInfo> tasks() {
        throw new UnsupportedOperationException();
    }

    /** The task that has its turn at the present: the one that the next event is about; 0 behind the last. */
    public int currentTask() {
        throw new UnsupportedOperationException();
    }

    /** Copies a task's general registers: {@code user_regs_struct}, 216 bytes. */
    public void registers(int tid, MemorySegment into) {
        throw new UnsupportedOperationException();
    }

    /** Copies a task's extended state in XSAVE's standard form; returns its size in bytes, at most 64 KB. */
    public long extendedState(int tid, MemorySegment into) {
        throw new UnsupportedOperationException();
    }

    /** Copies memory of a task's process, without breakpoints; returns the bytes up to the first unreadable page. */
    public long readMemory(int tid, long address, MemorySegment into, long length) {
        throw new UnsupportedOperationException();
    }

    /** What a task's process has mapped, ascending, with the names of the recording. */
    public List<MemoryRegion> mappings(int tid) {
        throw new UnsupportedOperationException();
    }

    /** The auxiliary vector that a task's program was started with. */
    public byte[] auxiliaryVector(int tid) {
        throw new UnsupportedOperationException();
    }

    // ---- where to stop ----

    /** Stops tasks of a process at an instruction. Doing it again changes nothing. */
    public void insertBreakpoint(int process, long address) {
        throw new UnsupportedOperationException();
    }

    /** Takes a breakpoint away, if it is there. */
    public void removeBreakpoint(int process, long address) {
        throw new UnsupportedOperationException();
    }

    /** Watches memory; false if the processor has no room for it. */
    public boolean insertWatchpoint(Watch watch) {
        throw new UnsupportedOperationException();
    }

    /** Takes a watchpoint away, if it is there. */
    public void removeWatchpoint(Watch watch) {
        throw new UnsupportedOperationException();
    }

    /** What moves stop at besides breakpoints and watchpoints; {@link Catches#USUAL} at first. */
    public void setCatches(Catches catches) {
        throw new UnsupportedOperationException();
    }

    // ---- moving ----

    /**
     * Runs on. A breakpoint at the instruction on which the task of the last stop stands does not stop it.
     */
    public Stop resume() {
        throw new UnsupportedOperationException();
    }

    /**
     * Lets a task execute one instruction; a system call is done with all that comes with it. Other tasks run as recorded
     * until it is the task's turn, and can stop the move before it.
     */
    public Stop step(int tid) {
        throw new UnsupportedOperationException();
    }

    /** Steps a task until it is outside [{@code from}, {@code to}), or at a breakpoint, or something else stops it. */
    public Stop stepOutOf(int tid, long from, long to) {
        throw new UnsupportedOperationException();
    }

    /** Goes back to the last stop before the present. */
    public Stop reverseResume() {
        throw new UnsupportedOperationException();
    }

    /** Goes back to the instant at which a task was about to execute the last instruction that it executed. */
    public Stop reverseStep(int tid) {
        throw new UnsupportedOperationException();
    }

    /** Steps a task back until it is outside [{@code from}, {@code to}), or at a breakpoint, or something else stops it. */
    public Stop reverseStepOutOf(int tid, long from, long to) {
        throw new UnsupportedOperationException();
    }

    /** Ends the move in progress, or the next one, with {@link Stop.Interrupted}. For other threads. */
    public void interrupt() {
        throw new UnsupportedOperationException();
    }

    /** Goes to a position; one that was never reached in this timeline must be the place right after an event. */
    public void seek(Position position) {
        throw new UnsupportedOperationException();
    }

    /** Goes to the place right after the first program's start. */
    public void seekToStart() {
        throw new UnsupportedOperationException();
    }

    /** Goes behind the last event at which a task is alive. */
    public void seekToEnd() {
        throw new UnsupportedOperationException();
    }

    /** Keeps the present, so that {@link #seek} to its position is fast, until {@link #forget}. */
    public Position keep() {
        throw new UnsupportedOperationException();
    }

    /** Undoes {@link #keep}. */
    public void forget(Position position) {
        throw new UnsupportedOperationException();
    }

    /** A copy of a task's process at the present, in which anything may be done. */
    public Diversion divert(int tid) {
        throw new UnsupportedOperationException();
    }

    /** Ends the processes that execute the replay. */
    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
