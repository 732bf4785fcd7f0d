package reprise.replay;

import java.lang.foreign.MemorySegment;
import reprise.x86.Registers;

/** Comparison of register blocks. */
final class RegisterComparison {
    private RegisterComparison() {}

    /**
     * Whether the blocks are equal, but for the register {@code except} (an offset, or -1), and for the resume flag: the
     * kernel shows it set where an instruction was fetched after a page fault, and no instruction can read it.
     */
    static boolean equal(MemorySegment recorded, MemorySegment seen, int except) {
        long from = 0;
        while (true) {
            long at = MemorySegment.mismatch(recorded, from, Registers.SIZE, seen, from, Registers.SIZE);
            if (at < 0) {
                return true;
            }
            int register = (int) ((from + at) / 8 * 8);
            if (register != except && !isSame(recorded, seen, register)) {
                return false;
            }
            from = register + 8;
            if (from >= Registers.SIZE) {
                return true;
            }
        }
    }

    private static boolean isSame(MemorySegment recorded, MemorySegment seen, int register) {
        long difference = Registers.get(recorded, register) ^ Registers.get(seen, register);
        return difference == 0 || register == Registers.EFLAGS && difference == PointState.RESUME_FLAG;
    }

    /** One line for each register that differs. */
    static String difference(MemorySegment recorded, MemorySegment seen, int except) {
        StringBuilder text = new StringBuilder("  register   recorded             replayed\n");
        for (int register = 0; register < Registers.SIZE; register += 8) {
            long expected = Registers.get(recorded, register);
            long actual = Registers.get(seen, register);
            if (register != except && !isSame(recorded, seen, register)) {
                text.append(String.format("  %-10s 0x%-18x 0x%x%n", Registers.name(register), expected, actual));
            }
        }
        return text.toString();
    }
}
