package reprise.runtime;

import java.util.Arrays;
import reprise.x86.Instruction;
import reprise.x86.InstructionDecoder;

/**
 * What can be said about the code around a site without knowing where its function begins.
 *
 * <p>From the site on, instructions follow each other. Backwards they do not, so every offset is tried: one from which
 * decoding arrives exactly at the site may be a true beginning, all others are not. Chains that begin at false offsets
 * fall into step with the true one after a few instructions, so an offset that all chains from further back go through is
 * certain.
 *
 * <p>Offsets are those of the window. Only what is near the site is decoded.
 */
final class CodeFlow {
    /** What is decoded before and behind the site: twice the reach of a short jump, and room for chains to settle. */
    private static final int NEAR = 320;

    /** How far before an offset chains must begin for their agreement on it to mean something. */
    private static final int SETTLED = 40;

    /** Up to so many bytes of immediate operand can follow a rip-relative displacement. */
    private static final int[] IMMEDIATES = {0, 1, 2, 4};

    private final CodeWindow window;
    private final byte[] code;
    private final int site;
    private final int from;
    private final int to;
    private final InstructionDecoder decoder = new InstructionDecoder();
    private final Instruction instruction = new Instruction();

    // Indexed by offset - from.
    private final byte[] lengths;
    private final boolean[] possible;
    private final boolean[] passes;

    CodeFlow(CodeWindow window, long siteAddress) {
        this.window = window;
        code = window.bytes();
        site = window.offset(siteAddress);
        from = Math.max(0, site - NEAR);
        to = Math.min(code.length, site + NEAR);
        lengths = new byte[to - from];
        possible = new boolean[to - from];
        passes = new boolean[to - from];
        for (int offset = from; offset < to; offset++) {
            lengths[offset - from] = (byte) at(offset).length();
        }
        backward();
        forward();
    }

    private void backward() {
        possible[site - from] = true;
        for (int offset = site - 1; offset >= from; offset--) {
            int next = offset + length(offset);
            possible[offset - from] = next > offset && next <= site && possible[next - from];
        }
    }

    private void forward() {
        int offset = site;
        while (length(offset) > 0) {
            possible[offset - from] = true;
            offset += length(offset);
        }
        // Lost, in data for example, or at the end: from here on anything may be code.
        Arrays.fill(possible, Math.min(offset, to) - from, to - from, true);
    }

    /** The instruction at an offset. Valid until the next call. */
    Instruction at(int offset) {
        decoder.decode(code, offset, code.length, window.address() + offset, instruction);
        return instruction;
    }

    /** Length of the instruction at an offset, 0 if there is none or it is too far away. */
    int length(int offset) {
        return isNear(offset) ? lengths[offset - from] : 0;
    }

    /** Whether an instruction may begin at an offset. Not if it is too far away. */
    boolean mayBegin(int offset) {
        return isNear(offset) && possible[offset - from];
    }

    private boolean isNear(int offset) {
        return offset >= from && offset < to;
    }

    /** Whether an instruction begins at an offset for sure. */
    boolean isCertain(int offset) {
        return offset < site ? isAgreed(offset) : isFollowing(offset);
    }

    /** Whether all chains from far enough before an offset to the site go through it. */
    private boolean isAgreed(int offset) {
        if (!mayBegin(offset)) {
            return false;
        }
        Arrays.fill(passes, offset - from, site - from + 1, false);
        passes[offset - from] = true;
        int chains = 0;
        for (int start = offset - 1; start >= from; start--) {
            passes[start - from] = mayBegin(start) && passes[start + length(start) - from];
            if (mayBegin(start) && start <= offset - SETTLED) {
                if (!passes[start - from]) {
                    return false;
                }
                chains++;
            }
        }
        return chains > 0;
    }

    /** Whether the instructions from the site on go through an offset. */
    private boolean isFollowing(int offset) {
        int position = site;
        while (position < offset && length(position) > 0) {
            position += length(position);
        }
        return position == offset;
    }

    /**
     * Whether something in the window may lead into a range near the site: a direct branch, or an instruction that takes
     * the address of a place there.
     *
     * @param start first offset that counts
     * @param end first offset that does not
     */
    boolean isTarget(int start, int end) {
        return isTargetOfLong(start, end) || isTargetOfShort(start, end);
    }

    /**
     * Whether any four bytes, taken as displacement, lead there. Chance makes that true once in some ten thousand
     * windows, so there is no need to know where instructions begin.
     */
    private boolean isTargetOfLong(int start, int end) {
        for (int offset = 0; offset + 4 <= code.length; offset++) {
            int displacement = code[offset] & 0xff
                    | (code[offset + 1] & 0xff) << 8
                    | (code[offset + 2] & 0xff) << 16
                    | code[offset + 3] << 24;
            long target = (long) offset + 4 + displacement;
            if (target < end && target >= start - 4) {
                for (int immediate : IMMEDIATES) {
                    if (target + immediate >= start && target + immediate < end) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    private boolean isTargetOfShort(int start, int end) {
        for (int offset = from; offset < to; offset++) {
            if (possible[offset - from] && lengths[offset - from] > 0) {
                at(offset);
                long target = instruction.target() - window.address();
                if (instruction.kind().isRelativeBranch() && target >= start && target < end) {
                    return true;
                }
            }
        }
        return false;
    }
}
