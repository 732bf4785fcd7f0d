package reprise.replay;

import java.util.HashMap;
import java.util.Map;
import reprise.linux.Files;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.trace.Event;

/** What shared mappings show: one memory file of ours for each shared object of the recording. */
final class SharedObjects implements AutoCloseable {
    private static final String NAME = "reprise-object-";
    private static final long PAGE_MASK = 4095;

    private static final class Contents {
        private final int descriptor;
        private long size;

        Contents(int descriptor, long size) {
            this.descriptor = descriptor;
            this.size = size;
        }
    }

    private final StoredFiles files;
    private final Map<Integer, Contents> objects = new HashMap<>();

    SharedObjects(StoredFiles files) {
        this.files = files;
    }

    void add(Event.SharedObject event) {
        int descriptor = Files.memoryFile(NAME + event.object(), true);
        if (event.file() != 0) {
            files.copyInto(descriptor, event.file());
        }
        Contents contents = new Contents(descriptor, 0);
        objects.put(event.object(), contents);
        grow(contents, event.size());
    }

    /** The path by which a carrier opens the object. */
    String pathToOpen(int object) {
        return "/proc/" + ProcessHandle.current().pid() + "/fd/" + contents(object).descriptor;
    }

    /** Makes the object at least {@code size} bytes, in whole pages, so that what is mapped of it can be touched. */
    void ensureSize(int object, long size) {
        grow(contents(object), size + PAGE_MASK & ~PAGE_MASK);
    }

    /** The number of the object that a path in /proc/PID/maps is of; -1 for other paths. */
    static int objectOf(String path) {
        String prefix = "/memfd:" + NAME;
        int end = path.indexOf(' ');
        return path.startsWith(prefix) && end > 0 ? Integer.parseInt(path, prefix.length(), end, 10) : -1;
    }

    private static void grow(Contents contents, long size) {
        if (size > contents.size) {
            long result = Syscall.call(SyscallNumber.FTRUNCATE, contents.descriptor, size, 0, 0);
            Syscall.check(result, "growing a shared object to " + size + " bytes");
            contents.size = size;
        }
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
