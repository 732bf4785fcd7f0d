package reprise.record;

import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.SyscallNumber;

/**
 * Lets programs get on whose timers expire more often than signals can be recorded. The kernel starts an interval timer again
 * when its signal is taken (dequeue_signal in kernel/signal.c), so that the next one is there before the recorder is done with
 * this one, and the program would execute its handler and nothing else for ever.
 *
 * <p>After some signals in a row the program is left alone until it makes a call, or for some milliseconds: its signals are
 * blocked for that time, and its calls traced, so that none of them sees the mask.
 */
final class TimerStarvation {
    private static final int MOST_IN_ROW = 5;

    private final SyscallBuffers buffers;

    TimerStarvation(SyscallBuffers buffers) {
        this.buffers = buffers;
    }

    /**
     * Notes that a signal has come from outside, and tells whether it is one of a timer's too many that came without anything
     * but their handlers in between.
     */
    static boolean isStarved(RecordedTask task, int signal, int code) {
        boolean timer = code == Signal.SI_TIMER
                || code == Signal.SI_KERNEL
                        && (signal == Signal.SIGALRM || signal == Signal.SIGVTALRM || signal == Signal.SIGPROF);
        boolean behindHandler = task.call == SyscallNumber.RT_SIGRETURN && Recorder.hasRegistersOfLastEvent(task);
        boolean again = timer && task.tracing == null && (task.atSyscall || behindHandler);
        task.timersInRow = again ? task.timersInRow + 1 : 0;
        return task.timersInRow > MOST_IN_ROW;
    }

    /** The stopped task shall go on without signals for a while. */
    void begin(RecordedTask task) {
        task.timersInRow = 0;
        task.undisturbed = true;
        // It is interrupted in the midst of a computation, perhaps with the same registers.
        task.midway = true;
        task.ownMask = Ptrace.signalMask(task.tid());
        Ptrace.setSignalMask(task.tid(), ~Signal.SYNCHRONOUS | task.ownMask);
        buffers.pause(task, true);
    }

    /** The stopped task has got on: its signals may strike again. */
    void end(RecordedTask task) {
        task.undisturbed = false;
        Ptrace.setSignalMask(task.tid(), task.ownMask);
        buffers.pause(task, false);
    }
}
