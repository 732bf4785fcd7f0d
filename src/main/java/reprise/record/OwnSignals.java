package reprise.record;

import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicIntegerArray;
import reprise.linux.Disposition;
import reprise.linux.Files;
import reprise.linux.PeriodicSignal;
import reprise.linux.Signal;

/**
 * The signals that reach the recorder itself.
 *
 * <p>It shares its process group with what it records, so Ctrl-C and {@code kill(0, …)} reach it too. It outlives all of
 * them and finishes the trace; only a SIGTERM that somebody outside sends to the recorder alone is passed on, and SIGHUP
 * where no terminal is that could have sent it to all.
 */
public final class OwnSignals {
    private final AtomicIntegerArray expected = new AtomicIntegerArray(Signal.LIMIT);
    private volatile Recorder recorder;
    private volatile boolean asked;
    private volatile boolean started;
    /** A signal that came before there was a program to pass it on to; 0 if none did. */
    private volatile int early;

    /** Takes over the dispositions of this process; to be called once. */
    public void install() {
        boolean hangUpIsPassedOn = !Disposition.isIgnored(Signal.SIGHUP) && !hasTerminal();
        for (int signal = 1; signal < Signal.LIMIT; signal++) {
            boolean untouchable =
                    signal == Signal.SIGKILL || signal == PeriodicSignal.SIGNAL || Signal.stopsByDefault(signal);
            if (!untouchable && !Signal.canBeSynchronous(signal) && Disposition.isDefault(signal)) {
                Disposition.ignore(signal);
            }
        }
        // The JVM would end itself at these, and print its threads at SIGQUIT.
        Disposition.ignore(Signal.SIGINT);
        Disposition.ignore(Signal.SIGQUIT);
        on("TERM", this::terminate);
        if (hangUpIsPassedOn) {
            // Must not be ignored already: the JVM would leave it so.
            on("HUP", () -> passOn(Signal.SIGHUP));
        } else {
            Disposition.ignore(Signal.SIGHUP);
        }
    }

    /** Whether this process has a controlling terminal, whose end the kernel tells all its foreground processes. */
    private static boolean hasTerminal() {
        long descriptor = Files.open("/dev/tty", Files.O_RDONLY | Files.O_CLOEXEC, 0);
        if (descriptor >= 0) {
            Files.close(descriptor);
        }
        return descriptor >= 0;
    }

    /**
     * sun.misc.Signal is all that Java has for this. By name, because the compiler warns of it in a way that cannot be
     * turned off.
     */
    private static void on(String name, Runnable action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object proxy = Proxy.newProxyInstance(
                    handler.getClassLoader(), new Class<?>[] {handler}, (self, method, arguments) -> {
                        action.run();
                        return null;
                    });
            Object terminate = signal.getConstructor(String.class).newInstance(name);
            signal.getMethod("handle", signal, handler).invoke(null, terminate, proxy);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("no sun.misc.Signal in this Java", e);
        }
    }

    /** From now on SIGTERM goes to what this recorder records. */
    public void attach(Recorder running) {
        recorder = running;
    }

    /** The recorder can pass signals on now; those that came before follow. */
    void started() {
        started = true;
        int signal = early;
        if (signal != 0) {
            recorder.forward(signal);
        }
    }

    /** A recorded task is about to send a signal to a group that the recorder belongs to. */
    void expect(int signal) {
        if (signal > 0 && signal < Signal.LIMIT) {
            expected.incrementAndGet(signal);
        }
    }

    private void terminate() {
        if (isExpected(Signal.SIGTERM)) {
            return;
        }
        if (asked && started) {
            recorder.killAll();
        } else {
            asked = true;
            forward(Signal.SIGTERM);
        }
    }

    private void passOn(int signal) {
        if (!isExpected(signal)) {
            forward(signal);
        }
    }

    private boolean isExpected(int signal) {
        return expected.getAndUpdate(signal, count -> Math.max(0, count - 1)) > 0;
    }

    private void forward(int signal) {
        early = signal;
        if (started) {
            recorder.forward(signal);
        }
    }
}
