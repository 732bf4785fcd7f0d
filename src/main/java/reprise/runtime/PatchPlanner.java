package reprise.runtime;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import reprise.runtime.PatchPlan.Reason;
import reprise.runtime.PatchPlan.Strategy;
import reprise.x86.Assembler;
import reprise.x86.Instruction;
import reprise.x86.Instruction.Kind;

/**
 * Plans how a {@code syscall} or {@code rdtsc}, two bytes, becomes a jump to a trampoline, five bytes, in code of which
 * nothing is known but the bytes around. It only plans: it neither reads nor writes the tracee.
 *
 * <p>What can go wrong is always the same: something executes an address inside the replaced bytes. It may come by a
 * direct branch, which can be seen when it is in the window; by an indirect one, which cannot; or it is there already: a
 * task blocked in a system call at this site stands behind the instruction, and when its call is restarted it stands at
 * the instruction. So the strategies are tried in the order of how much they expose:
 *
 * <ol>
 *   <li>{@link Strategy#HOLE}. The site becomes a short jump to unused bytes, which jump to the trampoline. Only the two
 *       bytes of the instruction itself change, so every instruction begins where it began: there is no inside, whoever
 *       jumps or returns anywhere is right, and nothing moves. All depends on the hole being unused. It is if it is made
 *       of nop or int3, lies behind an instruction that control does not pass (at an address where an instruction begins
 *       for certain), and nothing in the window refers to it.
 *   <li>{@link Strategy#PRECEDING} when the site itself falls behind the five bytes of the jump, as with {@code mov
 *       eax, number; syscall}. The only address inside is the site, and it holds int3: an overlooked jump to it stops at
 *       an address that tells what happened.
 *   <li>{@link Strategy#FOLLOWING}. The address behind the site is inside, and in the middle of the jump's displacement,
 *       where no int3 can be. But the code behind the site is known to follow it, and compilers put a test of the result
 *       there, which is nobody's target unless something skips the call.
 *   <li>{@link Strategy#PRECEDING} otherwise: two or more addresses inside.
 * </ol>
 *
 * <p>Bytes behind the jump are filled with int3, not nop: whoever comes there by an overlooked way would skip
 * instructions with nop, and go on with wrong data; with int3 he stops, and {@link Patch#movedAddress} tells where he
 * should be.
 *
 * <p>The planner declines rather than guesses. Not thread safe.
 */
public final class PatchPlanner {
    /** Length of {@code syscall} and of {@code rdtsc}. */
    public static final int SITE_LENGTH = 2;

    private static final int JUMP_LENGTH = 5;

    /** How far a hole is looked for behind what ends the flow. Functions are aligned to 16, seldom to 64 bytes. */
    private static final int MAX_PADDING = 64;

    private static final byte JMP_SHORT = (byte) 0xeb;

    /** {@code mov rax, 15} and {@code mov eax, 15} as libraries write them before the syscall of a signal restorer. */
    private static final byte[][] SIGNAL_RETURN = {
        {0x48, (byte) 0xc7, (byte) 0xc0, 15, 0, 0, 0}, {(byte) 0xb8, 15, 0, 0, 0}
    };

    /** Writes the part of a trampoline that does the work of the instruction it replaces. */
    @FunctionalInterface
    public interface Hook {
        /**
         * Appends code that ends by running into what comes next when the work is done. At its begin all registers are
         * as they were at the site, and below rsp there may be a red zone of 128 bytes that is in use.
         *
         * @param site address of the instruction
         * @param kind SYSCALL or RDTSC
         */
        void emit(Assembler trampoline, long site, Kind kind);
    }

    private final Hook hook;

    public PatchPlanner(Hook hook) {
        this.hook = hook;
    }

    /**
     * Plans the patch of one site.
     *
     * @param trampolineAddress where the trampoline will be written, if there is one
     */
    public PatchPlan plan(CodeWindow window, long site, long trampolineAddress) {
        Plan plan = new Plan(window, site, trampolineAddress);
        Reason general = plan.obstacle();
        if (general != null) {
            return declined(site, general);
        }
        return plan.make();
    }

    private static PatchPlan.Decline declined(long site, Reason reason) {
        Map<Strategy, Reason> reasons = new EnumMap<>(Strategy.class);
        for (Strategy strategy : Strategy.values()) {
            reasons.put(strategy, reason);
        }
        return new PatchPlan.Decline(site, reasons);
    }

    /** The planning of one patch. */
    private final class Plan {
        private final CodeWindow window;
        private final byte[] code;
        private final long siteAddress;
        private final long trampolineAddress;
        private final Map<Strategy, Reason> reasons = new EnumMap<>(Strategy.class);
        private Kind kind;
        private CodeFlow flow;
        private int site;

