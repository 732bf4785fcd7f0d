package reprise.replay;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import reprise.linux.Files;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.trace.Event;

/** What shared mappings show: one memory file of ours for each shared object of the recording. */
final class SharedObjects implements AutoCloseable {
    private static final String NAME = "reprise-object-";

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
