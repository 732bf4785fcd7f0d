package reprise.trace;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import reprise.linux.Errno;
import reprise.linux.Files;

/**
 * Where the chunks of a trace are: the longest run of chunks from the start of the file whose headers are good, and the
 * unfinished chunk if it continues them. Opened descriptors belong to the index.
 */
final class ChunkIndex implements AutoCloseable {
    /**
     * A chunk.
     *
     * @param offset in its file, of the payload
     */
    record Entry(ChunkHeader header, long descriptor, long offset) {}

    private final List<Entry> entries = new ArrayList<>();
    private final long descriptor;
    private long sideDescriptor = -1;
    private String defect;

    private ChunkIndex(long descriptor) {
        this.descriptor = descriptor;
    }

    /**
     * Reads the headers of a trace's chunks.
     *
     * @param directory of the trace, or the file it was packed in
     * @throws TraceException if the file of chunks cannot be opened, or has chunks of a newer format
     */
    static ChunkIndex of(Path directory) {
        if (PackFile.isPack(directory)) {
            return ofPack(directory);
        }
        String path = directory.resolve(TraceFiles.EVENTS).toString();
        long descriptor = Files.open(path, Files.O_RDONLY, 0);
        if (descriptor == -Errno.ENOENT) {
            ChunkIndex empty = new ChunkIndex(-1);
            empty.defect = "its file of events is missing";
            return empty;
        }
        if (descriptor < 0) {
            throw TraceException.ofErrno("cannot open " + path, -descriptor);
        }
        ChunkIndex index = new ChunkIndex(descriptor);
        try {
            index.scan(directory);
        } catch (TraceException e) {
            index.close();
            throw e;
        }
        return index;
    }

    private static ChunkIndex ofPack(Path path) {
        PackFile pack = PackFile.open(path);
        ChunkIndex index = new ChunkIndex(pack.descriptor());
        PackFile.Section events = pack.section(TraceFiles.EVENTS);
        try {
            index.defect = index.scan(path, pack.descriptor(), events.offset(), events.offset() + events.length());
            if (index.defect == null && !index.ends()) {
                index.defect = "the recording did not end regularly";
            }
        } catch (RuntimeException e) {
            index.close();
            throw e;
        }
        return index;
    }

    private void scan(Path directory) {
        defect = scan(directory, descriptor);
        if (ends()) {
            return;
        }
        sideDescriptor = Files.open(directory.resolve(TraceFiles.SIDE).toString(), Files.O_RDONLY, 0);
        if (sideDescriptor >= 0) {
            scan(directory, sideDescriptor);
        }
        if (defect == null) {
            defect = "the recording did not end regularly, or has not ended yet";
        }
    }

    /** Adds the chunks of a file as long as they are good and continue those there are; what is wrong, or null. */
    private String scan(Path directory, long file) {
        Files.Status status = Files.status(file);
        return scan(directory, file, 0, status == null ? 0 : status.size());
    }

    /** As {@link #scan(Path, long)}, of the bytes from {@code start} to {@code size} of the file. */
    private String scan(Path directory, long file, long start, long size) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(ChunkHeader.SIZE, 8);
            long offset = start;
            while (offset < size) {
                long count = FileCalls.readFully(file, bytes.address(), ChunkHeader.SIZE, offset);
                ChunkHeader header = count < ChunkHeader.SIZE ? null : ChunkHeader.read(bytes);
                if (header == null) {
                    return "the chunk at byte " + offset + (count < ChunkHeader.SIZE ? " is cut off" : " is damaged");
                }
                if (header.version() > TraceFormat.VERSION) {
                    throw HeaderFile.newer(directory, header.version());
                }
                if (header.first() != last() + 1) {
                    return "the chunk at byte " + offset + " does not continue the one before";
                }
                offset += ChunkHeader.SIZE;
                if (header.storedLength() > size - offset) {
                    return "the chunk at byte " + (offset - ChunkHeader.SIZE) + " is cut off";
                }
                entries.add(new Entry(header, file, offset));
                offset += header.storedLength();
            }
        }
        return null;
    }

    /** Number of chunks. */
    int size() {
        return entries.size();
    }

    Entry get(int chunk) {
        return entries.get(chunk);
    }

    /** Sequence number of the last event; 0 if there is none. */
    long last() {
        return entries.isEmpty() ? 0 : entries.getLast().header.last();
    }

    /** Whether the recording's regular end is there. */
    boolean ends() {
        return !entries.isEmpty() && (entries.getLast().header.flags() & ChunkHeader.ENDS) != 0;
    }

    /** Why there may be more than this index knows of; null if there is not. */
    String defect() {
        return defect;
    }

    /** Which chunk has an event. */
    int find(long sequence) {
        int low = 0;
        int high = entries.size() - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (entries.get(middle).header.last() < sequence) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** A chunk turned out to be damaged: it and those behind it do not count. */
    void cut(int chunk) {
        Entry entry = entries.get(chunk);
        defect = "the chunk at byte " + (entry.offset - ChunkHeader.SIZE) + " is damaged";
        entries.subList(chunk, entries.size()).clear();
    }

    @Override
    public void close() {
        if (descriptor >= 0) {
            Files.close(descriptor);
        }
        if (sideDescriptor >= 0) {
            Files.close(sideDescriptor);
        }
    }
}
