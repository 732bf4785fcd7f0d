package reprise.trace;

import java.nio.file.Path;

/**
 * How much room the events of a trace take.
 *
 * @param chunks number of pieces that are compressed on their own
 * @param encodedBytes of all events before compression
 * @param storedBytes of all events after compression, headers included
 */
public record TraceSize(int chunks, long encodedBytes, long storedBytes) {
    /**
     * Adds up what the headers of the chunks say; the events are not read.
     *
     * @param directory as {@link TraceDirectories#resolve} gives it
     * @throws TraceException if the chunks cannot be opened, or are of a newer format
     */
    public static TraceSize of(Path directory) {
        try (ChunkIndex index = ChunkIndex.of(directory)) {
            long encoded = 0;
            long stored = 0;
            for (int chunk = 0; chunk < index.size(); chunk++) {
                ChunkHeader header = index.get(chunk).header();
                encoded += header.rawLength();
                stored += header.storedLength() + ChunkHeader.SIZE;
            }
            return new TraceSize(index.size(), encoded, stored);
        }
    }
}
