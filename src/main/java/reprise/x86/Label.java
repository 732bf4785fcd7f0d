package reprise.x86;

import java.util.ArrayList;
import java.util.List;

/** A place in assembled code, bound or to be bound. Belongs to the assembler that made it. */
public final class Label {
    /** Offset in the code, -1 while not bound. */
    int position = -1;

    /** Offsets of the 32-bit displacements that wait for it to be bound. */
    final List<Integer> uses = new ArrayList<>();

    Label() {}
}
