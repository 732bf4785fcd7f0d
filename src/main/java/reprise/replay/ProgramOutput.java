package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
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
    /** What a call that others run beside may write at most, to be kept until it ends. */
    private static final long LARGEST_KEPT = 1L << 24;
    /** msg_iov and msg_iovlen in struct msghdr. */
    private static final int MESSAGE_VECTORS = 16;

    private MemorySegment buffer = Arena.ofAuto().allocate(65536, 16);
    private final MemorySegment vector = Arena.ofAuto().allocate(16, 16);
    private long filled;
    private long shownUpTo;

    /** Whether an event's output has not been shown before; it will have been. */
    boolean isNew(long event) {
        boolean first = event > shownUpTo;
        shownUpTo = Math.max(shownUpTo, event);
        return first;
    }

    /**
     * What a call is about to write, as it is now: other tasks may change the memory before the call ends, but the kernel
     * has read it by then.
     *
     * @param registers of the system call at its entry
     * @return null if the call writes nothing to a descriptor
     */
    byte[] keep(Tracee memory, MemorySegment registers) {
        if (!collect(memory, registers, LARGEST_KEPT)) {
            return null;
        }
        return buffer.asSlice(0, filled).toArray(JAVA_BYTE);
    }

    /** Writes the first {@code length} bytes of what {@link #keep} gave. */
    void repeat(int descriptor, byte[] kept, long length) {
        filled = Math.min(kept.length, length);
        ensure(filled);
        MemorySegment.copy(kept, 0, buffer, JAVA_BYTE, 0, (int) filled);
        write(descriptor);
    }

    /**
     * Repeats an output that nobody can have changed since.
     *
     * @param descriptor 1 or 2
     * @param registers of the system call at its entry
     * @param result bytes that the call wrote
     */
    void repeat(Tracee memory, int descriptor, MemorySegment registers, long result) {
        if (collect(memory, registers, result)) {
            write(descriptor);
        }
    }

    /** Fills the buffer with what a call writes, at most {@code limit} bytes; false if it is no such call. */
    private boolean collect(Tracee memory, MemorySegment registers, long limit) {
        int number = (int) Registers.get(registers, Registers.ORIG_RAX);
        long second = Registers.get(registers, Registers.RSI);
        long third = Registers.get(registers, Registers.RDX);
        filled = 0;
        switch (number) {
            case SyscallNumber.WRITE, SyscallNumber.PWRITE64, SyscallNumber.SENDTO ->
                copy(memory, second, limit(third, limit));
            case SyscallNumber.WRITEV, SyscallNumber.PWRITEV, SyscallNumber.PWRITEV2 ->
                gather(memory, second, third, limit);
            case SyscallNumber.SENDMSG -> {
                if (memory.read(second + MESSAGE_VECTORS, vector, 16) == 16) {
                    gather(memory, vector.get(JAVA_LONG, 0), vector.get(JAVA_LONG, 8), limit);
                }
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private void gather(Tracee memory, long vectors, long count, long limit) {
        for (long i = 0; i < count && filled < limit; i++) {
            if (memory.read(vectors + 16 * i, vector, 16) != 16) {
                return;
            }
            copy(memory, vector.get(JAVA_LONG, 0), limit(vector.get(JAVA_LONG, 8), limit - filled));
        }
    }

    private static long limit(long length, long limit) {
        return Long.compareUnsigned(length, limit) < 0 ? length : limit;
    }

    private void copy(Tracee memory, long address, long length) {
        ensure(filled + length);
        filled += memory.read(address, buffer.asSlice(filled), length);
    }

    private void ensure(long size) {
        if (size > buffer.byteSize()) {
            MemorySegment larger = Arena.ofAuto().allocate(size * 2, 16);
            MemorySegment.copy(buffer, 0, larger, 0, buffer.byteSize());
            buffer = larger;
        }
    }

    private void write(int descriptor) {
        for (long done = 0; done < filled; ) {
            long result = Syscall.call(SyscallNumber.WRITE, descriptor, buffer.address() + done, filled - done);
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
