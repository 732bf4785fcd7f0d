package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import reprise.linux.Errno;
import reprise.linux.Files;
import reprise.linux.LinuxException;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.x86.Registers;

/**
 * wait4(2) and waitid(2) of tasks that have tracees in the recording.
 *
 * <p>What the kernel does not know of, stops of tracees and the death of those that are not children, is answered here. A call
 * that has to wait is made all the same, since children may end; when there is something to report the recorder
 * interrupts it, and supplies the result that it would have had. Where the kernel has nobody to wait for, pause(2) is made.
 */
final class EmulatedWaits {
    private static final int WUNTRACED = 2;
    private static final int WEXITED = 4;
    private static final int WNOWAIT = 0x1000000;
    private static final int P_ALL = 0;
    private static final int P_PID = 1;
    private static final int P_PGID = 2;
    private static final int P_PIDFD = 3;
    private static final int CLD_EXITED = 1;
    private static final int CLD_KILLED = 2;
    private static final int CLD_DUMPED = 3;
    private static final int CLD_TRAPPED = 4;
    private static final int RUSAGE_SIZE = 144;
    /** What the kernel writes of a siginfo: the words up to si_status. */
    private static final int INFO_SIZE = 28;

    /** Something that a tracer can learn by waiting; {@code stopped} is null after a death. */
    private record Report(
            RecordedTask tracer,
            RecordedTask stopped,
            int tid,
            int process,
            int group,
            int user,
            int status,
            byte[] usage) {}

    private final Recorder recorder;
    private final EmulatedPtrace emulation;
    private final List<Report> reports = new ArrayList<>();
    private final MemorySegment buffer = Arena.global().allocate(RUSAGE_SIZE, 16);

    EmulatedWaits(Recorder recorder, EmulatedPtrace emulation) {
        this.recorder = recorder;
        this.emulation = emulation;
    }

    /** Whether there is something that was not yet waited for. */
    boolean isActive() {
        return !reports.isEmpty();
    }

    // ---- what there is to report ----

    /** A task has become a tracer. Its process may have begun to wait before. */
    void attached(RecordedTask tracer) {
        for (RecordedTask thread : tracer.process.threads) {
            thread.waiting |= thread.inCall && isWait(thread.call);
        }
    }

    private static boolean isWait(int number) {
        return number == SyscallNumber.WAIT4 || number == SyscallNumber.WAITID;
    }

    /** A task stopped for its tracer. */
    void report(RecordedTask task, int status) {
        withdraw(task);
        add(task.tracing.tracer, task, task, status);
    }

    /** A task that is not a child of its tracer has died. */
    void reportDeath(RecordedTask tracer, RecordedTask task, int status) {
        add(tracer, null, task, status);
    }

    private void add(RecordedTask tracer, RecordedTask stopped, RecordedTask task, int status) {
        int group = (int) Syscall.call(SyscallNumber.GETPGID, task.tid());
        Report report = new Report(
                tracer,
                stopped,
                task.tid(),
                task.process.pid,
                group,
                EmulatedPtrace.userOf(task),
                status,
                usage(task.tid()));
        reports.add(report);
        for (RecordedTask waiter : tracer.process.threads) {
            if (waiter.waiting && waiter.inCall && Selection.of(waiter).matches(report, waiter)) {
                try {
                    Ptrace.interrupt(waiter.tid());
                } catch (LinuxException e) {
                    if (!e.isNoSuchTask()) {
                        throw e;
                    }
                }
                return;
            }
        }
    }

    /** The task has gone on; its stop is not to be reported any more. */
    void withdraw(RecordedTask task) {
        reports.removeIf(report -> report.stopped == task);
    }

    /** A tracer has ended. */
    void forget(RecordedTask tracer) {
        reports.removeIf(report -> report.tracer == tracer);
    }

    /** The struct rusage of a task: user and system time, which the kernel gets in the same way. */
    private static byte[] usage(int tid) {
        byte[] usage = new byte[RUSAGE_SIZE];
        String stat = Files.readText("/proc/" + tid + "/stat");
        String run = Files.readText("/proc/" + tid + "/schedstat");
        int name = stat == null ? -1 : stat.lastIndexOf(')');
        if (name >= 0 && run != null) {
            String[] fields = stat.substring(name + 2).split(" ");
            long user = Long.parseLong(fields[11]);
            long system = Long.parseLong(fields[12]);
            long micros = Long.parseLong(run.substring(0, run.indexOf(' '))) / 1000;
            // Ticks tell the proportion, if there were any.
            long systemMicros = system == 0 ? 0 : micros * system / (user + system);
            time(usage, 0, micros - systemMicros);
            time(usage, 16, systemMicros);
        }
        return usage;
    }

