package reprise.replay;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reprise.linux.CpuSet;
import reprise.linux.Errno;
import reprise.linux.LinuxException;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.runtime.RandomInstruction;
import reprise.syscall.SyscallTable;
import reprise.trace.Event;
import reprise.trace.EventValidity;
import reprise.tracee.TraceeGoneException;
import reprise.x86.Registers;

/**
 * Everything that is alive in a replay: tasks, the carriers that run them, shared objects and stored files. It takes one
 * event after the other, runs the event's task to it, compares and applies it.
 *
 * <p>Belongs to the thread that made it, which is the tracer of all carriers.
 */
final class ReplaySession implements AutoCloseable {
    /** si_code of faults that are not those of a page. */
    private static final long CLONE_THREAD = 0x10000;

    private final ReplayOptions options;
    private final StoredFiles files;
    private final SharedObjects objects;
    private final ProgramOutput output;
    private final MemoryCheck check;
    private final PointSearch points;
    private final EventLog log = new EventLog();
    private final DivergenceReport report;
    private final CoreBinding ownCore;
    private final int startCore;
    private final ReplaySession original;
    private final Map<Integer, Integer> cores = new HashMap<>();
    private final Map<Integer, ReplayTask> tasks = new HashMap<>();
    private final List<Carrier> carriers = new ArrayList<>();
    private final Carrier empty;
    private ReplayTask last;
    private int waitStatus;

    /**
     * A session in which nothing lives yet.
     *
     * @param directory of the trace, where its stored files are
     * @param refused what the recording did not see
     * @throws LinuxException if the kernel does not allow processes to be traced
     */
    ReplaySession(Path directory, RefusedCalls refused, ReplayOptions options) {
        this.options = options;
        this.original = null;
        this.output = new ProgramOutput();
        this.check = new MemoryCheck();
        this.points = new PointSearch(check);
        this.ownCore = new CoreBinding();
        this.startCore = CpuSet.present();
        this.files = new StoredFiles(directory);
        this.objects = new SharedObjects(files);
        this.report = new DivergenceReport(files, log);
        ownCore.follow(startCore);
        this.empty = Carrier.create(refused);
        empty.bind(startCore);
    }

    private ReplaySession(ReplaySession other) {
        original = other.original == null ? other : other.original;
        options = other.options;
        output = other.output;
        check = other.check;
        points = other.points;
        ownCore = other.ownCore;
        startCore = other.startCore;
        files = other.files;
        empty = other.empty;
        report = new DivergenceReport(files, log);
        cores.putAll(other.cores);
        waitStatus = other.waitStatus;
        objects = other.objects.copy();
        Map<Carrier, Carrier> copies = new HashMap<>();
        for (Carrier carrier : other.carriers) {
            Carrier copy = carrier.copy();
            copies.put(carrier, copy);
            carriers.add(copy);
            objects.adopt(copy);
        }
        for (ReplayTask task : other.tasks.values()) {
            add(task.copy(copies.get(task.carrier())));
        }
    }

    /**
     * A session in the same state that goes its own way. It uses what the one made first opened, and so must be closed
     * before that.
     */
    ReplaySession copy() {
        return new ReplaySession(this);
    }

    /** All that are alive, by tid. */
    Collection<ReplayTask> tasks() {
        return tasks.values();
    }

    /** The task of a thread id; null if it is not alive. */
    ReplayTask task(int tid) {
        return tasks.get(tid);
    }

    StoredFiles files() {
        return files;
    }

    PointSearch points() {
        return points;
    }

    /** Wait status of the recording's first process, once its end was applied. */
    int waitStatus() {
        return waitStatus;
    }

    /** Memory pages compared so far. */
    long pagesVerified() {
        return check.verified();
    }

    /**
     * Takes the next event.
     *
     * @throws DivergenceException if what happens is not what was recorded
     */
    void apply(Event event) {
        EventValidity.check(event);
        try {
            dispatch(event);
        } catch (Mismatch e) {
            throw report.exception(event, tasks.get(event.header().tid()), e);
        } catch (TraceeGoneException e) {
            Mismatch killed = new Mismatch("The process that ran the replay was killed"
                    + (e.waitStatus() == 0 ? "" : ": " + Wait.describe(e.waitStatus())) + ".\n");
            throw report.exception(event, null, killed);
        } catch (LinuxException e) {
            throw report.exception(event, tasks.get(event.header().tid()), e);
        }
        log.add(event);
    }

