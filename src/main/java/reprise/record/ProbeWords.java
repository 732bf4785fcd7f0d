package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import reprise.linux.ProcessMemory;
import reprise.tracee.Tracee;
import reprise.x86.GeneralRegister;
import reprise.x86.Registers;
import reprise.x86.VectorState;

/**
 * Collects the words that tell an instant from others at the same instruction: what the instructions just executed used,
 * the top of the stack and of the present frame, and what registers point to. Reading them costs little, and which of them
 * matter is found out by replay.
 */
final class ProbeWords {
    /** The most words of one instant. */
    static final int MOST = 200;

    private static final int VECTORS = 16;
    private static final int STACK = 256;
    private static final int FRAME = 192;
    private static final long FARTHEST_FRAME = 1 << 16;
    private static final int POINTED_TO = 32;
    /** The registers whose targets are read; what those of the stack point to is read by other rules. */
    private static final int[] POINTERS =
            EnumSet.complementOf(EnumSet.of(GeneralRegister.RSP, GeneralRegister.RBP)).stream()
                    .mapToInt(Registers::offset)
                    .toArray();

    private final MemorySegment block = Arena.global().allocate(STACK, 8);
    private final MemorySegment vectors = Arena.global().allocate(8L * VECTORS, 8);
    private final long[] where = new long[MOST];
    private final long[] values = new long[MOST];
    private final long[] used = new long[MOST];
    private final long[] usedFirst = new long[MOST];
    private final boolean[] changed = new boolean[MOST];
    private int usedCount;
    private int changing;
    private int count;
    private List<long[]> excluded = List.of();

    /** Begins with an instant. */
    void begin(RecordedTask task) {
        excluded = task.process.memory.excluded();
        usedCount = 0;
        MemorySegment state = ExtendedState.read(task.tracee);
        for (int index = 0; index < VECTORS; index++) {
            vectors.set(JAVA_LONG, 8L * index, VectorState.lowerHalf(state, index));
        }
    }

    /** An instruction that uses this address is about to be executed. */
    void use(Tracee tracee, long address) {
        long word = address & -8;
        for (int i = 0; i < usedCount; i++) {
            if (used[i] == word) {
                return;
            }
        }
        if (usedCount < MOST / 2 && ProcessMemory.read(tracee.tid(), word, block, 8) == 8) {
            used[usedCount] = word;
            changed[usedCount] = false;
            usedFirst[usedCount++] = block.get(JAVA_LONG, 0);
        }
    }

    /** The task came round to where it began: notes what changed meanwhile; whether anything did. */
    boolean compare(Tracee tracee) {
        boolean any = false;
        for (int i = 0; i < usedCount; i++) {
            changed[i] =
                    ProcessMemory.read(tracee.tid(), used[i], block, 8) == 8 && block.get(JAVA_LONG, 0) != usedFirst[i];
            any |= changed[i];
        }
        return any;
    }

    /** Whether something of what was used did not change, as {@link #compare} found. */
    boolean anyUnchanged() {
        for (int i = 0; i < usedCount; i++) {
            if (!changed[i]) {
                return true;
            }
        }
        return false;
    }

    /** Stands for the addresses of what was used and did not change, as {@link #compare} found; hardly two sets are alike. */
    long unchangedPlaces() {
        return unchanged(used);
    }

    /** The same for what was there. */
    long unchangedValues() {
        return unchanged(usedFirst);
    }

    private long unchanged(long[] words) {
        long hash = 1;
        for (int i = 0; i < usedCount; i++) {
            if (!changed[i]) {
                hash = 0x9e37_79b9_7f4a_7c15L * (hash ^ words[i]);
                hash ^= hash >>> 32;
            }
        }
        return hash;
    }

    /** Takes the values at the instant itself. */
    void take(Tracee tracee) {
        count = 0;
        changing = 0;
        MemorySegment state = ExtendedState.read(tracee);
        for (int index = 0; index < VECTORS; index++) {
            long value = VectorState.lowerHalf(state, index);
            if (value != vectors.get(JAVA_LONG, 8L * index)) {
                where[count] = index;
                values[count++] = value;
            }
        }
        for (int i = 0; i < usedCount; i++) {
            if (changed[i]) {
                read(tracee, used[i], 8);
            }
        }
        changing = count;
        for (int i = 0; i < usedCount; i++) {
            read(tracee, used[i], 8);
        }
        long top = tracee.get(Registers.RSP) & -8;
        read(tracee, top, STACK);
        long frame = tracee.get(Registers.RBP) & -8;
        if (frame > top && frame < top + FARTHEST_FRAME) {
            read(tracee, frame - FRAME, FRAME);
        } else {
            read(tracee, frame, POINTED_TO);
        }
        for (int register : POINTERS) {
            read(tracee, tracee.get(register) & -8, POINTED_TO);
        }
    }

    /** Adds the readable words of a range. */
    private void read(Tracee tracee, long address, long length) {
        if (address < 4096 || address > 0x7fff_ffff_f000L) {
            return;
        }
        long readable = ProcessMemory.read(tracee.tid(), address, block, length);
        for (long at = 0; at + 8 <= readable; at += 8) {
            if (count < MOST && !isKnown(address + at) && !isExcluded(address + at)) {
                where[count] = address + at;
                values[count++] = block.get(JAVA_LONG, at);
            }
        }
    }

    private boolean isKnown(long address) {
        for (int i = 0; i < count; i++) {
            if (where[i] == address) {
                return true;
            }
        }
        return false;
    }

    private boolean isExcluded(long address) {
        for (long[] range : excluded) {
            if (address >= range[0] && address < range[0] + range[1]) {
                return true;
            }
        }
        return false;
    }

    int count() {
        return count;
    }

    /** How many of them, the first ones, changed from one execution to the next, as far as that was seen. */
    int changing() {
        return changing;
    }

    long[] where() {
        return where;
    }

    long[] values() {
        return values;
    }
}
