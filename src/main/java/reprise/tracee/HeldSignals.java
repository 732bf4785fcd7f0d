package reprise.tracee;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Iterator;
import reprise.linux.Errno;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/**
 * Signals that came to a task at a moment when they could not be delivered, and were sent to it again later.
 *
 * <p>The kernel takes most siginfos only from the kernel itself, so they are sent with another one, and look as they did at first
 * only when they arrive. Signals of the same number arrive in the order of their first arrival, even if newer ones are
 * in the kernel's queue already when older ones are sent again.
 *
 * <p>Owned by the thread that traces the task. Nothing here is on a hot path.
 */
public final class HeldSignals {
    private static final int SI_TKILL = -6;
    private static final int SI_TIMER = -2;
    /** Offset in siginfo of si_pid. */
    private static final int SENDER = 16;
    /** Offset in siginfo of si_tid, the timer's kernel id. */
    private static final int SI_TIMERID = 16;

    private static final int SI_OVERRUN = 20;
    private static final int OWN_PID = (int) Syscall.call(SyscallNumber.GETPID, 0);

    private final ArrayDeque<StashedSignal> held = new ArrayDeque<>(2);
    /** Those sent again that have not arrived. */
    private final ArrayDeque<StashedSignal> sent = new ArrayDeque<>(2);

    private final MemorySegment info = Arena.ofAuto().allocate(Ptrace.SIGINFO_SIZE, 8);

    HeldSignals() {}

    /** Whether none is held back. */
    public boolean isEmpty() {
        return held.isEmpty();
    }

    /** Holds back one that the task has not got yet. */
    public void add(StashedSignal signal) {
        held.add(signal);
    }

    /**
     * Holds back the signal of the task's present signal-delivery stop; it is not delivered by the next resume with 0. A standard
     * signal that is held back already is one with it, as it would be in the kernel's queue; so is that of the same timer.
     *
     * @throws reprise.linux.LinuxException if the task is gone
     */
    public void hold(int tid, int signal) {
        Ptrace.getSignalInfo(tid, info);
        arrived(signal, info);
        for (StashedSignal other : held) {
            if (other.signal() != signal) {
                continue;
            }
            if (signal < Signal.SIGRTMIN) {
                return;
            }
            if (isOfSameTimer(other.info(), info)) {
                // While its signal was in the kernel's queue, the timer would only have counted.
                long overruns = (long) other.info().get(JAVA_INT, SI_OVERRUN) + info.get(JAVA_INT, SI_OVERRUN) + 1;
                other.info().set(JAVA_INT, SI_OVERRUN, (int) Math.min(overruns, Integer.MAX_VALUE));
                return;
            }
        }
        held.add(new StashedSignal(signal, copy(info)));
    }

    private static boolean isOfSameTimer(MemorySegment one, MemorySegment other) {
        return Ptrace.codeOf(one) == SI_TIMER
                && Ptrace.codeOf(other) == SI_TIMER
                && one.get(JAVA_INT, SI_TIMERID) == other.get(JAVA_INT, SI_TIMERID);
    }

    /**
     * Sends what is held back to the task again, as far as the kernel takes it: a queue may be full, then the rest is held back
     * still. The task is stopped.
     */
    public void sendAgain(int pid, int tid) {
        while (!held.isEmpty()) {
            StashedSignal signal = held.peek();
            boolean queued = signal.signal() >= Signal.SIGRTMIN;
            if (queued && send(pid, tid, signal) == -Errno.EAGAIN) {
                return;
            }
            held.remove();
            if (!queued) {
                send(pid, tid, signal);
            }
        }
    }

    /** Sends a signal to the task, to arrive with this siginfo; 0 or -errno. */
    public long send(int pid, int tid, StashedSignal signal) {
        if (signal.signal() < Signal.SIGRTMIN) {
            // The kernel keeps one of a number only.
            sent.removeIf(other -> other.signal() == signal.signal());
        }
        long result = Syscall.call(SyscallNumber.TGKILL, pid, tid, signal.signal());
        if (result == 0) {
            sent.add(signal);
        }
        return result;
    }

    /**
     * A signal arrived with a siginfo, which is replaced by the right one.
     *
     * @return whether it was
     */
    public boolean arrived(int signal, MemorySegment siginfo) {
        boolean ours = Ptrace.codeOf(siginfo) == SI_TKILL && siginfo.get(JAVA_INT, SENDER) == OWN_PID;
        for (Iterator<StashedSignal> each = sent.iterator(); each.hasNext(); ) {
            StashedSignal original = each.next();
            if (original.signal() != signal) {
                continue;
            }
            each.remove();
            if (!ours && signal < Signal.SIGRTMIN) {
                // It was pending already, so that ours came to nothing.
                return false;
            }
            if (!ours) {
                // It was ahead of ours in the kernel's queue, but came later.
                sent.add(new StashedSignal(signal, copy(siginfo)));
            }
            MemorySegment.copy(original.info(), 0, siginfo, 0, Ptrace.SIGINFO_SIZE);
            return true;
        }
        return false;
    }

    private static MemorySegment copy(MemorySegment siginfo) {
        return Arena.ofAuto().allocate(Ptrace.SIGINFO_SIZE, 8).copyFrom(siginfo.asSlice(0, Ptrace.SIGINFO_SIZE));
    }
}
