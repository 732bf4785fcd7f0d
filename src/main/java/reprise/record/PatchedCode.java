package reprise.record;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import reprise.runtime.Patch;

/** The patches of one address space, and how often its sites have trapped. */
final class PatchedCode {
    /** How far from a site's start the bytes of its patch may lie. */
    private static final int NEAR = 160;

    /**
     * Memory for trampolines.
     *
     * @param next where the next one goes
     */
    record Zone(long start, long end, long next) {}

    /** By address of the trampoline. */
    private final TreeMap<Long, Patch> trampolines = new TreeMap<>();
    /** By first address replaced. */
    private final TreeMap<Long, Patch> sites = new TreeMap<>();

    private final List<Zone> zones = new ArrayList<>();
    /** The files of which something has trapped. */
    private final Set<CallSites> files = new HashSet<>();

    /** Ranges in which the program made code writable: start and end pairs. */
    private final List<long[]> opened = new ArrayList<>();

    // An open-addressing table: sites and how often each trapped.
    private long[] keys = new long[256];
    private int[] counts = new int[256];
    private int used;

    /** A copy, as fork makes it. */
    PatchedCode copy() {
        PatchedCode copy = new PatchedCode();
        copy.trampolines.putAll(trampolines);
        copy.sites.putAll(sites);
        copy.zones.addAll(zones);
        copy.files.addAll(files);
        copy.opened.addAll(opened);
        copy.keys = keys.clone();
        copy.counts = counts.clone();
        copy.used = used;
        return copy;
    }

    /** Counts a trap of a site; how many there were with this one. */
    int countTrap(long site) {
        int at = slot(site);
        if (keys[at] != site) {
            if (used * 2 > keys.length) {
                grow();
                at = slot(site);
            }
            keys[at] = site;
            used++;
        }
        return ++counts[at];
    }

    /** Something of a file trapped; whether it is the first. */
    boolean isFirstOf(CallSites file) {
        return files.add(file);
    }

    /** Lets the site be counted from the start. */
    void countAgain(long site) {
        counts[slot(site)] = 0;
    }

    private int slot(long site) {
        int at = (int) (site * 0x9e3779b97f4a7c15L >>> 40) & keys.length - 1;
        while (keys[at] != 0 && keys[at] != site) {
            at = at + 1 & keys.length - 1;
        }
        return at;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldCounts = counts;
        keys = new long[oldKeys.length * 2];
        counts = new int[oldKeys.length * 2];
        for (int index = 0; index < oldKeys.length; index++) {
            if (oldKeys[index] != 0) {
                int at = slot(oldKeys[index]);
                keys[at] = oldKeys[index];
                counts[at] = oldCounts[index];
            }
        }
    }

    /** Zone within reach of a site that has room; null if there is none. */
    Zone zoneNear(long site, long reach) {
        for (Zone zone : zones) {
            if (Math.abs(zone.start() - site) < reach && zone.end() - zone.next() >= 256) {
                return zone;
            }
        }
        return null;
    }

    /** A patch was made, its trampoline in a zone. */
    void add(Patch patch, Zone zone, long alignment) {
        trampolines.put(patch.trampolineAddress(), patch);
        sites.put(patch.start(), patch);
        zones.remove(zone);
        long next = patch.trampolineAddress() + patch.trampoline().length + alignment - 1 & -alignment;
        zones.add(new Zone(zone.start(), zone.end(), next));
    }

    /** All patches are about to be undone; which they were. Tasks may still be in the trampolines. */
    List<Patch> restore() {
        List<Patch> patches = List.copyOf(sites.values());
        sites.clear();
        return patches;
    }

    /** The program may change code in a range from now on: nothing is patched there any more. Which patches are to be undone. */
    List<Patch> opened(long start, long end) {
        opened.add(new long[] {start, end});
        List<Patch> patches = new ArrayList<>();
        sites.subMap(start - NEAR, end).values().removeIf(patch -> patch.end() > start && patches.add(patch));
        return patches;
    }

    /** Whether the program may change the code at an address. */
    boolean isOpen(long address) {
        for (long[] range : opened) {
            if (address >= range[0] && address < range[1]) {
                return true;
            }
        }
        return false;
    }

    /** Whether there are patches in a range. */
    boolean isPatched(long start, long end) {
        return !near(start, end).isEmpty();
    }

    /** What is mapped in a range is gone, and the patches with it. */
    void unmapped(long start, long length) {
        opened.removeIf(range -> range[0] >= start && range[1] <= start + length);
        if (sites.isEmpty() || sites.subMap(start - 32, start + length).isEmpty()) {
            return;
        }
        sites.subMap(start - 32, start + length).values().removeIf(patch -> patch.end() > start);
        Arrays.fill(keys, 0);
        Arrays.fill(counts, 0);
        used = 0;
    }

    /** The patches whose bytes may lie in a range; those of a site may be a short jump away. */
    List<Patch> patchesIn(long start, long end) {
        return List.copyOf(near(start, end).values());
    }

    private SortedMap<Long, Patch> near(long start, long end) {
        return sites.subMap(start - NEAR, end + NEAR);
    }

    /** Whether an address is in a trampoline. */
    boolean isTrampoline(long address) {
        Map.Entry<Long, Patch> entry = trampolines.floorEntry(address);
        return entry != null && address < entry.getKey() + entry.getValue().trampoline().length;
    }

    /** The address in the program's own code that stands for one in a trampoline; others are their own. */
    long original(long address) {
        Map.Entry<Long, Patch> entry = trampolines.isEmpty() ? null : trampolines.floorEntry(address);
        long original = entry == null ? Patch.NONE : entry.getValue().originalAddress(address);
        return original == Patch.NONE ? address : original;
    }

    /** Where to go on from an address of the program's own code. */
    long moved(long address) {
        Map.Entry<Long, Patch> entry = sites.isEmpty() ? null : sites.floorEntry(address);
        long moved = entry == null ? Patch.NONE : entry.getValue().movedAddress(address);
        return moved == Patch.NONE ? address : moved;
    }
}
