package reprise.trace;

import java.nio.file.Path;
import reprise.linux.Errno;
import reprise.linux.Files;

/**
 * The stored files of a trace, for whoever maps or reads them. Nothing but regular files directly in the trace's
 * directory of files is ever opened: not what a link there points to, and nothing that opening could wait for.
 */
public final class StoredContent implements AutoCloseable {
    private static final int O_NOFOLLOW = 0400000;
    private static final int O_NONBLOCK = 04000;

    private final Path trace;
    private final PackFile pack;

    private StoredContent(Path trace, PackFile pack) {
        this.trace = trace;
        this.pack = pack;
    }

    /**
     * The stored files of a trace.
     *
     * @param trace its directory, or the file it was packed in
     * @throws TraceException if it is a pack that cannot be read
     */
    public static StoredContent of(Path trace) {
        Path absolute = trace.toAbsolutePath();
        return new StoredContent(absolute, PackFile.isPack(absolute) ? PackFile.open(absolute) : null);
    }

    /** Whether files exist only inside a pack, so that they have to be copied to be mapped. */
    public boolean isPacked() {
        return pack != null;
    }

    /**
     * The path of a file that is not packed.
     *
     * @throws TraceException if it is not a regular file of the trace
     */
    public Path path(Event.FileStored file) {
        Files.close(open(file));
        return trace.resolve(file.stored());
    }

    /**
     * Writes a file's content to the beginning of an empty file of ours.
     *
     * @throws TraceException if it is missing or damaged
     */
    public void copyTo(long descriptor, Event.FileStored file) {
        if (pack != null) {
            requireName(file);
            pack.extract(file.stored(), descriptor);
            return;
        }
        long source = open(file);
        try {
            long result =
                    SparseCopy.copy(source, descriptor, Files.status(source).size());
            if (result < 0) {
                throw TraceException.ofErrno("cannot copy " + trace.resolve(file.stored()), -result);
            }
        } finally {
            Files.close(source);
        }
    }

    private long open(Event.FileStored file) {
        requireName(file);
        String path = trace.resolve(file.stored()).toString();
        long descriptor = Files.open(path, Files.O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
        if (descriptor == -Errno.ENOENT) {
            throw new TraceException(
                    "the trace is incomplete: " + path + ", a copy of " + file.path() + ", is missing");
        }
        Files.Status status = descriptor < 0 ? null : Files.status(descriptor);
        if (status == null || !status.isRegular()) {
            if (descriptor >= 0) {
                Files.close(descriptor);
            } else if (descriptor != -Errno.ELOOP) {
                throw TraceException.ofErrno("cannot open " + path, -descriptor);
            }
            throw new TraceException("the trace is damaged: " + path + " is not a regular file");
        }
        return descriptor;
    }

    private static void requireName(Event.FileStored file) {
        if (!EventValidity.isStoredName(file.stored())) {
            throw new TraceException(
                    "the trace is damaged: event " + file.header().sequence() + " names a stored file '" + file.stored()
                            + "' that is not one of the trace's");
        }
    }

    @Override
    public void close() {
        if (pack != null) {
            pack.close();
        }
    }
}
