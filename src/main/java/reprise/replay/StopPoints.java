package reprise.replay;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** The breakpoints and watchpoints of all processes that a debugger has set. */
final class StopPoints {
    private final Map<Integer, TreeSet<Long>> breakpoints = new HashMap<>();
    private final List<Watch> watches = new ArrayList<>();
    private final Map<Integer, Armed> armed = new HashMap<>();

    void insert(int process, long address) {
        breakpoints.computeIfAbsent(process, none -> new TreeSet<>()).add(address);
        armed.clear();
    }

    void remove(int process, long address) {
        TreeSet<Long> addresses = breakpoints.get(process);
        if (addresses != null) {
            addresses.remove(address);
            armed.clear();
        }
    }

    /** Whether there was room for it. */
    boolean insert(Watch watch) {
        if (watches.contains(watch)) {
            return true;
        }
        long others = watches.stream()
                .filter(other -> other.process() == watch.process())
                .count();
        if (others == CarrierBreakpoints.SLOTS) {
            return false;
        }
        watches.add(watch);
        armed.clear();
        return true;
    }

    void remove(Watch watch) {
        watches.remove(watch);
        armed.clear();
    }

    List<Watch> watches() {
        return watches;
    }

    boolean has(int process, long address) {
        return of(process).has(address);
    }

    /** Where the tasks of a process stop. */
    Armed of(int process) {
        return armed.computeIfAbsent(process, this::arm);
    }

    private Armed arm(int process) {
        TreeSet<Long> addresses = breakpoints.get(process);
        List<Watch> own =
                watches.stream().filter(watch -> watch.process() == process).toList();
        if ((addresses == null || addresses.isEmpty()) && own.isEmpty()) {
            return Armed.NOTHING;
        }
        long[] all = addresses == null
                ? new long[0]
                : addresses.stream().mapToLong(Long::longValue).sorted().toArray();
        return new Armed(all, own);
    }
}
