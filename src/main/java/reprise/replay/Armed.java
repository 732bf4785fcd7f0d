package reprise.replay;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Where a carrier is to stop.
 *
 * @param addresses instructions to stop before, ascending
 * @param watches memory to stop after an access to
 * @param guesses those of the addresses that may be in the midst of an instruction: memory must not be changed there
 */
record Armed(long[] addresses, List<Watch> watches, long[] guesses) {
    static final Armed NOTHING = new Armed(new long[0], List.of());

    Armed(long[] addresses, List<Watch> watches) {
        this(addresses, watches, new long[0]);
    }

    boolean has(long address) {
        return Arrays.binarySearch(addresses, address) >= 0;
    }

    boolean isEmpty() {
        return addresses.length == 0 && watches.isEmpty();
    }

    /** With one address more. */
    Armed with(long address) {
        if (has(address)) {
            return this;
        }
        long[] more = Arrays.copyOf(addresses, addresses.length + 1);
        more[addresses.length] = address;
        Arrays.sort(more);
        return new Armed(more, watches, guesses);
    }

    /** With one address less. */
    Armed without(long address) {
        return new Armed(without(addresses, address), watches, without(guesses, address));
    }

    private static long[] without(long[] all, long address) {
        return Arrays.stream(all).filter(one -> one != address).toArray();
    }

    /** With several addresses more. */
    Armed with(long[] others) {
        return new Armed(union(addresses, others), watches, guesses);
    }

    /** With several addresses more, at which there need not be an instruction. */
    Armed withGuesses(long[] others) {
        return new Armed(union(addresses, others), watches, union(guesses, others));
    }

    private static long[] union(long[] some, long[] others) {
        return LongStream.concat(Arrays.stream(some), Arrays.stream(others))
                .sorted()
                .distinct()
                .toArray();
    }

    /** The addresses for which the processor's breakpoints are used, as far as there are enough. */
    long[] forProcessor(int breakpoints) {
        return LongStream.concat(
                        Arrays.stream(guesses), Arrays.stream(addresses).filter(address -> !isGuess(address)))
                .limit(breakpoints)
                .toArray();
    }

    /** The addresses that then have to be in memory, ascending. Guesses are not: they may be missed. */
    long[] forMemory(int breakpoints) {
        return Arrays.stream(addresses)
                .filter(address -> !isGuess(address))
                .skip(Math.max(0, breakpoints - guesses.length))
                .toArray();
    }

    private boolean isGuess(long address) {
        return Arrays.binarySearch(guesses, address) >= 0;
    }

    /** With one watchpoint more. */
    Armed with(Watch watch) {
        if (watches.contains(watch)) {
            return this;
        }
        List<Watch> more = new ArrayList<>(watches);
        more.add(watch);
        return new Armed(addresses, List.copyOf(more), guesses);
    }
}
