package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;
import reprise.linux.Errno;
import reprise.linux.LinuxException;
import reprise.linux.ProcessMemory;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.trace.TraceWriter;
import reprise.tracee.TaskStatus;
import reprise.tracee.TraceeGoneException;
import reprise.x86.Registers;

/** The requests of ptrace(2), made by recorded programs. */
final class PtraceCalls {
    private static final int TRACEME = 0;
    private static final int PEEKTEXT = 1;
    private static final int PEEKDATA = 2;
    private static final int PEEKUSER = 3;
    private static final int POKETEXT = 4;
    private static final int POKEDATA = 5;
    private static final int POKEUSER = 6;
    private static final int KILL = 8;
    private static final int GETFPREGS = 14;
    private static final int SETFPREGS = 15;
    private static final int ATTACH = 16;
    private static final int ARCH_PRCTL = 30;
    private static final int SETOPTIONS = 0x4200;
    private static final int GETEVENTMSG = 0x4201;
    private static final int GETSIGINFO = 0x4202;
    private static final int SETSIGINFO = 0x4203;
    private static final int GETREGSET = 0x4204;
    private static final int SETREGSET = 0x4205;
    private static final int SEIZE = 0x4206;
    private static final int INTERRUPT = 0x4207;
    private static final int LISTEN = 0x4208;
    private static final int GETSIGMASK = 0x420a;
    private static final int SETSIGMASK = 0x420b;
    private static final int GET_SYSCALL_INFO = 0x420e;

    private static final int NT_PRSTATUS = 1;
    private static final int NT_PRFPREG = 2;
    private static final int FPREGS_SIZE = 512;

    /** Those that are emulated; the kernel knows PTRACE_O_TRACESECCOMP and PTRACE_O_SUSPEND_SECCOMP, too. */
    private static final int OPTIONS = Ptrace.O_TRACESYSGOOD
            | Ptrace.O_TRACEFORK
            | Ptrace.O_TRACEVFORK
            | Ptrace.O_TRACECLONE
            | Ptrace.O_TRACEEXEC
            | Ptrace.O_TRACEVFORKDONE
            | Ptrace.O_TRACEEXIT
            | Ptrace.O_EXITKILL;

    private static final int ARCH_SET_GS = 0x1001;
    private static final int ARCH_SET_FS = 0x1002;
    private static final int ARCH_GET_FS = 0x1003;
    private static final int ARCH_GET_GS = 0x1004;

    /** sizeof(struct user), and where u_debugreg is in it. */
    private static final long USER_SIZE = 912;

    private static final long DEBUG_REGISTERS = 848;
    private static final int DEBUG_REGISTER_COUNT = 8;

    private static final int AUDIT_ARCH_X86_64 = 0xc000003e;
    private static final int INFO_NONE = 24;
    private static final int INFO_ENTRY = 80;
    private static final int INFO_EXIT = 33;
    private static final int LARGEST = 16384;

    private final Recorder recorder;
    private final EmulatedPtrace emulation;
    private final MemorySegment buffer = Arena.global().allocate(LARGEST, 64);
    private final MemorySegment registers = Arena.global().allocate(Registers.SIZE, 16);
    private final Set<String> noted = new HashSet<>();

    // What the request did and the trace does not yet tell.
    private RecordedTask written;
    private long writtenAddress;
    private long writtenLength;
    private RecordedTask alsoWritten;
    private long alsoWrittenAddress;
    private Runnable effect;

    PtraceCalls(Recorder recorder, EmulatedPtrace emulation) {
        this.recorder = recorder;
        this.emulation = emulation;
    }

    /** Performs the ptrace(2) that the current task is about to make; its result. */
    long perform(RecordedTask task) {
        written = null;
        alsoWritten = null;
        effect = null;
        int request = (int) task.argument(0);
        RecordedTask tracee = request == TRACEME ? null : recorder.find((int) task.argument(1));
        try {
            return switch (request) {
                case TRACEME -> traceMe(task);
                case ATTACH -> attach(task, tracee, false);
                case SEIZE -> attach(task, tracee, true);
                default -> request(task, tracee, request);
            };
        } catch (TraceeGoneException e) {
            return overtaken(task, tracee, e, e.tid(), e.waitStatus());
        } catch (LinuxException e) {
            if (!e.isNoSuchTask() || tracee == null) {
                throw e;
            }
            return overtaken(task, tracee, e, tracee.tid(), 0);
        }
    }

