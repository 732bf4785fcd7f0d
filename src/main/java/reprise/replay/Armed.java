package reprise.replay;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where a carrier is to stop.
 *
 * @param addresses instructions to stop before, ascending
 * @param watches memory to stop after an access to
 */
record Armed(long[] addresses, List<Watch> watches) {
    static final Armed NOTHING = new Armed(new long[0], List.of());

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
        return new Armed(more, watches);
    }

    /** With one address less. */
    Armed without(long address) {
        return new Armed(Arrays.stream(addresses).filter(one -> one != address).toArray(), watches);
    }

    /** With several addresses more. */
    Armed with(long[] others) {
        long[] all = Arrays.copyOf(addresses, addresses.length + others.length);
        System.arraycopy(others, 0, all, addresses.length, others.length);
        return new Armed(Arrays.stream(all).sorted().distinct().toArray(), watches);
    }

    /** With one watchpoint more. */
    Armed with(Watch watch) {
        if (watches.contains(watch)) {
            return this;
        }
        List<Watch> more = new ArrayList<>(watches);
        more.add(watch);
        return new Armed(addresses, List.copyOf(more));
    }
}
