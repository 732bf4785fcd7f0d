package reprise.record;

import java.lang.reflect.Proxy;
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
            boolean untouchable =
                    signal == Signal.SIGKILL || signal == PeriodicSignal.SIGNAL || Signal.stopsByDefault(signal);
            if (!untouchable && !Signal.canBeSynchronous(signal) && Disposition.isDefault(signal)) {
                Disposition.ignore(signal);
            }
        }
        // The JVM would end itself at these, and print its threads at SIGQUIT.
        Disposition.ignore(Signal.SIGINT);
        Disposition.ignore(Signal.SIGHUP);
        Disposition.ignore(Signal.SIGQUIT);
        onTerminate(this::terminate);
    }

    /**
     * sun.misc.Signal is all that Java has for this. By name, because the compiler warns of it in a way that cannot be
     * turned off.
     */
    private static void onTerminate(Runnable action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object proxy = Proxy.newProxyInstance(
                    handler.getClassLoader(), new Class<?>[] {handler}, (self, method, arguments) -> {
                        action.run();
                        return null;
                    });
            Object terminate = signal.getConstructor(String.class).newInstance("TERM");
            signal.getMethod("handle", signal, handler).invoke(null, terminate, proxy);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("no sun.misc.Signal in this Java", e);
        }
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