    private static void time(byte[] usage, int offset, long micros) {
        EmulatedStop.word(usage, offset, (int) (micros / 1_000_000));
        EmulatedStop.word(usage, offset + 8, (int) (micros % 1_000_000));
    }

    // ---- selection ----

    /** Whom a call waits for. */
    private record Selection(int type, int id, int options, boolean exits) {
        static Selection of(RecordedTask task) {
            if (task.call == SyscallNumber.WAITID) {
                int options = (int) task.argument(3);
                int id = (int) task.argument(1);
                int type = (int) task.argument(0);
                if (type == P_PIDFD) {
                    return new Selection(P_PID, ofDescriptor(task, id), options, (options & WEXITED) != 0);
                }
                return new Selection(type, id, options, (options & WEXITED) != 0);
            }
            int pid = (int) task.argument(0);
            int options = (int) task.argument(2);
            if (pid > 0) {
                return new Selection(P_PID, pid, options, true);
            }
            return new Selection(pid == -1 ? P_ALL : P_PGID, pid == -1 ? 0 : -pid, options, true);
        }

        private static int ofDescriptor(RecordedTask task, int descriptor) {
            String text = Files.readText("/proc/" + task.tid() + "/fdinfo/" + descriptor);
            int at = text == null ? -1 : text.indexOf("\nPid:\t");
            return at < 0 ? -1 : Integer.parseInt(text.substring(at + 6, text.indexOf('\n', at + 1)));
        }

        boolean matches(Report report, RecordedTask waiter) {
            return report.tracer.process == waiter.process
                    && (report.stopped != null || exits)
                    && selects(report.tid, report.group, waiter);
        }

        boolean selects(int tid, int group, RecordedTask waiter) {
            return switch (type) {
                case P_ALL -> true;
                case P_PID -> tid == id;
                case P_PGID -> group == (id == 0 ? (int) Syscall.call(SyscallNumber.GETPGID, waiter.process.pid) : id);
                default -> false;
            };
        }
    }

    private Report find(RecordedTask task) {
        if (reports.isEmpty()) {
            return null;
        }
        Selection selection = Selection.of(task);
        for (Report report : reports) {
            if (selection.matches(report, task)) {
                return report;
            }
        }
        return null;
    }

    /** Whether the task's call could wait for a tracee that lives. */
    private boolean hasTracee(RecordedTask task) {
        Selection selection = Selection.of(task);
        for (RecordedTask tracee : emulation.tracees()) {
            if (tracee.tracing.tracer.process == task.process
                    && selection.selects(tracee.tid(), (int) Syscall.call(SyscallNumber.GETPGID, tracee.tid()), task)) {
                return true;
            }
        }
        return false;
    }

    // ---- calls ----

    /**
     * The current task is about to make a system call.
     *
     * @return the result to answer it with, its outputs written; 0 to let the kernel do it
     */
    int entered(RecordedTask task, int number) {
        task.waiting = false;
        if (!isWait(number)) {
            task.waitsForTracees = false;
            return 0;
        }
        Report report = find(task);
        if (report == null && !hasTracee(task)) {
            task.waitsForTracees = false;
            return 0;
        }
        task.waiting = true;
        if (report != null) {
            task.waitsForTracees = false;
            return report.tid;
        }
        if (task.waitsForTracees) {
            task.tracee.set(Registers.ORIG_RAX, SyscallNumber.PAUSE);
        } else if (number == SyscallNumber.WAIT4) {
            // The group stop of a tracee that is a child as well is told to the tracer only.
            task.tracee.set(Registers.RDX, task.argument(2) & ~WUNTRACED);
        }
        return 0;
    }

    /** What a call that was answered at its entry gives: writes the outputs of the task, as the kernel would. */
    long take(RecordedTask task) {
        Report report = find(task);
        boolean identified = task.call == SyscallNumber.WAITID;
        if (identified) {
            write(task, task.argument(2), info(report), INFO_SIZE);
            write(task, task.argument(4), report.usage, RUSAGE_SIZE);
        } else {
            byte[] status = new byte[4];
            EmulatedStop.word(status, 0, report.status);
            write(task, task.argument(1), status, 4);
            write(task, task.argument(3), report.usage, RUSAGE_SIZE);
        }
        if (!identified || (task.argument(3) & WNOWAIT) == 0) {
            reports.remove(report);
        }
        return identified ? 0 : report.tid;
    }

    private void write(RecordedTask task, long address, byte[] bytes, int length) {
        if (address != 0) {
            MemorySegment.copy(bytes, 0, buffer, JAVA_BYTE, 0, length);
            task.tracee.write(inKernel(task, address), buffer, length);
        }
    }

