package reprise.runtime;

import java.util.Map;

/** What {@link PatchPlanner} says about a site: how to patch it, or why not. */
public sealed interface PatchPlan permits Patch, PatchPlan.Decline {
    /** Address of the instruction that was to be patched. */
    long site();

    /** How the five bytes for a jump are found. {@link PatchPlanner} tells when each is taken, and why. */
    enum Strategy {
        /** The site jumps to unused bytes nearby, and these to the trampoline. */
        HOLE,
        /** The instructions before the site move to the trampoline. */
        PRECEDING,
        /** The instructions behind the site move to the trampoline. */
        FOLLOWING
    }

    /** Why a strategy cannot be used. */
    enum Reason {
        /** There is neither {@code syscall} nor {@code rdtsc} at the address. */
        NOT_A_SITE,
        /** An earlier patch is in the way. */
        PATCHED,
        /** It is the {@code rt_sigreturn} of a signal restorer, which unwinders recognise by its bytes. */
        SIGNAL_RETURN,
        /** The trampoline, or what a moved instruction refers to, is more than 2 GB away. */
        OUT_OF_REACH,
        /** No unused bytes within reach of a short jump. */
        NO_HOLE,
        /** Too close to the end (or the beginning) of the window to see enough. */
        WINDOW_TOO_SMALL,
        /** Something may jump into the middle of what would be replaced. */
        BRANCH_TARGET,
        /** An instruction that means something else, or cannot be expressed, in another place. */
        UNMOVABLE,
        /** A constant of eight bytes in an instruction: V8 lets other instructions read it there. */
        CONSTANT,
        /** The function ends and something else begins before there are five bytes. */
        NO_ROOM,
        /** Where instructions begin before the site cannot be told for sure. */
        UNCLEAR
    }

    /**
     * The site has to keep trapping.
     *
     * @param reasons why each strategy failed
     */
    record Decline(long site, Map<Strategy, Reason> reasons) implements PatchPlan {
        /** Why the last strategy failed that was tried: the one that usually works. */
        public Reason reason() {
            return reasons.get(Strategy.FOLLOWING);
        }
    }
}
