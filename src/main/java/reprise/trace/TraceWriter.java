package reprise.trace;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import reprise.linux.Files;
import reprise.tracee.TracerClock;

/**
 * Writes a trace. Owned by the tracer's thread.
 *
 * <p>An event is either written by one call, which returns its sequence number, or opened by one, completed by
 * {@link #change}, {@link #mapping}, {@link #write} and {@link #child} in any order, and finished by {@link #end()}.
 * Events are encoded into a chunk of 1 MiB (more if one event is larger); full chunks are compressed and written by a
 * background thread. At most 8 chunks wait for that; then the next event does. Nothing is allocated for an event but
 * what the arguments are.
 *
 * <p>If writing fails, the next call throws {@link TraceException}, and so does every later one; what was written
 * before stays readable.
 */
public final class TraceWriter implements AutoCloseable {
    /** Level of compression where no other is asked for. */
    public static final int DEFAULT_LEVEL = 3;

    private static final long CHUNK = 1 << 20;
    private static final long MAX_AGE = 1_000_000_000L;

    private final Path directory;
    private final ChunkWriter chunks;
    private final EventEncoder encoder = new EventEncoder();
    private final long start = TracerClock.nanoTime();
    private ChunkBuffer chunk;
    private long nextSequence = 1;
    private long previousNanos;
    private boolean open;
    private boolean closed;
    private long eventStart;
    private long eventNanos;
    private int eventDomain;
    private boolean eventEnds;
    private boolean eventHasParts;
    private long writeStart = -1;
    private long writeLength;

    private TraceWriter(Path directory, ChunkWriter chunks) {
        this.directory = directory;
        this.chunks = chunks;
        chunk = chunks.take(nextSequence);
        encoder.to(chunk);
    }

    /**
     * Begins a trace in a directory that {@link TraceDirectories} made.
     *
     * @throws TraceException if its files cannot be made
     */
    public static TraceWriter create(Path directory, TraceHeader header) {
        return create(directory, header, DEFAULT_LEVEL);
    }

    /** As {@link #create(Path, TraceHeader)}, with a level of zstd, 1 to 19. */
    public static TraceWriter create(Path directory, TraceHeader header, int level) {
        String path = directory.resolve(TraceFiles.EVENTS).toString();
        long descriptor = Files.open(path, Files.O_RDWR | Files.O_CREAT | Files.O_EXCL, 0600);
        if (descriptor < 0) {
            throw TraceException.ofErrno("cannot create " + path, -descriptor);
        }
        TraceSummary.lock(descriptor);
        try {
            HeaderFile.write(directory, header);
        } catch (TraceException e) {
            Files.close(descriptor);
            throw e;
        }
        return create(directory, new ChunkWriter.FileOutput(descriptor), level);
    }

    static TraceWriter create(Path directory, ChunkWriter.Output output, int level) {
        return new TraceWriter(directory, new ChunkWriter(directory, output, level));
    }

    /** Where the trace is. */
    public Path directory() {
        return directory;
    }

    /** Sequence number of the last finished event; 0 before the first. */
    public long lastSequence() {
        return nextSequence - 1;
    }

    // ---- events that are complete at once ----

    /** Writes {@link Event.FileStored}. */
    public long fileStored(int domain, int tid, int file, String path, String stored, long size) {
        begin(TraceFormat.FILE_STORED, 0, 0, file, domain, tid);
        encoder.word(size);
        encoder.string(path);
        encoder.string(stored);
        return finish();
    }

    /** Writes {@link Event.SharedObject}. */
    public long sharedObject(int domain, int tid, int object, int file, long size, String name) {
        begin(TraceFormat.SHARED_OBJECT, 0, 0, object, domain, tid);
        encoder.word(file);
        encoder.word(size);
        encoder.string(name);
        return finish();
    }

    /** Writes {@link Event.SyscallEnter}. */
    public long syscallEnter(int domain, int tid, MemorySegment registers) {
        begin(TraceFormat.SYSCALL_ENTER, 0, 0, 0, domain, tid);
        encoder.block(registers, TraceFormat.REGISTERS);
        return finish();
    }

    /** Writes {@link Event.InstructionTrapped}. */
    public long instructionTrapped(
            int domain,
            int tid,
            Event.TrappedInstruction instruction,
            MemorySegment before,
            long rax,
            long rbx,
            long rcx,
            long rdx) {
        begin(TraceFormat.INSTRUCTION_TRAPPED, 0, instruction.ordinal(), 0, domain, tid);
        encoder.word(rax);
        encoder.word(rbx);
        encoder.word(rcx);
        encoder.word(rdx);
        encoder.block(before, TraceFormat.REGISTERS);
        return finish();
    }

