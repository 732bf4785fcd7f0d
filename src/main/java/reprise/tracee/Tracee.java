package reprise.tracee;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import reprise.linux.Errno;
import reprise.linux.Files;
import reprise.linux.LinuxException;
import reprise.linux.ProcessMemory;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Wait;
import reprise.x86.Registers;

/**
 * One kernel task under ptrace: registers, memory, and system calls made in its name.
 *
 * <p>Owned by the tracer thread that seized it. Registers are read at most once and written at most once a stop. All
 * methods but {@link #tid} require the task to be stopped; {@link TraceeGoneException} is thrown where it was killed.
 */
public final class Tracee implements MemoryReader {

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment registers = arena.allocate(Registers.SIZE, 16);
    private final MemorySegment saved = arena.allocate(Registers.SIZE, 16);
    private final MemorySegment word = arena.allocate(8, 8);
    private final HeldSignals held = new HeldSignals();
    private int tid;
    private boolean known;
    private boolean changed;

    /** A task that the calling thread traces. */
    public Tracee(int tid) {
        this.tid = tid;
    }

    /** Its thread id. */
    public int tid() {
        return tid;
    }

    /** The task took over the id of its group's leader, as an exec by another thread does. */
    public void rename(int newTid) {
        tid = newTid;
    }

    /** Its signals that are held back: those that arrived during remote system calls, and others. */
    public HeldSignals held() {
        return held;
    }

    /** The register block; changes made through it must be announced by {@link #registersChanged}. */
    public MemorySegment registers() {
        if (!known) {
            try {
                Ptrace.getRegisters(tid, registers);
            } catch (LinuxException e) {
                throw gone(e);
            }
            known = true;
            changed = false;
        }
        return registers;
    }

    /** A register by its offset. */
    public long get(int register) {
        return registers().get(JAVA_LONG, register);
    }

    /** Sets a register; takes effect at the latest when the task is resumed. */
    public void set(int register, long value) {
        registers().set(JAVA_LONG, register, value);
        changed = true;
    }

    /** Replaces all registers. */
    public void setAll(MemorySegment block) {
        MemorySegment.copy(block, 0, registers, 0, Registers.SIZE);
        known = true;
        changed = true;
    }

    /** Announces that the block was changed. */
    public void registersChanged() {
        changed = true;
    }

    /** Writes changed registers to the task. */
    public void flushRegisters() {
        if (known && changed) {
            try {
                Ptrace.setRegisters(tid, registers);
            } catch (LinuxException e) {
                throw gone(e);
            }
            changed = false;
        }
    }

    /** Forgets what is known of the registers: the task ran. */
    public void forgetRegisters() {
        known = false;
        changed = false;
    }

    /**
     * Resumes the task.
     *
     * @param how a resuming request of {@link Ptrace}
     * @param signal to deliver, or 0
     */
    public void resume(int how, int signal) {
        flushRegisters();
        known = false;
        try {
            if (leftGroupStop) {
                Ptrace.interrupt(tid);
            }
            Ptrace.resume(how, tid, signal);
        } catch (LinuxException e) {
            throw gone(e);
        }
    }

    /** Waits for the next stop of this very task; throws if it ends instead. */
    public int awaitStop() {
        long result;
        while ((result = Wait.interruptible(tid, 0)) == -Errno.EINTR) {
            // A leader whose threads live on dies without wait(2) telling, if it was killed.
            if (isZombie() && Wait.any(tid, Wait.WNOHANG) == 0) {
                break;
            }
        }
        if (result < 0) {
            throw new TraceeGoneException(tid, 0);
        }
        int status = Wait.status(result);
        known = false;
        if (!Wait.isStopped(status) || Wait.event(status) == Ptrace.EVENT_EXIT) {
            throw new TraceeGoneException(tid, status);
        }
        return status;
    }

    private boolean isZombie() {
        String stat = Files.readText("/proc/" + tid + "/stat");
        int name = stat == null ? -1 : stat.lastIndexOf(')');
        return name >= 0 && stat.startsWith(" Z", name + 1);
    }

    private RuntimeException gone(LinuxException e) {
        return e.isNoSuchTask() ? new TraceeGoneException(tid, 0) : e;
    }

    /** Reads its extended state; returns the bytes used. */
    public long extendedState(MemorySegment into) {
        try {
            return Ptrace.getRegisterSet(tid, Ptrace.NT_X86_XSTATE, into);
        } catch (LinuxException e) {
            throw gone(e);
        }
    }

    /** Replaces its extended state. */
    public void setExtendedState(MemorySegment from) {
        try {
            Ptrace.setRegisterSet(tid, Ptrace.NT_X86_XSTATE, from);
        } catch (LinuxException e) {
            throw gone(e);
        }
    }

