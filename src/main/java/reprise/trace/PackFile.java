package reprise.trace;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import reprise.linux.Files;

/**
 * A trace in one file, as {@link PackWriter} makes it. Little-endian:
 *
 * <pre>
 *  0 u64 magic "RPRSPACK"    16 u64 offset of the index    32 u32 CRC32C of the index
 *  8 u64 format version      24 u64 length of the index    36 u32 CRC32C of bytes 0 to 35
 * </pre>
 *
 * then, from byte 64 on, sections, then the index: for each section its offset, its length in the pack, its length
 * when unpacked, the length of its name (u32) and its name. The sections {@code header.json} and {@code events} are the
 * trace's files as they are; all others are stored files, in blocks of at most {@link #BLOCK} bytes: length when
 * unpacked (u32, its highest bit set where the block is compressed), length in the pack (u32), CRC32C of that (u32),
 * bytes.
 *
 * <p>The head is written last, so a pack that was not finished is none.
 */
final class PackFile implements AutoCloseable {
    static final long MAGIC = 0x4b43_4150_5352_5052L;
    static final int VERSION = 1;
    static final int HEAD = 64;
    static final int HEAD_CHECKED = 36;
    static final int BLOCK = 1 << 20;
    static final int BLOCK_HEAD = 12;
    static final int BLOCK_COMPRESSED = 1 << 31;
    static final int ENTRY = 28;

    private static final long INDEX_LIMIT = 1 << 26;

    /** Where a section is. */
    record Section(long offset, long length, long unpacked) {}

    private final Path path;
    private final long descriptor;
    private final Map<String, Section> sections = new LinkedHashMap<>();

    private PackFile(Path path, long descriptor) {
        this.path = path;
        this.descriptor = descriptor;
    }

    /** Whether a path is a regular file that begins as a pack does. */
    static boolean isPack(Path path) {
        Files.Status status = Files.status(path.toString());
        if (status == null || !status.isRegular() || status.size() < HEAD) {
            return false;
        }
        long descriptor = Files.open(path.toString(), Files.O_RDONLY, 0);
        if (descriptor < 0) {
            return false;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment magic = arena.allocate(8, 8);
            return FileCalls.readFully(descriptor, magic.address(), 8, 0) == 8 && magic.get(JAVA_LONG, 0) == MAGIC;
        } finally {
            Files.close(descriptor);
        }
    }

    /**
     * Opens a pack and reads its index.
     *
     * @throws TraceException if it is damaged, cut off, or of a newer format
     */
    static PackFile open(Path path) {
        long descriptor = Files.open(path.toString(), Files.O_RDONLY, 0);
        if (descriptor < 0) {
            throw TraceException.ofErrno("cannot open " + path, -descriptor);
        }
        PackFile pack = new PackFile(path, descriptor);
        try {
            pack.readIndex();
            return pack;
        } catch (RuntimeException e) {
            pack.close();
            throw e;
        }
    }