    /** Writes {@link Event.CoreBound}. */
    public long coreBound(int domain, int tid, int core) {
        begin(TraceFormat.CORE_BOUND, 0, 0, core, domain, tid);
        return finish();
    }

    /** Writes {@link Event.Checksum}; of the arrays, the first {@code count} elements. */
    public long checksum(int domain, int tid, boolean complete, long[] pages, long[] hashes, int count) {
        begin(TraceFormat.CHECKSUM, complete ? TraceFormat.YES : 0, 0, count, domain, tid);
        encoder.words(pages, count);
        encoder.words(hashes, count);
        return finish();
    }

    /** Writes {@link Event.ExecutionPoint}; of probes and values, the first {@code count} elements. */
    public long executionPoint(
            int domain,
            int tid,
            MemorySegment registers,
            long vectorHash,
            boolean complete,
            long[] pages,
            long[] hashes,
            long[] probes,
            long[] values,
            int count,
            int registersChanging,
            int probesChanging) {
        begin(TraceFormat.EXECUTION_POINT, complete ? TraceFormat.YES : 0, 0, pages.length, domain, tid);
        encoder.word(vectorHash);
        encoder.words(pages, pages.length);
        encoder.words(hashes, pages.length);
        encoder.word(count | (long) registersChanging << 16 | (long) probesChanging << 32);
        encoder.words(probes, count);
        encoder.words(values, count);
        encoder.block(registers, TraceFormat.REGISTERS);
        return finish();
    }

    /**
     * Writes {@link Event.BufferedCalls}.
     *
     * @param records the first {@code length} bytes of it
     */
    public long bufferedCalls(int domain, int tid, boolean stops, MemorySegment records, long length) {
        MemorySegment.copy(records, 0, openBufferedCalls(domain, tid, stops, length), 0, length);
        return finish();
    }

    /**
     * Opens {@link Event.BufferedCalls}, which takes no parts.
     *
     * @return where to put the records, valid until the next call of this writer
     */
    public MemorySegment openBufferedCalls(int domain, int tid, boolean stops, long length) {
        begin(TraceFormat.BUFFERED_CALLS, stops ? TraceFormat.YES : 0, 0, 0, domain, tid);
        encoder.word(length);
        return encoder.reserve(length);
    }

    /** Writes {@link Event.Note}. */
    public long note(int domain, int tid, String text) {
        begin(TraceFormat.NOTE, 0, 0, 0, domain, tid);
        encoder.string(text);
        return finish();
    }

    /** Writes {@link Event.End}, the last event of a trace. */
    public long end(int domain, int tid, int waitStatus) {
        begin(TraceFormat.END, 0, 0, waitStatus, domain, tid);
        eventEnds = true;
        return finish();
    }

    // ---- events that take parts and are finished by end() ----

    /** Opens {@link Event.Exec}; its mappings and writes follow. */
    public void exec(
            int domain,
            int tid,
            int formerTid,
            int parentTid,
            String program,
            Iterable<String> arguments,
            MemorySegment registers,
            MemorySegment extendedState) {
        int count = 0;
        for (String ignored : arguments) {
            count++;
        }
        begin(TraceFormat.EXEC, 0, 0, count, domain, tid);
        encoder.pair(formerTid, parentTid);
        encoder.string(program);
        for (String argument : arguments) {
            encoder.string(argument);
        }
        encoder.block(registers, TraceFormat.REGISTERS);
        encoder.blob(extendedState);
        eventHasParts = true;
    }

    /**
     * Opens {@link Event.SyscallExit}; changes, writes and the child follow.
     *
     * @param entryRegisters null where {@link #syscallEnter} went before
     * @param exitRegisters null where nothing but the call's own registers changed
     * @param extendedState null but after sigreturn
     */
    public void syscallExit(
            int domain,
            int tid,
            MemorySegment entryRegisters,
            int number,
            long result,
            MemorySegment exitRegisters,
            MemorySegment extendedState,
            int output) {
        int flags = (entryRegisters == null ? 0 : TraceFormat.HAS_FIRST_REGISTERS)
                | (exitRegisters == null ? 0 : TraceFormat.HAS_SECOND_REGISTERS)
                | (extendedState == null ? 0 : TraceFormat.HAS_EXTENDED_STATE);
        begin(TraceFormat.SYSCALL_EXIT, flags, output, number, domain, tid);
        encoder.word(result);
        if (entryRegisters != null) {
            encoder.block(entryRegisters, TraceFormat.REGISTERS);
        }
        if (exitRegisters != null) {
            encoder.block(exitRegisters, TraceFormat.REGISTERS);
        }
        if (extendedState != null) {
            encoder.blob(extendedState);
        }
        eventHasParts = true;
    }

