package reprise.trace;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reprise.linux.Errno;
import reprise.linux.Files;

/**
 * Puts the content of files that a recorded program maps into its trace. Owned by the tracer's thread.
 *
 * <p>A file is copied once for all traces of a user, into the directory {@code store} beside the traces, and each
 * trace that needs it has another name (a hard link) for the copy. In the store its name is made of what tells one
 * version of a file from another: device, inode, size, the two times that change with the content, and a checksum of
 * its first and last page (where a program has its build id; file systems packed into an image tell the same times
 * for everything). So to find out whether a file is known is one system call, there is no index to read or to lock,
 * and the content need not be hashed, which would take a JVM that has just started a tenth of a second for libc
 * alone.
 *
 * <p>Where the trace is on another file system than the store, files go straight into the trace. Copies are reflinks
 * where the file system has them. Stored files must never be written to.
 *
 * <p>Any number of recorders may use a store at the same time.
 */
public final class FileStore {
    /** Name of the directory, beside the traces. */
    static final String STORE = "store";

    /** A file changed again so soon after may show the same times: such a young version is not shared. */
    private static final long YOUNG = 2_000_000_000L;

    private static final int SAMPLE = 4096;
    private static final int NAME_LIMIT = 80;
    private static final String NOTE = "user.reprise.";
    /** Bytes of a note. File systems have room for a few KiB in all. */
    private static final long MOST_NOTED = 1024;

    /**
     * A file in the trace.
     *
     * @param file its number, from 1
     * @param stored its path, relative to the trace
     * @param size in bytes, as stored
     * @param added whether this call added it; otherwise the trace had it already
     */
    public record Stored(int file, String stored, long size, boolean added) {}

    private final String store;
    private final String trace;
    private final long young;
    private final Map<String, Stored> known = new HashMap<>();
    /** Paths of the files in the trace; the first is that of number 1. */
    private final List<String> paths = new ArrayList<>();

    private boolean shares;
    private boolean prepared;

    /**
     * A store for one trace.
     *
     * @param root the root of {@link TraceDirectories}, which holds the store
     * @param trace the trace's directory
     */
    public FileStore(Path root, Path trace) {
        this(root, trace, YOUNG);
    }

    FileStore(Path root, Path trace, long young) {
        this.store = root + "/" + STORE;
        this.trace = trace + "/";
        this.young = young;
    }

    /**
     * Adds a regular file as it is now. The same version of the same file is added once.
     *
     * @param source a path to open it by, for example {@code /proc/PID/map_files/RANGE}
     * @param name its path as the program knows it; only used to name the copy
     * @throws TraceException if it cannot be read or stored
     */
    public Stored add(String source, String name) {
        Files.Status status = Files.status(source);
        if (status == null) {
            return store(source, name, true);
        }
        String version = version(status);
        Stored present = known.get(version);
        if (present != null) {
            return present;
        }
        requireRegular(status, name);
        Stored stored = store(source, name, true);
        known.put(version, new Stored(stored.file, stored.stored, stored.size, false));
        return stored;
    }

    /**
     * Adds a regular file as it is now, whether or not it seems to be known: for files whose content changes through
     * mappings, which the times of the file tell late or not at all.
     *
     * @param source a path to open it by
     * @param name its path as the program knows it; only used to name the copy
     * @throws TraceException if it cannot be read or stored
     */
    public Stored addChanging(String source, String name) {
        requireRegular(Files.status(source), name);
        return store(source, name, false);
    }

