package reprise.record;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.syscall.CallView;
import reprise.syscall.OutputPlan;
import reprise.trace.Event;
import reprise.tracee.MemoryReader;
import reprise.tracee.Tracee;
import reprise.x86.Registers;

/** A recorded thread: its tracee, the system call it is in, and where it stands in the schedule. */
final class RecordedTask implements CallView {
    enum State {
        /** In user code, or in a call that cannot block; its domain waits for it. */
        RUNNING,
        /** In a call that may block. */
        IN_CALL,
        /** Stopped; its turn will come. */
        READY,
        /** In a group stop. */
        GROUP_STOPPED,
        /** Stopped for its tracer in the recording, until that resumes it. */
        TRACE_STOPPED,
        /** Past its exit event. */
        EXITING
    }

    /** Whether a task waits in a loop for something that another task has to do. */
    enum Spinning {
        NO,
        /** The loop uses memory that it does not change, and counts in memory at most. */
        MAYBE,
        /** It changes nothing: it can end only by what others do. Or others had changed what it uses when it was seen again. */
        YES
    }

    /** No status is pending; once it is the task's turn, it just goes on. */
    static final int GO_ON = 0;

    /** In place of a pending status: its tracer in the recording resumed it. No wait status is negative. */
    static final int RESUMED = -1;

    private final Arena arena = Arena.ofAuto();
    final Tracee tracee;
    final OutputPlan plan = new OutputPlan();
    /** Registers at the entry of the call in flight. */
    final MemorySegment entry = arena.allocate(Registers.SIZE, 16);
    /** Registers right after the last event, with which it was resumed. */
    final MemorySegment resumed = arena.allocate(Registers.SIZE, 16);

    /** Eight bytes for what is read from its memory for a moment. */
    final MemorySegment word = arena.allocate(8, 8);

    RecordedProcess process;
    Domain domain;
    State state = State.RUNNING;
    /** Wait status that waits for the task's turn, or {@link #GO_ON}. */
    int pendingStatus;

    /** Whether it is between the entry and the exit of a call. */
    boolean inCall;
    /** Number of the call in flight, or of the last; programs may use any number, negative ones too. */
    int call = -1;
    /** Whether rdtsc shall raise SIGSEGV, as the program asked with PR_SET_TSC. */
    boolean counterFaults;
    /** The call whose restart_syscall may come. */
    int interruptedCall = -1;
    /** Whether the call in flight may block. */
    boolean blocking;
    /** Whether the entry of the call in flight is in the trace. */
    boolean entryRecorded;
    /** 1 or 2 if the call in flight writes to the recording's standard output or error, else 0. */
    int output;
    /** Whether the table does not know the call in flight. */
    boolean unknown;
    /** Whether its exit is in the trace already (vfork). */
    boolean exitRecorded;
    /** Whether its outputs go to scratch memory. */
    boolean scratched;
    /** Its scratch memory, 0 if it has none. */
    long scratchAddress;

    long scratchLength;
    long[] scratchOf = new long[16];
    /** Whether it was taken back to the syscall instruction on which it now stands. */
    boolean atSyscall;
    /** Where a signal struck whose frame could not be pushed, until the SIGSEGV that follows; else null. */
    Event.SignalPoint frameFailedAt;

    /** Whether it performed calls by itself since its last event that tells where it is. */
    boolean performed;

    /** Whether it was asked to stop wherever it is. */
    boolean interrupting;
    /**
     * Whether its last event left it in the midst of a computation, to which it may come back with other memory but the same
     * registers, so that these do not tell that it has not gone on.
     */
    boolean midway;
    /** What it was doing when it was last interrupted. */
    Spinning spinning = Spinning.NO;
    /** What its loop used and did not change when it was last interrupted, see {@link ProbeWords#unchangedPlaces}. */
    long watchedPlaces;
    /** What was there. */
    long watchedValues;
    /** Whether all that it did in its last turn was to ask the time, or for things that were not there yet. */
    boolean polling;
    /** How many signals of timers came one after the other, and the task did nothing else in between. */
    int timersInRow;
    /** Whether signals are kept from it for a while, so that it gets on. */
    boolean undisturbed;
    /** While it is undisturbed, the mask of blocked signals that the program believes in. */
    long ownMask;
    /** Where tasks have priorities, the higher the earlier; 0 for none yet. */
    int priority;
    /** TracerClock.nanoTime until which others go first. */
    long heldUntil;

    /** Where the kernel clears its id when it ends; 0 for nowhere. */
    long clearTid;
    /** A child seen at a fork event, to go in the exit's event. */
    RecordedTask child;
    /** Whether a seccomp filter of the program's own can hide calls from ours. */
    boolean ownFilters;
    /** Whether no_new_privs is set only because our filter needs it. */
    boolean hiddenNoNewPrivs;
    /** Whether it asked for seccomp's strict mode. */
    boolean strict;
    /** Whether its end is in the trace. */
    boolean endRecorded;
    /** Whether what it maps readable is executable too, as it asked with personality(2). */
    boolean readImpliesExec;
    /** The task that made it; null for the first. */
    RecordedTask creator;
    /** The child of its last vfork. */
    int vforkChild;
    /** Its tracer in the recording; null if it has none. */
    EmulatedTracee tracing;
    /** What it was resumed from by its tracer, until it has its turn. */
    EmulatedPtrace.Resumption resumption;
    /** Whether the call in flight waits for tracees that it has in the recording. */
    boolean waiting;
    /** Whether that call is to sleep although the kernel knows of nobody to wait for. */
    boolean waitsForTracees;
    /** Whether its tracer changed registers at the entry of the call in flight. */
    boolean entryChanged;
    /** Whether the last call was answered by the recorder; the kernel must not make it. */
    boolean answered;
    /** Affinity as the program set it; null for the recorder's own. */
    byte[] affinity;
    /** Whether PTRACE_LISTEN left it in its group stop: its next stop of that kind is the end of it, or another stop. */
    boolean listening;

    /** Whether its process is stopped, and it goes on only to come out of the stub. */
    boolean stopsBehind;

    /** The core that it was bound to; -1 if it has to be done. */
    int boundTo = -1;
    /** For how long it had been ready and not running when that was last asked for, in nanoseconds. */
    long waitedForCore;

    RecordedTask(Tracee tracee) {
        this.tracee = tracee;
    }

    int tid() {
        return tracee.tid();
    }

    @Override
    public long argument(int index) {
        return Registers.get(entry, Registers.argument(index));
    }

    @Override
    public MemoryReader memory() {
        return tracee;
    }

    /** It stays in its group stop until SIGCONT. */
    void stayStopped() {
        state = State.GROUP_STOPPED;
        listening = true;
    }
}
