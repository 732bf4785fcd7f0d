package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import reprise.linux.ProcessMemory;
import reprise.linux.SyscallNumber;
import reprise.runtime.BufferLayout;
import reprise.runtime.BufferRecord;
import reprise.trace.Event;
import reprise.x86.Registers;

/** The buffer of a carrier from which the injected code takes the results of system calls. */
final class CarrierBuffer {
    private final Carrier carrier;
    private boolean installed;
    /** Sequence number of the event whose records were filled in last. */
    private long filled;

    CarrierBuffer(Carrier carrier) {
        this.carrier = carrier;
    }

    /** The memory was copied from another carrier's. */
    void inheritFrom(CarrierBuffer other) {
        installed = other.installed;
        filled = other.filled;
    }

    /** The injected code is in place: tells it that this is a replay. */
    void install() {
        if (!installed) {
            installed = true;
            writeInt(BufferLayout.MODE, 1);
        }
    }

    /**
     * Gives the injected code the results of the calls up to the next event.
     *
     * @param event the calls, which are filled in once, however often that is asked for
     * @throws Mismatch if it has not used up those that it had
     */
    void fill(Event.BufferedCalls event) {
        if (filled == event.header().sequence()) {
            return;
        }
        requireEmpty();
        filled = event.header().sequence();
        MemorySegment records = event.records();
        MemorySegment buffer = carrier.memory().buffer();
        long length = records.byteSize();
        buffer.set(JAVA_LONG, 0, 0);
        if (length > BufferLayout.BUFFER_SIZE
                || !carrier.tracee().write(BufferLayout.CURSOR, buffer, 8)
                || !carrier.tracee().write(BufferLayout.BUFFER, records, length)
                || !carrier.tracee().writeWord(BufferLayout.AVAILABLE, length)) {
            throw new Mismatch(length + " bytes of buffered system calls do not fit into the process.\n");
        }
        if (event.stops()) {
            writeInt(BufferLayout.STOP, 1);
        }
    }

    /** Whether the injected code has told the kernel of memory that children do not inherit. */
    boolean hasForkAdvice() {
        return installed && carrier.tracee().readWord(BufferLayout.FORK_ADVICE) != 0;
    }

    /** Whether all results have been taken. */
    boolean isEmpty() {
        return remaining() == 0;
    }

    /** Number of the call that was taken last. */
    int number() {
        return (int) carrier.tracee().readWord(BufferLayout.NUMBER);
    }

    /** How many bytes of results are still to be taken. */
    long remaining() {
        if (!installed) {
            return 0;
        }
        long available = carrier.tracee().readWord(BufferLayout.AVAILABLE);
        return Math.max(0, available - carrier.tracee().readWord(BufferLayout.CURSOR));
    }

    /** The memory that the calls to come before the next event will map, unmap or protect: start and end pairs. */
    List<long[]> changesToCome() {
        List<long[]> changes = new ArrayList<>();
        long length = remaining();
        if (length == 0) {
            return changes;
        }
        long taken = carrier.tracee().readWord(BufferLayout.CURSOR);
        long moving = carrier.tracee().readWord(BufferLayout.BREAK);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment records = arena.allocate(length, 8);
            carrier.tracee().read(BufferLayout.BUFFER + taken, records, length);
            BufferRecord record = new BufferRecord(records);
            while (record.next()) {
                if (record.number() == SyscallNumber.MMAP) {
                    changes.add(new long[] {record.result(), record.result() + record.argument(1)});
                } else if (record.number() == SyscallNumber.MUNMAP || record.number() == SyscallNumber.MPROTECT) {
                    changes.add(new long[] {record.argument(0), record.argument(0) + record.argument(1)});
                } else if (record.number() == SyscallNumber.BRK) {
                    changes.add(new long[] {Math.min(moving, record.result()), Math.max(moving, record.result())});
                    moving = record.result();
                }
            }
        }
        return changes;
    }

    private void requireEmpty() {
        if (!isEmpty()) {
            throw new Mismatch("The task made fewer system calls than were recorded.\n");
        }
    }

    /** Whether a task that is about to make a system call stops behind a call that it took from the buffer. */
    static boolean isStop(MemorySegment registers) {
        return Registers.get(registers, Registers.RIP) == BufferLayout.STOP_INSTRUCTION + Registers.SYSCALL_LENGTH;
    }

    /** The task stopped behind the last call: puts its registers to what the program shall see. */
    void comeOut(ReplayTask task) {
        writeInt(BufferLayout.STOP, 0);
        MemorySegment registers = carrier.registers(task);
        long behind = carrier.tracee().readWord(BufferLayout.RETURN);
        Registers.set(registers, Registers.RIP, behind);
        Registers.set(registers, Registers.RCX, behind);
        Registers.set(registers, Registers.RAX, carrier.tracee().readWord(BufferLayout.RESULT));
        Registers.set(registers, Registers.ORIG_RAX, -1);
        carrier.registersChanged(task);
        requireEmpty();
    }

    private void writeInt(long address, int value) {
        MemorySegment buffer = carrier.memory().buffer();
        buffer.set(JAVA_INT, 0, value);
        ProcessMemory.write(carrier.tid(), address, buffer, 4);
    }
}