    private boolean read(RecordedTask task, long address, int length) {
        return task.tracee.read(inKernel(task, address), buffer, length) == length;
    }

    /** Where the kernel writes what the task wants at an address. */
    private static long inKernel(RecordedTask task, long address) {
        long target = address;
        for (int index = 0; task.scratched && index < task.plan.size(); index++) {
            if (task.plan.address(index) == address && task.scratchOf[index] != 0) {
                target = task.scratchOf[index];
            }
        }
        return target;
    }

    private static byte[] info(Report report) {
        byte[] info = EmulatedStop.info(Signal.SIGCHLD, CLD_TRAPPED);
        int status = report.status >> 8 & 0xffff;
        if (report.stopped == null) {
            boolean exited = Wait.isExited(report.status);
            EmulatedStop.word(info, 8, exited ? CLD_EXITED : (report.status & 0x80) != 0 ? CLD_DUMPED : CLD_KILLED);
            status = exited ? Wait.exitStatus(report.status) : Wait.terminatingSignal(report.status);
        }
        EmulatedStop.word(info, 16, report.tid);
        EmulatedStop.word(info, 20, report.user);
        EmulatedStop.word(info, 24, status);
        return info;
    }

    /**
     * The current task, which waits, came out of the kernel: supplies what the kernel does not know.
     *
     * @return false if the call has to be made once more, to sleep until a tracee stops
     */
    boolean left(RecordedTask task) {
        task.waiting = false;
        long result = task.tracee.get(Registers.RAX);
        boolean paused = task.waitsForTracees;
        task.waitsForTracees = false;
        if (paused) {
            task.tracee.set(Registers.ORIG_RAX, task.call);
        } else if (task.call == SyscallNumber.WAIT4) {
            task.tracee.set(Registers.RDX, task.argument(2));
        }
        boolean interrupted = result <= -Errno.ERESTARTSYS && result >= -Errno.ERESTART_RESTARTBLOCK;
        if ((interrupted || result == -Errno.ECHILD) && find(task) != null
                || result >= 0 && hasThreadBefore(task, result)) {
            task.tracee.set(Registers.RAX, take(task));
        } else if (interrupted) {
            task.tracee.set(Registers.RAX, -Errno.ERESTARTSYS);
        } else if (result == -Errno.ECHILD && hasTracee(task)) {
            if ((Selection.of(task).options & Wait.WNOHANG) != 0) {
                task.tracee.set(Registers.RAX, 0);
            } else {
                task.waitsForTracees = true;
                return false;
            }
        }
        return true;
    }

    /**
     * Whether the kernel told of a process whose thread's death, which it does not know to be of interest here, has to be told
     * first: a traced leader is not reported while threads of its own are. The process is then reported next time.
     */
    private boolean hasThreadBefore(RecordedTask task, long result) {
        Report thread = find(task);
        if (thread == null || thread.stopped != null || thread.tid == thread.process) {
            return false;
        }
        int status = reaped(task, result, thread.process);
        if (status < 0) {
            return false;
        }
        reports.add(new Report(
                thread.tracer, null, thread.process, thread.process, thread.group, thread.user, status, thread.usage));
        return true;
    }

    /** The wait status of a process, if it is the one whose death the kernel has just told the task; else -1. */
    private int reaped(RecordedTask task, long result, int process) {
        if (task.call == SyscallNumber.WAIT4) {
            boolean told = result == process && task.argument(1) != 0 && read(task, task.argument(1), 4);
            int status = buffer.get(JAVA_INT, 0);
            return told && (Wait.isExited(status) || Wait.isSignaled(status)) ? status : -1;
        }
        if ((task.argument(3) & WNOWAIT) != 0
                || task.argument(2) == 0
                || !read(task, task.argument(2), INFO_SIZE)
                || buffer.get(JAVA_INT, 16) != process) {
            return -1;
        }
        int status = buffer.get(JAVA_INT, 24);
        return switch (buffer.get(JAVA_INT, 8)) {
            case CLD_EXITED -> status << 8;
            case CLD_KILLED -> status;
            case CLD_DUMPED -> status | 0x80;
            default -> -1;
        };
    }

    /** Gives a siginfo that the current task took from its queue its final form. */
    void completeTaken(RecordedTask task, long address) {
        if (address == 0 || task.tracee.read(address, buffer, INFO_SIZE + 4) != INFO_SIZE + 4) {
            return;
        }
        if (buffer.get(JAVA_INT, 0) == Signal.SIGCHLD && emulation.completeChildSignal(buffer)) {
            task.tracee.write(address, buffer, INFO_SIZE + 4);
        }
    }
}
