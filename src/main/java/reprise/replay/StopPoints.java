package reprise.replay;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import reprise.runtime.BufferLayout;

/** The breakpoints and watchpoints of all processes that a debugger has set. */
final class StopPoints {
    private final Map<Integer, TreeSet<Long>> breakpoints = new HashMap<>();
    private final List<Watch> watches = new ArrayList<>();
    private final Map<Integer, Armed> armed = new HashMap<>();
    private boolean calls;

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

    /** Whether system calls that are taken from the buffer are looked at, too. */
    void setCalls(boolean looked) {
        if (looked != calls) {
            calls = looked;
            armed.clear();
        }
    }

    List<Watch> watches() {
        return watches;
    }

    boolean has(int process, long address) {
        TreeSet<Long> addresses = breakpoints.get(process);
        return addresses != null && addresses.contains(address);
    }

    /** Where the tasks of a process stop. */
    Armed of(int process) {
        return armed.computeIfAbsent(process, this::arm);
    }

    private Armed arm(int process) {
        TreeSet<Long> addresses = breakpoints.get(process);
        List<Watch> own =
                watches.stream().filter(watch -> watch.process() == process).toList();
        if ((addresses == null || addresses.isEmpty()) && own.isEmpty() && !calls) {
            return Armed.NOTHING;
        }
        long[] all = addresses == null
                ? new long[0]
                : addresses.stream().mapToLong(Long::longValue).sorted().toArray();
        Armed wanted = new Armed(all, own);
        return calls ? wanted.with(new long[] {BufferLayout.ENTRY, BufferLayout.LEAVE}) : wanted;
    }
}
