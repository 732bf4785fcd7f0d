package reprise.trace;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/**
 * Makes chunks of events: compresses them, puts the header in front, writes both. Owned by the thread of a {@link ChunkWriter}.
 *
 * <p>However long a chunk is, the memory used for that is bounded by that for {@link #PIECE}.
 */
final class ChunkEncoder implements AutoCloseable {
    /** What is compressed at a time, into a frame of its own; almost all chunks are shorter. */
    static final long PIECE = 4L << 20;

    /** ENOMEM: nothing else can go wrong when a piece is compressed into room enough. */
    private static final long OUT_OF_MEMORY = 12;

    /** Null without libzstd: a trace is large then, but a trace. */
    private final Zstd.Compressor compressor;

    private final CRC32C checksum = new CRC32C();
    /** A header, and behind it room for what is made of a piece. */
    private MemorySegment scratch = MemorySegment.NULL;

    ChunkEncoder(int level) {
        Zstd.Compressor made;
        try {
            made = new Zstd.Compressor(level);
        } catch (TraceException | LinkageError e) {
            made = null;
        }
        compressor = made;
    }

    /**
     * Writes the first events of a buffer as a chunk.
     *
     * @param length of the events in bytes
     * @param events how many
     * @param ends whether the last is that of the trace
     * @param at offset in the output
     * @return bytes written, or -errno
     */
    long write(ChunkBuffer buffer, long length, int events, boolean ends, ChunkWriter.Output to, long at) {
        long room = ChunkHeader.SIZE + Zstd.bound(Math.min(length, PIECE));
        if (scratch.byteSize() < room) {
            scratch = Arena.ofAuto().allocate(room, 16);
        }
        checksum.reset();
        boolean inPieces = length > PIECE;
        // The header of a long one comes last: until then, nobody takes what is there for a chunk.
        long payload = inPieces ? writePieces(buffer, length, to, at + ChunkHeader.SIZE) : encode(buffer, length);
        if (payload < 0) {
            return payload;
        }
        boolean compressed = inPieces ? compressor != null : payload < length;
        new ChunkHeader(
                        TraceFormat.VERSION,
                        buffer.first,
                        buffer.first + events - 1,
                        length,
                        payload,
                        buffer.domains,
                        (ends ? ChunkHeader.ENDS : 0)
                                | (compressed ? ChunkHeader.COMPRESSED : 0)
                                | (compressed && !inPieces ? ChunkHeader.FILTERED : 0),
                        (int) checksum.getValue())
                .write(scratch);
        long result = to.write(scratch.address(), ChunkHeader.SIZE + (inPieces ? 0 : payload), at);
        return result < 0 ? result : ChunkHeader.SIZE + payload;
    }

    /** Puts a payload into the scratch memory, compressed if that makes it shorter; its length. */
    private long encode(ChunkBuffer buffer, long length) {
        long payload = -1;
        if (compressor != null) {
            TimeFilter.apply(buffer.memory, length);
            payload = compress(buffer, 0, length);
            // What could not be written is tried again, perhaps with fewer events.
            TimeFilter.undo(buffer.memory, length);
        }
        if (payload < 0 || payload >= length) {
            MemorySegment.copy(buffer.memory, 0, scratch, ChunkHeader.SIZE, length);
            payload = length;
        }
        ChunkHeader.add(checksum, scratch.asSlice(ChunkHeader.SIZE), payload);
        return payload;
    }

    /** Writes a long payload; its length or -errno. */
    private long writePieces(ChunkBuffer buffer, long length, ChunkWriter.Output to, long at) {
        long payload = 0;
        for (long from = 0; from < length; from += PIECE) {
            long count = Math.min(PIECE, length - from);
            MemorySegment piece = buffer.memory.asSlice(from, count);
            if (compressor != null) {
                count = compress(buffer, from, count);
                if (count < 0) {
                    return -OUT_OF_MEMORY;
                }
                piece = scratch.asSlice(ChunkHeader.SIZE);
            }
            ChunkHeader.add(checksum, piece, count);
            long result = to.write(piece.address(), count, at + payload);
            if (result < 0) {
                return result;
            }
            payload += count;
        }
        return payload;
    }

    /** Makes a zstd frame of a piece, in the scratch memory; its length, -1 on failure. There is always room for it. */
    private long compress(ChunkBuffer buffer, long from, long length) {
        return compressor.compress(
                buffer.memory.address() + from,
                length,
                scratch.address() + ChunkHeader.SIZE,
                scratch.byteSize() - ChunkHeader.SIZE);
    }

    @Override
    public void close() {
        if (compressor != null) {
            compressor.close();
        }
    }
}
