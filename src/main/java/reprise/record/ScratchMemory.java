package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import reprise.linux.SyscallNumber;
import reprise.syscall.OutputPlan;
import reprise.x86.Registers;

/**
 * Memory in the tracee to which the kernel writes the results of calls that may block.
 *
 * <p>While one thread waits in the kernel others run; where the kernel wrote straight to the program's memory, the bytes
 * would appear at a moment that replay does not know. Replay has no scratch memory.
 */
final class ScratchMemory {
    private static final long LEAST = 65536;

    private MemorySegment buffer = Arena.ofAuto().allocate(65536, 16);

    /** Bytes that a task's plan needs. */
    private static long needed(OutputPlan plan) {
        long total = 0;
        for (int index = 0; index < plan.size(); index++) {
            total += plan.capacity(index) + 15 & ~15L;
        }
        return total;
    }

    /** Whether the task's scratch memory is large enough for its plan. */
    boolean suffices(RecordedTask task) {
        return needed(task.plan) <= task.scratchLength;
    }

    /** Gets the task scratch memory for its plan. The task must be able to make remote calls. */
    void grow(RecordedTask task) {
        long length = Math.max(LEAST, needed(task.plan) + 4095 & ~4095L);
        // PROT_READ|PROT_WRITE; MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE
        long address = task.tracee.remote(SyscallNumber.MMAP, 0, length, 3, 0x4022, -1, 0);
        if (address < 0 && address >= -4095) {
            // Without it the call is made as it is; its result may then appear early to other threads.
            length = Long.MAX_VALUE;
            address = 0;
        } else {
            task.process.memory.scratch.add(new long[] {address, length});
        }
        task.scratchAddress = address;
        task.scratchLength = length;
    }

    /** Points the call of a task at its entry to scratch memory. */
    void redirect(RecordedTask task) {
        OutputPlan plan = task.plan;
        if (task.scratchAddress == 0) {
            return;
        }
        if (task.scratchOf.length < plan.size()) {
            task.scratchOf = new long[plan.size() * 2];
        }
        Arrays.fill(task.scratchOf, 0);
        long next = task.scratchAddress;
        for (int index = 0; index < plan.size(); index++) {
            if (plan.pointerRegion(index) == OutputPlan.FIXED) {
                continue;
            }
            task.scratchOf[index] = next;
            next += plan.capacity(index) + 15 & ~15L;
            if (plan.input(index)) {
                copyIn(task, index);
            }
        }
        for (int index = 0; index < plan.size(); index++) {
            long scratch = task.scratchOf[index];
            int holder = plan.pointerRegion(index);
            if (scratch == 0) {
                continue;
            }
            if (holder == OutputPlan.IN_REGISTER) {
                task.tracee.set(Registers.argument((int) plan.pointerOffset(index)), scratch);
            } else {
                task.tracee.writeWord(task.scratchOf[holder] + plan.pointerOffset(index), scratch);
            }
        }
        task.scratched = true;
    }

    private void copyIn(RecordedTask task, int index) {
        long length = task.plan.capacity(index);
        if (buffer.byteSize() < length) {
            buffer = Arena.ofAuto().allocate(length * 2, 16);
        }
        long count = task.tracee.read(task.plan.address(index), buffer, length);
        task.tracee.write(task.scratchOf[index], buffer, count);
    }

    /** Puts the program's own pointers back into what the kernel wrote to a region that holds pointers. */
    void restorePointers(RecordedTask task, int region, MemorySegment content, long length) {
        OutputPlan plan = task.plan;
        for (int index = 0; index < plan.size(); index++) {
            if (plan.pointerRegion(index) == region && plan.pointerOffset(index) + 8 <= length) {
                content.set(JAVA_LONG_UNALIGNED, plan.pointerOffset(index), plan.address(index));
            }
        }
    }
}