    /**
     * What was found out about a file's content, and kept by {@link #keepNote}, in this recording or in another one.
     *
     * @param file its number
     * @param name of the note
     * @return null if there is none
     */
    public long[] note(int file, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(MOST_NOTED, Long.BYTES);
            long length = FileCalls.attribute(paths.get(file - 1), NOTE + name, value);
            return length < 0 || length % Long.BYTES != 0
                    ? null
                    : value.asSlice(0, length).toArray(ValueLayout.JAVA_LONG);
        }
    }

    /**
     * Keeps what was found out about a file's content, as an extended attribute of the copy. Where that cannot be done, it has to
     * be found out again.
     *
     * @param file its number
     * @param name of the note, which tells what the values mean, and how they were found
     */
    public void keepNote(int file, String name, long... values) {
        if (values.length * Long.BYTES <= MOST_NOTED) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment value = arena.allocate(MOST_NOTED, Long.BYTES);
                MemorySegment.copy(values, 0, value, ValueLayout.JAVA_LONG, 0, values.length);
                FileCalls.setAttribute(paths.get(file - 1), NOTE + name, value, values.length * (long) Long.BYTES);
            }
        }
    }

    /** Opening anything else may wait or have effects; what is not there at all, opening will tell best. */
    private static void requireRegular(Files.Status status, String name) {
        if (status != null && !status.isRegular()) {
            throw new TraceException("cannot store " + name + " in the trace: it is not a regular file");
        }
    }

    private Stored store(String source, String name, boolean mayShare) {
        long from = Files.open(source, Files.O_RDONLY, 0);
        if (from < 0) {
            throw TraceException.ofErrno("cannot store " + name + " in the trace", -from);
        }
        try {
            Files.Status status = Files.status(from);
            requireRegular(status, name);
            int number = paths.size() + 1;
            String stored = TraceFiles.FILES + "/" + number + "-" + baseName(name);
            String target = trace + stored;
            paths.add(target);
            if (!mayShare || !share(from, status, target)) {
                long result = copy(from, status.size(), target);
                if (result < 0) {
                    FileCalls.unlink(target);
                    throw TraceException.ofErrno("cannot store " + name + " in the trace", -result);
                }
            }
            Files.Status copied = Files.status(target);
            return new Stored(number, stored, copied == null ? status.size() : copied.size(), true);
        } finally {
            Files.close(from);
        }
    }

    /** Gives the trace a name for the store's copy, which is made if need be; false if that cannot be done. */
    private boolean share(long from, Files.Status status, String target) {
        prepare();
        if (!shares) {
            return false;
        }
        String entry = store + "/" + version(status) + "-" + sample(from, status.size());
        long linked = FileCalls.link(entry, target);
        if (linked != -Errno.ENOENT) {
            return linked >= 0;
        }
        long now = FileCalls.now();
        if (now - status.modified() < young || now - status.changed() < young) {
            return false;
        }
        String temporary = temporary();
        long result = copy(from, status.size(), temporary);
        Files.Status after = Files.status(from);
        boolean unchanged = after != null && version(after).equals(version(status));
        if (result < 0 || !unchanged || FileCalls.rename(temporary, entry) < 0) {
            FileCalls.unlink(temporary);
            return false;
        }
        // It may be gone already if a trace is being deleted at this moment.
        return FileCalls.link(entry, target) >= 0;
    }

    private void prepare() {
        if (prepared) {
            return;
        }
        prepared = true;
        FileCalls.mkdir(store);
        Files.Status here = Files.status(store);
        Files.Status there = Files.status(trace);
        shares = here != null && there != null && here.device() == there.device();
    }

    private String temporary() {
        return store + "/.new-" + FileCalls.processId() + "-" + System.nanoTime();
    }

    private static String version(Files.Status status) {
        StringBuilder text = new StringBuilder(80);
        return text.append(Long.toHexString(status.device()))
                .append('-')
                .append(Long.toHexString(status.inode()))
                .append('-')
                .append(Long.toHexString(status.size()))
                .append('-')
                .append(Long.toHexString(status.modified()))
                .append('-')
                .append(Long.toHexString(status.changed()))
                .toString();
    }

    /** A checksum of a file's first and last bytes. */
    private static String sample(long descriptor, long size) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(2 * SAMPLE);
            FileCalls.readFully(descriptor, bytes.address(), SAMPLE, 0);
            FileCalls.readFully(descriptor, bytes.address() + SAMPLE, SAMPLE, Math.max(0, size - SAMPLE));
            return Integer.toHexString(ChunkHeader.checksum(bytes, 2 * SAMPLE));
        }
    }

    private static String baseName(String path) {
        int start = path.lastIndexOf('/') + 1;
        int end = Math.min(path.length(), start + NAME_LIMIT);
        StringBuilder name = new StringBuilder(end - start);
        for (int i = start; i < end; i++) {
            char c = path.charAt(i);
            name.append(c < ' ' || c > '~' ? '_' : c);
        }
        return name.toString();
    }

    // ---- copying ----

    /** Copies a file, holes as holes; 0 or -errno. What is cut off meanwhile is missing in the copy. */
    private static long copy(long from, long size, String target) {
        long to = Files.open(target, Files.O_RDWR | Files.O_CREAT | Files.O_EXCL, 0600);
        if (to < 0) {
            return to;
        }
        long result = FileCalls.clone(from, to);
        if (result < 0) {
            result = SparseCopy.copy(from, to, size);
        }
        Files.close(to);
        return result;
    }

    // ---- cleaning up ----

    /** Deletes the store's copies that no trace uses. */
    static void sweep(Path root) {
        Path store = root.resolve(STORE);
        if (!java.nio.file.Files.isDirectory(store)) {
            return;
        }
        try (DirectoryStream<Path> entries = java.nio.file.Files.newDirectoryStream(store)) {
            for (Path entry : entries) {
                FileCalls.Allocation allocation = FileCalls.allocation(entry.toString());
                // A recorder that is just about to use it makes do without.
                if (allocation != null && allocation.links() == 1) {
                    FileCalls.unlink(entry.toString());
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            throw new TraceException("cannot clean up " + store + ": " + e.getMessage(), e);
        }
    }
}