    /**
     * Opens {@link Event.SignalDelivered}; its writes follow.
     *
     * @param signalInfo 128 bytes
     * @param after null if fatal
     * @param extendedState null if fatal
     */
    public void signalDelivered(
            int domain,
            int tid,
            int signal,
            Event.SignalPoint point,
            Event.SignalEffect effect,
            MemorySegment before,
            MemorySegment signalInfo,
            MemorySegment after,
            MemorySegment extendedState) {
        int flags = TraceFormat.HAS_FIRST_REGISTERS
                | (after == null ? 0 : TraceFormat.HAS_SECOND_REGISTERS)
                | (extendedState == null ? 0 : TraceFormat.HAS_EXTENDED_STATE);
        begin(TraceFormat.SIGNAL_DELIVERED, flags, point.ordinal() | effect.ordinal() << 8, signal, domain, tid);
        encoder.block(before, TraceFormat.REGISTERS);
        encoder.block(signalInfo, TraceFormat.SIGNAL_INFO);
        if (after != null) {
            encoder.block(after, TraceFormat.REGISTERS);
        }
        if (extendedState != null) {
            encoder.blob(extendedState);
        }
        eventHasParts = true;
    }

    /** Opens {@link Event.TaskExit}; its writes follow. */
    public void taskExit(int domain, int tid, int waitStatus) {
        begin(TraceFormat.TASK_EXIT, 0, 0, waitStatus, domain, tid);
        eventHasParts = true;
    }

    /** Opens {@link Event.CodePatched}; its changes and writes follow. */
    public void codePatched(int domain, int tid, long resumeAt, long[] places) {
        begin(TraceFormat.CODE_PATCHED, 0, 0, places.length, domain, tid);
        encoder.word(resumeAt);
        encoder.words(places, places.length);
        eventHasParts = true;
    }

    /** Adds a mapping to an {@link Event.Exec}. */
    public void mapping(Event.Mapping mapping) {
        part();
        mapping(TraceFormat.PART_MAPPING, mapping);
    }

    /** Adds a change of the address space to a {@link Event.SyscallExit} or {@link Event.CodePatched}. */
    public void change(Event.MappingChange change) {
        part();
        switch (change) {
            case Event.Map map -> mapping(TraceFormat.PART_MAP, map.mapping());
            case Event.Unmap unmap -> {
                encoder.tag(TraceFormat.PART_UNMAP, 0, 0, 0);
                encoder.word(unmap.address());
                encoder.word(unmap.length());
            }
            case Event.Protect protect -> {
                encoder.tag(TraceFormat.PART_PROTECT, 0, 0, protect.protection());
                encoder.word(protect.address());
                encoder.word(protect.length());
            }
            case Event.Remap remap -> {
                encoder.tag(TraceFormat.PART_REMAP, 0, 0, remap.flags());
                encoder.word(remap.oldAddress());
                encoder.word(remap.oldLength());
                encoder.word(remap.newAddress());
                encoder.word(remap.newLength());
            }
            case Event.Resize resize -> {
                encoder.tag(TraceFormat.PART_RESIZE, 0, 0, resize.object());
                encoder.word(resize.size());
            }
            case Event.Discard discard -> {
                encoder.tag(TraceFormat.PART_DISCARD, 0, 0, discard.advice());
                encoder.word(discard.address());
                encoder.word(discard.length());
            }
        }
    }

    private void mapping(int tag, Event.Mapping mapping) {
        int backing;
        int number = 0;
        long offset = 0;
        switch (mapping.backing()) {
            case Event.Anonymous ignored -> backing = TraceFormat.BACKING_ANONYMOUS;
            case Event.PrivateFile file -> {
                backing = TraceFormat.BACKING_PRIVATE_FILE;
                number = file.file();
                offset = file.offset();
            }
            case Event.Shared shared -> {
                backing = TraceFormat.BACKING_SHARED;
                number = shared.object();
                offset = shared.offset();
            }
        }
        encoder.tag(tag, 0, backing, number);
        encoder.pair(mapping.protection(), mapping.flags());
        encoder.word(mapping.address());
        encoder.word(mapping.length());
        encoder.word(offset);
        encoder.string(mapping.name());
    }

