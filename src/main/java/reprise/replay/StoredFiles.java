package reprise.replay;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import reprise.linux.Errno;
import reprise.linux.Files;
import reprise.linux.LinuxException;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.trace.Event;

/** The files of a trace's store, by number, as paths from which carriers can map them. */
final class StoredFiles implements AutoCloseable {
    private static final int STATFS_FLAGS = 80;
    private static final long ST_NOEXEC = 8;

    private final Path directory;
    private final boolean executable;
    private final Map<Integer, Event.FileStored> files = new HashMap<>();
    private final Map<Integer, Long> copies = new HashMap<>();

    StoredFiles(Path directory) {
        this.directory = directory.toAbsolutePath();
        this.executable = !isMountedWithoutExec(this.directory.toString());
    }

    void add(Event.FileStored file) {
        files.put(file.file(), file);
    }

    /** The path to open for mapping. */
    String pathToOpen(int file) {
        if (executable) {
            return location(file).toString();
        }
        // Nothing on a file system mounted noexec can be mapped executable: show a copy in memory.
        return "/proc/" + ProcessHandle.current().pid() + "/fd/" + copies.computeIfAbsent(file, this::copy);
    }

    private Path location(int file) {
        Event.FileStored stored = files.get(file);
        if (stored == null) {
            throw new Mismatch("The trace maps file " + file + ", which it did not store.\n");
        }
        return directory.resolve(stored.stored());
    }

    private long copy(int file) {
        int memory = Files.memoryFile("reprise-file-" + file, true);
        copyInto(memory, file);
        return memory;
    }

    /** Appends the content of a file to a descriptor of ours. */
    void copyInto(int descriptor, int file) {
        String path = location(file).toString();
        long source = Syscall.check(Files.open(path, Files.O_RDONLY, 0), "opening " + path);
        long count;
        do {
            count = Syscall.call(SyscallNumber.SENDFILE, descriptor, source, 0, 0x4000_0000);
        } while (count > 0);
        Files.close(source);
        Syscall.check(count, "copying " + path);
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
        try (var arena = java.lang.foreign.Arena.ofConfined()) {
            var buffer = arena.allocate(128, 8);
            long result =
                    Syscall.call(SyscallNumber.STATFS, arena.allocateFrom(path).address(), buffer.address(), 0);
            if (result == -Errno.ENOENT) {
                throw new LinuxException("statfs " + path, Errno.ENOENT);
            }
            return result == 0 && (buffer.get(java.lang.foreign.ValueLayout.JAVA_LONG, STATFS_FLAGS) & ST_NOEXEC) != 0;
        }
    }

    @Override
    public void close() {
        copies.values().forEach(Files::close);
        copies.clear();
    }
}
