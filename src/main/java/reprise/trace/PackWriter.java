package reprise.trace;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;
import reprise.linux.Errno;
import reprise.linux.Files;

/** Makes a {@link PackFile} of a trace: its header, its good chunks, and the stored files that its events name. */
public final class PackWriter implements AutoCloseable {
    private static final long BUFFER = 1 << 20;
    /** Stored files are written once and read on slower machines: worth more than the recorder's level. */
    private static final int LEVEL = 9;

    private final Path target;
    private final String temporary;
    private final long descriptor;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment buffer = arena.allocate(BUFFER, 16);
    private final MemorySegment packed = arena.allocate(PackFile.BLOCK_HEAD + Zstd.bound(BUFFER), 16);
    private final Zstd.Compressor compressor = new Zstd.Compressor(LEVEL);
    private final ByteArrayOutputStream index = new ByteArrayOutputStream();
    private long position = PackFile.HEAD;
    private boolean finished;

    private PackWriter(Path target) {
        this.target = target;
        this.temporary = target + ".unfinished";
        descriptor = Files.open(temporary, Files.O_RDWR | Files.O_CREAT | Files.O_EXCL, 0600);
        if (descriptor == -Errno.EEXIST) {
            throw new TraceException(temporary + " exists: another pack is being made, or one was broken off");
        }
        if (descriptor < 0) {
            throw TraceException.ofErrno("cannot create " + temporary, -descriptor);
        }
    }

    /**
     * Packs a trace. A file of the target's name is replaced when the pack is complete.
     *
     * @param trace a directory or a pack
     * @param target a path, which only the user will be able to read
     * @return bytes of the pack
     * @throws TraceException if the trace cannot be read, lacks a stored file, or the pack cannot be written
     */
    public static long pack(Path trace, Path target) {
        Set<Event.FileStored> files = new LinkedHashSet<>();
        try (TraceReader reader = TraceReader.open(trace)) {
            for (Event event = reader.next(); event != null; event = reader.next()) {
                if (event instanceof Event.FileStored file) {
                    files.add(file);
                }
            }
        }
        try (PackWriter writer = new PackWriter(target);
                StoredContent content = StoredContent.of(trace)) {
            writer.header(trace);
            writer.events(trace);
            for (Event.FileStored file : files) {
                writer.storedFile(content, file);
            }
            return writer.finish();
        }
    }

    private void header(Path trace) {
        long start = position;
        append(HeaderFile.bytes(trace));
        entry(TraceFiles.HEADER, start, position - start);
    }

    private void events(Path trace) {
        long start = position;
        try (ChunkIndex chunks = ChunkIndex.of(trace)) {
            for (int i = 0; i < chunks.size(); i++) {
                ChunkIndex.Entry chunk = chunks.get(i);
                chunk.header().write(buffer);
                append(buffer, ChunkHeader.SIZE);
                long length = chunk.header().storedLength();
                for (long done = 0; done < length; ) {
                    long part = Math.min(BUFFER, length - done);
                    if (FileCalls.readFully(chunk.descriptor(), buffer.address(), part, chunk.offset() + done) < part) {
                        throw new TraceException("cannot read the trace's events: they were cut off meanwhile");
                    }
                    append(buffer, part);
                    done += part;
                }
            }
        }
        entry(TraceFiles.EVENTS, start, position - start);
    }

    private void storedFile(StoredContent content, Event.FileStored file) {
        int copy = Files.memoryFile("reprise-pack", false);
        try {
            content.copyTo(copy, file);
            long start = position;
            long size = 0;
            while (true) {
                long count = FileCalls.readFully(copy, buffer.address(), BUFFER, size);
                if (count < 0) {
                    throw TraceException.ofErrno("cannot read " + file.stored(), -count);
                }
                if (count > 0) {
                    block(count);
                    size += count;
                }
                if (count < BUFFER) {
                    break;
                }
            }
            entry(file.stored(), start, size);
        } finally {
            Files.close(copy);
        }
    }

    /** Appends what the buffer holds as a block. */
    private void block(long count) {
        long capacity = packed.byteSize() - PackFile.BLOCK_HEAD;
        long body = packed.address() + PackFile.BLOCK_HEAD;
        long length = compressor.compress(buffer.address(), count, body, capacity);
        int first = (int) count | PackFile.BLOCK_COMPRESSED;
        if (length < 0 || length >= count) {
            MemorySegment.copy(buffer, 0, packed, PackFile.BLOCK_HEAD, count);
            length = count;
            first = (int) count;
        }
        packed.set(JAVA_INT_UNALIGNED, 0, first);
        packed.set(JAVA_INT_UNALIGNED, 4, (int) length);
        packed.set(JAVA_INT_UNALIGNED, 8, ChunkHeader.checksum(packed.asSlice(PackFile.BLOCK_HEAD), length));
        append(packed, PackFile.BLOCK_HEAD + length);
    }

    private void entry(String name, long start, long unpacked) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        MemorySegment entry = arena.allocate(PackFile.ENTRY, 8);
        entry.set(JAVA_LONG_UNALIGNED, 0, start);
        entry.set(JAVA_LONG_UNALIGNED, 8, position - start);
        entry.set(JAVA_LONG_UNALIGNED, 16, unpacked);
        entry.set(JAVA_INT_UNALIGNED, 24, bytes.length);
        index.writeBytes(entry.toArray(JAVA_BYTE));
        index.writeBytes(bytes);
    }

    private long finish() {
        byte[] entries = index.toByteArray();
        long start = position;
        append(entries);
        MemorySegment head = arena.allocate(PackFile.HEAD, 8);
        head.set(JAVA_LONG_UNALIGNED, 0, PackFile.MAGIC);
        head.set(JAVA_LONG_UNALIGNED, 8, PackFile.VERSION);
        head.set(JAVA_LONG_UNALIGNED, 16, start);
        head.set(JAVA_LONG_UNALIGNED, 24, entries.length);
        MemorySegment copy = arena.allocate(Math.max(1, entries.length));
        MemorySegment.copy(entries, 0, copy, JAVA_BYTE, 0, entries.length);
        head.set(JAVA_INT_UNALIGNED, 32, ChunkHeader.checksum(copy, entries.length));
        head.set(JAVA_INT_UNALIGNED, PackFile.HEAD_CHECKED, ChunkHeader.checksum(head, PackFile.HEAD_CHECKED));
        check(FileCalls.writeFully(descriptor, head.address(), PackFile.HEAD, 0));
        check(FileCalls.rename(temporary, target.toString()));
        finished = true;
        return position;
    }

    private void append(byte[] bytes) {
        for (int done = 0; done < bytes.length; ) {
            int part = (int) Math.min(BUFFER, bytes.length - done);
            MemorySegment.copy(bytes, done, buffer, JAVA_BYTE, 0, part);
            append(buffer, part);
            done += part;
        }
    }

    private void append(MemorySegment bytes, long length) {
        check(FileCalls.writeFully(descriptor, bytes.address(), length, position));
        position += length;
    }

    private void check(long result) {
        if (result < 0) {
            throw TraceException.ofErrno("cannot write " + target, -result);
        }
    }

    @Override
    public void close() {
        Files.close(descriptor);
        if (!finished) {
            FileCalls.unlink(temporary);
        }
        compressor.close();
        arena.close();
    }
}