    /** A task was killed meanwhile: the tracee, or else the tracer itself. */
    private long overtaken(RecordedTask task, RecordedTask tracee, RuntimeException e, int tid, int waitStatus) {
        if (tracee == null || tid != tracee.tid() || tracee == task) {
            throw e;
        }
        if (waitStatus != 0) {
            effect = () -> recorder.dispatch(tracee, waitStatus);
        }
        return -Errno.ESRCH;
    }

    /** Adds what the request wrote to the open event. */
    void recordWrites(TraceWriter trace) {
        if (written != null) {
            record(trace, written, writtenAddress, writtenLength);
        }
        if (alsoWritten != null) {
            record(trace, alsoWritten, alsoWrittenAddress, 8);
        }
    }

    private static void record(TraceWriter trace, RecordedTask owner, long address, long length) {
        MemorySegment into = trace.write(owner.tid(), address, length);
        trace.shortenLastWrite(owner.tracee.read(address, into, length));
    }

    /** The request is in the trace: does what it asked for with the tracee. */
    void complete() {
        Runnable now = effect;
        effect = null;
        if (now != null) {
            now.run();
        }
    }

    // ---- becoming tracer and tracee ----

    private long traceMe(RecordedTask task) {
        if (task.tracing != null) {
            return -Errno.EPERM;
        }
        RecordedTask parent = task.process.threads.getFirst().creator;
        if (parent == null || recorder.find(parent.tid()) != parent) {
            return refuse(task, Errno.EPERM, "PTRACE_TRACEME: the parent of task " + task.tid() + " is not recorded");
        }
        if (TaskStatus.visibleTid(parent.tid(), parent.tid()) != parent.tid()) {
            return refuse(task, Errno.EPERM, "ptrace in a pid namespace");
        }
        emulation.attach(task, new EmulatedTracee(parent, false, 0), task);
        return 0;
    }

    private long attach(RecordedTask task, RecordedTask tracee, boolean seize) {
        int pid = (int) task.argument(1);
        int options = seize ? (int) task.argument(3) : 0;
        if (seize && (task.argument(2) != 0 || !isKnown(options))) {
            return -Errno.EIO;
        }
        if (tracee == null || tracee.state == RecordedTask.State.EXITING) {
            return tracee == null && Syscall.call(SyscallNumber.KILL, pid, 0, 0) != -Errno.ESRCH
                    ? refuse(task, Errno.EPERM, "attaching to process " + pid + ", which is not recorded")
                    : -Errno.ESRCH;
        }
        if (TaskStatus.visibleTid(task.tid(), task.tid()) != task.tid()) {
            return refuse(task, Errno.EPERM, "ptrace in a pid namespace");
        }
        if (tracee.tracing != null || tracee.process == task.process) {
            return -Errno.EPERM;
        }
        int user = EmulatedPtrace.userOf(task);
        if (user != 0 && user != EmulatedPtrace.userOf(tracee)) {
            return -Errno.EPERM;
        }
        if (!isSupported(options)) {
            return refuse(task, Errno.EIO, "PTRACE_O_TRACESECCOMP");
        }
        emulation.attach(tracee, new EmulatedTracee(task, seize, options), task);
        boolean stopped = tracee.state == RecordedTask.State.GROUP_STOPPED;
        effect = () -> {
            if (!seize) {
                emulation.send(tracee, Signal.SIGSTOP);
            }
            if (stopped) {
                emulation.stopListening(tracee);
            }
        };
        return 0;
    }

    private static boolean isKnown(int options) {
        return (options & ~(OPTIONS | Ptrace.O_TRACESECCOMP | 1 << 21)) == 0;
    }

    private static boolean isSupported(int options) {
        return (options & ~OPTIONS) == 0;
    }

    /** Says once what is missing. */
    private long refuse(RecordedTask task, int errno, String what) {
        if (noted.add(what)) {
            recorder.note(
                    task,
                    "a recorded program's " + what + " is not supported; it is answered with " + Errno.name(errno));
        }
        return -errno;
    }

    // ---- requests ----

