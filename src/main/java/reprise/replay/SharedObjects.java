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

    /** Makes a new object, or gives one that is known another size. */
    void add(Event.SharedObject event) {
        Contents contents = objects.get(event.object());
        if (contents == null) {
            contents = new Contents(Files.memoryFile(NAME + event.object(), true));
            objects.put(event.object(), contents);
            if (event.file() != 0) {
                files.copyInto(contents.descriptor, event.file());
            }
        }
        long result = Syscall.call(SyscallNumber.FTRUNCATE, contents.descriptor, event.size(), 0, 0);
        Syscall.check(result, "resizing a shared object to " + event.size() + " bytes");
    }

    /** Writes to an object, whether or not some mapping of it is writable. */
    boolean write(int object, long offset, MemorySegment data) {
        long length = data.byteSize();
        return Syscall.call(SyscallNumber.PWRITE64, contents(object).descriptor, data.address(), length, offset)
                == length;
    }

    /** The path by which a carrier opens the object. */
    String pathToOpen(int object) {
        return "/proc/" + ProcessHandle.current().pid() + "/fd/" + contents(object).descriptor;
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
