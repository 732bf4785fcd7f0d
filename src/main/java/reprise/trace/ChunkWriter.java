package reprise.trace;

import java.nio.file.Path;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import reprise.linux.Files;

/**
 * Compresses chunks and writes them, on a thread of its own.
 *
 * <p>At most {@link #BUFFERS} buffers exist; when all are full, {@link #take} waits, and when they hold more than
 * {@link #WAITING} bytes {@link #put} does, which slows the tracer down to what the disk takes. So memory is bounded by that,
 * some scratch memory and the largest single event, whatever the program writes. When writing fails, the file is cut back to its last good chunk, which may be a part of the one
 * that did not fit, and everything handed over afterwards is dropped; {@link #check} tells the tracer.
 *
 * <p>When nothing was handed over for a second, what the tracer's unfinished chunk holds so far is written to a side
 * file, so that a recorder that is killed while its program waits loses nothing. The next full chunk makes the side
 * file obsolete.
 */
final class ChunkWriter implements Runnable {
    /** Bound of the pool: 8 buffers, of 1 MiB each unless an event is larger. */
    static final int BUFFERS = 8;

    /** Bytes that may wait to be written, unless a single event is larger. */
    static final long WAITING = 64L << 20;

    private static final long IDLE_MILLIS = 1000;

    /** Where chunks go. */
    interface Output {
        /** Writes native memory at an offset; 0 or -errno. */
        long write(long address, long length, long offset);

        /** Cuts off what is behind an offset. */
        void truncate(long length);

        /** Whether somebody removed it, so that nobody will ever read what is written. */
        default boolean isRemoved() {
            return false;
        }

        void close();
    }

    /** A file. */
    record FileOutput(long descriptor) implements Output {
        @Override
        public long write(long address, long length, long offset) {
            return FileCalls.writeFully(descriptor, address, length, offset);
        }

        @Override
        public void truncate(long length) {
            FileCalls.truncate(descriptor, length);
        }

        @Override
        public boolean isRemoved() {
            Files.Status status = Files.status(descriptor);
            return status != null && status.links() == 0;
        }

        @Override
        public void close() {
            Files.close(descriptor);
        }
    }

    private final Path directory;
    private final Output output;
    private final int level;
    private final Thread thread;
    private final ArrayBlockingQueue<ChunkBuffer> full = new ArrayBlockingQueue<>(BUFFERS + 1);
    private final ArrayBlockingQueue<ChunkBuffer> free = new ArrayBlockingQueue<>(BUFFERS);
    private final Object progress = new Object();
    private int created;
    private long waiting;
    private volatile ChunkBuffer current;
    private volatile TraceException failure;

    // Of the writing thread.
    private long offset;
    private long sideSequence;
    private ChunkEncoder encoder;

    ChunkWriter(Path directory, Output output, int level) {
        this.directory = directory;
        this.output = output;
        this.level = level;
        thread = new Thread(this, "trace writer");
        thread.setDaemon(true);
        thread.start();
    }

    // ---- the tracer's side ----

    /** An empty buffer; waits until there is one. */
    ChunkBuffer take(long firstSequence) {
        ChunkBuffer buffer = free.poll();
        if (buffer == null) {
            if (created < BUFFERS) {
                created++;
                buffer = ChunkBuffer.reserve();
            } else {
                buffer = uninterrupted(free);
            }
        }
        buffer.first = firstSequence;
        current = buffer;
        return buffer;
    }

    /** Hands a buffer with events over; waits if too much is on its way already. */
    void put(ChunkBuffer buffer) {
        boolean interrupted = false;
        synchronized (progress) {
            waiting += buffer.position;
            // Room for all buffers there are.
            full.add(buffer);
            while (waiting > WAITING) {
                try {
                    progress.wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Throws if writing failed. */
    void check() {
        TraceException failed = failure;
        if (failed != null) {
            throw new TraceException(failed.getMessage(), failed);
        }
    }

    /** Waits until all that was handed over is written. */
    void close() {
        full.add(ChunkBuffer.NONE);
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static ChunkBuffer uninterrupted(ArrayBlockingQueue<ChunkBuffer> queue) {
        boolean interrupted = false;
        while (true) {
            try {
                ChunkBuffer buffer = queue.take();
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
                return buffer;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
    }

    // ---- the writing thread ----

    @Override
    public void run() {
        encoder = new ChunkEncoder(level);
        while (true) {
            ChunkBuffer buffer = next();
            if (buffer == ChunkBuffer.NONE) {
                break;
            }
            if (buffer == null) {
                writeSideFile();
                continue;
            }
            try {
                if (failure == null) {
                    append(buffer);
                }
            } catch (TraceException e) {
                output.truncate(offset);
                appendPart(buffer);
                failure = e;
            } catch (Throwable e) {
                failure = new TraceException("cannot write " + directory + ": " + e, e);
                output.truncate(offset);
            }
            long length = buffer.position;
            buffer.clear();
            free.add(buffer);
            synchronized (progress) {
                waiting -= length;
                progress.notifyAll();
            }
        }
        if (failure == null) {
            FileCalls.unlink(side());
        }
        for (ChunkBuffer buffer = free.poll(); buffer != null; buffer = free.poll()) {
            buffer.free();
        }
        output.close();
        encoder.close();
    }

    private ChunkBuffer next() {
        try {
            return full.poll(IDLE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException nobodyDoesThat) {
            return null;
        }
    }

    private void append(ChunkBuffer buffer) {
        long length = encoder.write(buffer, buffer.position, buffer.events, buffer.ends, output, offset);
        if (length < 0) {
            throw TraceException.ofErrno("cannot write the trace " + directory, -length);
        }
        offset += length;
        if (output.isRemoved()) {
            throw new TraceException("the trace " + directory + " was removed while it was recorded");
        }
    }

    /** Writes as many of the events as there is room for on a disk that does not take all. */
    private void appendPart(ChunkBuffer buffer) {
        for (int index = buffer.marks() - 1; index >= 0; index--) {
            long mark = buffer.mark(index);
            long position = ChunkBuffer.publishedPosition(mark);
            long length = encoder.write(buffer, position, ChunkBuffer.publishedEvents(mark), false, output, offset);
            if (length >= 0) {
                offset += length;
                return;
            }
            output.truncate(offset);
        }
    }

    /** Saves what the tracer has not handed over, unless that is saved already. */
    private void writeSideFile() {
        ChunkBuffer buffer = current;
        if (buffer == null || failure != null) {
            return;
        }
        // The buffer cannot be emptied meanwhile: only this thread does that.
        long published = buffer.published();
        int events = ChunkBuffer.publishedEvents(published);
        long sequence = buffer.first + events - 1;
        if (events == 0 || sequence == sideSequence) {
            return;
        }
        // The domains may include those of an event that is being written; one too many does no harm.
        String temporary = side() + ".new";
        long descriptor = Files.open(temporary, 1 | Files.O_CREAT | 01000, 0600); // O_WRONLY, O_TRUNC
        if (descriptor < 0) {
            return;
        }
        long result = encoder.write(
                buffer, ChunkBuffer.publishedPosition(published), events, false, new FileOutput(descriptor), 0);
        Files.close(descriptor);
        if (result < 0 || FileCalls.rename(temporary, side()) < 0) {
            // It may come to nothing; the chunk itself will report what is wrong.
            FileCalls.unlink(temporary);
            return;
        }
        sideSequence = sequence;
    }

    private String side() {
        return directory.resolve(TraceFiles.SIDE).toString();
    }
}
