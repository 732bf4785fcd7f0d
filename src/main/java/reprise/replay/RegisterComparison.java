package reprise.replay;

import java.lang.foreign.MemorySegment;
import reprise.x86.Registers;

/** Comparison of register blocks. */
final class RegisterComparison {
    private RegisterComparison() {}

    /** Whether the blocks are equal, but for the register {@code except} (an offset, or -1). */
    static boolean equal(MemorySegment recorded, MemorySegment seen, int except) {
        long at = MemorySegment.mismatch(recorded, 0, Registers.SIZE, seen, 0, Registers.SIZE);
        if (at < 0) {
            return true;
        }
        long behind = except + 8L;
        return at / 8 * 8 == except
                && MemorySegment.mismatch(recorded, behind, Registers.SIZE, seen, behind, Registers.SIZE) < 0;
    }

    /** One line for each register that differs. */
    static String difference(MemorySegment recorded, MemorySegment seen, int except) {
        StringBuilder text = new StringBuilder("  register   recorded             replayed\n");
        for (int register = 0; register < Registers.SIZE; register += 8) {
            long expected = Registers.get(recorded, register);
            long actual = Registers.get(seen, register);
            if (expected != actual && register != except) {
                text.append(String.format("  %-10s 0x%-18x 0x%x%n", Registers.name(register), expected, actual));
            }
        }
        return text.toString();
    }
}
