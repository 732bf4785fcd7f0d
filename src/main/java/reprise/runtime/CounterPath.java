package reprise.runtime;

import static reprise.runtime.BufferLayout.*;
import static reprise.x86.Condition.EQUAL;
import static reprise.x86.Condition.NOT_EQUAL;
import static reprise.x86.GeneralRegister.*;
import static reprise.x86.Memory.absolute;

import reprise.linux.SyscallNumber;
import reprise.x86.Assembler;
import reprise.x86.Label;
import reprise.x86.Memory;

/**
 * The part of the stub that reads the time stamp counter for a patched {@code rdtsc}.
 *
 * <p>The instruction itself faults in every recorded task, so that each read is seen. Here the kernel's clock is asked
 * instead, and its answer converted; the recorder does the same where the instruction does fault, so that one counter is
 * seen by all. Other than a system call, the instruction leaves all registers but rax and rdx as they are. A task is never
 * stopped behind it: where it was asked to stop, and where there is no record at replay, the instruction is executed.
 */
final class CounterPath {
    private static final int CLOCK_MONOTONIC_RAW = 4;

    private final Assembler code;

    CounterPath(Assembler code) {
        this.code = code;
    }

    /** What a trampoline does: rdx tells where it goes on. */
    static void hook(Assembler trampoline) {
        Label behind = trampoline.newLabel();
        trampoline.lea(RDX, Memory.at(behind));
        trampoline.mov(RAX, COUNTER_ENTRY);
        trampoline.jmp(RAX);
        trampoline.bytes((byte) 0x0f, (byte) 0x31);
        trampoline.bind(behind);
    }

    private static Memory int32(long address) {
        return absolute(address).ofSize(4);
    }

    /** In front of what {@link SyscallStub} saves. */
    void begin() {
        code.mov(absolute(SAVED_RCX), RCX);
        code.mov(absolute(SAVED_R11), R11);
        code.mov(RCX, RDX);
    }

    /** Behind what {@link SyscallStub} saves; goes to {@code begun} with all that a system call has there. */
    void proceed(Label begun, Label abort) {
        code.mov(int32(COUNTING), 1);
        code.mov(RAX, BufferTable.COUNTER);
        code.mov(absolute(NUMBER), RAX);
        code.mov(RBX, TABLE + 16L * BufferTable.COUNTER);
        code.cmp(int32(MODE), 0);
        code.jcc(NOT_EQUAL, begun);
        code.cmp(int32(STOP), 0);
        code.jcc(EQUAL, begun);
        code.jmp(abort);
    }

    /** Puts the counter into rax. */
    void read() {
        code.mov(RAX, SyscallNumber.CLOCK_GETTIME);
        code.mov(RDI, CLOCK_MONOTONIC_RAW);
        code.mov(RSI, CLOCK);
        code.call(reprise.tracee.RuntimePage.UNTRACED_SYSCALL);
        code.mov(RAX, absolute(CLOCK));
        code.imul(RAX, absolute(TICKS_PER_SECOND));
        code.mov(RCX, absolute(CLOCK + 8));
        code.imul(RCX, absolute(TICKS_PER_NANOSECOND));
        code.shr(RCX, 32);
        code.add(RAX, RCX);
    }

    /** Sets rax and rdx from the result, and goes on in the program; rcx and r11 are the last to be restored. */
    void leave() {
        code.mov(RAX, int32(RESULT));
        code.mov(RDX, int32(RESULT + 4));
        restore();
        code.jmp(absolute(RETURN));
    }

    /** Goes to the instruction itself; the flags are lost up to {@link #execute}. */
    void prepare() {
        code.mov(RCX, absolute(RETURN));
        code.sub(RCX, PatchPlanner.SITE_LENGTH);
        code.mov(absolute(FALLBACK), RCX);
    }

    /** See {@link #prepare}. */
    void execute() {
        restore();
        code.jmp(absolute(FALLBACK));
    }

    private void restore() {
        code.mov(RCX, absolute(SAVED_RCX));
        code.mov(R11, absolute(SAVED_R11));
    }
}
