package reprise.trace;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import reprise.linux.Errno;

/**
 * Where traces live: a root directory with one directory for each trace, the link {@code latest}, and the store of
 * {@link FileStore}.
 */
public final class TraceDirectories {
    /** Name of the link to the trace that was made last. */
    public static final String LATEST = "latest";

    /** Characters of a program's name that are used; each may take three bytes of the 255 that a name can have. */
    private static final int NAME_LIMIT = 66;

    private final Path root;

    /** The directories under a given root, which need not exist yet. */
    public TraceDirectories(Path root) {
        this.root = root;
    }

    /** The directories of this user: REPRISE_TRACE_DIR, XDG_DATA_HOME/reprise or ~/.local/share/reprise. */
    public static TraceDirectories ofUser() {
        String explicit = System.getenv("REPRISE_TRACE_DIR");
        if (explicit != null && !explicit.isEmpty()) {
            return new TraceDirectories(Path.of(explicit).toAbsolutePath());
        }
        String data = System.getenv("XDG_DATA_HOME");
        // The XDG specification has relative paths ignored.
        if (data != null && data.startsWith("/")) {
            return new TraceDirectories(Path.of(data, "reprise"));
        }
        String home = System.getenv("HOME");
        if (home == null || !home.startsWith("/")) {
            home = System.getProperty("user.home");
        }
        return new TraceDirectories(Path.of(home, ".local", "share", "reprise"));
    }

    /** The root. */
    public Path root() {
        return root;
    }

    /**
     * Makes the directory for a new trace: {@code <program>-<N>}, N being the first that is free.
     *
     * @param program name or path of the program
     * @throws TraceException if it cannot be made
     */
    public Path create(String program) {
        String prefix = root + "/" + baseName(program) + "-";
        makeRoot();
        for (int number = 0; ; number++) {
            String path = prefix + number;
            long result = FileCalls.mkdir(path);
            if (result >= 0) {
                Path directory = Path.of(path);
                complete(directory, directory.getFileName().toString());
                return directory;
            }
            if (result != -Errno.EEXIST) {
                throw TraceException.ofErrno("cannot create the trace " + path, -result);
            }
        }
    }

    /**
     * Makes the directory for a new trace where the user wants it, with those it is to be in.
     *
     * @throws TraceException if it exists and is not empty, or cannot be made
     */
    public Path create(Path explicit) {
        Path directory = explicit.toAbsolutePath().normalize();
        if (directory.getParent() != null
                && !FileCalls.isDirectory(directory.getParent().toString())) {
            makeDirectory(directory.getParent());
        }
        long result = FileCalls.mkdir(directory.toString());
        if (result == -Errno.EEXIST) {
            requireEmpty(directory);
        } else if (result < 0) {
            throw TraceException.ofErrno("cannot create the trace " + directory, -result);
        }
        try {
            makeRoot();
        } catch (TraceException e) {
            // A container's user may have no home. Then nothing is shared with other traces, and this one is not the
            // latest.
        }
        complete(
                directory,
                directory.getParent().equals(root.toAbsolutePath())
                        ? directory.getFileName().toString()
                        : directory.toString());
        return directory;
    }

    private static void requireEmpty(Path directory) {
        if (!FileCalls.isDirectory(directory.toString())) {
            throw new TraceException("cannot create the trace " + directory + ": a file of that name exists");
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            if (entries.iterator().hasNext()) {
                throw new TraceException("cannot create the trace " + directory + ": the directory is not empty");
            }
        } catch (IOException e) {
            throw new TraceException("cannot create the trace " + directory + ": the directory cannot be read", e);
        }
    }

    private void makeRoot() {
        if (!FileCalls.isDirectory(root.toString())) {
            makeDirectory(root);
        }
    }

    private static void makeDirectory(Path directory) {
        long result = FileCalls.mkdir(directory.toString());
        if (result == -Errno.ENOENT && directory.getParent() != null) {
            makeDirectory(directory.getParent());
            result = FileCalls.mkdir(directory.toString());
        }
        if (result < 0 && !(result == -Errno.EEXIST && FileCalls.isDirectory(directory.toString()))) {
            throw TraceException.ofErrno("cannot create the directory for traces, " + directory, -result);
        }
    }

    private void complete(Path directory, String target) {
        String files = directory + "/" + TraceFiles.FILES;
        long result = FileCalls.mkdir(files);
        if (result < 0) {
            throw TraceException.ofErrno("cannot create " + files, -result);
        }
        pointLatest(target);
    }

    private void pointLatest(String target) {
        // A link is replaced by renaming another over it. Should that fail, the trace is still a trace.
        String temporary = root + "/." + LATEST + "-" + FileCalls.processId() + "-" + System.nanoTime();
        if (FileCalls.symlink(target, temporary) >= 0 && FileCalls.rename(temporary, root + "/" + LATEST) < 0) {
            FileCalls.unlink(temporary);
        }
    }