    private long request(RecordedTask task, RecordedTask tracee, int request) {
        if (tracee == null || tracee.tracing == null || tracee.tracing.tracer != task) {
            return -Errno.ESRCH;
        }
        EmulatedTracee state = tracee.tracing;
        long address = task.argument(2);
        long data = task.argument(3);
        if (request == KILL) {
            effect = () -> Syscall.call(SyscallNumber.TGKILL, tracee.process.pid, tracee.tid(), Signal.SIGKILL);
            return 0;
        }
        if (request == INTERRUPT) {
            if (!state.seized) {
                return -Errno.EIO;
            }
            effect = () -> emulation.interrupt(tracee);
            return 0;
        }
        if (state.stop == null) {
            return -Errno.ESRCH;
        }
        return switch (request) {
            case PEEKTEXT, PEEKDATA -> tracee.tracee.read(address, buffer, 8) == 8 ? give(task, data, 8) : -Errno.EIO;
            case POKETEXT, POKEDATA -> poke(tracee, address, data);
            case PEEKUSER -> peekUser(task, tracee, address, data);
            case POKEUSER -> pokeUser(task, tracee, address, data);
            case Ptrace.GETREGS -> {
                MemorySegment.copy(view(tracee), 0, buffer, 0, Registers.SIZE);
                yield give(task, data, Registers.SIZE);
            }
            case Ptrace.SETREGS ->
                take(task, data, Registers.SIZE) ? setRegisters(tracee, buffer, Registers.SIZE) : -Errno.EFAULT;
            case GETFPREGS -> {
                getSet(tracee, NT_PRFPREG);
                yield give(task, data, FPREGS_SIZE);
            }
            case SETFPREGS ->
                take(task, data, FPREGS_SIZE) ? setExtended(tracee, NT_PRFPREG, FPREGS_SIZE) : -Errno.EFAULT;
            case GETREGSET -> registerSet(task, tracee, (int) address, data, false);
            case SETREGSET -> registerSet(task, tracee, (int) address, data, true);
            case GETSIGINFO -> {
                if (state.stop.signalInfo() == null) {
                    yield -Errno.EINVAL;
                }
                fill(state.stop.signalInfo());
                yield give(task, data, Ptrace.SIGINFO_SIZE);
            }
            case SETSIGINFO -> setSignalInfo(task, tracee, data);
            case GETEVENTMSG -> {
                buffer.set(JAVA_LONG, 0, state.stop.message());
                yield give(task, data, 8);
            }
            case GETSIGMASK -> {
                buffer.set(JAVA_LONG, 0, address == 8 ? Ptrace.signalMask(tracee.tid()) : 0);
                yield address == 8 ? give(task, data, 8) : -Errno.EINVAL;
            }
            case SETSIGMASK -> {
                if (address != 8 || !take(task, data, 8)) {
                    yield address == 8 ? -Errno.EFAULT : -Errno.EINVAL;
                }
                Ptrace.setSignalMask(tracee.tid(), buffer.get(JAVA_LONG, 0));
                yield 0;
            }
            case SETOPTIONS -> setOptions(task, state, data);
            case GET_SYSCALL_INFO -> syscallInfo(task, tracee, address, data);
            case ARCH_PRCTL -> archPrctl(task, tracee, address, (int) data);
            case Ptrace.CONT, Ptrace.SYSCALL, Ptrace.SINGLESTEP, Ptrace.DETACH -> resume(tracee, request, data);
            case LISTEN -> {
                if (!state.seized || state.stop.waitStatus() >> 16 != Ptrace.EVENT_STOP) {
                    yield -Errno.EIO;
                }
                emulation.recordChanges(tracee);
                effect = () -> emulation.listen(tracee);
                yield 0;
            }
            default -> refuse(task, Errno.EIO, "ptrace request 0x" + Integer.toHexString(request));
        };
    }

    private long resume(RecordedTask tracee, int request, long signal) {
        if (signal < 0 || signal >= Signal.LIMIT) {
            return -Errno.EIO;
        }
        emulation.recordChanges(tracee);
        effect = () -> emulation.resume(tracee, request, (int) signal);
        return 0;
    }

    private long setOptions(RecordedTask task, EmulatedTracee state, long data) {
        if (data != (int) data || !isKnown((int) data)) {
            return -Errno.EINVAL;
        }
        if (!isSupported((int) data)) {
            return refuse(task, Errno.EINVAL, "PTRACE_O_TRACESECCOMP");
        }
        state.options = (int) data;
        return 0;
    }

    private long setSignalInfo(RecordedTask task, RecordedTask tracee, long data) {
        if (tracee.tracing.stop.signalInfo() == null) {
            return -Errno.EINVAL;
        }
        if (!take(task, data, Ptrace.SIGINFO_SIZE)) {
            return -Errno.EFAULT;
        }
        MemorySegment.copy(buffer, JAVA_BYTE, 0, tracee.tracing.stop.signalInfo(), 0, Ptrace.SIGINFO_SIZE);
        if (tracee.tracing.stop.kind() == EmulatedStop.Kind.SIGNAL) {
            Ptrace.setSignalInfo(tracee.tid(), buffer.asSlice(0, Ptrace.SIGINFO_SIZE));
        }
        return 0;
    }

