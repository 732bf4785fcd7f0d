package reprise.trace;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * Puts words, blocks and bytes into a chunk.
 *
 * <p>Words are collected in a Java array and copied together: on a JVM that has just started, and is still
 * interpreting, each access to a segment costs as much as copying a hundred words. Owned by the {@link TraceWriter}.
 */
final class EventEncoder {
    private final long[] words = new long[64];
    private int staged;
    private ChunkBuffer chunk;

    /** What follows goes to this chunk; nothing may be staged. */
    void to(ChunkBuffer buffer) {
        chunk = buffer;
        staged = 0;
    }

    /** Forgets staged words. */
    void forget() {
        staged = 0;
    }

    void word(long value) {
        if (staged == words.length) {
            flush();
        }
        words[staged++] = value;
    }

    /** Two 32-bit numbers in a word. */
    void pair(int low, int high) {
        word(low & 0xffffffffL | (long) high << 32);
    }

    /** The first word of an event or part. */
    void tag(int kind, int flags, int small, int number) {
        word(kind | (long) flags << 8 | (long) (small & 0xffff) << 16 | (long) number << 32);
    }

    /** Moves staged words to the chunk. */
    void flush() {
        if (staged > 0) {
            long length = staged * 8L;
            chunk.ensure(length);
            MemorySegment.copy(words, 0, chunk.memory, JAVA_LONG, chunk.position, staged);
            chunk.position += length;
            staged = 0;
        }
    }

    /** A block of fixed size, a multiple of eight. */
    void block(MemorySegment from, long size) {
        flush();
        chunk.ensure(size);
        MemorySegment.copy(from, 0, chunk.memory, chunk.position, size);
        chunk.position += size;
    }

    /** A length and as many bytes. */
    void blob(MemorySegment bytes) {
        long length = bytes.byteSize();
        word(length);
        MemorySegment.copy(bytes, 0, reserve(length), 0, length);
    }

    /** As {@link #blob}, in UTF-8. */
    void string(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        word(bytes.length);
        MemorySegment.copy(bytes, 0, reserve(bytes.length), JAVA_BYTE, 0, bytes.length);
    }

    /** Words from an array. */
    void words(long[] values, int count) {
        flush();
        chunk.ensure(count * 8L);
        MemorySegment.copy(values, 0, chunk.memory, JAVA_LONG, chunk.position, count);
        chunk.position += count * 8L;
    }

    /** Room for bytes that the caller fills in; followed by zeros up to the next word. */
    MemorySegment reserve(long length) {
        flush();
        long padded = TraceFormat.padded(length);
        chunk.ensure(padded);
        if (padded != length) {
            chunk.memory.set(JAVA_LONG, chunk.position + padded - 8, 0);
        }
        MemorySegment room = chunk.memory.asSlice(chunk.position, length);
        chunk.position += padded;
        return room;
    }

    /** The write that begins at {@code start} and ends at the position has fewer bytes than reserved. */
    void shorten(long start, long length) {
        long end = start + TraceFormat.WRITE_HEADER + length;
        long padding = TraceFormat.padded(length) - length;
        chunk.memory.set(JAVA_LONG, start + TraceFormat.WRITE_HEADER - 8, length);
        chunk.memory.asSlice(end, padding).fill((byte) 0);
        chunk.position = end + padding;
    }
}
