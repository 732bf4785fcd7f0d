package reprise.record;

import java.util.concurrent.atomic.AtomicIntegerArray;
import reprise.linux.Disposition;
import reprise.linux.PeriodicSignal;
import reprise.linux.Signal;

/**
 * The signals that reach the recorder itself.
 *
 * <p>It shares its process group with what it records, so Ctrl-C and {@code kill(0, …)} reach it too. It outlives all of
 * them and finishes the trace; only a SIGTERM that somebody outside sends to the recorder alone is passed on.
 */
public final class OwnSignals {
    private final AtomicIntegerArray expected = new AtomicIntegerArray(Signal.LIMIT);
    private volatile Recorder recorder;
    private volatile boolean asked;

    /** Takes over the dispositions of this process; to be called once. */
    public void install() {
        for (int signal = 1; signal < Signal.LIMIT; signal++) {
            boolean untouchable = signal == Signal.SIGKILL
                    || signal == PeriodicSignal.SIGNAL
                    || Signal.stopsByDefault(signal);
            if (!untouchable && !Signal.canBeSynchronous(signal) && Disposition.isDefault(signal)) {
                Disposition.ignore(signal);
            }
        }
        ignore("INT");
        ignore("HUP");
        sun.misc.Signal.handle(new sun.misc.Signal("TERM"), signal -> terminate());
        // SIGQUIT prints the JVM's threads, which a program that is quit from the terminal does not expect.
        Disposition.ignore(Signal.SIGQUIT);
    }

    private static void ignore(String name) {
        sun.misc.Signal.handle(new sun.misc.Signal(name), sun.misc.SignalHandler.SIG_IGN);
    }

    /** From now on SIGTERM goes to what this recorder records. */
    public void attach(Recorder running) {
        recorder = running;
    }

    /** A recorded task is about to send a signal to a group that the recorder belongs to. */
    void expect(int signal) {
        if (signal > 0 && signal < Signal.LIMIT) {
            expected.incrementAndGet(signal);
        }
    }

    private void terminate() {
        int before = expected.getAndUpdate(Signal.SIGTERM, count -> Math.max(0, count - 1));
        Recorder running = recorder;
        if (before > 0 || running == null) {
            return;
        }
        if (asked) {
            running.killAll();
        } else {
            asked = true;
            running.forward(Signal.SIGTERM);
        }
    }
}
