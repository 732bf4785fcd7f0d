package reprise.trace;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Reads and decompresses chunks on a thread of its own, one ahead of the reader.
 *
 * <p>There are three slots, and chunk {@code i} always goes to slot {@code i % 3}: the reader's chunk, the one before
 * and the one after are in memory together. Owned by the {@link TraceReader}.
 */
final class ChunkLoader implements AutoCloseable {
    private static final int SLOTS = 3;
    /** Memory of a slot of more than this is not kept for a chunk that does not need it. */
    private static final long LARGE = 1 << 24;

    private final ChunkIndex index;
    private final MemorySegment[] memories = new MemorySegment[SLOTS];
    private final int[] wanted = {-1, -1, -1};

    @SuppressWarnings({"unchecked", "rawtypes"})
    private final FutureTask<MemorySegment>[] tasks = new FutureTask[SLOTS];

    private final LinkedBlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();
    private Thread thread;
    private volatile boolean closed;

    // Of the loading thread.
    private Zstd.Decompressor decompressor;
    private MemorySegment scratch = MemorySegment.NULL;

    ChunkLoader(ChunkIndex index) {
        this.index = index;
    }

    /**
     * The events of a chunk.
     *
     * @return null if the chunk is damaged
     */
    MemorySegment load(int chunk) {
        prefetch(chunk);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return tasks[chunk % SLOTS].get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TraceException failure) {
                throw new TraceException(failure.getMessage(), failure);
            }
            throw new TraceException("cannot read the trace: " + e.getCause(), e.getCause());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Begins to load a chunk, unless it is there or on its way. */
    void prefetch(int chunk) {
        int slot = chunk % SLOTS;
        if (wanted[slot] == chunk) {
            return;
        }
        wanted[slot] = chunk;
        ChunkIndex.Entry entry = index.get(chunk);
        FutureTask<MemorySegment> task = new FutureTask<>(new Callable<MemorySegment>() {
            @Override
            public MemorySegment call() {
                return read(entry, slot);
            }
        });
        tasks[slot] = task;
        if (thread == null) {
            thread = new Thread(this::work, "trace reader");
            thread.setDaemon(true);
            thread.start();
        }
        queue.add(task);
    }

    /** Ends the thread. */
    @Override
    public void close() {
        if (thread == null) {
            return;
        }
        closed = true;
        queue.add(() -> {});
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

    // ---- the loading thread ----

    private void work() {
        while (!closed) {
            try {
                queue.take().run();
            } catch (InterruptedException nobodyDoesThat) {
                break;
            }
        }
        if (decompressor != null) {
            decompressor.close();
        }
    }

    private MemorySegment read(ChunkIndex.Entry entry, int slot) {
        ChunkHeader header = entry.header();
        try {
            MemorySegment memory = room(memories[slot], header.rawLength());
            memories[slot] = memory;
            MemorySegment stored = memory;
            if (header.isCompressed()) {
                scratch = room(scratch, header.storedLength());
                stored = scratch;
            }
            long count =
                    FileCalls.readFully(entry.descriptor(), stored.address(), header.storedLength(), entry.offset());
            if (count < 0) {
                throw TraceException.ofErrno("cannot read the trace's events", -count);
            }
            if (count < header.storedLength()
                    || ChunkHeader.checksum(stored, header.storedLength()) != header.checksum()) {
                return null;
            }
            if (header.isCompressed()) {
                if (decompressor == null) {
                    decompressor = new Zstd.Decompressor();
                }
                long length = decompressor.decompress(
                        stored.address(), header.storedLength(), memory.address(), header.rawLength());
                if (length != header.rawLength()) {
                    return null;
                }
                if (header.isFiltered()) {
                    TimeFilter.undo(memory, length);
                }
            }
            return memory.asSlice(0, header.rawLength());
        } catch (OutOfMemoryError e) {
            throw new TraceException(
                    "there is not enough memory for a chunk of " + header.rawLength() + " bytes of the trace", e);
        }
    }

    private static MemorySegment room(MemorySegment memory, long length) {
        if (memory != null && memory.byteSize() >= length && (memory.byteSize() <= LARGE || length > LARGE)) {
            return memory;
        }
        return Arena.ofAuto().allocate(length + (length >>> 3), 16);
    }
}
