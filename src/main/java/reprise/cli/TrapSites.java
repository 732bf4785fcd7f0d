package reprise.cli;

import java.lang.foreign.MemorySegment;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import reprise.syscall.SyscallTable;
import reprise.trace.Event;
import reprise.tracee.AddressSpace;
import reprise.x86.Registers;

/** Counts how often each system call instruction stopped the program, gathered from a trace's events in their order. */
final class TrapSites {
    /**
     * A system call instruction.
     *
     * @param place its file and the offset there; for code from elsewhere "anonymous memory"
     */
    record Site(String place, String call) {}

    /** What is where in an address space. */
    private record Space(AddressSpace<String> files, TreeMap<Long, Long> moved) {
        Space copy() {
            return new Space(files.copy(), new TreeMap<>(moved));
        }
    }

    private final Map<Integer, String> paths = new HashMap<>();
    private final Map<Integer, Space> spaces = new HashMap<>();
    private final Map<Site, Long> counts = new HashMap<>();
    /** Calls whose entry was an event of its own. */
    private final Map<Integer, MemorySegment> entered = new HashMap<>();

    void accept(Event event) {
        int tid = event.header().tid();
        switch (event) {
            case Event.FileStored file -> paths.put(file.file(), file.path());
            case Event.Exec exec -> {
                Space space = new Space(new AddressSpace<>(), new TreeMap<>());
                exec.mappings().forEach(mapping -> map(space, mapping));
                spaces.put(tid, space);
            }
            case Event.SyscallEnter enter -> entered.put(tid, enter.registers());
            case Event.SyscallExit exit -> exited(tid, exit);
            case Event.CodePatched patched -> {
                Space space = spaces.get(tid);
                long[] places = patched.places();
                for (int index = 0; space != null && index + 1 < places.length; index += 2) {
                    space.moved.put(places[index], index + 2 < places.length ? places[index + 1] : 0);
                }
            }
            case Event.TaskExit exit -> spaces.remove(tid);
            default -> {}
        }
    }

    private void exited(int tid, Event.SyscallExit exit) {
        MemorySegment before = entered.remove(tid);
        MemorySegment registers = exit.entryRegisters() == null ? before : exit.entryRegisters();
        Space space = spaces.get(tid);
        if (space == null) {
            return;
        }
        if (registers != null) {
            long site = Registers.get(registers, Registers.RIP) - Registers.SYSCALL_LENGTH;
            counts.merge(new Site(place(space, site), SyscallTable.name(exit.number())), 1L, Long::sum);
        }
        for (Event.MappingChange change : exit.changes()) {
            switch (change) {
                case Event.Map(Event.Mapping mapping) -> map(space, mapping);
                case Event.Unmap(long address, long length) -> space.files.unmap(address, length);
                case Event.Remap remap ->
                    space.files.remap(
                            remap.oldAddress(), remap.oldLength(), remap.newAddress(), remap.newLength(), false);
                default -> {}
            }
        }
        if (exit.child() != null) {
            spaces.put(exit.child().tid(), exit.child().sharesMemory() ? space : space.copy());
        }
    }

    private void map(Space space, Event.Mapping mapping) {
        if (mapping.backing() instanceof Event.PrivateFile(int file, long offset)) {
            String path = paths.getOrDefault(file, mapping.name());
            space.files.map(mapping.address(), mapping.length(), path, offset, false);
        } else {
            space.files.unmap(mapping.address(), mapping.length());
        }
    }

    private static String place(Space space, long site) {
        Map.Entry<Long, Long> moved = space.moved.floorEntry(site);
        long original = moved == null || moved.getValue() == 0 ? site : moved.getValue();
        List<AddressSpace.Range<String>> ranges = space.files.overlapping(original, original + 1);
        if (ranges.isEmpty()) {
            return "anonymous memory";
        }
        AddressSpace.Range<String> range = ranges.getFirst();
        return range.file() + "+0x" + Long.toHexString(range.offset() + original - range.start());
    }

    /** The sites that stopped the program most, at most {@code limit}, with how often. */
    List<Map.Entry<Site, Long>> busiest(int limit) {
        return counts.entrySet().stream()
                .sorted(Comparator.comparingLong((Map.Entry<Site, Long> entry) -> -entry.getValue())
                        .thenComparing(entry -> entry.getKey().place()))
                .limit(limit)
                .toList();
    }
}
