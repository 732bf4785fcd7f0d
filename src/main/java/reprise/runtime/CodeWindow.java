package reprise.runtime;

import java.util.List;

/**
 * A copy of the code around a place, as it would be without patches. All of it is mapped readable and executable and
 * belongs to one mapping. The larger it is, the fewer jumps into the middle of a patch are overlooked: in libc some come
 * from more than two kilobytes away. Four kilobytes on both sides are a good choice.
 *
 * <p>Patches are left out since they would mislead the planner: a site that has become a jump looks as if control never
 * came behind it.
 *
 * @param address of the first byte
 * @param patches those made already that change a byte in here; others do no harm
 */
public record CodeWindow(long address, byte[] bytes, List<Patch> patches) {
    /** From the code as it is now, with the patches in it. */
    public static CodeWindow of(long address, byte[] current, List<Patch> patches) {
        CodeWindow window = new CodeWindow(address, current.clone(), List.copyOf(patches));
        for (Patch patch : patches) {
            patch.edits().forEach(window::undo);
        }
        return window;
    }

    private void undo(Patch.Edit edit) {
        for (int i = 0; i < edit.before().length; i++) {
            long offset = edit.address() + i - address;
            if (offset >= 0 && offset < bytes.length) {
                bytes[(int) offset] = edit.before()[i];
            }
        }
    }

    /** Offset of an address, which may lie outside. */
    int offset(long of) {
        return Math.toIntExact(of - address);
    }

    boolean contains(long first, int length) {
        long offset = first - address;
        return offset >= 0 && offset <= bytes.length - length;
    }

    /** Whether an earlier patch changed one of these bytes. */
    boolean isPatched(int start, int end) {
        for (Patch patch : patches) {
            for (Patch.Edit edit : patch.edits()) {
                long offset = edit.address() - address;
                if (offset < end && offset + edit.before().length > start) {
                    return true;
                }
            }
        }
        return false;
    }
}