        Plan(CodeWindow window, long siteAddress, long trampolineAddress) {
            this.window = window;
            this.code = window.bytes();
            this.siteAddress = siteAddress;
            this.trampolineAddress = trampolineAddress;
        }

        /** What makes the site unfit for every strategy, null if nothing. */
        Reason obstacle() {
            if (!window.contains(siteAddress, SITE_LENGTH)) {
                return Reason.NOT_A_SITE;
            }
            site = window.offset(siteAddress);
            kind = kindOfSite();
            if (kind == null) {
                return Reason.NOT_A_SITE;
            }
            if (kind == Kind.SYSCALL && isSignalReturn()) {
                return Reason.SIGNAL_RETURN;
            }
            if (window.isPatched(site, site + SITE_LENGTH)) {
                return Reason.PATCHED;
            }
            boolean inReach = Relocation.isInReach(siteAddress, trampolineAddress);
            return inReach ? null : Reason.OUT_OF_REACH;
        }

        private Kind kindOfSite() {
            if (code[site] != 0x0f) {
                return null;
            }
            return switch (code[site + 1]) {
                case 0x05 -> Kind.SYSCALL;
                case 0x31 -> Kind.RDTSC;
                default -> null;
            };
        }

        private boolean isSignalReturn() {
            for (byte[] mov : SIGNAL_RETURN) {
                int start = site - mov.length;
                if (start >= 0 && Arrays.equals(code, start, site, mov, 0, mov.length)) {
                    return true;
                }
            }
            return false;
        }

        PatchPlan make() {
            flow = new CodeFlow(window, siteAddress);
            int hole = findHole();
            if (hole >= 0) {
                return throughHole(hole);
            }
            int preceding = findPreceding();
            if (preceding >= 0 && isGuarded(preceding)) {
                return replace(Strategy.PRECEDING, preceding, site + SITE_LENGTH);
            }
            int end = findFollowing();
            if (end >= 0) {
                return replace(Strategy.FOLLOWING, site, end);
            }
            if (preceding >= 0) {
                return replace(Strategy.PRECEDING, preceding, site + SITE_LENGTH);
            }
            return new PatchPlan.Decline(siteAddress, reasons);
        }

        // Holes

        /** The hole nearest to the site in reach of a short jump, or -1. */
        private int findHole() {
            int from = site + SITE_LENGTH;
            for (int distance = 0; distance <= -Byte.MIN_VALUE; distance++) {
                if (distance <= Byte.MAX_VALUE && isHole(from + distance)) {
                    return from + distance;
                }
                if (isHole(from - distance)) {
                    return from - distance;
                }
            }
            reasons.put(Strategy.HOLE, Reason.NO_HOLE);
            return -1;
        }

        /** Whether there are unused bytes here. */
        private boolean isHole(int offset) {
            if (offset < 1 || offset + JUMP_LENGTH > code.length || !flow.mayBegin(offset)) {
                return false;
            }
            int end = offset + JUMP_LENGTH;
            return paddingAt(offset) >= JUMP_LENGTH
                    && !window.isPatched(offset, end)
                    && isUnused(offset)
                    && !flow.isTarget(offset, end);
        }

        /** Length of the nop and int3 that begin here. */
        private int paddingAt(int offset) {
            int end = offset;
            while (flow.kind(end).isPadding()) {
                end += flow.length(end);
            }
            return end - offset;
        }

        /**
         * Whether padding here is never executed: it lies behind an instruction that control does not pass, with only
         * padding between.
         */
        private boolean isUnused(int offset) {
            for (int start = Math.max(0, offset - MAX_PADDING); start < offset; start++) {
                int end = start + flow.length(start);
                if (flow.mayBegin(start)
                        && end <= offset
                        && flow.kind(start).endsFlow()
                        && end + paddingAt(end) >= offset
                        && flow.isCertain(start)) {
                    return true;
                }
            }
            return false;
        }

        private Patch throughHole(int hole) {
            byte[] jump = jump(hole, JUMP_LENGTH);
            byte[] shortJump = {JMP_SHORT, (byte) (hole - (site + SITE_LENGTH))};
            // The hole first: until the site is changed, nobody goes there.
            List<Patch.Edit> edits = List.of(edit(hole, jump), edit(site, shortJump));
            return patch(Strategy.HOLE, site, site + SITE_LENGTH, edits);
        }

        // Moving