    private void dispatch(Event event) {
        switch (event) {
            case Event.SyscallExit exit -> syscallExit(exit);
            case Event.SyscallEnter enter -> syscallEnter(enter);
            case Event.SignalDelivered signal -> signalDelivered(signal);
            case Event.InstructionTrapped trapped -> instructionTrapped(trapped);
            case Event.Exec exec -> exec(exec);
            case Event.TaskExit exit -> taskExit(exit);
            case Event.ExecutionPoint point -> executionPoint(point);
            case Event.BufferedCalls buffered -> bufferedCalls(buffered);
            case Event.CodePatched patched -> codePatched(patched);
            case Event.Checksum checksum -> checksum(checksum);
            case Event.FileStored file -> files.add(file);
            case Event.SharedObject object -> objects.add(object);
            case Event.CoreBound bound -> cores.put(bound.header().domain(), bound.core());
            case Event.Note note -> {}
            case Event.End end -> waitStatus = end.waitStatus();
        }
    }

    private ReplayTask task(Event event) {
        int tid = event.header().tid();
        if (last != null && last.tid() == tid) {
            return last;
        }
        ReplayTask task = tasks.get(tid);
        if (task == null) {
            throw new Mismatch("There is no such task in the replay.\n");
        }
        last = task;
        return task;
    }

    // ---- running ----

    /**
     * Makes the task ready that has to run to come to an event.
     *
     * @return null if nothing has to be run
     * @throws DivergenceException if there is no such task
     */
    ReplayTask begin(Event event) {
        try {
            ReplayTask task = runner(event);
            if (task != null) {
                if (event instanceof Event.InstructionTrapped trapped
                        && trapped.instruction() == Event.TrappedInstruction.CPUID) {
                    task.carrier().trapCpuid();
                }
                prepare(task, event);
                if (event instanceof Event.BufferedCalls buffered) {
                    task.carrier().buffer().fill(buffered);
                }
            }
            return task;
        } catch (Mismatch e) {
            throw report.exception(event, tasks.get(event.header().tid()), e);
        }
    }

    /** The task that has to run to come to the next event; null if nothing has to. */
    ReplayTask runner(Event event) {
        return switch (event) {
            case Event.SyscallEnter enter -> task(enter);
            case Event.SyscallExit exit when exit.entryRegisters() != null -> task(exit);
            case Event.SignalDelivered signal when signal.point() != Event.SignalPoint.AFTER_EVENT -> task(signal);
            case Event.InstructionTrapped trapped -> task(trapped);
            case Event.ExecutionPoint point -> task(point);
            case Event.BufferedCalls buffered when buffered.stops() -> task(buffered);
            case Event.Exec exec -> {
                ReplayTask former = tasks.get(exec.formerTid());
                yield former == null || former.isInKernel() ? null : former;
            }
            default -> null;
        };
    }

    /** Runs a task to its next stop; the wait status. */
    private int run(ReplayTask task, Event event) {
        prepare(task, event);
        return task.carrier().run();
    }

    /** Makes a task ready to run. */
    private void prepare(ReplayTask task, Event event) {
        Carrier carrier = task.carrier();
        if (task.isInKernel()) {
            throw new Mismatch("The task is in a system call that was recorded as entered but not as left.\n");
        }
        int core = cores.getOrDefault(event.header().domain(), startCore);
        carrier.bind(core);
        ownCore.follow(core);
        carrier.load(task);
        carrier.refusedCalls().expect(event);
        carrier.expectCounterRead(mayReadCounter(event));
        task.setRestarted(false);
    }

    /** Whether a task that runs to an event may stop at an instruction that reads the time stamp counter. */
    private static boolean mayReadCounter(Event event) {
        return switch (event) {
            case Event.InstructionTrapped trapped ->
                switch (trapped.instruction()) {
                    case RDTSC, RDTSCP -> true;
                    case CPUID, RDRAND -> false;
                };
            // The program itself may have asked for a fault.
            case Event.SignalDelivered fault ->
                fault.signal() == Signal.SIGSEGV
                        && fault.point() == Event.SignalPoint.FAULT
                        && Ptrace.codeOf(fault.signalInfo()) == Signal.SI_KERNEL;
            default -> false;
        };
    }