    // ---- the tracer's memory ----

    private void fill(byte[] bytes) {
        MemorySegment.copy(bytes, 0, buffer, JAVA_BYTE, 0, bytes.length);
    }

    /** Writes the buffer to the tracer's memory; 0, or -EFAULT. */
    private long give(RecordedTask task, long address, long length) {
        if (ProcessMemory.write(task.tid(), address, buffer, length) != length) {
            return -Errno.EFAULT;
        }
        written = task;
        writtenAddress = address;
        writtenLength = length;
        return 0;
    }

    private boolean take(RecordedTask task, long address, long length) {
        return ProcessMemory.read(task.tid(), address, buffer, length) == length;
    }

    // ---- memory and registers of the tracee ----

    private long poke(RecordedTask tracee, long address, long data) {
        buffer.set(JAVA_LONG, 0, data);
        if (!tracee.tracee.write(address, buffer, 8)) {
            return -Errno.EIO;
        }
        written = tracee;
        writtenAddress = address;
        writtenLength = 8;
        return 0;
    }

    /** The registers as the tracer is to see them. */
    private MemorySegment view(RecordedTask tracee) {
        MemorySegment.copy(tracee.tracee.registers(), 0, registers, 0, Registers.SIZE);
        long at = Registers.get(registers, Registers.RIP);
        Registers.set(registers, Registers.RIP, tracee.process.memory.code.original(at));
        if (tracee.answered && tracee.tracing.stop.kind() == EmulatedStop.Kind.EXIT) {
            Registers.set(registers, Registers.ORIG_RAX, tracee.call);
        }
        return registers;
    }

    /** Sets the first {@code length} bytes of the registers. */
    private long setRegisters(RecordedTask tracee, MemorySegment from, long length) {
        beforeChange(tracee);
        MemorySegment block = view(tracee);
        MemorySegment.copy(from, 0, block, 0, length);
        if (tracee.answered && tracee.tracing.stop.kind() != EmulatedStop.Kind.ENTRY) {
            // The kernel would make the call after all.
            Registers.set(block, Registers.ORIG_RAX, -1);
        }
        tracee.tracee.setAll(block);
        try {
            tracee.tracee.flushRegisters();
        } catch (LinuxException e) {
            tracee.tracee.forgetRegisters();
            return -e.errno();
        }
        // The kernel does not take all bits of all of them.
        tracee.tracee.forgetRegisters();
        tracee.tracing.changed = true;
        return 0;
    }

    private static void beforeChange(RecordedTask tracee) {
        EmulatedTracee state = tracee.tracing;
        if (!state.changed && !state.extendedChanged) {
            MemorySegment.copy(tracee.tracee.registers(), 0, state.before, 0, Registers.SIZE);
        }
    }

    private long peekUser(RecordedTask task, RecordedTask tracee, long offset, long data) {
        if (offset < 0 || offset % 8 != 0 || offset >= USER_SIZE) {
            return -Errno.EIO;
        }
        long value = 0;
        if (offset < Registers.SIZE) {
            value = view(tracee).get(JAVA_LONG, offset);
        } else if (offset >= DEBUG_REGISTERS && offset < DEBUG_REGISTERS + 8 * DEBUG_REGISTER_COUNT) {
            value = Ptrace.debugRegister(tracee.tid(), (int) (offset - DEBUG_REGISTERS) / 8);
        }
        buffer.set(JAVA_LONG, 0, value);
        return give(task, data, 8);
    }

    private long pokeUser(RecordedTask task, RecordedTask tracee, long offset, long value) {
        if (offset < 0 || offset % 8 != 0 || offset >= USER_SIZE) {
            return -Errno.EIO;
        }
        if (offset < Registers.SIZE) {
            MemorySegment.copy(view(tracee), 0, buffer, 0, Registers.SIZE);
            buffer.set(JAVA_LONG, offset, value);
            return setRegisters(tracee, buffer, Registers.SIZE);
        }
        if (offset < DEBUG_REGISTERS || offset >= DEBUG_REGISTERS + 8 * DEBUG_REGISTER_COUNT) {
            return -Errno.EIO;
        }
        int index = (int) (offset - DEBUG_REGISTERS) / 8;
        try {
            Ptrace.setDebugRegister(tracee.tid(), index, value);
        } catch (LinuxException e) {
            return -e.errno();
        }
        EmulatedTracee state = tracee.tracing;
        if (state.debugRegisters == null) {
            state.debugRegisters = new long[DEBUG_REGISTER_COUNT];
        }
        state.debugRegisters[index] = value;
        return 0;
    }

