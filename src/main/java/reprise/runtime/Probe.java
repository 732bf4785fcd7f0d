package reprise.runtime;

import java.util.List;

/**
 * A place in the program's code that, for a while, jumps to code which compares the state with a wanted one and stops at
 * the wanted one only. Data only: whoever plants it maps {@code image} at {@code address}, readable, writable and executable,
 * and writes {@code jump} over {@code before}.
 *
 * @param site address of the instruction before which the state is looked at
 * @param before the bytes that are replaced
 * @param jump what they are replaced by
 * @param address of the mapping that is needed, of whole pages
 * @param image its content
 * @param trap address of the {@code int3} that is executed where the state is as wanted; all registers but rip are then the
 *     program's
 * @param resume where to go on from {@code site}, past the comparison
 * @param counter address of the word from which a probe that counts takes one at each execution
 * @param flagsAreDead whether the arithmetic flags are not the program's at {@code trap}: it overwrites them before it reads
 *     any
 * @param moved where the instructions are that were at the site and behind, the first being the one at the site; those
 *     behind it are at guarded places: the jump's bytes there raise an exception if something jumps to them
 */
public record Probe(
        long site,
        byte[] before,
        byte[] jump,
        long address,
        byte[] image,
        long trap,
        long resume,
        long counter,
        boolean flagsAreDead,
        List<Moved> moved) {
    /** No address. */
    public static final long NONE = -1;

    private static final byte INT3 = (byte) 0xcc;

    /** An instruction's own address and where it is now. */
    public record Moved(long from, long to) {}

    /** Whether an address is in the probe's own memory. */
    public boolean contains(long instruction) {
        return instruction >= address && instruction < address + image.length;
    }

    /**
     * Where a task has to go on that stopped by an exception in the middle of the jump, because something in the program
     * led there.
     *
     * @param instruction rip as it is after the exception
     * @return {@link #NONE} if the exception is not of this kind
     */
    public long redirected(long instruction) {
        for (Moved each : moved) {
            long offset = each.from() - site;
            boolean inside = offset > 0 && offset < jump.length;
            if (inside && instruction == each.from() + (jump[(int) offset] == INT3 ? 1 : 0)) {
                return each.to();
            }
        }
        return NONE;
    }

    /** Where an instruction is while the probe is planted; its own address if it was not moved. */
    public long moved(long instruction) {
        for (Moved each : moved) {
            if (each.from() == instruction) {
                return each.to();
            }
        }
        return instruction;
    }

    /** Whether a task at this address is in the midst of what the probe does, so that its registers are not all its own. */
    public boolean isAtWork(long instruction) {
        if (!contains(instruction)) {
            return false;
        }
        for (Moved each : moved) {
            if (each.to() == instruction) {
                return false;
            }
        }
        return true;
    }

    /** Which of the program's addresses a task stands at that stopped in the probe's memory. */
    public long original(long instruction) {
        long original = site;
        for (Moved each : moved) {
            if (instruction >= each.to()) {
                original = each.from();
            }
        }
        return original;
    }
}