    private void runToSyscall(ReplayTask task, Event event, MemorySegment recorded) {
        int status = run(task, event);
        if (!Wait.isSyscallStop(status)) {
            int number = (int) Registers.get(recorded, Registers.ORIG_RAX);
            throw unexpected(task, "make system call " + SyscallTable.name(number), status);
        }
        compare(recorded, task, -1);
    }

    private void runToFault(ReplayTask task, Event event, int signal, MemorySegment recorded) {
        int status = run(task, event);
        if (Wait.isSyscallStop(status) || Wait.stopSignal(status) != signal) {
            throw unexpected(task, "raise " + Signal.name(signal), status);
        }
        compare(recorded, task, -1);
    }

    private Mismatch unexpected(ReplayTask task, String expected, int status) {
        return new Mismatch("The task should " + expected + ", but it "
                + DivergenceReport.describeStop(task.carrier(), status, files) + ".\n");
    }

    private static void compare(MemorySegment recorded, ReplayTask task, int except) {
        MemorySegment seen = task.carrier().registers(task);
        if (!RegisterComparison.equal(recorded, seen, except)) {
            throw new Mismatch("Registers differ:\n" + RegisterComparison.difference(recorded, seen, except));
        }
    }

    // ---- system calls ----

    private void syscallEnter(Event.SyscallEnter event) {
        ReplayTask task = task(event);
        runToSyscall(task, event, event.registers());
        task.setInKernel(true);
        if (options.echo()) {
            task.setKeptOutput(output.keep(task.carrier().tracee(), event.registers()));
        }
    }

    private void syscallExit(Event.SyscallExit event) {
        ReplayTask task = task(event);
        Carrier carrier = task.carrier();
        if (event.entryRegisters() != null) {
            runToSyscall(task, event, event.entryRegisters());
        } else if (!task.isInKernel()) {
            throw new Mismatch("The task leaves a system call that it did not enter.\n");
        }
        task.setInKernel(false);
        if (options.echo()
                && event.output() != 0
                && event.result() > 0
                && output.isNew(event.header().sequence())) {
            if (event.exitRegisters() != null) {
                // A tracer of the program's own changed what was written.
                output.repeat(carrier.tracee(), event.output(), event.exitRegisters(), event.result());
            } else if (task.keptOutput() != null) {
                output.repeat(event.output(), task.keptOutput(), event.result());
            } else {
                output.repeat(carrier.tracee(), event.output(), carrier.registers(task), event.result());
            }
        }
        task.setKeptOutput(null);
        for (Event.MappingChange change : event.changes()) {
            carrier.memory().apply(change, files, objects);
        }
        if (event.child() != null) {
            create(event.child(), task);
        }
        write(event.writes(), carrier);
        TaskNames.follow(event, task);
        leave(event, task);
    }

    private static void leave(Event.SyscallExit event, ReplayTask task) {
        Carrier carrier = task.carrier();
        boolean restarts = isRestart(event.result());
        if (event.exitRegisters() != null) {
            carrier.setRegisters(task, event.exitRegisters());
        } else {
            MemorySegment registers = carrier.registers(task);
            if (restarts) {
                boolean byBlock = event.result() == -Errno.ERESTART_RESTARTBLOCK;
                long number = byBlock ? SyscallNumber.RESTART_SYSCALL : Registers.get(registers, Registers.ORIG_RAX);
                rewind(registers, number);
            } else {
                Registers.set(registers, Registers.RAX, event.result());
                // So that the kernel of the replay does not think of restarting anything.
                Registers.set(registers, Registers.ORIG_RAX, -1);
            }
            carrier.registersChanged(task);
        }
        if (event.extendedState() != null) {
            carrier.setExtendedState(task, event.extendedState());
        }
        task.setRestarted(restarts);
    }

