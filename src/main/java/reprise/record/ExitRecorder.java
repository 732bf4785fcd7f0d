package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.trace.TraceWriter;
import reprise.tracee.TaskStatus;
import reprise.tracee.UnreadableMemoryException;

/** Records the end of tasks, with what the kernel writes to memory on their behalf while they go. */
final class ExitRecorder {
    private static final int FUTEX_WAITERS = 0x80000000;
    private static final int FUTEX_OWNER_DIED = 0x40000000;
    private static final int FUTEX_TID_MASK = 0x3fffffff;
    /** As many entries of a robust list as the kernel walks. */
    private static final int ROBUST_LIST_LIMIT = 2048;

    private final Recorder recorder;
    private final TraceWriter trace;
    private final SyscallBuffers buffers;
    private final PriorityFutexes priorityFutexes;
    private final MemorySegment buffer = Arena.global().allocate(64, 16);

    ExitRecorder(Recorder recorder, TraceWriter trace, SyscallBuffers buffers, PriorityFutexes priorityFutexes) {
        this.priorityFutexes = priorityFutexes;
        this.recorder = recorder;
        this.buffers = buffers;
        this.trace = trace;
    }

    /** The task is at its PTRACE_EVENT_EXIT; its memory is still there. */
    void exiting(RecordedTask task) {
        boolean recording = !task.endRecorded;
        if (recording) {
            if (task.domain.current == task) {
                buffers.flush(task, false);
            }
            recorder.cutOff(task);
            begin(task, (int) Ptrace.eventMessage(task.tid()));
        }
        if (task.state == RecordedTask.State.RUNNING && !task.inCall && !Recorder.isNamed(task)) {
            task.process.memory.abandoned = true;
        }
        task.state = RecordedTask.State.EXITING;
        task.domain.ready.remove(task);
        if (task.domain.entered == task) {
            task.domain.entered = null;
        }
        boolean alone = task.domain.tasks == 1;
        boolean leader = task.tid() == task.process.pid;
        boolean last = task.process.threads.size() == 1;
        boolean silent = leader && !last;
        boolean gives = recording && !alone && priorityFutexes.anyWaits(task.domain);
        if (recording && !gives) {
            trace.end();
        }
        long result = 0;
        try {
            task.tracee.resume(Ptrace.CONT, 0);
            if (!alone) {
                // The kernel's last writes must be done before others of the domain run.
                result = silent ? awaitZombie(task.tid()) : Wait.any(task.tid(), 0);
            }
        } finally {
            if (gives) {
                priorityFutexes.died(task);
                trace.end();
            }
        }
        if (result > 0) {
            recorder.dispatch(task, Wait.status(result));
        } else if (silent && !alone) {
            recorder.release(task);
        }
    }

    /** A leader whose threads live on is not reported by wait(2) until they are gone. */
    private static long awaitZombie(int tid) {
        for (int attempt = 0; attempt < 20_000; attempt++) {
            char state = TaskStatus.of(tid).state();
            if (state == 'Z' || state == 'X') {
                break;
            }
            Thread.onSpinWait();
        }
        return 0;
    }

    /**
     * Looks whether a leader was killed without a stop at its exit. While its threads live on, wait(2) does not report it, and
     * they may be waiting for its turn to end.
     *
     * @return whether it was, and has lost its turn
     */
    boolean vanished(RecordedTask task) {
        if (task.tid() != task.process.pid
                || task.process.threads.size() == 1
                || TaskStatus.of(task.tid()).state() != 'Z') {
            return false;
        }
        if (!task.endRecorded) {
            if (task.state == RecordedTask.State.RUNNING && !task.inCall) {
                task.process.memory.abandoned = true;
            }
            begin(task, Signal.SIGKILL);
            priorityFutexes.died(task);
            trace.end();
        }
        task.state = RecordedTask.State.EXITING;
        if (task.domain.entered == task) {
            task.domain.entered = null;
        }
        recorder.release(task);
        return true;
    }

    /** wait(2) reported the end of the task. */
    void ended(RecordedTask task, int status) {
        if (!task.endRecorded) {
            begin(task, status);
            priorityFutexes.died(task);
            trace.end();
        }
        boolean last = task.process.threads.size() == 1;
        if (last) {
            recorder.processEnded(task.process.pid, status);
        }
        recorder.forget(task, status);
    }

    /** Begins the event of the task's end with what the kernel will do, or has done, on its behalf. */
    private void begin(RecordedTask task, int waitStatus) {
        task.endRecorded = true;
        RecordedTask witness = witness(task);
        if (witness != null && task.domain.current == task) {
            // What it did last is still in the buffer, where the next one would find it.
            buffers.flush(task, witness.tid(), false);
        }
        if (task.inCall && !task.exitRecorded) {
            // It computed up to the call in which it was killed; who shares its memory sees that.
            recorder.recordEntry(task);
        }
        recorder.recordOpenEntry(task.domain);
        List<Long> died = witness == null ? robustFutexes(task) : List.of();
        trace.taskExit(task.domain.id, task.tid(), waitStatus);
        for (long address : died) {
            long word = read(task, address, 4) ? buffer.get(JAVA_INT_UNALIGNED, 0) : 0;
            int owned = (int) word;
            if ((owned & FUTEX_TID_MASK) == TaskStatus.visibleTid(task.tid(), task.tid())) {
                trace.write(task.tid(), address, 4)
                        .set(JAVA_INT_UNALIGNED, 0, owned & FUTEX_WAITERS | FUTEX_OWNER_DIED);
            }
        }
        boolean cleared = task.clearTid != 0 && task.domain.tasks > 1;
        if (cleared && read(witness == null ? task : witness, task.clearTid, 4)) {
            trace.write(task.tid(), task.clearTid, 4).set(JAVA_INT_UNALIGNED, 0, 0);
        }
    }

    /**
     * Another task with the memory of one that is gone already: after SIGKILL the kernel does not always stop a task at its
     * exit. Null if the task is still there, or was the last.
     */
    private RecordedTask witness(RecordedTask task) {
        char state = TaskStatus.of(task.tid()).state();
        if (state != 'X' && state != 'Z') {
            return null;
        }
        for (RecordedTask other : recorder.all()) {
            if (other != task && other.process.memory == task.process.memory) {
                return other;
            }
        }
        return null;
    }

    private boolean read(RecordedTask task, long address, long length) {
        return task.tracee.read(address, buffer, length) == length;
    }

    /** Addresses of the futexes on the task's robust list, in the order in which the kernel goes through it. */
    private List<Long> robustFutexes(RecordedTask task) {
        List<Long> found = new ArrayList<>();
        long result = Syscall.call(SyscallNumber.GET_ROBUST_LIST, task.tid(), buffer.address(), buffer.address() + 8);
        long head = result < 0 ? 0 : buffer.get(JAVA_LONG, 0);
        if (head == 0 || task.domain.tasks == 1) {
            return found;
        }
        try {
            long offset = task.tracee.readWord(head + 8);
            long pending = task.tracee.readWord(head + 16) & ~1L;
            long entry = task.tracee.readWord(head) & ~1L;
            for (int count = 0; entry != head && count < ROBUST_LIST_LIMIT; count++) {
                long next = task.tracee.readWord(entry) & ~1L;
                if (entry != pending) {
                    found.add(entry + offset);
                }
                entry = next;
            }
            if (pending != 0) {
                found.add(pending + offset);
            }
        } catch (UnreadableMemoryException e) {
            // The kernel stops at the first entry that it cannot read, too.
        }
        return found;
    }
}
