package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.Errno;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.tracee.Tracee;
import reprise.x86.Registers;

/** Writes what the program wrote to its standard output and error to ours. The bytes are in the carrier's memory. */
final class ProgramOutput {
    private static final int CHUNK = 65536;
    /** msg_iov and msg_iovlen in struct msghdr. */
    private static final int MESSAGE_VECTORS = 16;

    private final MemorySegment buffer = Arena.ofAuto().allocate(CHUNK, 16);
    private final MemorySegment vector = Arena.ofAuto().allocate(16, 16);

    /**
     * Repeats an output.
     *
     * @param descriptor 1 or 2
     * @param registers of the system call at its entry
     * @param result bytes that the call wrote
     */
    void repeat(Tracee memory, int descriptor, MemorySegment registers, long result) {
        int number = (int) Registers.get(registers, Registers.ORIG_RAX);
        long second = Registers.get(registers, Registers.RSI);
        long third = Registers.get(registers, Registers.RDX);
        switch (number) {
            case SyscallNumber.WRITE, SyscallNumber.PWRITE64, SyscallNumber.SENDTO ->
                copy(memory, descriptor, second, result);
            case SyscallNumber.WRITEV, SyscallNumber.PWRITEV, SyscallNumber.PWRITEV2 ->
                gather(memory, descriptor, second, third, result);
            case SyscallNumber.SENDMSG -> {
                if (memory.read(second + MESSAGE_VECTORS, vector, 16) == 16) {
                    gather(memory, descriptor, vector.get(JAVA_LONG, 0), vector.get(JAVA_LONG, 8), result);
                }
            }
            default -> {}
        }
    }

    private void gather(Tracee memory, int descriptor, long vectors, long count, long result) {
        long left = result;
        for (long i = 0; i < count && left > 0; i++) {
            if (memory.read(vectors + 16 * i, vector, 16) != 16) {
                return;
            }
            long length = Math.min(vector.get(JAVA_LONG, 8), left);
            copy(memory, descriptor, vector.get(JAVA_LONG, 0), length);
            left -= length;
        }
    }

    private void copy(Tracee memory, int descriptor, long address, long length) {
        for (long done = 0; done < length; ) {
            long wanted = Math.min(CHUNK, length - done);
            long count = memory.read(address + done, buffer, wanted);
            if (count <= 0) {
                return;
            }
            write(descriptor, count);
            done += count;
        }
    }

    private void write(int descriptor, long length) {
        for (long done = 0; done < length; ) {
            long result = Syscall.call(
                    SyscallNumber.WRITE, descriptor, buffer.address() + done, length - done);
            if (result == -Errno.EAGAIN) {
                Thread.onSpinWait();
            } else if (result < 0 && result != -Errno.EINTR) {
                // Whoever read our output has gone; that is no matter of the recorded program's.
                return;
            } else {
                done += Math.max(0, result);
            }
        }
    }
}
