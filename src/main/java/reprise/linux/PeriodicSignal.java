package reprise.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Interrupts the blocking system calls of one thread at regular intervals, so that a thread that waits for tracees can
 * look at the clock now and then. The signal's handler is three instructions of our own that do nothing.
 */
public final class PeriodicSignal implements AutoCloseable {
    /** A real-time signal that neither libc nor the JVM uses. */
    public static final int SIGNAL = 45;

    private static final int SIGEV_THREAD_ID = 4;
    private static final long SA_RESTORER = 0x04000000;

    private final MemorySegment times = Arena.ofAuto().allocate(32, 8);
    private final int timer;
    private long interval;

    /** Interrupts the calling thread from now on, every {@code nanos} nanoseconds (below a second). */
    public PeriodicSignal(long nanos) {
        // handler: ret; restorer: mov eax, 15 (rt_sigreturn); syscall
        byte[] code = {(byte) 0xc3, (byte) 0xb8, 15, 0, 0, 0, 0x0f, 0x05};
        long page = MachineCode.map(code);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment action = arena.allocate(32, 8);
            action.set(JAVA_LONG, 0, page);
            action.set(JAVA_LONG, 8, SA_RESTORER);
            action.set(JAVA_LONG, 16, page + 1);
            Syscall.check(Syscall.call(SyscallNumber.RT_SIGACTION, SIGNAL, action.address(), 0, 8), "rt_sigaction");
            MemorySegment event = arena.allocate(64, 8);
            event.set(JAVA_INT, 8, SIGNAL);
            event.set(JAVA_INT, 12, SIGEV_THREAD_ID);
            event.set(JAVA_INT, 16, (int) Syscall.call(SyscallNumber.GETTID, 0));
            MemorySegment id = arena.allocate(JAVA_INT);
            // CLOCK_MONOTONIC
            Syscall.check(Syscall.call(SyscallNumber.TIMER_CREATE, 1, event.address(), id.address()), "timer_create");
            timer = id.get(JAVA_INT, 0);
        }
        setInterval(nanos);
    }

    /** Changes the interval, in nanoseconds (below a second). */
    public void setInterval(long nanos) {
        if (interval == nanos) {
            return;
        }
        interval = nanos;
        times.set(JAVA_LONG, 8, nanos);
        times.set(JAVA_LONG, 24, nanos);
        Syscall.check(Syscall.call(SyscallNumber.TIMER_SETTIME, timer, 0, times.address(), 0), "timer_settime");
    }

    @Override
    public void close() {
        Syscall.call(SyscallNumber.TIMER_DELETE, timer);
    }
}
