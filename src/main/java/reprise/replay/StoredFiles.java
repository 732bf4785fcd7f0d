package reprise.replay;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import reprise.linux.Errno;
import reprise.linux.Files;
import reprise.linux.LinuxException;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.trace.Event;
import reprise.trace.StoredContent;

/** The files of a trace's store, by number, as paths from which carriers can map them. */
final class StoredFiles implements AutoCloseable {
    private static final int STATFS_FLAGS = 80;
    private static final long ST_NOEXEC = 8;

    private final StoredContent content;
    private final boolean mappable;
    private final Map<Integer, Event.FileStored> files = new HashMap<>();
    private final Map<Integer, String> paths = new HashMap<>();
    private final Map<Integer, Long> copies = new HashMap<>();

    StoredFiles(Path directory) {
        this.content = StoredContent.of(directory);
        this.mappable = !content.isPacked()
                && !isMountedWithoutExec(directory.toAbsolutePath().toString());
    }

    void add(Event.FileStored file) {
        files.put(file.file(), file);
    }

    /** The path to open for mapping. */
    String pathToOpen(int file) {
        if (mappable) {
            return paths.computeIfAbsent(
                    file, number -> content.path(stored(number)).toString());
        }
        // Neither a file in a pack can be mapped, nor (executable) one on a file system mounted noexec: show a copy in
        // memory.
        return "/proc/" + ProcessHandle.current().pid() + "/fd/" + copies.computeIfAbsent(file, this::copy);
    }

    private Event.FileStored stored(int file) {
        Event.FileStored stored = files.get(file);
        if (stored == null) {
            throw new Mismatch("The trace maps file " + file + ", which it did not store.\n");
        }
        return stored;
    }

    private long copy(int file) {
        int memory = Files.memoryFile("reprise-file-" + file, true);
        content.copyTo(memory, stored(file));
        return memory;
    }

    /** Writes the content of a file to the beginning of an empty one of ours. */
    void copyInto(int descriptor, int file) {
        content.copyTo(descriptor, stored(file));
    }

    /** The path that the file with this stored path had when it was recorded; the argument itself if unknown. */
    String recordedName(String path) {
        for (Event.FileStored file : files.values()) {
            if (path.endsWith(file.stored()) || path.startsWith("/memfd:reprise-file-" + file.file() + " ")) {
                return file.path();
            }
        }
        return path;
    }

    private static boolean isMountedWithoutExec(String path) {
        try (var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(128, 8);
            long result =
                    Syscall.call(SyscallNumber.STATFS, arena.allocateFrom(path).address(), buffer.address(), 0);
            if (result == -Errno.ENOENT) {
                throw new LinuxException("statfs " + path, Errno.ENOENT);
            }
            return result == 0 && (buffer.get(ValueLayout.JAVA_LONG, STATFS_FLAGS) & ST_NOEXEC) != 0;
        }
    }

    @Override
    public void close() {
        copies.values().forEach(Files::close);
        copies.clear();
        content.close();
    }
}
