package reprise.cli;

import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import reprise.linux.Terminal;
import reprise.replay.ReplayProgress;

/** A progress bar on the terminal's standard error for replays that take longer than a moment. */
final class ProgressLine implements ReplayProgress, AutoCloseable {
    /** Shorter replays show nothing, in nanoseconds. */
    private static final long PATIENCE = 1_000_000_000;

    private final long events;
    private final boolean terminal = Terminal.isTerminal(2);
    private final long begin = System.nanoTime();
    private ProgressBar bar;

    /** For a replay of so many events. */
    ProgressLine(long events) {
        this.events = events;
    }

    @Override
    public void reached(long event, long nanos) {
        if (!terminal || System.nanoTime() - begin < PATIENCE) {
            return;
        }
        if (bar == null) {
            bar = new ProgressBarBuilder()
                    .setTaskName("replay")
                    .setInitialMax(events)
                    .setStyle(ProgressBarStyle.ASCII)
                    .setUpdateIntervalMillis(200)
                    .clearDisplayOnFinish()
                    .build();
        }
        bar.stepTo(event);
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
