package reprise.replay;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Goes from a place towards another by single steps, and runs through what is called on the way. Where the other place turns
 * out to be inside a call, it ends at the beginning of what that calls.
 */
final class CallWalk {
    /** Returns of a function that calls itself after which it is no longer waited for the right one. */
    private static final int MOST_RETURNS = 100;

    private final History history;
    private final CodeBefore codeBefore;
    private final Map<Long, Long> addresses = new LinkedHashMap<>();
    private Playback walk;
    private Follower way;
    private boolean descended;

    CallWalk(History history, CodeBefore codeBefore) {
        this.history = history;
        this.codeBefore = codeBefore;
    }

    /** Where it ended; whoever asks owns it. */
    Playback place() {
        return walk;
    }

    /** The way from there to the other place. */
    Follower way() {
        return way;
    }

    /** Whether it ended inside the call in which the other place is. */
    boolean hasDescended() {
        return descended;
    }

    /** The instructions that it stepped through, and how often. */
    Map<Long, Long> addresses() {
        return addresses;
    }

    /** Walks for so many steps; the other place must not be so near by single steps alone. */
    void run(Playback base, Follower wayFromThere, int steps) {
        start(base, wayFromThere);
        int made = 0;
        while (made < steps && advance()) {
            made++;
        }
        if (made < steps) {
            // It is inside the call that the next step would have been.
            again(base, wayFromThere, made);
            descended = StepBack.single(walk, way) == Halt.STEPPED && !way.isDone();
            if (!descended) {
                again(base, wayFromThere, made);
            }
        }
    }

    private void again(Playback base, Follower wayFromThere, int steps) {
        walk.close();
        start(base, wayFromThere);
        for (int i = 0; i < steps; i++) {
            advance();
        }
    }

    private void start(Playback base, Follower wayFromThere) {
        walk = history.copy(base);
        way = new Follower(wayFromThere);
        addresses.clear();
        descended = false;
    }

    /** Makes one step; false if it came to the other place. */
    private boolean advance() {
        long behind = walk.route().isAtEvent() ? 0 : codeBefore.behindCall(walk);
        long stack = behind == 0 ? 0 : CodeBefore.stackPointer(walk);
        Halt halt = StepBack.single(walk, way);
        if (way.isDone()) {
            return false;
        }
        if (behind != 0 && halt == Halt.STEPPED && !runTo(behind, stack)) {
            return false;
        }
        if (halt == Halt.STEPPED) {
            addresses.merge(walk.address(), 1L, Long::sum);
        }
        return true;
    }

    private boolean runTo(long behind, long stack) {
        Armed besides = Armed.NOTHING.with(behind);
        for (int returns = 0; returns < MOST_RETURNS; ) {
            Halt halt = walk.proceed(process -> way.arm(besides, process), Playback.NOBODY, 0);
            way.see(walk, halt);
            if (way.isDone()) {
                return false;
            }
            if (halt == Halt.ADDRESS && walk.address() == behind) {
                returns++;
                if (CodeBefore.stackPointer(walk) >= stack) {
                    break;
                }
            }
        }
        walk.settle(Halt.ADDRESS);
        return true;
    }
}