    private void readIndex() {
        Files.Status status = Files.status(descriptor);
        long size = status == null ? 0 : status.size();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment head = arena.allocate(HEAD, 8);
            if (FileCalls.readFully(descriptor, head.address(), HEAD, 0) < HEAD
                    || head.get(JAVA_LONG_UNALIGNED, 0) != MAGIC
                    || head.get(JAVA_INT_UNALIGNED, HEAD_CHECKED) != ChunkHeader.checksum(head, HEAD_CHECKED)) {
                throw damaged("its first bytes make no sense");
            }
            long version = head.get(JAVA_LONG_UNALIGNED, 8);
            if (version > VERSION) {
                throw new TraceException("the packed trace " + path + " has format " + version
                        + ", which a newer version of Reprise wrote; this one reads formats up to " + VERSION);
            }
            long offset = head.get(JAVA_LONG_UNALIGNED, 16);
            long length = head.get(JAVA_LONG_UNALIGNED, 24);
            if (offset < HEAD || length < 0 || length > INDEX_LIMIT || offset > size || length > size - offset) {
                throw damaged("it is cut off");
            }
            MemorySegment index = arena.allocate(Math.max(1, length));
            long count = FileCalls.readFully(descriptor, index.address(), length, offset);
            if (count < length || ChunkHeader.checksum(index, length) != head.get(JAVA_INT_UNALIGNED, 32)) {
                throw damaged("its index is damaged");
            }
            entries(index.asSlice(0, length), offset);
        }
        if (!sections.containsKey(TraceFiles.HEADER) || !sections.containsKey(TraceFiles.EVENTS)) {
            throw damaged("it holds no trace");
        }
    }

    private void entries(MemorySegment index, long end) {
        for (long at = 0; at < index.byteSize(); ) {
            if (index.byteSize() - at < ENTRY) {
                throw damaged("its index is damaged");
            }
            long offset = index.get(JAVA_LONG_UNALIGNED, at);
            long length = index.get(JAVA_LONG_UNALIGNED, at + 8);
            long unpacked = index.get(JAVA_LONG_UNALIGNED, at + 16);
            int nameLength = index.get(JAVA_INT_UNALIGNED, at + 24);
            at += ENTRY;
            boolean sane = nameLength > 0
                    && nameLength <= index.byteSize() - at
                    && offset >= HEAD
                    && length >= 0
                    && offset <= end
                    && length <= end - offset
                    && unpacked >= 0;
            if (!sane) {
                throw damaged("its index is damaged");
            }
            byte[] name = index.asSlice(at, nameLength).toArray(JAVA_BYTE);
            at += nameLength;
            sections.put(new String(name, StandardCharsets.UTF_8), new Section(offset, length, unpacked));
        }
    }

    long descriptor() {
        return descriptor;
    }

    /** The section of a name; null if there is none. */
    Section section(String name) {
        return sections.get(name);
    }

    Map<String, Section> sections() {
        return sections;
    }

    /** The trace's header, as its file would be. */
    byte[] header() {
        Section section = sections.get(TraceFiles.HEADER);
        if (section.length > INDEX_LIMIT) {
            throw damaged("its header is too large");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Math.max(1, section.length));
            if (FileCalls.readFully(descriptor, bytes.address(), section.length, section.offset) < section.length) {
                throw damaged("it is cut off");
            }
            return bytes.asSlice(0, section.length).toArray(JAVA_BYTE);
        }
    }

    /**
     * Unpacks a stored file to the beginning of an empty file.
     *
     * @throws TraceException if there is no such file, it is damaged, or cannot be written
     */
    void extract(String name, long target) {
        Section section = sections.get(name);
        if (section == null) {
            throw new TraceException("the packed trace " + path + " is incomplete: it has no " + name);
        }
        try (Arena arena = Arena.ofConfined();
                Zstd.Decompressor decompressor = new Zstd.Decompressor()) {
            long capacity = Zstd.bound(BLOCK);
            MemorySegment head = arena.allocate(BLOCK_HEAD, 8);
            MemorySegment stored = arena.allocate(capacity, 16);
            MemorySegment raw = arena.allocate(BLOCK, 16);
            long position = section.offset;
            long end = section.offset + section.length;
            long written = 0;
            while (position < end) {
                if (FileCalls.readFully(descriptor, head.address(), BLOCK_HEAD, position) < BLOCK_HEAD) {
                    throw damaged(name + " is cut off");
                }
                int first = head.get(JAVA_INT_UNALIGNED, 0);
                int rawLength = first & ~BLOCK_COMPRESSED;
                int length = head.get(JAVA_INT_UNALIGNED, 4);
                position += BLOCK_HEAD;
                if (rawLength > BLOCK || length < 0 || length > capacity || length > end - position) {
                    throw damaged(name + " in it is damaged");
                }
                boolean whole = FileCalls.readFully(descriptor, stored.address(), length, position) == length;
                if (!whole || ChunkHeader.checksum(stored, length) != head.get(JAVA_INT_UNALIGNED, 8)) {
                    throw damaged(name + " in it is damaged");
                }
                MemorySegment bytes = stored;
                if (first < 0) {
                    bytes = raw;
                    length = (int) decompressor.decompress(stored.address(), length, raw.address(), BLOCK);
                }
                if (length != rawLength) {
                    throw damaged(name + " in it is damaged");
                }
                long result =
                        isZero(bytes, length) ? 0 : FileCalls.writeFully(target, bytes.address(), length, written);
                if (result < 0) {
                    throw TraceException.ofErrno("cannot unpack " + name, -result);
                }
                position += length(head);
                written += rawLength;
            }
            // Blocks of zeros were left out, as holes.
            long result = written == section.unpacked ? FileCalls.truncate(target, written) : -1;
            if (result < 0) {
                throw damaged(name + " in it is damaged");
            }
        }
    }

    private static int length(MemorySegment blockHead) {
        return blockHead.get(JAVA_INT_UNALIGNED, 4);
    }

    private static boolean isZero(MemorySegment bytes, long length) {
        return length > 0
                && bytes.get(JAVA_BYTE, 0) == 0
                && (length == 1 || bytes.asSlice(0, length - 1).mismatch(bytes.asSlice(1, length - 1)) < 0);
    }

    private TraceException damaged(String what) {
        return new TraceException("the packed trace " + path + " is damaged: " + what);
    }

    @Override
    public void close() {
        Files.close(descriptor);
    }
}