    /**
     * Adds memory that the kernel or the tracer wrote to the process of {@code tid}.
     *
     * @param address in the tracee
     * @param length in bytes, 0 allowed
     * @return where to put the bytes, at once: it is part of the chunk, valid until the next call of this writer
     */
    public MemorySegment write(int tid, long address, long length) {
        if (length < 0) {
            throw new IllegalArgumentException("a write of " + length + " bytes at 0x" + Long.toHexString(address));
        }
        part();
        encoder.flush();
        writeStart = chunk.position;
        writeLength = length;
        encoder.tag(TraceFormat.PART_WRITE, 0, 0, tid);
        encoder.word(address);
        encoder.word(length);
        return encoder.reserve(length);
    }

    /** Fewer bytes than announced were there: {@code length} of them. 0 is {@link #cancelLastWrite()}. */
    public void shortenLastWrite(long length) {
        if (writeStart < 0 || length < 0 || length > writeLength) {
            throw new IllegalArgumentException(
                    "the last write has " + (writeStart < 0 ? "been left" : writeLength + " bytes, not " + length));
        }
        if (length == 0) {
            cancelLastWrite();
            return;
        }
        encoder.shorten(writeStart, length);
        writeLength = length;
    }

    /** Takes the last write back. */
    public void cancelLastWrite() {
        if (writeStart < 0) {
            throw new IllegalStateException("there is no last write to cancel");
        }
        chunk.position = writeStart;
        writeStart = -1;
    }

    /** Adds the task that a system call created. */
    public void child(Event.NewTask child) {
        part();
        encoder.tag(TraceFormat.PART_CHILD, 0, child.sharesMemory() ? 1 : 0, child.tid());
        encoder.word(child.domain());
        encoder.word(child.cloneFlags());
        encoder.block(child.registers(), TraceFormat.REGISTERS);
    }

    /** Finishes the open event; its sequence number. */
    public long end() {
        if (!open) {
            throw new IllegalStateException("no event is open");
        }
        return finish();
    }

    /** Takes the open event back, if there is one: its task was killed while it was being recorded. */
    public void abandon() {
        if (open) {
            encoder.forget();
            chunk.position = eventStart;
            open = false;
            writeStart = -1;
        }
    }

    // ---- chunks ----

    /**
     * Hands the finished events to the background thread, without waiting for it. Rarely needed: a chunk is handed
     * over when it is full or a second old, and what is left when the tracer waits longer is saved all the same.
     */
    public void flush() {
        chunks.check();
        requireNoneOpen();
        handOver();
    }

    /**
     * Writes what is left and waits for it. An open event is dropped.
     *
     * @throws TraceException if something could not be written
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        abandon();
        if (chunk.events > 0) {
            chunks.put(chunk);
        }
        chunks.close();
        if (chunk.events == 0) {
            chunk.free();
        }
        chunks.check();
    }

    private void begin(int kind, int flags, int small, int number, int domain, int tid) {
        chunks.check();
        requireNoneOpen();
        long now = TracerClock.nanoTime() - start;
        if (chunk.events > 0 && now - chunk.firstNanos > MAX_AGE) {
            handOver();
        }
        if (chunk.events == 0) {
            chunk.firstNanos = now;
            previousNanos = 0;
        }
        open = true;
        eventStart = chunk.position;
        eventNanos = now;
        eventDomain = domain;
        eventEnds = false;
        eventHasParts = false;
        encoder.tag(kind, flags, small, number);
        encoder.pair(domain, tid);
        encoder.word(now - previousNanos);
    }

    private void requireNoneOpen() {
        if (open || closed) {
            throw new IllegalStateException(
                    closed ? "the trace is closed" : "event " + nextSequence + " is still open");
        }
    }

    private void part() {
        if (!open || !eventHasParts) {
            throw new IllegalStateException("no event that takes parts is open");
        }
        writeStart = -1;
    }

    private long finish() {
        if (eventHasParts) {
            encoder.word(TraceFormat.PART_END);
        }
        encoder.flush();
        open = false;
        writeStart = -1;
        previousNanos = eventNanos;
        chunk.events++;
        chunk.domains |= 1L << eventDomain;
        chunk.ends = eventEnds;
        chunk.publish();
        long sequence = nextSequence++;
        if (chunk.position >= CHUNK) {
            handOver();
        }
        return sequence;
    }

    private void handOver() {
        if (chunk.events > 0) {
            chunks.put(chunk);
            chunk = chunks.take(nextSequence);
            encoder.to(chunk);
        }
    }
}
