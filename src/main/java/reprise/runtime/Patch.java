package reprise.runtime;

import java.util.List;

/**
 * A patched site: all that has to be written, and what is where afterwards. It is data only, so that replay can repeat
 * it, a debugger can hide it, and it can be taken back by writing each edit's {@code before}.
 *
 * @param site address of the instruction
 * @param start first address whose code is replaced; at most {@code site}
 * @param end first address behind what is replaced. From the inside of {@code start} to {@code end} nothing may be
 *     executed any more: a task that stands there has to be put where {@link #movedAddress} says
 * @param edits in the order in which they have to be made: each leaves code that works
 * @param trampolineAddress for which the trampoline was made
 * @param hookOffset where in the trampoline the code begins that does the site's work
 * @param returnOffset where in the trampoline the work is done: the address that stands for the one behind the site
 * @param places where in the trampoline the instructions are now, in their order, from {@code start} to {@code end}. The
 *     site itself is the hook, {@code end} is the jump back; that one is missing if control does not come to it
 * @param guarded whether each address between {@code start} and {@code end} at which an instruction began holds int3
 *     now, so that a jump there which was overlooked stops instead of running wild
 * @param movable whether it would be the same, but for {@link #movedBy the addresses}, if the same code and its trampoline
 *     lay elsewhere at the same distance
 */
public record Patch(
        long site,
        Strategy strategy,
        long start,
        long end,
        List<Edit> edits,
        long trampolineAddress,
        byte[] trampoline,
        int hookOffset,
        int returnOffset,
        List<Place> places,
        boolean guarded,
        boolean movable)
        implements PatchPlan {
    /** No address. */
    public static final long NONE = -1;

    /** Bytes to be replaced by as many others. */
    public record Edit(long address, byte[] before, byte[] after) {}

    /** An instruction's original address and where it is now. */
    public record Place(long address, int trampolineOffset) {}

    /** The patch of the same code, mapped elsewhere. It must be {@link #movable}. */
    public Patch movedBy(long distance) {
        return new Patch(
                site + distance,
                strategy,
                start + distance,
                end + distance,
                edits.stream()
                        .map(edit -> new Edit(edit.address + distance, edit.before, edit.after))
                        .toList(),
                trampolineAddress + distance,
                trampoline,
                hookOffset,
                returnOffset,
                places.stream()
                        .map(place -> new Place(place.address + distance, place.trampolineOffset))
                        .toList(),
                guarded,
                movable);
    }

    /**
     * Where a task has to go on that stands at {@code address}: the same address, unless it is one inside the patch.
     *
     * @return {@link #NONE} for an address inside the patch at which no instruction began
     */
    public long movedAddress(long address) {
        if (Long.compareUnsigned(address, start) <= 0 || Long.compareUnsigned(address, end) >= 0) {
            return address;
        }
        for (Place place : places) {
            if (place.address() == address) {
                return trampolineAddress + place.trampolineOffset();
            }
        }
        return NONE;
    }

    /**
     * Which original address a task stands at that is in the trampoline: what a signal handler or a debugger has to see.
     *
     * @return {@link #NONE} outside the trampoline; within the hook, the site
     */
    public long originalAddress(long address) {
        long offset = address - trampolineAddress;
        if (offset < 0 || offset >= trampoline.length) {
            return NONE;
        }
        long original = start;
        for (Place place : places) {
            if (place.trampolineOffset() <= offset) {
                original = place.address();
            }
        }
        return original;
    }
}
