package reprise.replay;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;

/** Moves about at random in a part of a recording, and compares each place with what stepping through it showed. */
final class RandomMoves implements AutoCloseable {
    private final EveryInstant instants;
    private final Timeline timeline;
    private final Random random;
    private final Map<Position, Long> known = new HashMap<>();
    private final TreeSet<Long> breakpoints = new TreeSet<>();
    private final List<String> failures = new ArrayList<>();
    private int at;
    private long slowest;
    private String slowestMove = "";

    RandomMoves(Path trace, EveryInstant instants, long seed) {
        this.instants = instants;
        this.timeline = Timeline.open(trace, ReplayOptions.QUIET);
        this.random = new Random(seed);
        timeline.setCatches(Catches.NONE);
    }

    /** What was wrong; empty if all was right. */
    List<String> make(int moves) {
        go(random.nextInt(instants.size()));
        for (int move = 0; move < moves && failures.size() < 5; move++) {
            switch (random.nextInt(8)) {
                case 0 -> go(random.nextInt(instants.size()));
                case 1 -> step();
                case 2, 3 -> reverseStep();
                case 4 -> changeBreakpoints();
                case 5 -> resume();
                default -> reverseResume();
            }
        }
        return failures;
    }

    /** The move that took longest. */
    String slowest() {
        return slowest / 1000 + " us for " + slowestMove;
    }

    private void go(int index) {
        long start = System.nanoTime();
        timeline.seek(instants.get(index).position());
        check("seek", index, start);
    }

    private void step() {
        int tid = instants.get(at).runner();
        for (int next = at + 1; tid != 0 && next < instants.size(); next++) {
            EveryInstant.Instant there = instants.get(next);
            if (there.runner() == tid && there.applied() == 0
                    || there.applied() == tid && there.stepEnds()
                    || there.runner() != tid && there.runner() != 0 && isBreakpoint(next)) {
                long start = System.nanoTime();
                timeline.step(tid);
                check("step of " + tid, next, start);
                return;
            }
        }
    }

    private void reverseStep() {
        int tid = at == 0
                ? 0
                : instants.get(random.nextInt(Math.max(0, at - 50), at)).runner();
        if (tid == 0 || timeline.tasks().stream().noneMatch(task -> task.tid() == tid)) {
            return;
        }
        for (int last = at - 1; last >= 0; last--) {
            EveryInstant.Instant behind = instants.get(last + 1);
            if (instants.get(last).runner() == tid || behind.struck() && behind.applied() == tid) {
                long start = System.nanoTime();
                timeline.reverseStep(tid);
                check("reverse step of " + tid, last, start);
                return;
            }
        }
    }

    private void changeBreakpoints() {
        if (breakpoints.size() > random.nextInt(8)) {
            long address = random.nextBoolean() ? breakpoints.getFirst() : breakpoints.getLast();
            breakpoints.remove(address);
            processes().forEach(process -> timeline.removeBreakpoint(process, address));
        } else {
            long address = instants.get(random.nextInt(instants.size())).address();
            if (address != 0) {
                breakpoints.add(address);
                processes().forEach(process -> timeline.insertBreakpoint(process, address));
            }
        }
    }

    private List<Integer> processes() {
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < instants.size(); i++) {
            if (!all.contains(instants.get(i).runner())) {
                all.add(instants.get(i).runner());
            }
        }
        timeline.tasks().forEach(task -> all.add(task.process()));
        return all;
    }

    private boolean isBreakpoint(int index) {
        EveryInstant.Instant instant = instants.get(index);
        return instant.runner() != 0 && breakpoints.contains(instant.address());
    }

    private void resume() {
        for (int next = at + 1; next < instants.size(); next++) {
            if (isBreakpoint(next)) {
                long start = System.nanoTime();
                timeline.resume();
                check("resume", next, start);
                return;
            }
        }
    }

    private void reverseResume() {
        for (int last = at - 1; last >= 0; last--) {
            if (isBreakpoint(last)) {
                long start = System.nanoTime();
                timeline.reverseResume();
                check("reverse resume", last, start);
                return;
            }
        }
    }

    private void check(String move, int index, long start) {
        long time = System.nanoTime() - start;
        EveryInstant.Instant wanted = instants.get(index);
        String text = move + " from " + instants.get(at).position() + " to " + wanted.position();
        if (time > slowest) {
            slowest = time;
            slowestMove = text;
        }
        long state = EveryInstant.state(timeline);
        Position position = timeline.position();
        Long before = known.put(position, state);
        if (before != null && before != state) {
            failures.add(text + ": " + position + " names two states");
        }
        if (state != wanted.state()) {
            failures.add(text + ": came to " + position + ", which is "
                    + (position.equals(wanted.position()) ? "" : "not ") + "its name; breakpoints "
                    + breakpoints.stream().map(Long::toHexString).toList());
            timeline.seek(wanted.position());
        }
        at = index;
    }

    @Override
    public void close() {
        timeline.close();
    }
}
