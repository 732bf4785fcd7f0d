package reprise.tracee;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static reprise.x86.Condition.EQUAL;
import static reprise.x86.Condition.NOT_EQUAL;
import static reprise.x86.GeneralRegister.R8;
import static reprise.x86.GeneralRegister.R9;
import static reprise.x86.GeneralRegister.RAX;
import static reprise.x86.GeneralRegister.RCX;
import static reprise.x86.GeneralRegister.RDI;
import static reprise.x86.GeneralRegister.RDX;
import static reprise.x86.GeneralRegister.RSI;
import static reprise.x86.Memory.dword;
import static reprise.x86.Memory.octet;
import static reprise.x86.Memory.qword;
import static reprise.x86.Memory.word;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.MachineCode;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.x86.Assembler;
import reprise.x86.Label;

/**
 * What time it is, for a tracer that like its tracees executes no {@code rdtsc}.
 *
 * <p>That tracees do not (PR_SET_TSC) the kernel keeps in CR4, which it writes on each switch between a thread that may and
 * one that may not (arch/x86/kernel/process.c, __switch_to_xtra). Under a hypervisor each write costs 5 to 15 us, more than
 * all else in a stop. A tracer that may not spares both of a stop: 7 us were measured where there had been 16 to 30.
 *
 * <p>But the virtual machine executes it whenever it wants to know the time, mostly in the vDSO. It raises SIGSEGV then, and
 * a handler in front of the virtual machine's own executes it after all, which takes as long as the stops it spares. So a
 * tracer asks {@link #nanoTime}.
 */
public final class TracerClock {
    private static final int PR_SET_TSC = 26;
    private static final int PR_TSC_ENABLE = 1;
    private static final int PR_TSC_SIGSEGV = 2;
    private static final int CLOCK_MONOTONIC = 1;
    private static final long NANOS_PER_SECOND = 1_000_000_000;

    private static final ThreadLocal<MemorySegment> TIME =
            ThreadLocal.withInitial(() -> Arena.global().allocate(16, 8));

    private TracerClock() {}

    /** As {@link System#nanoTime}, and comparable with it, but by a system call, which executes no {@code rdtsc} here. */
    public static long nanoTime() {
        MemorySegment time = TIME.get();
        Syscall.call(SyscallNumber.CLOCK_GETTIME, CLOCK_MONOTONIC, time.address(), 0);
        return time.get(JAVA_LONG, 0) * NANOS_PER_SECOND + time.get(JAVA_LONG, 8);
    }

    /**
     * Has the instruction trapped in the calling thread, and in threads and processes that this one starts from now on, until it
     * is executed, see {@link #isAllowed}. Where that is impossible nothing changes.
     */
    public static void trapCounter() {
        if (Handler.INSTALLED) {
            Handler.DATA.set(JAVA_LONG, Handler.ALLOWED, 0);
            setCounter(PR_TSC_SIGSEGV);
        }
    }

    /** Lets the calling thread execute the instruction. */
    public static void allowCounter() {
        setCounter(PR_TSC_ENABLE);
        Handler.DATA.set(JAVA_LONG, Handler.ALLOWED, 1);
    }

    /**
     * Whether the instruction is executed again. Once it was trapped it is, since where there was one there are often more:
     * compiling and loading classes come in bursts. Only for the one thread that traps.
     */
    public static boolean isAllowed() {
        return Handler.DATA.get(JAVA_LONG, Handler.ALLOWED) != 0;
    }

    private static void setCounter(int mode) {
        Syscall.call(SyscallNumber.PRCTL, PR_SET_TSC, mode, 0);
    }

    /** How often the instruction was trapped in this process. */
    public static long trapped() {
        return Handler.DATA.get(JAVA_LONG, Handler.COUNT);
    }

    /** The handler of SIGSEGV, installed at its first use. */
    private static final class Handler {
        // What it works with.
        /** Address of the handler that was there before. */
        static final int FORMER = 0;

        static final int COUNT = 8;
        static final int ALLOWED = 16;

        /** Offset of si_code in siginfo_t, and what it is for a general protection fault: SI_KERNEL. */
        private static final int CODE = 8;

        private static final int FROM_KERNEL = 0x80;
        /** Offsets in ucontext_t (arch/x86/include/uapi/asm/sigcontext.h). */
        private static final int CONTEXT_RDX = 136;

        private static final int CONTEXT_RAX = 144;
        private static final int CONTEXT_RCX = 152;
        private static final int CONTEXT_RIP = 168;
        /** What the bytes of rdtsc and rdtscp are, low byte first. */
        private static final int RDTSC = 0x310f;

        private static final int RDTSCP = 0x010f;
        private static final byte RDTSCP_END = (byte) 0xf9;

        static final MemorySegment DATA = Arena.global().allocate(24, 8);
        static final boolean INSTALLED = install();

        private static boolean install() {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment action = arena.allocate(32, 8);
                Syscall.call(SyscallNumber.RT_SIGACTION, Signal.SIGSEGV, 0, action.address(), 8);
                long former = action.get(JAVA_LONG, 0);
                if (former == 0 || former == 1) { // SIG_DFL, SIG_IGN
                    return false;
                }
                DATA.set(JAVA_LONG, FORMER, former);
                // Flags, restorer and mask stay as they are.
                action.set(JAVA_LONG, 0, MachineCode.map(code(DATA.address())));
                return Syscall.call(SyscallNumber.RT_SIGACTION, Signal.SIGSEGV, action.address(), 0, 8) == 0;
            }
        }

        /** Called with a number, siginfo_t and ucontext_t in rdi, rsi and rdx. */
        private static byte[] code(long data) {
            Assembler code = new Assembler(0);
            Label former = code.newLabel();
            Label emulate = code.newLabel();
            code.cmp(dword(RSI, CODE), FROM_KERNEL);
            code.jcc(NOT_EQUAL, former);
            code.mov(R8, qword(RDX, CONTEXT_RIP));
            code.movzx(RCX, word(R8, 0));
            code.mov(RAX, 2);
            code.cmp32(RCX, RDTSC);
            code.jcc(EQUAL, emulate);
            code.inc(RAX);
            code.cmp32(RCX, RDTSCP);
            code.jcc(NOT_EQUAL, former);
            code.cmp(octet(R8, 2), RDTSCP_END);
            code.jcc(NOT_EQUAL, former);
            code.bind(emulate);
            code.add(qword(RDX, CONTEXT_RIP), RAX);
            code.mov(R9, RDX);
            code.mov(R8, RAX);
            code.mov(RAX, SyscallNumber.PRCTL);
            code.mov(RDI, PR_SET_TSC);
            code.mov(RSI, PR_TSC_ENABLE);
            code.syscall();
            Label last = code.newLabel();
            code.cmp32(R8, 2);
            Label plain = code.newLabel();
            code.jcc(EQUAL, plain);
            code.bytes((byte) 0x0f, (byte) 0x01, RDTSCP_END);
            code.mov(qword(R9, CONTEXT_RCX), RCX);
            code.jmp(last);
            code.bind(plain);
            code.rdtsc();
            code.bind(last);
            code.mov(qword(R9, CONTEXT_RAX), RAX);
            code.mov(qword(R9, CONTEXT_RDX), RDX);
            code.mov(R8, data);
            code.lock();
            code.inc(qword(R8, COUNT));
            code.mov(qword(R8, ALLOWED), 1);
            code.ret();
            code.bind(former);
            code.mov(R8, data);
            code.jmp(qword(R8, FORMER));
            return code.toByteArray();
        }
    }
}
