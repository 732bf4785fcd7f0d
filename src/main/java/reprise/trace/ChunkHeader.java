package reprise.trace;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/**
 * The 64 bytes in front of every chunk, little-endian:
 *
 * <pre>
 *  0 u32 magic "RPCK"          24 u64 length of the events     48 u32 number of events
 *  4 u16 format version        32 u64 length of the payload    52 u32 flags
 *  6 u16 0                     40 u64 domains                  56 u32 CRC32C of the payload
 *  8 u64 first sequence                                        60 u32 CRC32C of bytes 0 to 59
 * 16 u64 last sequence
 * </pre>
 *
 * @param version of the format the chunk is written in
 * @param first sequence number of its first event
 * @param last sequence number of its last event
 * @param rawLength bytes of the encoded events
 * @param storedLength bytes of the payload that follows the header
 * @param domains bit {@code d & 63} is set for each domain {@code d} that has an event in it
 * @param flags {@link #COMPRESSED}, {@link #ENDS}, {@link #FILTERED}
 * @param checksum CRC32C of the payload
 */
record ChunkHeader(
        int version, long first, long last, long rawLength, long storedLength, long domains, int flags, int checksum) {
    static final int SIZE = 64;
    static final int MAGIC = 0x4b435052;

    /** The payload is one zstd frame, or several behind each other; otherwise it is the events themselves. */
    static final int COMPRESSED = 1;
    /** The chunk holds the {@link Event.End} event. */
    static final int ENDS = 2;
    /** Before it was compressed, the events went through {@link TimeFilter}. */
    static final int FILTERED = 4;

    private static final int CHECKED = 60;

    /** Number of events. */
    int events() {
        return (int) (last - first + 1);
    }

    boolean isCompressed() {
        return (flags & COMPRESSED) != 0;
    }

    boolean isFiltered() {
        return (flags & FILTERED) != 0;
    }

    void write(MemorySegment to) {
        to.set(JAVA_INT, 0, MAGIC);
        to.set(JAVA_INT, 4, version);
        to.set(JAVA_LONG, 8, first);
        to.set(JAVA_LONG, 16, last);
        to.set(JAVA_LONG, 24, rawLength);
        to.set(JAVA_LONG, 32, storedLength);
        to.set(JAVA_LONG, 40, domains);
        to.set(JAVA_INT, 48, events());
        to.set(JAVA_INT, 52, flags);
        to.set(JAVA_INT, 56, checksum);
        to.set(JAVA_INT, CHECKED, checksum(to, CHECKED));
    }

    /** The header in the first 64 bytes of {@code from}; null if they are none, or damaged. */
    static ChunkHeader read(MemorySegment from) {
        if (from.get(JAVA_INT, 0) != MAGIC || from.get(JAVA_INT, CHECKED) != checksum(from, CHECKED)) {
            return null;
        }
        ChunkHeader header = new ChunkHeader(
                from.get(JAVA_INT, 4) & 0xffff,
                from.get(JAVA_LONG, 8),
                from.get(JAVA_LONG, 16),
                from.get(JAVA_LONG, 24),
                from.get(JAVA_LONG, 32),
                from.get(JAVA_LONG, 40),
                from.get(JAVA_INT, 52),
                from.get(JAVA_INT, 56));
        boolean sane = header.first > 0
                && header.last >= header.first
                && header.last - header.first < Integer.MAX_VALUE
                && header.events() == from.get(JAVA_INT, 48)
                && header.rawLength > 0
                && header.rawLength <= ChunkBuffer.RESERVED
                && header.storedLength > 0
                && header.storedLength <= Zstd.bound(header.rawLength)
                && header.rawLength >>> 16 <= header.storedLength // zstd packs 128 KiB in 4 bytes at best
                && (header.isCompressed() || header.storedLength == header.rawLength);
        return sane || header.version > TraceFormat.VERSION ? header : null;
    }

    /** CRC32C of native memory. */
    static int checksum(MemorySegment memory, long length) {
        CRC32C crc = new CRC32C();
        add(crc, memory, length);
        return (int) crc.getValue();
    }

    /** Takes bytes into a checksum. */
    static void add(CRC32C crc, MemorySegment memory, long length) {
        final long step = 1 << 30;
        for (long done = 0; done < length; done += step) {
            crc.update(memory.asSlice(done, Math.min(step, length - done)).asByteBuffer());
        }
    }
}
