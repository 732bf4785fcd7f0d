package reprise.tracee;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import reprise.linux.Errno;
import reprise.linux.LinuxException;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.x86.Registers;

/**
 * A classic BPF program for seccomp(2), which tells calls through {@link RuntimePage#UNTRACED_SYSCALL} from others.
 */
public final class SeccompFilter {
    /** What the stop's message is, by which it is told from that of a program's own filter: their lowest 16 bits are free. */
    public static final int MESSAGE = 0x7265;

    private static final int RET_TRAP = 0x00030000;
    private static final int RET_TRACE = 0x7ff00000;
    private static final int RET_ALLOW = 0x7fff0000;
    private static final int LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
    private static final int JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    private static final int RETURN = 0x06; // BPF_RET | BPF_K
    /** Offsets of nr and of instruction_pointer in struct seccomp_data. */
    private static final int NUMBER = 0;

    private static final int INSTRUCTION_POINTER = 8;
    /** struct sock_fprog: a count, and the address of the instructions, which follow here. */
    private static final int HEADER = 16;

    private static final int INSTRUCTION = 8;

    private static final int SET_MODE_FILTER = 1;
    private static final int SPEC_ALLOW = 4;
    private static final int PR_SET_NO_NEW_PRIVS = 38;

    private final ByteBuffer code =
            ByteBuffer.allocate(HEADER + 32 * INSTRUCTION).order(ByteOrder.LITTLE_ENDIAN);

    private SeccompFilter() {
        code.position(HEADER);
    }

    /** Lets calls through the untraced instruction pass. All others are traced. */
    public static SeccompFilter forRecording() {
        SeccompFilter filter = new SeccompFilter();
        filter.unlessUntraced(RET_TRACE | MESSAGE);
        filter.add(RETURN, 0, 0, RET_ALLOW);
        return filter;
    }

    /** Traces all calls. */
    static SeccompFilter forAsking() {
        SeccompFilter filter = new SeccompFilter();
        filter.add(RETURN, 0, 0, RET_TRACE | MESSAGE);
        return filter;
    }

    /**
     * Lets calls of some numbers pass if they are made through the untraced instruction, and traces others that are. All
     * else raises SIGSYS.
     */
    public static SeccompFilter forReplay(int... numbers) {
        SeccompFilter filter = new SeccompFilter();
        filter.unlessUntraced(RET_TRAP);
        filter.add(LOAD_WORD, 0, 0, NUMBER);
        for (int i = 0; i < numbers.length; i++) {
            filter.add(JUMP_EQUAL, numbers.length - i, 0, numbers[i]);
        }
        filter.add(RETURN, 0, 0, RET_TRACE | MESSAGE);
        filter.add(RETURN, 0, 0, RET_ALLOW);
        return filter;
    }

    private void unlessUntraced(int action) {
        // The kernel tells the address behind the instruction.
        long instructionPointer = RuntimePage.UNTRACED_SYSCALL + Registers.SYSCALL_LENGTH;
        add(LOAD_WORD, 0, 0, INSTRUCTION_POINTER);
        add(JUMP_EQUAL, 0, 2, (int) instructionPointer);
        add(LOAD_WORD, 0, 0, INSTRUCTION_POINTER + 4);
        add(JUMP_EQUAL, 1, 0, (int) (instructionPointer >>> 32));
        add(RETURN, 0, 0, action);
    }

    private void add(int opcode, int ifTrue, int ifFalse, int operand) {
        code.putShort((short) opcode).put((byte) ifTrue).put((byte) ifFalse).putInt(operand);
    }

    /** How many bytes {@link #install} writes. */
    public int size() {
        return code.position();
    }

    /**
     * Makes a stopped task install the filter on itself.
     *
     * @param address of memory of its own that can be written to
     * @return whether no_new_privs had to be set for it, which the task can see
     * @throws LinuxException if the kernel refuses
     */
    public boolean install(Tracee tracee, long address) {
        code.putShort(0, (short) ((size() - HEADER) / INSTRUCTION)).putLong(8, address + HEADER);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(size());
            MemorySegment.copy(code.array(), 0, image, JAVA_BYTE, 0, size());
            if (!tracee.write(address, image, size())) {
                throw new LinuxException("writing a seccomp filter", Errno.EFAULT);
            }
        }
        long result = apply(tracee, address);
        boolean unprivileged = result == -Errno.EACCES;
        if (unprivileged) {
            // Without CAP_SYS_ADMIN a filter needs no_new_privs, which ptrace implies in effect: set-user-ID programs
            // gain nothing under an unprivileged tracer either way.
            Syscall.check(
                    tracee.remote(SyscallNumber.PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
            result = apply(tracee, address);
        }
        Syscall.check(result, "seccomp");
        return unprivileged;
    }

    private static long apply(Tracee tracee, long address) {
        return tracee.remote(SyscallNumber.SECCOMP, SET_MODE_FILTER, SPEC_ALLOW, address, 0, 0, 0);
    }
}
