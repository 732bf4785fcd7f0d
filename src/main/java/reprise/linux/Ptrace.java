package reprise.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The requests of ptrace(2). All must be made by the thread that seized the task; a task that was killed meanwhile
 * answers ESRCH, see {@link LinuxException#isNoSuchTask()}.
 */
public final class Ptrace {
    public static final int CONT = 7;
    public static final int SINGLESTEP = 9;
    public static final int GETREGS = 12;
    public static final int SETREGS = 13;
    public static final int DETACH = 17;
    public static final int SYSCALL = 24;
    public static final int SYSEMU = 31;
    public static final int SYSEMU_SINGLESTEP = 32;
    private static final int PEEKUSER = 3;
    private static final int POKEDATA = 5;
    private static final int POKEUSER = 6;
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

    public static final int O_TRACESYSGOOD = 1;
    public static final int O_TRACEFORK = 2;
    public static final int O_TRACEVFORK = 4;
    public static final int O_TRACECLONE = 8;
    public static final int O_TRACEEXEC = 16;
    public static final int O_TRACEVFORKDONE = 32;
    public static final int O_TRACEEXIT = 64;
    public static final int O_TRACESECCOMP = 128;
    public static final int O_EXITKILL = 1 << 20;

    public static final int EVENT_FORK = 1;
    public static final int EVENT_VFORK = 2;
    public static final int EVENT_CLONE = 3;
    public static final int EVENT_EXEC = 4;
    public static final int EVENT_VFORK_DONE = 5;
    public static final int EVENT_EXIT = 6;
    public static final int EVENT_SECCOMP = 7;
    public static final int EVENT_STOP = 128;

    /** Extended processor state, in the layout of XSAVE's standard form. */
    public static final int NT_X86_XSTATE = 0x202;

    /** Size of siginfo_t in bytes. */
    public static final int SIGINFO_SIZE = 128;

    private static final ThreadLocal<MemorySegment> SCRATCH =
            ThreadLocal.withInitial(() -> Arena.global().allocate(64, 16));

    private Ptrace() {}

    private static long request(int request, int tid, long address, long data, String what) {
        long result = Syscall.call(SyscallNumber.PTRACE, request, tid, address, data);
        if (result < 0) {
            throw new LinuxException(what + " of task " + tid, (int) -result);
        }
        return result;
    }

    /** Attaches without stopping; {@code options} are O_ bits. */
    public static void seize(int tid, int options) {
        request(SEIZE, tid, 0, options, "PTRACE_SEIZE");
    }

    /** Sets the O_ bits of a stopped task. */
    public static void setOptions(int tid, int options) {
        request(SETOPTIONS, tid, 0, options, "PTRACE_SETOPTIONS");
    }

    /** Stops a running task with EVENT_STOP. */
    public static void interrupt(int tid) {
        request(INTERRUPT, tid, 0, 0, "PTRACE_INTERRUPT");
    }

    /** Leaves a task in its group stop, but listens for what ends it. */
    public static void listen(int tid) {
        request(LISTEN, tid, 0, 0, "PTRACE_LISTEN");
    }

    /**
     * Resumes a stopped task.
     *
     * @param how {@link #CONT}, {@link #SYSCALL}, {@link #SYSEMU}, {@link #SINGLESTEP}, {@link #SYSEMU_SINGLESTEP} or
     *     {@link #DETACH}
     * @param signal to deliver, 0 for none; only looked at after a signal-delivery stop
     */
    public static void resume(int how, int tid, int signal) {
        request(how, tid, 0, signal, "resuming");
    }

    /** Reads the general registers: {@code user_regs_struct}, 216 bytes. */
    public static void getRegisters(int tid, MemorySegment into) {
        request(GETREGS, tid, 0, into.address(), "PTRACE_GETREGS");
    }

    /** Writes the general registers: {@code user_regs_struct}, 216 bytes. */
    public static void setRegisters(int tid, MemorySegment from) {
        request(SETREGS, tid, 0, from.address(), "PTRACE_SETREGS");
    }

    /**
     * Reads a register set.
     *
     * @param set NT_ number
     * @return bytes read
     */
    public static long getRegisterSet(int tid, int set, MemorySegment into) {
        MemorySegment vector = SCRATCH.get();
        vector.set(JAVA_LONG, 0, into.address());
        vector.set(JAVA_LONG, 8, into.byteSize());
        request(GETREGSET, tid, set, vector.address(), "PTRACE_GETREGSET");
        return vector.get(JAVA_LONG, 8);
    }

    /** Writes a register set of NT_ number {@code set}. */
    public static void setRegisterSet(int tid, int set, MemorySegment from) {
        MemorySegment vector = SCRATCH.get();
        vector.set(JAVA_LONG, 0, from.address());
        vector.set(JAVA_LONG, 8, from.byteSize());
        request(SETREGSET, tid, set, vector.address(), "PTRACE_SETREGSET");
    }

    /** The message of the event the task is stopped at: the new task, the former tid, the exit status. */
    public static long eventMessage(int tid) {
        MemorySegment scratch = SCRATCH.get();
        request(GETEVENTMSG, tid, 0, scratch.address(), "PTRACE_GETEVENTMSG");
        return scratch.get(JAVA_LONG, 0);
    }

    /** Reads the siginfo of a signal stop, 128 bytes. */
    public static void getSignalInfo(int tid, MemorySegment into) {
        request(GETSIGINFO, tid, 0, into.address(), "PTRACE_GETSIGINFO");
    }

    /** Replaces the siginfo of a signal-delivery stop, 128 bytes. */
    public static void setSignalInfo(int tid, MemorySegment from) {
        request(SETSIGINFO, tid, 0, from.address(), "PTRACE_SETSIGINFO");
    }

    /** The mask of blocked signals. */
    public static long signalMask(int tid) {
        MemorySegment scratch = SCRATCH.get();
        request(GETSIGMASK, tid, 8, scratch.address(), "PTRACE_GETSIGMASK");
        return scratch.get(JAVA_LONG, 0);
    }

    /** Sets the mask of blocked signals. */
    public static void setSignalMask(int tid, long mask) {
        MemorySegment scratch = SCRATCH.get();
        scratch.set(JAVA_LONG, 0, mask);
        request(SETSIGMASK, tid, 8, scratch.address(), "PTRACE_SETSIGMASK");
    }

    /** Reads debug register {@code index}, 0 to 7. */
    public static long debugRegister(int tid, int index) {
        MemorySegment scratch = SCRATCH.get();
        request(PEEKUSER, tid, DEBUG_REGISTERS + 8L * index, scratch.address(), "PTRACE_PEEKUSER");
        return scratch.get(JAVA_LONG, 0);
    }

    /** Writes debug register {@code index}, 0 to 7. */
    public static void setDebugRegister(int tid, int index, long value) {
        request(POKEUSER, tid, DEBUG_REGISTERS + 8L * index, value, "PTRACE_POKEUSER");
    }

    /** Writes eight bytes of memory, whatever the protection of their pages. */
    public static void poke(int tid, long address, long value) {
        request(POKEDATA, tid, address, value, "PTRACE_POKEDATA");
    }

    /** Offset of u_debugreg in struct user. */
    private static final long DEBUG_REGISTERS = 848;

    /** The signal number in a siginfo block. */
    public static int signalOf(MemorySegment info) {
        return info.get(JAVA_INT, 0);
    }

    /** The si_code in a siginfo block. */
    public static int codeOf(MemorySegment info) {
        return info.get(JAVA_INT, 8);
    }
}
