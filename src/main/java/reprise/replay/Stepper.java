package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Wait;
import reprise.runtime.BufferLayout;
import reprise.x86.Registers;

/**
 * Executes single instructions in carriers, so that it cannot be seen in registers or memory afterwards.
 *
 * <p>The kernel hides the trap flag that it sets in the flags register, but not where the processor copies it: pushf, and
 * syscall (to r11). The latter is never stepped: it stops by itself.
 */
final class Stepper {
    private static final int MAX_LENGTH = 15;
    private static final long TRAP_FLAG = 0x100;
    /** Set in the flags register, it lets a task execute an instruction at which there is a breakpoint. */
    static final long RESUME_FLAG = 0x10000;

    private static final int TRAP_TRACE = 2;
    private static final int TRAP_HARDWARE_BREAKPOINT = 4;

    private final MemorySegment code = Arena.ofAuto().allocate(16, 8);
    private final MemorySegment info = Arena.ofAuto().allocate(Ptrace.SIGINFO_SIZE, 8);
    private List<Watch> triggered = List.of();

    /** The watchpoints that the last step triggered. */
    List<Watch> triggered() {
        return triggered;
    }

    /**
     * Executes one instruction; a repeated string instruction as a whole. Breakpoints planted at the next instruction have
     * no effect.
     *
     * @return the wait status where it became a system call or a fault; 0 where it was executed
     */
    int step(Carrier carrier, Armed armed) {
        triggered = List.of();
        long address = carrier.tracee().get(Registers.RIP);
        carrier.breakpoints().plant(armed);
        carrier.breakpoints().lift(address);
        depart(carrier, armed, address);
        if (CarrierPatches.isStub(address)) {
            // A buffered system call is one step, and nothing of the trap flag gets into the flags that it keeps.
            Armed ends = new Armed(new long[] {behindStub(carrier, address)}, armed.watches());
            boolean leaves = armed.has(BufferLayout.LEAVE) && address != BufferLayout.LEAVE;
            return repeat(carrier, leaves ? ends.with(BufferLayout.LEAVE) : ends);
        }
        long length = carrier.tracee().read(address, code, MAX_LENGTH);
        carrier.breakpoints().hide(address, code, length);
        if (length >= 2 && code.get(JAVA_BYTE, 0) == 0x0f && code.get(JAVA_BYTE, 1) == 0x05) {
            int status = run(carrier, Carrier.OVER_CALL);
            return status == Carrier.REFUSED ? 0 : status;
        }
        int prefixes = prefixes(length);
        if (isRepeatedString(length, prefixes)) {
            return repeat(carrier, new Armed(new long[] {address + prefixes + 1}, armed.watches()));
        }
        boolean pushesFlags = prefixes < length && code.get(JAVA_BYTE, prefixes) == (byte) 0x9c;
        int status = carrier.resume(Ptrace.SYSEMU_SINGLESTEP);
        while (isForeign(carrier, status)) {
            status = carrier.resume(Ptrace.SYSEMU_SINGLESTEP);
        }
        if (!isOurTrap(carrier, status)) {
            return status;
        }
        triggered = carrier.breakpoints().triggered();
        if (pushesFlags) {
            long stack = carrier.tracee().get(Registers.RSP);
            carrier.tracee().writeWord(stack, carrier.tracee().readWord(stack) & ~TRAP_FLAG);
        }
        return 0;
    }

    /** Lets a task run on from an address although it is armed. */
    static void depart(Carrier carrier, Armed armed, long address) {
        long flags = carrier.tracee().get(Registers.EFLAGS);
        if (armed.has(address) && (flags & RESUME_FLAG) == 0) {
            carrier.tracee().set(Registers.EFLAGS, flags | RESUME_FLAG);
        }
    }

    private int run(Carrier carrier, int how) {
        int status;
        do {
            status = carrier.resume(how);
        } while (status != Carrier.REFUSED && isForeign(carrier, status));
        return status;
    }

    /** Where the stub goes on in the program's trampoline, for a task that is in the stub. */
    private static long behindStub(Carrier carrier, long address) {
        if (address == BufferLayout.ENTRY) {
            return carrier.tracee().get(Registers.RCX);
        }
        return address == BufferLayout.COUNTER_ENTRY
                ? carrier.tracee().get(Registers.RDX)
                : carrier.tracee().readWord(BufferLayout.RETURN);
    }

    private int repeat(Carrier carrier, Armed ends) {
        while (true) {
            carrier.breakpoints().plant(ends);
            int status = run(carrier, Ptrace.SYSEMU);
            if (!isOurTrap(carrier, status)) {
                return status;
            }
            List<Watch> seen = carrier.breakpoints().triggered();
            triggered = seen.isEmpty() ? triggered : seen;
            if (ends.has(carrier.tracee().get(Registers.RIP))) {
                return 0;
            }
        }
    }

    /** Whether there is a repeated string instruction at the present instruction of a carrier. */
    boolean isAtRepeatedString(Carrier carrier) {
        long length = carrier.tracee().read(carrier.tracee().get(Registers.RIP), code, MAX_LENGTH);
        return isRepeatedString(length, prefixes(length));
    }

    private int prefixes(long length) {
        int at = 0;
        while (at < length) {
            int octet = code.get(JAVA_BYTE, at) & 0xff;
            boolean prefix = octet == 0xf2
                    || octet == 0xf3
                    || octet == 0x66
                    || octet == 0x67
                    || octet == 0x2e
                    || octet == 0x3e
                    || octet == 0x26
                    || octet == 0x36
                    || octet == 0x64
                    || octet == 0x65
                    || octet >= 0x40 && octet <= 0x4f;
            if (!prefix) {
                break;
            }
            at++;
        }
        return at;
    }

    private boolean isRepeatedString(long length, int prefixes) {
        boolean repeated = false;
        for (int i = 0; i < prefixes; i++) {
            int octet = code.get(JAVA_BYTE, i) & 0xff;
            repeated |= octet == 0xf2 || octet == 0xf3;
        }
        if (!repeated || prefixes >= length) {
            return false;
        }
        int opcode = code.get(JAVA_BYTE, prefixes) & 0xff;
        return opcode >= 0xa4 && opcode <= 0xa7 || opcode >= 0xaa && opcode <= 0xaf || opcode >= 0x6c && opcode <= 0x6f;
    }

    /** Whether a stop is neither the program's doing nor that of what was planted. */
    boolean isForeign(Carrier carrier, int status) {
        if (Wait.isSyscallStop(status)) {
            return false;
        }
        if (Wait.event(status) != 0 || !Signal.canBeSynchronous(Wait.stopSignal(status))) {
            return true;
        }
        Ptrace.getSignalInfo(carrier.tid(), info);
        return Ptrace.codeOf(info) <= 0;
    }

    /** Whether a stop, which is not foreign, is by a single step, a planted breakpoint or a watchpoint. */
    boolean isOurTrap(Carrier carrier, int status) {
        if (Wait.isSyscallStop(status) || Wait.stopSignal(status) != Signal.SIGTRAP) {
            return false;
        }
        // The siginfo was read by isForeign.
        int code = Ptrace.codeOf(info);
        return code == TRAP_TRACE || code == TRAP_HARDWARE_BREAKPOINT;
    }
}
