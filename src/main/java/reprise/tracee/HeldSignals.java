package reprise.tracee;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
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
 * <p>To send SIGCONT discards the stop signals that wait, and the other way round (prepare_signal in kernel/signal.c). What
 * is sent again was sent before those that wait in the kernel, so here the newer ones discard the older.
 *
 * <p>Owned by the thread that traces the task. Nothing here is on a hot path.
 */
public final class HeldSignals {
    private static final int SI_TKILL = -6;
    /** Offset in siginfo of si_pid. */
    private static final int SENDER = 16;
    /** Offset in siginfo of si_tid, the timer's kernel id. */
    private static final int SI_TIMERID = 16;

    private static final int SI_OVERRUN = 20;
    private static final long STOPS = Signal.bit(Signal.SIGSTOP)
            | Signal.bit(Signal.SIGTSTP)
            | Signal.bit(Signal.SIGTTIN)
            | Signal.bit(Signal.SIGTTOU);
    private static final int OWN_PID = (int) Syscall.call(SyscallNumber.GETPID, 0);

    /** All that the task has not got yet, those of one number in the order of their first arrival. */
    private final List<StashedSignal> waiting = new ArrayList<>(2);
    /**
     * By number, how many of ours are in the kernel's queue. They stand for the oldest that wait; each one that waits beyond
     * that has to be sent yet.
     */
    private final int[] sent = new int[Signal.LIMIT];

    private int unsent;

    private final MemorySegment info = Arena.ofAuto().allocate(Ptrace.SIGINFO_SIZE, 8);

    HeldSignals() {}

    /** Whether none is held back: none at all, or all have been sent again. */
    public boolean isEmpty() {
        return unsent == 0;
    }

    /** Holds back one that the task has not got yet; it is the latest of its number. */
    public void add(StashedSignal signal) {
        waiting.add(signal);
        unsent++;
    }

    /**
     * Holds back the signal of the task's present signal-delivery stop, of which nobody asked {@link #arrived}; it is not delivered
     * by the next resume with 0.
     *
     * @throws reprise.linux.LinuxException if the task is gone
     */
    public void hold(int tid, int signal) {
        Ptrace.getSignalInfo(tid, info);
        arrived(signal, info);
        putBack(signal, info);
    }

    /**
     * Holds back a signal that {@link #arrived}, with the siginfo it left. A standard signal that is held back already is one
     * with it, as it would be in the kernel's queue; so is that of the same timer.
     */
    public void putBack(int signal, MemorySegment siginfo) {
        for (StashedSignal other : waiting) {
            if (other.signal() != signal) {
                continue;
            }
            if (signal < Signal.SIGRTMIN) {
                return;
            }
            if (isOfSameTimer(other.info(), siginfo)) {
                // While its signal was in the kernel's queue, the timer would only have counted.
                long overruns = (long) other.info().get(JAVA_INT, SI_OVERRUN) + siginfo.get(JAVA_INT, SI_OVERRUN) + 1;
                other.info().set(JAVA_INT, SI_OVERRUN, (int) Math.min(overruns, Integer.MAX_VALUE));
                return;
            }
        }
        // What arrives is the oldest of its number.
        waiting.addFirst(new StashedSignal(signal, copy(siginfo)));
        unsent++;
    }

    private static boolean isOfSameTimer(MemorySegment one, MemorySegment other) {
        return Ptrace.codeOf(one) == Signal.SI_TIMER
                && Ptrace.codeOf(other) == Signal.SI_TIMER
                && one.get(JAVA_INT, SI_TIMERID) == other.get(JAVA_INT, SI_TIMERID);
    }

    /**
     * Sends what is held back to the task again, as far as the kernel takes it: a queue may be full, then the rest is held back
     * still. The task is stopped.
     */
    public void sendAgain(int pid, int tid) {
        for (int signal = 1; unsent > 0 && signal < Signal.LIMIT; signal++) {
            for (int missing = count(signal) - sent[signal]; missing > 0; missing--) {
                if (isObsolete(tid, signal)) {
                    unsent--;
                    removeLast(signal);
                    continue;
                }
                long result = Syscall.call(SyscallNumber.TGKILL, pid, tid, signal);
                if (result == -Errno.EAGAIN && signal >= Signal.SIGRTMIN) {
                    return;
                }
                unsent--;
                if (result == 0) {
                    sent[signal]++;
                } else {
                    removeLast(signal);
                }
            }
        }
    }