    @Override
    public long read(long address, MemorySegment into, long length) {
        long count = ProcessMemory.read(tid, address, into, length);
        if (count == length) {
            return count;
        }
        // Pages without read permission, or mapped for execution only, are still there for a tracer.
        long forced = ProcessMemory.forceRead(tid, address, into, length);
        return Math.max(0, Math.max(count, forced));
    }

    @Override
    public long readWord(long address) {
        if (read(address, word, 8) != 8) {
            throw new UnreadableMemoryException(address);
        }
        return word.get(JAVA_LONG, 0);
    }

    @Override
    public long readInt(long address) {
        if (read(address, word, 4) != 4) {
            throw new UnreadableMemoryException(address);
        }
        return word.get(JAVA_INT, 0) & 0xffffffffL;
    }

    /** A zero-terminated string of less than 4096 bytes, as far as it can be read. */
    public String readString(long address) {
        MemorySegment bytes = Arena.ofAuto().allocate(4096);
        long count = read(address, bytes, bytes.byteSize());
        long length = 0;
        while (length < count && bytes.get(JAVA_BYTE, length) != 0) {
            length++;
        }
        return new String(bytes.asSlice(0, length).toArray(JAVA_BYTE), StandardCharsets.UTF_8);
    }

    /**
     * Writes memory whatever the protection of its pages.
     *
     * @return whether all of it could be written
     */
    public boolean write(long address, MemorySegment from, long length) {
        if (length == 0 || ProcessMemory.write(tid, address, from, length) == length) {
            return true;
        }
        return ProcessMemory.forceWrite(tid, address, from, length) == length;
    }

    /** Writes one word; see {@link #write}. */
    public boolean writeWord(long address, long value) {
        word.set(JAVA_LONG, 0, value);
        return write(address, word, 8);
    }

    /**
     * Makes the task perform a system call through the untraced instruction of its {@link RuntimePage}, and leaves its
     * registers as they were. The task must not be in a signal-delivery stop (the signal would be lost), nor at the
     * entry of a call of its own unless that is emulated (PTRACE_SYSEMU). Signals that come meanwhile are held back.
     *
     * @return the result, or -errno
     */
    public long remote(int number, long a, long b, long c, long d, long e, long f) {
        return remoteAt(RuntimePage.UNTRACED_SYSCALL, number, a, b, c, d, e, f);
    }

    /** As {@link #remote}, through a system call instruction at another address. */
    public long remoteAt(long instruction, int number, long a, long b, long c, long d, long e, long f) {
        MemorySegment.copy(registers(), 0, saved, 0, Registers.SIZE);
        set(Registers.RIP, instruction);
        set(Registers.RAX, number);
        set(Registers.ORIG_RAX, -1);
        set(Registers.RDI, a);
        set(Registers.RSI, b);
        set(Registers.RDX, c);
        set(Registers.R10, d);
        set(Registers.R8, e);
        set(Registers.R9, f);
        boolean left = leftGroupStop;
        leftGroupStop = false;
        boolean entered = false;
        while (true) {
            resume(Ptrace.SYSCALL, 0);
            int status = awaitStop();
            if (Wait.isSyscallStop(status)) {
                if (entered) {
                    break;
                }
                // Leaving an emulated call reports an exit first; ours shows its number in orig_rax.
                entered = get(Registers.ORIG_RAX) == number && get(Registers.RIP) == instruction + 2;
            } else if (Wait.event(status) == 0) {
                holdSignal(Wait.stopSignal(status));
            } else if (Wait.event(status) == Ptrace.EVENT_FORK || Wait.event(status) == Ptrace.EVENT_CLONE) {
                remoteChild = (int) Ptrace.eventMessage(tid);
            } else if (Wait.event(status) == Ptrace.EVENT_STOP) {
                left |= Wait.stopSignal(status) != Signal.SIGTRAP;
            }
        }
        leftGroupStop = left;
        long result = get(Registers.RAX);
        setAll(saved);
        return result;
    }

    /** Its process was stopped during a remote call: it is asked to join that stop whenever it is resumed. */
    private boolean leftGroupStop;

    /** It stopped because it was asked to, or with its process. */
    public void joinedGroupStop() {
        leftGroupStop = false;
    }

    private int remoteChild;

    /** The task that the last remote fork made. */
    public int remoteChild() {
        return remoteChild;
    }

    /** Holds back the signal of the present signal-delivery stop, see {@link HeldSignals#hold}. */
    public void holdSignal(int signal) {
        try {
            held.hold(tid, signal);
        } catch (LinuxException e) {
            throw gone(e);
        }
    }
}
