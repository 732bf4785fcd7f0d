package reprise.record;

import java.util.ArrayList;
import java.util.List;
import reprise.trace.TraceWriter;
import reprise.tracee.MemoryScanner;
import reprise.tracee.RuntimePage;

/** Sums up the memory of tasks after their events, as often as was asked for. */
final class ChecksumRecorder {
    private final RecordOptions options;
    private final TraceWriter trace;
    private final List<long[]> excluded = new ArrayList<>();
    private long events;

    ChecksumRecorder(RecordOptions options, TraceWriter trace) {
        this.options = options;
        this.trace = trace;
    }

    /** An event of a task is complete, and the task is stopped behind it. */
    void afterEvent(RecordedTask task, boolean systemCall) {
        events++;
        boolean due =
                switch (options.checksums()) {
                    case NONE -> false;
                    case ALL -> true;
                    case SYSCALLS -> systemCall;
                    case EVERY_NTH -> events % options.checksumInterval() == 0;
                    case ADAPTIVE -> System.nanoTime() >= task.process.memory.nextChecksum;
                };
        if (due) {
            sum(task);
        }
    }

    private void sum(RecordedTask task) {
        RecordedProcess.Memory memory = task.process.memory;
        long begin = System.nanoTime();
        if (memory.scanner == null) {
            memory.scanner = new MemoryScanner(task.tracee, true);
        }
        excluded.clear();
        excluded.add(new long[] {RuntimePage.ADDRESS, RuntimePage.SIZE});
        excluded.addAll(memory.scratch);
        MemoryScanner.Changes changes = memory.scanner.changedPages(task.tracee, excluded);
        trace.checksum(
                task.domain.id,
                task.tid(),
                changes.complete(),
                changes.pages(),
                changes.hashes(),
                changes.pages().length);
        long end = System.nanoTime();
        // As much time for the program as for the sums.
        memory.nextChecksum = end + (end - begin);
    }
}