    /** Whether a signal held back is without effect by now, and to send it again would do harm. */
    private static boolean isObsolete(int tid, int signal) {
        boolean stops = (STOPS & Signal.bit(signal)) != 0;
        if (!stops && signal != Signal.SIGCONT) {
            return false;
        }
        TaskStatus status = TaskStatus.of(tid);
        if (stops) {
            return status.hasPending(Signal.bit(Signal.SIGCONT));
        }
        // It had its effect when it was generated, but for its handler.
        return (status.caught() & Signal.bit(signal)) == 0 || status.hasPending(STOPS);
    }

    /** A signal that arrived discards those waiting that its like discards in the kernel. */
    private void discardOpposite(int signal) {
        long opposite;
        if (signal == Signal.SIGCONT) {
            opposite = STOPS;
        } else if ((STOPS & Signal.bit(signal)) != 0) {
            opposite = Signal.bit(Signal.SIGCONT);
        } else {
            return;
        }
        for (int i = waiting.size() - 1; i >= 0; i--) {
            int other = waiting.get(i).signal();
            if ((opposite & Signal.bit(other)) != 0) {
                waiting.remove(i);
                if (sent[other] > 0) {
                    sent[other]--;
                } else {
                    unsent--;
                }
            }
        }
    }

    /** Sends a signal to the task, to arrive with this siginfo; 0 or -errno. */
    public long send(int pid, int tid, StashedSignal signal) {
        int number = signal.signal();
        long result = Syscall.call(SyscallNumber.TGKILL, pid, tid, number);
        if (result != 0) {
            return result;
        }
        if (number < Signal.SIGRTMIN && sent[number] > 0) {
            // The kernel keeps one of a number only.
            removeFirst(number);
        } else {
            sent[number]++;
        }
        waiting.add(signal);
        return result;
    }

    /**
     * A signal arrived with a siginfo, which is replaced by that of the oldest of this number that waits.
     *
     * @return whether it was
     */
    public boolean arrived(int signal, MemorySegment siginfo) {
        if (waiting.isEmpty()) {
            return false;
        }
        discardOpposite(signal);
        boolean ours =
                sent[signal] > 0 && Ptrace.codeOf(siginfo) == SI_TKILL && siginfo.get(JAVA_INT, SENDER) == OWN_PID;
        if (!ours && signal < Signal.SIGRTMIN) {
            if (sent[signal] > 0) {
                // It was pending already, so that ours came to nothing.
                sent[signal] = 0;
                removeFirst(signal);
            }
            return false;
        }
        if (ours) {
            sent[signal]--;
        } else if (count(signal) > 0) {
            // It was ahead of ours in the kernel's queue, or ours are not there yet, but it came later.
            waiting.add(new StashedSignal(signal, copy(siginfo)));
        }
        StashedSignal oldest = removeFirst(signal);
        if (oldest == null) {
            return false;
        }
        MemorySegment.copy(oldest.info(), 0, siginfo, 0, Ptrace.SIGINFO_SIZE);
        return true;
    }

    private int count(int signal) {
        int count = 0;
        for (StashedSignal each : waiting) {
            count += each.signal() == signal ? 1 : 0;
        }
        return count;
    }

    /** Null if there is none. */
    private StashedSignal removeFirst(int signal) {
        for (int i = 0; i < waiting.size(); i++) {
            if (waiting.get(i).signal() == signal) {
                return waiting.remove(i);
            }
        }
        return null;
    }

    private void removeLast(int signal) {
        for (int i = waiting.size() - 1; i >= 0; i--) {
            if (waiting.get(i).signal() == signal) {
                waiting.remove(i);
                return;
            }
        }
    }

    private static MemorySegment copy(MemorySegment siginfo) {
        return Arena.ofAuto().allocate(Ptrace.SIGINFO_SIZE, 8).copyFrom(siginfo.asSlice(0, Ptrace.SIGINFO_SIZE));
    }
}