        /** Where the instructions begin that make room before the site, or -1. */
        private int findPreceding() {
            int start = site + SITE_LENGTH - JUMP_LENGTH;
            while (start >= 0 && start > site - 20 && !flow.isCertain(start)) {
                start--;
            }
            Reason reason;
            if (start < 0) {
                reason = Reason.WINDOW_TOO_SMALL;
            } else if (start <= site - 20) {
                reason = Reason.UNCLEAR;
            } else {
                reason = immovable(start, site);
                if (reason == null) {
                    reason = obstacle(start, site + SITE_LENGTH);
                }
            }
            if (reason != null) {
                reasons.put(Strategy.PRECEDING, reason);
                return -1;
            }
            return start;
        }

        /** Whether all instructions but the first begin behind the jump. */
        private boolean isGuarded(int start) {
            return start + flow.length(start) >= start + JUMP_LENGTH;
        }

        /** Where the instructions end that make room behind the site, or -1. */
        private int findFollowing() {
            int end = site + SITE_LENGTH;
            boolean ended = false;
            while (end < site + JUMP_LENGTH) {
                if (end >= code.length) {
                    return failed(Reason.WINDOW_TOO_SMALL);
                }
                Instruction next = flow.at(end);
                if (ended && next.isValid() && !next.kind().isPadding()) {
                    return failed(Reason.NO_ROOM);
                }
                Reason reason = ended && next.isValid()
                        ? null
                        : Relocation.obstacle(next, trampolineAddress, end + next.length() >= site + JUMP_LENGTH);
                if (reason != null) {
                    return failed(reason);
                }
                ended |= next.kind().endsFlow();
                end += next.length();
            }
            Reason reason = obstacle(site, end);
            return reason == null ? end : failed(reason);
        }

        /** What keeps a range from being replaced, null if nothing. */
        private Reason obstacle(int start, int end) {
            if (window.isPatched(start, end)) {
                return Reason.PATCHED;
            }
            return flow.isTarget(start + 1, end) ? Reason.BRANCH_TARGET : null;
        }

        private int failed(Reason reason) {
            reasons.put(Strategy.FOLLOWING, reason);
            return -1;
        }

        /** What keeps the instructions of a range before the site from being moved, null if nothing. */
        private Reason immovable(int start, int end) {
            for (int offset = start; offset < end; offset += flow.length(offset)) {
                Instruction instruction = flow.at(offset);
                if (instruction.kind().endsFlow()) {
                    return Reason.NO_ROOM; // The site is not reached from here, but by some branch.
                }
                Reason reason = Relocation.obstacle(instruction, trampolineAddress, false);
                if (reason != null) {
                    return reason;
                }
            }
            return null;
        }

        private Patch replace(Strategy strategy, int start, int end) {
            return patch(strategy, start, end, List.of(edit(start, jump(start, end - start))));
        }

        /** The patch, of which the edits are known already, with its trampoline. */
        private Patch patch(Strategy strategy, int start, int end, List<Patch.Edit> edits) {
            Assembler trampoline = new Assembler(trampolineAddress);
            Relocation relocation = new Relocation(window, trampoline);
            move(start, site, relocation);
            relocation.place(siteAddress);
            int hookOffset = trampoline.size();
            hook.emit(trampoline, siteAddress, kind);
            int returnOffset = trampoline.size();
            if (move(site + SITE_LENGTH, end, relocation)) {
                relocation.place(window.address() + end);
                trampoline.jmp(window.address() + end);
            }
            relocation.finish();
            return new Patch(
                    siteAddress,
                    strategy,
                    window.address() + start,
                    window.address() + end,
                    edits,
                    trampolineAddress,
                    trampoline.toByteArray(),
                    hookOffset,
                    returnOffset,
                    relocation.places(),
                    strategy == Strategy.HOLE || strategy == Strategy.PRECEDING && isGuarded(start),
                    !relocation.hasAddresses());
        }

        /** Moves the instructions of a range. Returns whether control comes to its end. */
        private boolean move(int start, int end, Relocation relocation) {
            boolean goesOn = true;
            for (int offset = start; offset < end && goesOn; offset += flow.length(offset)) {
                goesOn = relocation.move(flow.at(offset)); // What is behind one that does not go on is padding.
            }
            return goesOn;
        }

        // Bytes

        private Patch.Edit edit(int offset, byte[] after) {
            byte[] before = Arrays.copyOfRange(code, offset, offset + after.length);
            return new Patch.Edit(window.address() + offset, before, after);
        }

        /** A jump to the trampoline, and int3 up to {@code length}. */
        private byte[] jump(int offset, int length) {
            Assembler jump = new Assembler(window.address() + offset);
            jump.jmp(trampolineAddress);
            while (jump.size() < length) {
                jump.int3();
            }
            return jump.toByteArray();
        }
    }
}