    private long getSet(RecordedTask tracee, int set) {
        return Ptrace.getRegisterSet(tracee.tid(), set, buffer);
    }

    private long setExtended(RecordedTask tracee, int set, long length) {
        beforeChange(tracee);
        try {
            Ptrace.setRegisterSet(tracee.tid(), set, buffer.asSlice(0, length));
        } catch (LinuxException e) {
            return -e.errno();
        }
        tracee.tracing.extendedChanged = true;
        return 0;
    }

    private long registerSet(RecordedTask task, RecordedTask tracee, int set, long vector, boolean store) {
        if (!take(task, vector, 16)) {
            return -Errno.EFAULT;
        }
        long base = buffer.get(JAVA_LONG, 0);
        long length = buffer.get(JAVA_LONG, 8);
        if (set != NT_PRSTATUS && set != NT_PRFPREG && set != Ptrace.NT_X86_XSTATE) {
            return refuse(task, Errno.EINVAL, "ptrace register set 0x" + Integer.toHexString(set));
        }
        if (length % 8 != 0) {
            return -Errno.EINVAL;
        }
        long count;
        long result;
        if (store) {
            long size = set == NT_PRSTATUS ? Registers.SIZE : getSet(tracee, set);
            count = Math.clamp(length, 0, size);
            if (!take(task, base, count)) {
                return -Errno.EFAULT;
            }
            result = set == NT_PRSTATUS ? setRegisters(tracee, buffer, count) : setExtended(tracee, set, count);
        } else {
            long size = Registers.SIZE;
            if (set == NT_PRSTATUS) {
                MemorySegment.copy(view(tracee), 0, buffer, 0, size);
            } else {
                size = getSet(tracee, set);
            }
            count = Math.clamp(length, 0, size);
            result = give(task, base, count);
        }
        if (result == 0) {
            buffer.set(JAVA_LONG, 0, count);
            if (ProcessMemory.write(task.tid(), vector + 8, buffer, 8) != 8) {
                return -Errno.EFAULT;
            }
            alsoWritten = task;
            alsoWrittenAddress = vector + 8;
        }
        return result;
    }

    private long syscallInfo(RecordedTask task, RecordedTask tracee, long size, long data) {
        MemorySegment block = view(tracee);
        buffer.asSlice(0, INFO_ENTRY).fill((byte) 0);
        buffer.set(JAVA_INT, 4, AUDIT_ARCH_X86_64);
        buffer.set(JAVA_LONG, 8, Registers.get(block, Registers.RIP));
        buffer.set(JAVA_LONG, 16, Registers.get(block, Registers.RSP));
        int length = INFO_NONE;
        switch (tracee.tracing.stop.kind()) {
            case ENTRY -> {
                length = INFO_ENTRY;
                buffer.set(JAVA_BYTE, 0, (byte) 1);
                buffer.set(JAVA_LONG, 24, Registers.get(block, Registers.ORIG_RAX));
                for (int index = 0; index < 6; index++) {
                    buffer.set(JAVA_LONG, 32 + 8L * index, Registers.get(block, Registers.argument(index)));
                }
            }
            case EXIT -> {
                length = INFO_EXIT;
                long result = Registers.get(block, Registers.RAX);
                buffer.set(JAVA_BYTE, 0, (byte) 2);
                buffer.set(JAVA_LONG, 24, result);
                buffer.set(JAVA_BYTE, 32, (byte) (result < 0 && result >= -4095 ? 1 : 0));
            }
            default -> {}
        }
        long result = give(task, data, Math.clamp(size, 0, length));
        return result < 0 ? result : length;
    }

    private long archPrctl(RecordedTask task, RecordedTask tracee, long address, int code) {
        int register = code == ARCH_GET_FS || code == ARCH_SET_FS ? Registers.FS_BASE : Registers.GS_BASE;
        return switch (code) {
            case ARCH_GET_FS, ARCH_GET_GS -> {
                buffer.set(JAVA_LONG, 0, Registers.get(view(tracee), register));
                yield give(task, address, 8);
            }
            case ARCH_SET_FS, ARCH_SET_GS -> {
                MemorySegment.copy(view(tracee), 0, buffer, 0, Registers.SIZE);
                buffer.set(JAVA_LONG, register, address);
                yield setRegisters(tracee, buffer, Registers.SIZE);
            }
            default -> -Errno.EINVAL;
        };
    }
}
