package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.Errno;
import reprise.linux.ProcessMemory;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.trace.TraceWriter;
import reprise.x86.Registers;

/**
 * The three calls at fixed addresses that date from before the vdso: gettimeofday, time and getcpu.
 *
 * <p>Where the page can be executed, the kernel performs them in its page fault handler. It asks seccomp before, but takes
 * nothing but a skip from it (emulate_vsyscall in arch/x86/entry/vsyscall), and there is no stop behind. So the recorder answers them. The
 * event says that the program stood behind the call already when it made it: there replay finds it, whose filter's SIGSYS comes
 * only when the handler has returned to the caller.
 */
final class VsyscallPage {
    private static final long PAGE = 0xffffffffff600000L >> 12;
    private static final int TIME_ZONE = 16;

    private final Recorder recorder;
    private final TraceWriter trace;
    private final MemorySegment answer = Arena.global().allocate(24, 8);

    VsyscallPage(Recorder recorder, TraceWriter trace) {
        this.recorder = recorder;
        this.trace = trace;
    }

    /** Whether a task that is about to make a system call makes it by way of the page. */
    static boolean isEntered(MemorySegment registers) {
        return Registers.get(registers, Registers.RIP) >> 12 == PAGE;
    }

    /**
     * Answers the call that the current task is about to make, and records it.
     *
     * @return false if it was not, because a pointer is bad: the kernel will fault
     */
    boolean answer(RecordedTask task) {
        MemorySegment registers = task.tracee.registers();
        int number = (int) Registers.get(registers, Registers.ORIG_RAX);
        long first = Registers.get(registers, Registers.RDI);
        long second = Registers.get(registers, Registers.RSI);
        long result = 0;
        int firstLength;
        int secondLength;
        int secondAt;
        answer.fill((byte) 0);
        switch (number) {
            case SyscallNumber.GETTIMEOFDAY -> {
                Syscall.call(number, answer.address(), answer.address() + TIME_ZONE, 0);
                firstLength = 16;
                secondLength = 8;
                secondAt = TIME_ZONE;
            }
            case SyscallNumber.TIME -> {
                result = Syscall.call(number, answer.address());
                firstLength = 8;
                secondLength = 0;
                secondAt = 0;
            }
            default -> {
                answer.set(JAVA_INT, 0, Math.max(0, task.domain.core));
                firstLength = 4;
                secondLength = 4;
                secondAt = 4;
            }
        }
        if (!put(task, first, 0, firstLength) || !put(task, second, secondAt, secondLength)) {
            recorder.note(
                    task,
                    "a call into the vsyscall page with a bad pointer is not supported; replay will diverge behind this one");
            return false;
        }
        MemorySegment entry = task.entry;
        MemorySegment.copy(registers, 0, entry, 0, Registers.SIZE);
        long stack = Registers.get(registers, Registers.RSP);
        Registers.set(entry, Registers.RIP, task.tracee.readWord(stack));
        Registers.set(entry, Registers.RSP, stack + 8);
        Registers.set(entry, Registers.RAX, -Errno.ENOSYS);
        task.tracee.set(Registers.RAX, result);
        task.tracee.set(Registers.ORIG_RAX, -1);
        int status = comeOut(task);
        task.atSyscall = false;
        task.interrupting = false;
        task.call = number;
        trace.syscallExit(task.domain.id, task.tid(), entry, number, result, null, null, 0);
        record(task, first, 0, firstLength);
        record(task, second, secondAt, secondLength);
        trace.end();
        if (Wait.event(status) == Ptrace.EVENT_STOP && Wait.stopSignal(status) == Signal.SIGTRAP) {
            recorder.afterEvent(task, true, false);
        } else {
            recorder.markNamed(task);
            recorder.dispatch(task, status);
        }
        return true;
    }

    private boolean put(RecordedTask task, long address, int from, int length) {
        return address == 0 || ProcessMemory.write(task.tid(), address, answer.asSlice(from, length), length) == length;
    }

    private void record(RecordedTask task, long address, int from, int length) {
        if (address != 0 && length > 0) {
            MemorySegment.copy(answer, from, trace.write(task.tid(), address, length), 0, length);
        }
    }

    /** Lets the task leave the handler and stops it before it executes anything; the wait status of that stop. */
    private static int comeOut(RecordedTask task) {
        while (true) {
            Ptrace.interrupt(task.tid());
            task.tracee.resume(Ptrace.CONT, 0);
            int status = task.tracee.awaitStop();
            if (Wait.event(status) != 0 || Wait.isSyscallStop(status)) {
                return status;
            }
            // A signal's stop takes the request with it.
            task.tracee.holdSignal(Wait.stopSignal(status));
        }
    }
}