    private static boolean isRestart(long result) {
        return result == -Errno.ERESTARTSYS
                || result == -Errno.ERESTARTNOINTR
                || result == -Errno.ERESTARTNOHAND
                || result == -Errno.ERESTART_RESTARTBLOCK;
    }

    /** Back to the syscall instruction. */
    private static void rewind(MemorySegment registers, long number) {
        long behind = Registers.get(registers, Registers.RIP);
        Registers.set(registers, Registers.RIP, behind - Registers.SYSCALL_LENGTH);
        Registers.set(registers, Registers.RAX, number);
        Registers.set(registers, Registers.ORIG_RAX, -1);
    }

    private void create(Event.NewTask child, ReplayTask parent) {
        Carrier carrier = parent.carrier();
        if (!child.sharesMemory()) {
            carrier = carrier.fork();
            carriers.add(carrier);
        }
        int process = (child.cloneFlags() & CLONE_THREAD) != 0 ? parent.process() : child.tid();
        ReplayTask task = new ReplayTask(child.tid(), process, carrier, carrier.extendedStateSize());
        task.setName(parent.name());
        parent.carrier().copyExtendedState(parent, task.placeOfExtendedState());
        add(task);
        carrier.setRegisters(task, child.registers());
    }

    /** Applies writes, each to the address space of its task; most are of the event's own. */
    private void write(List<Event.MemoryWrite> writes, Carrier own) {
        int size = writes.size();
        for (int from = 0; from < size; ) {
            Carrier carrier = carrierOf(writes.get(from).tid(), own);
            int to = from + 1;
            while (to < size && carrierOf(writes.get(to).tid(), own) == carrier) {
                to++;
            }
            carrier.memory().write(writes, from, to, objects);
            from = to;
        }
    }

    private Carrier carrierOf(int tid, Carrier own) {
        if (last != null && last.tid() == tid) {
            return last.carrier();
        }
        ReplayTask task = tasks.get(tid);
        return task == null ? own : task.carrier();
    }

    // ---- signals and faults ----

    private void signalDelivered(Event.SignalDelivered event) {
        ReplayTask task = task(event);
        Carrier carrier = task.carrier();
        switch (event.point()) {
            case AFTER_EVENT -> {
                if (task.isInKernel()) {
                    throw new Mismatch("A signal strikes a task that has not left its system call.\n");
                }
                if (!task.isRestarted()) {
                    // The tracer of the recording saw the number of the system call that had just ended.
                    compare(event.before(), task, Registers.ORIG_RAX);
                }
            }
            case AT_SYSCALL -> {
                int status = run(task, event);
                if (!Wait.isSyscallStop(status)) {
                    throw unexpected(task, "come to a system call", status);
                }
                MemorySegment registers = carrier.registers(task);
                rewind(registers, Registers.get(registers, Registers.ORIG_RAX));
                carrier.registersChanged(task);
                compare(event.before(), task, Registers.ORIG_RAX);
            }
            case FAULT -> runToFault(task, event, event.signal(), event.before());
        }
        write(event.writes(), carrier);
        if (event.after() != null) {
            carrier.setRegisters(task, event.after());
        }
        if (event.extendedState() != null) {
            carrier.setExtendedState(task, event.extendedState());
        }
        if (event.effect() != Event.SignalEffect.TRACER || event.after() != null) {
            task.setRestarted(false);
        }
    }

    private void bufferedCalls(Event.BufferedCalls event) {
        ReplayTask task = task(event);
        Carrier carrier = task.carrier();
        carrier.buffer().fill(event);
        if (!event.stops()) {
            return;
        }
        int status = run(task, event);
        if (!Wait.isSyscallStop(status) || !CarrierBuffer.isStop(carrier.registers(task))) {
            throw unexpected(task, "stop behind a buffered system call", status);
        }
        carrier.buffer().comeOut(task);
    }

    private void codePatched(Event.CodePatched event) {
        ReplayTask task = task(event);
        Carrier carrier = task.carrier();
        for (Event.MappingChange change : event.changes()) {
            carrier.memory().apply(change, files, objects);
        }
        carrier.patches().add(event);
        write(event.writes(), carrier);
        carrier.buffer().install();
        Registers.set(carrier.registers(task), Registers.RIP, event.resumeAt());
        carrier.registersChanged(task);
    }

