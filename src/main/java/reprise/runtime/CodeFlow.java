package reprise.runtime;

import java.util.Arrays;
import reprise.x86.Instruction;
import reprise.x86.Instruction.Kind;
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

    /** How many bytes of immediate operand can be between a rip-relative displacement and the end of its instruction. */
    private static final int[] IMMEDIATES = {0, 1, 2, 4};

    private static final int MAX_IMMEDIATE = 4;
    private static final int LONGEST_INSTRUCTION = 15;
    private static final int NOWHERE = Integer.MIN_VALUE;

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
    private final Kind[] kinds;
    private final int[] targets;
    private final boolean[] isShort;

    private int[] farTargets = new int[16];
    private int farTargetCount;

    CodeFlow(CodeWindow window, long siteAddress) {
        this.window = window;
        code = window.bytes();
        site = window.offset(siteAddress);
        from = Math.max(0, site - NEAR);
        to = Math.min(code.length, site + NEAR);
        lengths = new byte[to - from];
        possible = new boolean[to - from];
        passes = new boolean[to - from];
        kinds = new Kind[to - from];
        targets = new int[to - from];
        isShort = new boolean[to - from];
        findInstructions();
        backward();
        forward();
        findTargets();
    }

    private void findInstructions() {
        for (int offset = from; offset < to; offset++) {
            at(offset);
            lengths[offset - from] = (byte) instruction.length();
            kinds[offset - from] = instruction.kind();
            boolean refers = instruction.kind().isRelativeBranch() || instruction.isRipRelative();
            long target = instruction.target() - window.address();
            targets[offset - from] = refers && target == (int) target ? (int) target : NOWHERE;
            isShort[offset - from] = instruction.displacementSize() == 1;
        }
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

    /** What is at an offset, {@link Kind#INVALID} if it is too far away. */
    Kind kind(int offset) {
        return isNear(offset) ? kinds[offset - from] : Kind.INVALID;
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
        for (int index = 0; index < targets.length; index++) {
            if (targets[index] >= start
                    && targets[index] < end
                    && !(isShort[index] && isWithinInstruction(from + index))) {
                return true;
            }
        }
        for (int i = 0; i < farTargetCount; i++) {
            if (farTargets[i] >= start && farTargets[i] < end) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether an offset is for sure not the beginning of an instruction but inside one. What looks like a short branch there
     * is part of an operand.
     */
    private boolean isWithinInstruction(int offset) {
        for (int begin = offset - 1; begin > offset - LONGEST_INSTRUCTION; begin--) {
            if (begin + length(begin) > offset && isCertain(begin)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Leaves those targets that count. A 32-bit displacement leads near the site by chance so rarely that every offset
     * counts; a short one counts where an instruction may begin.
     */
    private void findTargets() {
        for (int i = 0; i < targets.length; i++) {
            if (isShort[i] && !possible[i]) {
                targets[i] = NOWHERE;
            }
        }
        findFarTargets(0, from);
        findFarTargets(to, code.length);
    }

    /**
     * Collects what leads near the site from further away, where only 32-bit displacements matter. Anything counts that
     * looks like one, which is much faster than to decode.
     */
    private void findFarTargets(int first, int last) {
        for (int offset = first + 1; offset + 4 <= last; offset++) {
            int high = code[offset + 3];
            if (high != 0 && high != -1) {
                continue; // More than 16 MB away, and most bytes are.
            }
            int displacement =
                    code[offset] & 0xff | (code[offset + 1] & 0xff) << 8 | (code[offset + 2] & 0xff) << 16 | high << 24;
            int target = offset + 4 + displacement;
            if (target >= from - MAX_IMMEDIATE && target < to) {
                addReference(offset, target);
            }
        }
    }

    /** Adds a target if the byte before its displacement makes it that of a branch, or of an operand relative to rip. */
    private void addReference(int offset, int target) {
        int before = code[offset - 1] & 0xff;
        boolean conditional = (before & 0xf0) == 0x80 && offset > 1 && code[offset - 2] == 0x0f;
        if (before == 0xe8 || before == 0xe9 || conditional) {
            addFarTarget(target);
        } else if ((before & 0xc7) == 0x05) {
            for (int immediate : IMMEDIATES) {
                addFarTarget(target + immediate);
            }
        }
    }

    private void addFarTarget(int target) {
        if (farTargetCount == farTargets.length) {
            farTargets = Arrays.copyOf(farTargets, 2 * farTargetCount);
        }
        farTargets[farTargetCount++] = target;
    }
}
