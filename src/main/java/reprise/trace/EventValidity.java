package reprise.trace;

/**
 * Whether what an event asks a replay to do is something a recorder could have recorded.
 *
 * <p>A trace may come from anywhere, and checksums do not keep out what somebody made on purpose. Replay applies what
 * events say to processes of its own; this is what keeps them within the trace's stored files and the user half of an
 * address space.
 */
public final class EventValidity {
    private static final long USER_END = 0x7fff_ffff_f000L;
    private static final long PAGE_MASK = 4095;
    private static final int SIGNALS = 64;
    private static final int CORES = 8192;

    private EventValidity() {}

    /**
     * Checks an event before it is applied.
     *
     * @throws TraceException that names the event and what is wrong with it
     */
    public static void check(Event event) {
        switch (event) {
            case Event.FileStored file -> {
                if (!isStoredName(file.stored())) {
                    throw bad(event, "names a stored file '" + file.stored() + "' that is not one of the trace's");
                }
                require(event, file.size() >= 0, "a stored file of negative size");
            }
            case Event.SharedObject object -> require(event, object.size() >= 0, "an object of negative size");
            case Event.Exec exec -> {
                for (Event.Mapping mapping : exec.mappings()) {
                    // Above the user half: shown by the kernel, never mapped by anybody.
                    if (!mapping.name().equals("[vsyscall]")) {
                        mapping(event, mapping);
                    }
                }
                writes(event, exec.writes());
            }
            case Event.SyscallExit exit -> {
                require(event, exit.output() >= 0 && exit.output() <= 2, "an output that is neither 1 nor 2");
                for (Event.MappingChange change : exit.changes()) {
                    change(event, change);
                }
                writes(event, exit.writes());
            }
            case Event.SignalDelivered signal -> {
                require(
                        event,
                        signal.signal() >= (signal.effect() == Event.SignalEffect.TRACER ? 0 : 1)
                                && signal.signal() <= SIGNALS,
                        "a signal that does not exist");
                writes(event, signal.writes());
            }
            case Event.TaskExit exit -> writes(event, exit.writes());
            case Event.CodePatched patched -> {
                for (Event.MappingChange change : patched.changes()) {
                    change(event, change);
                }
                writes(event, patched.writes());
            }
            case Event.CoreBound bound ->
                require(event, bound.core() >= 0 && bound.core() < CORES, "a core that cannot exist");
            default -> {}
        }
    }

    /** {@code files/NAME}: nothing that leads out of the trace. */
    static boolean isStoredName(String stored) {
        String prefix = TraceFiles.FILES + "/";
        if (!stored.startsWith(prefix)) {
            return false;
        }
        String name = stored.substring(prefix.length());
        return !name.isEmpty()
                && !name.equals(".")
                && !name.equals("..")
                && name.indexOf('/') < 0
                && name.indexOf('\0') < 0;
    }

    private static void change(Event event, Event.MappingChange change) {
        switch (change) {
            case Event.Map map -> mapping(event, map.mapping());
            case Event.Unmap unmap -> range(event, unmap.address(), unmap.length());
            case Event.Protect protect -> range(event, protect.address(), protect.length());
            case Event.Remap remap -> {
                range(event, remap.oldAddress(), remap.oldLength());
                range(event, remap.newAddress(), remap.newLength());
            }
            case Event.Discard discard -> {
                range(event, discard.address(), discard.length());
                boolean known = switch (discard.advice()) {
                    // DONTNEED, REMOVE, DONTFORK, DOFORK, WIPEONFORK, KEEPONFORK, DONTNEED_LOCKED
                    case 4, 9, 10, 11, 18, 19, 24 -> true;
                    default -> false;
                };
                require(event, known, "an advice that changes no memory");
            }
            case Event.Resize resize -> require(event, resize.size() >= 0, "an object of negative size");
        }
    }

    private static void mapping(Event event, Event.Mapping mapping) {
        range(event, mapping.address(), mapping.length());
        require(event, mapping.length() > 0, "an empty mapping");
        long offset = switch (mapping.backing()) {
            case Event.Anonymous none -> 0;
            case Event.PrivateFile file -> file.offset();
            case Event.Shared shared -> shared.offset();
        };
        require(event, offset >= 0 && (offset & PAGE_MASK) == 0, "a mapping of an impossible offset");
    }

    private static void range(Event event, long address, long length) {
        boolean possible = address >= 0 && length >= 0 && address <= USER_END && length <= USER_END - address;
        require(event, possible && (address & PAGE_MASK) == 0, "a mapping where a program can have none");
    }

    private static void writes(Event event, Iterable<Event.MemoryWrite> writes) {
        for (Event.MemoryWrite write : writes) {
            long address = write.address();
            boolean possible =
                    address >= 0 && address <= USER_END - write.data().byteSize();
            require(event, possible, "a write to memory that a program cannot have");
        }
    }

    private static void require(Event event, boolean condition, String what) {
        if (!condition) {
            throw bad(event, "has " + what);
        }
    }

    private static TraceException bad(Event event, String what) {
        return new TraceException(
                "the trace is damaged: event " + event.header().sequence() + " " + what);
    }
}
