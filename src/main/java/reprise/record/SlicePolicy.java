package reprise.record;

import java.util.ArrayDeque;
import java.util.SplittableRandom;
import reprise.tracee.TracerClock;

/**
 * Decides whose turn it is inside a domain, and for how long.
 *
 * <p>Normally turns go round. They end at events that name themselves; who computes for long without one is interrupted, but not
 * so often that naming the instants takes more than a small part of the time. Who spins, waiting for what another task of
 * the domain must do, is interrupted soon. So is who only asks for the time and whether something is there yet. Now and then a turn
 * ends as soon as anybody else can run, as a kernel gives a processor to who was woken: turns that only end where tasks wait can come
 * to a circle in which a program waits for ever, as Go's does that stops the world again and again.
 *
 * <p>With chaos, turns are of any length, tasks have priorities that change now and then, and some are held back for a while: orders
 * of execution that a busy machine shows once in a long time.
 */
final class SlicePolicy {
    /** How long a task keeps its turn while others wait, until its next event. */
    private static final long SLICE = 5_000_000;

    /** How long it may compute without an event. */
    private static final long COMPUTATION = 15_000_000;

    private static final long LONGEST_COMPUTATION = 1_500_000_000;
    /** The same for one that was seen to spin. */
    private static final long SPINNING = 200_000;

    /** The slice of one that only polled in its last one. */
    private static final long POLLING = 1_000_000;

    /** One of so many turns is eager. */
    private static final int EAGER = 32;

    /** How often to look at the clock. */
    private static final long TICK = 5_000_000;

    private static final long SHORTEST_TICK = 50_000;
    private static final long SHORT_TICK = 200_000;
    private static final long SHORTEST_CHAOS = 20_000;
    private static final int CHAOS_DOUBLINGS = 10;
    private static final int CHAOS_DOUBLINGS_COMPUTING = 8;
    private static final long LONGEST_HOLD = 50_000_000;

    private final boolean chaos;
    private final long slice;
    private final SplittableRandom random = new SplittableRandom();

    /**
     * @param slice see {@link RecordOptions#slice}
     */
    SlicePolicy(boolean chaos, long slice) {
        this.chaos = chaos;
        this.slice = slice;
    }

    /** A task's turn begins: sets when it ends. */
    void begin(Domain domain, RecordedTask task) {
        long now = TracerClock.nanoTime();
        if (slice > 0) {
            domain.sliceEnd = now + slice;
            // Loops of one length shall not be met at the same place always.
            domain.computationEnd = now + slice / 2 + random.nextLong(slice);
            return;
        }
        if (chaos) {
            domain.sliceEnd = now + chaoticSlice(CHAOS_DOUBLINGS);
            domain.computationEnd = now + chaoticSlice(CHAOS_DOUBLINGS_COMPUTING);
            return;
        }
        domain.eager = domain.tasks > 1 && random.nextInt(EAGER) == 0;
        domain.sliceEnd = domain.eager ? now : now + (task.polling ? POLLING : SLICE);
        domain.computationEnd = now
                + switch (task.spinning) {
                    case NO -> Math.clamp(10 * domain.namingCost, COMPUTATION, LONGEST_COMPUTATION);
                    case MAYBE -> Math.clamp(4 * domain.namingCost, SPINNING, COMPUTATION);
                    case YES -> Math.clamp(domain.namingCost, SPINNING, COMPUTATION);
                };
    }

    /** Many are short, some long; a quarter ends at the next event. */
    private long chaoticSlice(int doublings) {
        return random.nextInt(4) == 0 ? 0 : random.nextLong(SHORTEST_CHAOS << random.nextInt(doublings + 1));
    }

    /** A task was interrupted in the midst of its computation: with chaos others usually go on for a while. */
    void interrupted(RecordedTask task) {
        if (chaos && random.nextInt(8) != 0) {
            task.heldUntil = TracerClock.nanoTime() + chaoticSlice(CHAOS_DOUBLINGS);
        }
    }

    /** Whether who computes is interrupted although nobody waits. */
    boolean interruptsAlways() {
        return slice > 0;
    }

    /** How long from now until the clock has to be looked at, in nanoseconds. */
    long tick(Domain domain) {
        if (slice > 0) {
            return Math.clamp(slice / 2, SHORTEST_TICK, TICK);
        }
        boolean soon = chaos
                || domain.computationEnd - domain.sliceEnd < 0
                || domain.current != null && domain.current.polling;
        return soon && domain.tasks > 1 ? SHORT_TICK : TICK;
    }

    /** Takes out the one whose turn it is, of at least one. */
    RecordedTask next(ArrayDeque<RecordedTask> ready) {
        if (!chaos || ready.size() == 1) {
            return ready.poll();
        }
        long now = TracerClock.nanoTime();
        RecordedTask best = null;
        for (RecordedTask task : ready) {
            if (task.priority == 0 || random.nextInt(8) == 0) {
                task.priority = 1 + random.nextInt(1 << 20);
            }
            if (random.nextInt(64) == 0) {
                task.heldUntil = now + random.nextLong(LONGEST_HOLD);
            }
            boolean held = now - task.heldUntil < 0;
            if (best == null || (held ? 0 : task.priority) > (now - best.heldUntil < 0 ? 0 : best.priority)) {
                best = task;
            }
        }
        ready.remove(best);
        return best;
    }

    /** How many steps a task that is to be interrupted goes on in its loop of this length. */
    int detour(int loop) {
        return chaos ? random.nextInt(loop + 1) : 0;
    }

    /** Whether the place of an interruption may be one where the flags are in use, which replay finds more slowly. */
    boolean anyPlace() {
        return chaos && random.nextInt(2) == 0;
    }
}