    private void executionPoint(Event.ExecutionPoint event) {
        ReplayTask task = task(event);
        prepare(task, event);
        points.find(event, task.carrier());
    }

    private void instructionTrapped(Event.InstructionTrapped event) {
        ReplayTask task = task(event);
        Carrier carrier = task.carrier();
        if (event.instruction() == Event.TrappedInstruction.CPUID) {
            carrier.trapCpuid();
        }
        boolean random = event.instruction() == Event.TrappedInstruction.RDRAND;
        runToFault(task, event, random ? Signal.SIGILL : Signal.SIGSEGV, event.before());
        MemorySegment registers = carrier.registers(task);
        if (random) {
            RandomInstruction.complete(registers, (int) event.rbx() & 15, event.rax(), (int) event.rcx());
            carrier.registersChanged(task);
            return;
        }
        Registers.set(registers, Registers.RAX, event.rax());
        Registers.set(registers, Registers.RDX, event.rdx());
        if (event.instruction() != Event.TrappedInstruction.RDTSC) {
            Registers.set(registers, Registers.RCX, event.rcx());
        }
        if (event.instruction() == Event.TrappedInstruction.CPUID) {
            Registers.set(registers, Registers.RBX, event.rbx());
        }
        int length = event.instruction() == Event.TrappedInstruction.RDTSCP ? 3 : 2;
        Registers.set(registers, Registers.RIP, Registers.get(registers, Registers.RIP) + length);
        carrier.registersChanged(task);
    }

    // ---- birth and death ----

    private void exec(Event.Exec event) {
        ReplayTask former = tasks.get(event.formerTid());
        if (former != null) {
            runToExec(former, event);
            for (ReplayTask other : List.copyOf(tasks.values())) {
                if (other.process() == former.process()) {
                    remove(other);
                }
            }
        }
        empty.openAll(event.mappings(), files);
        Carrier carrier = empty.fork();
        carriers.add(carrier);
        carrier.memory().build(event.mappings(), files, objects);
        int tid = event.header().tid();
        ReplayTask task = new ReplayTask(tid, tid, carrier, carrier.extendedStateSize());
        carrier.memory().write(event.writes(), 0, event.writes().size(), objects);
        carrier.setExtendedState(task, event.extendedState());
        carrier.setRegisters(task, event.registers());
        add(task);
    }

    /** What a task writes before it calls execve is seen by those it shares memory with: it has to be run there. */
    private void runToExec(ReplayTask task, Event.Exec event) {
        if (task.isInKernel()) {
            return;
        }
        int status = run(task, event);
        long number = task.carrier().tracee().get(Registers.ORIG_RAX);
        if (!Wait.isSyscallStop(status) || number != SyscallNumber.EXECVE && number != SyscallNumber.EXECVEAT) {
            throw unexpected(task, "make system call execve", status);
        }
    }

    private void taskExit(Event.TaskExit event) {
        ReplayTask task = tasks.get(event.header().tid());
        if (task == null) {
            // Swallowed by an exec before its end was seen.
            return;
        }
        try {
            write(event.writes(), task.carrier());
        } catch (Mismatch e) {
            // The kernel, too, goes on where what the dying task pointed to is not there.
        }
        remove(task);
    }

    private void add(ReplayTask task) {
        tasks.put(task.tid(), task);
        task.carrier().addTask();
    }

    private void remove(ReplayTask task) {
        tasks.remove(task.tid(), task);
        if (last == task) {
            last = null;
        }
        Carrier carrier = task.carrier();
        if (carrier.removeTask(task)) {
            carriers.remove(carrier);
            carrier.close();
        }
    }

    // ---- verification ----

    private void checksum(Event.Checksum event) {
        if (options.verifyChecksums()) {
            Carrier carrier = task(event).carrier();
            check.verify(event, carrier.tracee(), new Places(carrier, files));
        }
    }

    /** Ends all carriers and lets the calling thread run where it might before. */
    @Override
    public void close() {
        carriers.forEach(Carrier::close);
        carriers.clear();
        tasks.clear();
        last = null;
        objects.close();
        if (original == null) {
            empty.close();
            files.close();
            ownCore.close();
        }
    }
}
