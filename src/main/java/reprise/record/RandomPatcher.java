package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import reprise.linux.Files;
import reprise.linux.Processor;
import reprise.runtime.RandomInstruction;
import reprise.tracee.Tracee;

/**
 * Makes the processor's random instructions in newly mapped code fault, see {@link RandomInstruction}. What it changes is
 * part of the event that mapped the code.
 */
final class RandomPatcher {
    private static final int BLOCK = 1 << 18;
    private static final long[] NONE = {};
    private static final byte FIRST = 0x0f;
    private static final byte SECOND = (byte) 0xc7;

    private record Code(long device, long inode, long modified, long offset, long length) {}

    /** Name of the notes of what is found, which changes with what {@link RandomInstruction} finds. */
    private static final String NOTE = "random1";

    /** Offsets in mapped code of the bytes to replace, for what was seen so far. */
    private final Map<Code, long[]> known = new HashMap<>();

    private final MappedFiles files;
    private final MemorySegment buffer = Arena.global().allocate(BLOCK + Processor.PAIR_SLACK, 16);
    private final MemorySegment replacement = Arena.global().allocate(1);
    private final byte[] around = new byte[RandomInstruction.LOOKED_BACK + RandomInstruction.LOOKED_AT];

    RandomPatcher(MappedFiles files) {
        this.files = files;
        replacement.set(JAVA_BYTE, 0, RandomInstruction.REPLACEMENT);
    }

    /**
     * Replaces them in code that is mapped privately from a file.
     *
     * @param stored the file's number in the trace
     * @return the addresses of the bytes replaced
     */
    long[] patch(Tracee tracee, Files.Status file, int stored, long offset, long address, long length) {
        long[] offsets =
                known.computeIfAbsent(new Code(file.device(), file.inode(), file.modified(), offset, length), code -> {
                    String note = NOTE + "-" + offset + "-" + length;
                    long[] noted = files.note(stored, note);
                    if (noted == null) {
                        noted = find(tracee, address, length);
                        files.keepNote(stored, note, noted);
                    }
                    return noted;
                });
        if (offsets.length == 0) {
            return NONE;
        }
        long[] addresses = Arrays.stream(offsets).map(each -> address + each).toArray();
        for (long each : addresses) {
            tracee.write(each, replacement, 1);
        }
        return addresses;
    }

    private long[] find(Tracee tracee, long address, long length) {
        long[] found = NONE;
        // Blocks overlap, so that each instruction is seen with those before and behind it.
        int step = BLOCK - RandomInstruction.LOOKED_BACK - RandomInstruction.LOOKED_AT;
        for (long start = 0; start < length; start += step) {
            int limit = (int) tracee.read(address + start, buffer, Math.min(BLOCK, length - start));
            if (limit <= 0) {
                break;
            }
            int end = start + limit < length ? limit - RandomInstruction.LOOKED_AT : limit;
            long at = start == 0 ? 0 : RandomInstruction.LOOKED_BACK - 1;
            while ((at = Processor.findPair(buffer, at, limit, FIRST, SECOND)) >= 0 && ++at < end) {
                if (RandomInstruction.mayBeAt(buffer, at, limit) && isAt((int) at, limit)) {
                    found = Arrays.copyOf(found, found.length + 1);
                    found[found.length - 1] = start + at;
                }
            }
        }
        return found;
    }

    private boolean isAt(int at, int limit) {
        int from = Math.max(0, at - RandomInstruction.LOOKED_BACK);
        int to = Math.min(limit, at + RandomInstruction.LOOKED_AT);
        MemorySegment.copy(buffer, JAVA_BYTE, from, around, 0, to - from);
        return RandomInstruction.isAt(around, at - from, to - from);
    }
}
