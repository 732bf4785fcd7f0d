package reprise.replay;

import java.util.concurrent.locks.LockSupport;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/**
 * Stops a carrier that runs for long, or when another thread asks for it.
 *
 * <p>Only its tracer can stop a tracee by ptrace, and the tracer waits for it. But SIGSTOP reaches it from everywhere: it
 * stops for its tracer before the signal would be delivered, which it then never is.
 */
final class RunTimer implements AutoCloseable {
    private static final long NEVER = Long.MAX_VALUE;

    private final Thread thread = new Thread(this::watch, "timeline timer");
    private final Object lock = new Object();
    private int running;
    private long deadline = NEVER;
    private volatile boolean interrupted;
    private volatile boolean interruptible;
    private volatile boolean closed;

    RunTimer() {
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * A carrier is about to run.
     *
     * @param nanos after which it is to be stopped; 0: never
     */
    void begin(int tid, long nanos) {
        synchronized (lock) {
            running = tid;
            deadline = nanos == 0 ? NEVER : System.nanoTime() + nanos;
            if (isInterrupted()) {
                stop();
            }
        }
        if (nanos != 0) {
            LockSupport.unpark(thread);
        }
    }

    /** It has stopped. */
    void end() {
        synchronized (lock) {
            running = 0;
            deadline = NEVER;
        }
    }

    /** Stops what runs now, or next. */
    void interrupt() {
        synchronized (lock) {
            interrupted = true;
            if (interruptible) {
                stop();
            }
        }
    }

    /** Whether {@link #interrupt} was called since this was asked last. */
    boolean takeInterrupt() {
        if (!interrupted) {
            return false;
        }
        interrupted = false;
        return true;
    }

    /** Whether an interruption is to stop what runs. */
    boolean isInterrupted() {
        return interrupted && interruptible;
    }

    /** Whether what runs from now on may be interrupted. */
    void setInterruptible(boolean may) {
        interruptible = may;
    }

    private void stop() {
        if (running != 0) {
            Syscall.call(SyscallNumber.KILL, running, Signal.SIGSTOP, 0);
        }
    }

    private void watch() {
        while (!closed) {
            long wait;
            synchronized (lock) {
                wait = deadline == NEVER ? NEVER : deadline - System.nanoTime();
                if (wait <= 0) {
                    stop();
                    deadline = NEVER;
                    wait = NEVER;
                }
            }
            if (wait == NEVER) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, wait);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
