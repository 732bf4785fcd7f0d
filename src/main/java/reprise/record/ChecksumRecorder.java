package reprise.record;

import reprise.trace.TraceWriter;

/** Sums up the memory of tasks after their events, as often as asked for. */
final class ChecksumRecorder {
    private final RecordOptions options;
    private final TraceWriter trace;

    ChecksumRecorder(RecordOptions options, TraceWriter trace) {
        this.options = options;
        this.trace = trace;
    }

    /** An event of a task is complete, and the task is stopped. */
    void afterEvent(RecordedTask task) {
        if (options.checksums() == RecordOptions.Checksums.NONE) {
            return;
        }
        assert trace != null && task != null;
    }
}
