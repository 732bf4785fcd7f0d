package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import reprise.linux.Files;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.trace.Event;
import reprise.tracee.ProcMaps;

/** What shared mappings show: one memory file of ours for each shared object of the recording. */
final class SharedObjects implements AutoCloseable {
    private static final String NAME = "reprise-object-";

    private static final int SEEK_SET = 0;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;
    private static final int MAP_PRIVATE_FIXED = 0x12;
    private static final int MAP_SHARED_FIXED = 0x11;
    private static final int PAGE = 4096;

    private record Contents(int descriptor) {}

    private final StoredFiles files;
    private final Map<Integer, Contents> objects = new HashMap<>();

    SharedObjects(StoredFiles files) {
        this.files = files;
    }

    /** Makes a new object. */
    void add(Event.SharedObject event) {
        Contents contents = new Contents(Files.memoryFile(NAME + event.object(), true));
        objects.put(event.object(), contents);
        if (event.file() != 0) {
            files.copyInto(contents.descriptor, event.file());
        }
        resize(event.object(), event.size());
    }

    /** Gives an object another size. */
    void resize(int object, long size) {
        long result = Syscall.call(SyscallNumber.FTRUNCATE, contents(object).descriptor, size, 0, 0);
        Syscall.check(result, "resizing a shared object to " + size + " bytes");
    }

    /** Other objects with the same content. */
    SharedObjects copy() {
        SharedObjects copy = new SharedObjects(files);
        objects.forEach((object, contents) -> {
            int descriptor = Files.memoryFile(NAME + object, true);
            copy(
                    contents.descriptor,
                    descriptor,
                    Files.status(contents.descriptor).size());
            copy.objects.put(object, new Contents(descriptor));
        });
        return copy;
    }

    private static void copy(int from, int to, long size) {
        Syscall.check(Syscall.call(SyscallNumber.FTRUNCATE, to, size, 0, 0), "copying a shared object");
        long data = Syscall.call(SyscallNumber.LSEEK, from, 0, SEEK_DATA);
        while (data >= 0 && data < size) {
            long hole = Syscall.check(Syscall.call(SyscallNumber.LSEEK, from, data, SEEK_HOLE), "lseek");
            Syscall.check(Syscall.call(SyscallNumber.LSEEK, from, data, SEEK_SET), "lseek");
            Syscall.check(Syscall.call(SyscallNumber.LSEEK, to, data, SEEK_SET), "lseek");
            for (long at = data; at < hole; ) {
                long count = Syscall.call(SyscallNumber.SENDFILE, to, from, 0, hole - at);
                at += Syscall.check(count, "copying a shared object");
            }
            data = Syscall.call(SyscallNumber.LSEEK, from, hole, SEEK_DATA);
        }
    }

    /** Lets a carrier that was forked from one with other objects show these instead. */
    void adopt(Carrier carrier) {
        if (objects.isEmpty()) {
            return;
        }
        carrier.forgetOwnFiles();
        for (ProcMaps.Region region : ProcMaps.read(carrier.tid())) {
            int object = objectOf(region.path());
            if (object >= 0) {
                show(region, object, carrier);
            }
        }
    }

    private void show(ProcMaps.Region region, int object, Carrier carrier) {
        Map<Long, MemorySegment> own = region.shared() ? Map.of() : ownPages(region, carrier);
        carrier.remote(
                "mmap",
                SyscallNumber.MMAP,
                region.start(),
                region.length(),
                region.protection(),
                region.shared() ? MAP_SHARED_FIXED : MAP_PRIVATE_FIXED,
                carrier.descriptor(pathToOpen(object), true),
                region.offset());
        own.forEach((address, page) -> {
            if (!carrier.tracee().write(address, page, PAGE)) {
                throw new Mismatch(String.format("A page at 0x%x could not be copied.%n", address));
            }
        });
    }

    /** The pages of a private mapping that were written, and so no longer show the object. */
    private static Map<Long, MemorySegment> ownPages(ProcMaps.Region region, Carrier carrier) {
        Map<Long, MemorySegment> pages = new HashMap<>();
        int count = (int) (region.length() / PAGE);
        long pagemap = Syscall.check(
                Files.open("/proc/" + carrier.tid() + "/pagemap", Files.O_RDONLY, 0), "opening a carrier's pagemap");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment entries = arena.allocate(8L * count, 8);
            Syscall.check(
                    Syscall.call(
                            SyscallNumber.PREAD64, pagemap, entries.address(), 8L * count, region.start() / PAGE * 8),
                    "reading a carrier's pagemap");
            for (int i = 0; i < count; i++) {
                long entry = entries.getAtIndex(JAVA_LONG, i);
                // Present or swapped, and neither of a file nor shared.
                if (entry >>> 62 != 0 && (entry >>> 61 & 1) == 0) {
                    MemorySegment page = Arena.ofAuto().allocate(PAGE, 8);
                    long address = region.start() + (long) i * PAGE;
                    carrier.tracee().read(address, page, PAGE);
                    pages.put(address, page);
                }
            }
        } finally {
            Files.close(pagemap);
        }
        return pages;
    }

    /** The path by which a carrier opens the object. */
    String pathToOpen(int object) {
        return "/proc/" + ProcessHandle.current().pid() + "/fd/" + contents(object).descriptor;
    }

    /** Writes to an object at a byte offset; whether that was possible. */
    boolean write(int object, long offset, MemorySegment bytes) {
        long length = bytes.byteSize();
        int descriptor = contents(object).descriptor;
        return Syscall.call(SyscallNumber.PWRITE64, descriptor, bytes.address(), length, offset) == length;
    }

    /** The number of the object that a path in /proc/PID/maps is of; -1 for other paths. */
    static int objectOf(String path) {
        String prefix = "/memfd:" + NAME;
        int end = path.indexOf(' ');
        return path.startsWith(prefix) && end > 0 ? Integer.parseInt(path, prefix.length(), end, 10) : -1;
    }

    private Contents contents(int object) {
        Contents contents = objects.get(object);
        if (contents == null) {
            throw new Mismatch("The trace maps shared object " + object + ", which it did not introduce.\n");
        }
        return contents;
    }

    @Override
    public void close() {
        objects.values().forEach(contents -> Files.close(contents.descriptor));
        objects.clear();
    }
}