    /** Whether copies of files in an existing directory can share their blocks (reflinks). */
    public static boolean sharesBlocks(Path directory) {
        String name = directory + "/." + FileCalls.processId() + "-" + System.nanoTime();
        int flags = reprise.linux.Files.O_RDWR | reprise.linux.Files.O_CREAT | reprise.linux.Files.O_EXCL;
        long from = reprise.linux.Files.open(name + "-1", flags, 0600);
        long to = reprise.linux.Files.open(name + "-2", flags, 0600);
        FileCalls.unlink(name + "-1");
        FileCalls.unlink(name + "-2");
        boolean shares = from >= 0 && to >= 0 && FileCalls.clone(from, to) >= 0;
        for (long descriptor : new long[] {from, to}) {
            if (descriptor >= 0) {
                reprise.linux.Files.close(descriptor);
            }
        }
        return shares;
    }

    private static String baseName(String program) {
        int end = program.length();
        while (end > 0 && program.charAt(end - 1) == '/') {
            end--;
        }
        String name = program.substring(program.lastIndexOf('/', end - 1) + 1, end);
        if (name.isEmpty() || name.equals(".") || name.equals("..")) {
            return "trace";
        }
        // A hidden directory would not be found again.
        if (name.charAt(0) == '.') {
            name = "_" + name.substring(1);
        }
        return name.length() <= NAME_LIMIT ? name : name.substring(0, NAME_LIMIT);
    }

    /**
     * Finds a trace.
     *
     * @param name a path; or one name, looked up in the working directory and then under the root; null for the latest
     * @throws TraceException if there is no such trace
     */
    public Path resolve(String name) {
        if (name == null) {
            return latest();
        }
        if (name.isEmpty()) {
            throw new TraceException("the name of a trace cannot be empty");
        }
        Path here = Path.of(name).toAbsolutePath().normalize();
        if (name.indexOf('/') >= 0) {
            return existing(here);
        }
        if (isTrace(here)) {
            return here;
        }
        Path there = root.resolve(name);
        if (isTrace(there)) {
            return real(there);
        }
        if (Files.isDirectory(there)) {
            return existing(there);
        }
        if (Files.isDirectory(here)) {
            return existing(here);
        }
        throw new TraceException("there is no trace " + name + ", neither here nor in " + root);
    }

    private Path latest() {
        Path link = root.resolve(LATEST);
        if (!Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
            throw new TraceException("there is no trace yet in " + root + ": make one with 'reprise record'");
        }
        if (!Files.isDirectory(link)) {
            throw new TraceException("the latest trace, " + target(link) + ", has been deleted");
        }
        return existing(real(link));
    }

    private Path target(Path link) {
        try {
            return root.resolve(Files.readSymbolicLink(link)).normalize();
        } catch (IOException | RuntimeException e) {
            return link;
        }
    }

    private static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException e) {
            return path;
        }
    }

    private static Path existing(Path directory) {
        if (isTrace(directory)) {
            return directory;
        }
        throw new TraceException(
                Files.isDirectory(directory)
                        ? directory + " is not a trace: it has no " + TraceFiles.HEADER
                        : "there is no trace " + directory);
    }

    /** Whether a path is a trace: a directory with a header, or a packed one. */
    public static boolean isTrace(Path directory) {
        return Files.isRegularFile(directory.resolve(TraceFiles.HEADER)) || PackFile.isPack(directory);
    }

    /** The traces under the root, by name; those that cannot be read too. */
    public List<TraceSummary> list() {
        List<TraceSummary> traces = new ArrayList<>();
        if (!Files.isDirectory(root)) {
            return traces;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(root)) {
            for (Path entry : entries) {
                if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)
                                && (isTrace(entry) || Files.exists(entry.resolve(TraceFiles.FILES)))
                        || PackFile.isPack(entry)) {
                    traces.add(TraceSummary.of(entry));
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            throw new TraceException("cannot list " + root + ": " + e.getMessage(), e);
        }
        traces.sort((one, other) -> one.name().compareTo(other.name()));
        return traces;
    }

    /**
     * Deletes a trace, and the stored files that no other trace uses.
     *
     * @param directory as {@link #resolve} gave it
     * @throws TraceException if it is no trace, or something in it cannot be deleted
     */
    public void remove(Path directory) {
        if (!isTrace(directory) && !Files.isDirectory(directory.resolve(TraceFiles.FILES))) {
            existing(directory);
        }
        if (Files.isDirectory(directory)) {
            deleteFiles(directory.resolve(TraceFiles.FILES));
            deleteFiles(directory);
        } else {
            long result = FileCalls.unlink(directory.toString());
            if (result < 0) {
                throw TraceException.ofErrno("cannot delete " + directory, -result);
            }
        }
        Path link = root.resolve(LATEST);
        if (Files.isSymbolicLink(link) && target(link).equals(directory)) {
            FileCalls.unlink(link.toString());
            TraceSummary last = null;
            for (TraceSummary other : list()) {
                if (last == null || other.startedAt() >= last.startedAt()) {
                    last = other;
                }
            }
            if (last != null) {
                pointLatest(last.name());
            }
        }
        FileStore.sweep(root);
    }

    /** Deletes a directory that has only files in it. */
    private static void deleteFiles(Path directory) {
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                long result = FileCalls.unlink(entry.toString());
                if (result < 0 && result != -Errno.ENOENT) {
                    throw TraceException.ofErrno("cannot delete " + entry, -result);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            throw new TraceException("cannot delete " + directory + ": " + e.getMessage(), e);
        }
        long result = FileCalls.rmdir(directory.toString());
        if (result < 0 && result != -Errno.ENOENT) {
            throw TraceException.ofErrno("cannot delete " + directory, -result);
        }
    }
}
