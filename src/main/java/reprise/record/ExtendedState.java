package reprise.record;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.tracee.Tracee;

/** The recorder's one buffer for extended processor state. */
final class ExtendedState {
    /** AMX tiles take 8 KB; nothing known takes more than 12 KB. */
    private static final MemorySegment BUFFER = Arena.global().allocate(16384, 64);

    private ExtendedState() {}

    /** Reads a stopped task's state; valid until the next call. */
    static MemorySegment read(Tracee tracee) {
        return BUFFER.asSlice(0, tracee.extendedState(BUFFER));
    }
}
