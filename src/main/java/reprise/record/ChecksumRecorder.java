package reprise.record;

import reprise.trace.TraceWriter;
import reprise.tracee.MemoryScanner;
import reprise.tracee.TracerClock;

/** Sums up the memory of tasks after their events, as often as was asked for. */
final class ChecksumRecorder {
    private final RecordOptions options;
    private final TraceWriter trace;
    private long events;

    ChecksumRecorder(RecordOptions options, TraceWriter trace) {
        this.options = options;
        this.trace = trace;
    }

    /** An event of a task is complete, and the task is stopped behind it. */
    void afterEvent(RecordedTask task, boolean systemCall) {
        events++;
        boolean due = switch (options.checksums()) {
            case NONE -> false;
            case ALL -> true;
            case SYSCALLS -> systemCall;
            case EVERY_NTH -> events % options.checksumInterval() == 0;
            case ADAPTIVE -> TracerClock.nanoTime() >= task.process.memory.nextChecksum;
        };
        if (due && !task.process.memory.abandoned) {
            sum(task);
        }
    }

    private void sum(RecordedTask task) {
        RecordedProcess.Memory memory = task.process.memory;
        long begin = TracerClock.nanoTime();
        MemoryScanner.Changes changes = memory.changes(task.tracee, !task.ownFilters);
        trace.checksum(
                task.domain.id,
                task.tid(),
                changes.complete(),
                changes.pages(),
                changes.hashes(),
                changes.pages().length);
        long end = TracerClock.nanoTime();
        // As much time for the program as for the sums.
        memory.nextChecksum = end + (end - begin);
    }
}
