package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import reprise.linux.Errno;
import reprise.linux.Files;
import reprise.linux.ProcessMemory;
import reprise.linux.SyscallNumber;
import reprise.runtime.BufferLayout;
import reprise.runtime.SyscallStub;
import reprise.trace.Event;
import reprise.trace.TraceWriter;
import reprise.tracee.RuntimePage;
import reprise.tracee.Tracee;
import reprise.tracee.TraceeGoneException;
import reprise.x86.Registers;

/** The tracer's side of the system calls that tracees make without a stop, see {@link SyscallStub}. */
final class SyscallBuffers {
    /** Read along with the cursor: most of the time that is all there is. */
    private static final int FIRST_READ = 4096;

    private static final int WORD = 8;
    private static final long LENGTH = BufferLayout.END - BufferLayout.CODE;
    private static final int READ_WRITE = 3;
    private static final int READ_EXECUTE = 5;
    /** MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE */
    private static final int FLAGS = 0x4022;

    private static final int MAP_FIXED_NOREPLACE = 0x100000;

    private final TraceWriter trace;
    private final CounterClock counter;
    private final MemorySegment code = Arena.global().allocate(BufferLayout.CODE_SIZE, 64);
    private final MemorySegment content = Arena.global().allocate(WORD + FIRST_READ, 64);
    private final MemorySegment word = Arena.global().allocate(64, 64);
    private final MemorySegment plainRanges = Arena.global().allocate(16L * BufferLayout.PLAIN_RANGES_COUNT, 8);
    private final MemorySegment inodes = Arena.global().allocate(BufferLayout.TRACED_INODES_SIZE, 64);
    private final MemorySegment noClasses = Arena.global().allocate(BufferLayout.CLASSES_SIZE, 64);
    private final long procDevice;

    SyscallBuffers(TraceWriter trace, CounterClock counter, int openOutputs) {
        this.trace = trace;
        this.counter = counter;
        MemorySegment.copy(SyscallStub.image(), 0, code, JAVA_BYTE, 0, BufferLayout.CODE_SIZE);
        Files.Status proc = Files.status("/proc/self/status");
        procDevice = proc == null ? -1 : proc.device();
        for (int descriptor = 1; descriptor <= 2; descriptor++) {
            Files.Status status = (openOutputs & descriptor) == 0 ? null : Files.status("/proc/self/fd/" + descriptor);
            if (status != null) {
                markInode(status.inode());
            }
        }
    }

    private boolean markInode(long inode) {
        int bit = BufferLayout.inodeBit(inode);
        byte old = inodes.get(JAVA_BYTE, bit >> 3);
        byte marked = (byte) (old | 1 << (bit & 7));
        inodes.set(JAVA_BYTE, bit >> 3, marked);
        return marked != old;
    }

    /** Maps the stub and its buffer into the process of a task; false if the program uses the place itself. */
    boolean install(RecordedTask task) {
        Tracee tracee = task.tracee;
        long mapped = tracee.remote(
                SyscallNumber.MMAP, BufferLayout.CODE, LENGTH, READ_WRITE, FLAGS | MAP_FIXED_NOREPLACE, -1, 0);
        if (mapped != BufferLayout.CODE) {
            return false;
        }
        tracee.write(BufferLayout.CODE, code, BufferLayout.CODE_SIZE);
        tracee.remote(SyscallNumber.MPROTECT, BufferLayout.CODE, BufferLayout.CODE_SIZE, READ_EXECUTE, 0, 0, 0);
        tracee.write(BufferLayout.TRACED_INODES, inodes, BufferLayout.TRACED_INODES_SIZE);
        tracee.writeWord(BufferLayout.PROC_DEVICE, procDevice);
        writePlainRanges(task);
        tracee.writeWord(BufferLayout.BREAK, task.process.memory.mappings.breakAddress());
        tracee.writeWord(BufferLayout.TICKS_PER_SECOND, counter.perSecond());
        tracee.writeWord(BufferLayout.TICKS_PER_NANOSECOND, counter.perNanosecond());
        return true;
    }

    /** Adds to the open event what {@link #install} did, as far as replay needs it. */
    void recordInstallation(RecordedTask task) {
        trace.change(new Event.Map(
                new Event.Mapping(BufferLayout.CODE, LENGTH, READ_WRITE, FLAGS, new Event.Anonymous(), "[reprise]")));
        trace.change(new Event.Protect(BufferLayout.CODE, BufferLayout.CODE_SIZE, READ_EXECUTE));
        MemorySegment into = trace.write(task.tid(), BufferLayout.CODE, BufferLayout.CODE_SIZE);
        MemorySegment.copy(code, 0, into, 0, BufferLayout.CODE_SIZE);
        recordBreak(task);
    }

    /** Adds to the open event where the program break is. The stub moves it at replay, too. */
    private void recordBreak(RecordedTask task) {
        trace.write(task.tid(), BufferLayout.BREAK, WORD)
                .set(JAVA_LONG_UNALIGNED, 0, task.process.memory.mappings.breakAddress());
    }

    /** A call of the task is about to be recorded that may move the program break, which the stub may have moved before. */
    void findBreak(RecordedTask task) {
        if (task.process.memory.buffered) {
            task.process.memory.mappings.setBreakAddress(task.tracee.readWord(BufferLayout.BREAK));
        }
    }

    /** A traced call moved the program break, or asked for it. Part of its event. */
    void breakMoved(RecordedTask task) {
        if (task.process.memory.buffered) {
            task.tracee.writeWord(BufferLayout.BREAK, task.process.memory.mappings.breakAddress());
            recordBreak(task);
        }
    }

    /** A file is mapped from now on: what is written to it must be traced, in all processes. */
    void fileMapped(long inode, Iterable<RecordedTask> tasks) {
        if (!markInode(inode)) {
            return;
        }
        int offset = BufferLayout.inodeBit(inode) >> 6 << 3;
        for (RecordedTask task : tasks) {
            if (task.process.memory.buffered && task == task.process.threads.getFirst()) {
                ProcessMemory.write(task.tid(), BufferLayout.TRACED_INODES + offset, inodes.asSlice(offset, 8), 8);
                forgetClasses(task);
            }
        }
    }

    /** A traced call changed the address space of the task's process. */
    void mappingsChanged(RecordedTask task, List<Event.MappingChange> changes) {
        PlainRanges plain = task.process.memory.plain;
        if (!changes.isEmpty()) {
            readPlainRanges(task);
            changes.forEach(plain::follow);
            updatePlainRanges(task);
        }
    }

    /** The recorder has put something into the task's address space, where the kernel found room. */
    void occupied(RecordedTask task, long start, long length) {
        readPlainRanges(task);
        task.process.memory.plain.exclude(start, start + length);
        updatePlainRanges(task);
    }

    private void readPlainRanges(RecordedTask task) {
        if (task.process.memory.buffered) {
            long length = plainRanges.byteSize();
            if (ProcessMemory.read(task.tid(), BufferLayout.PLAIN_RANGES, plainRanges, length) != length) {
                throw new TraceeGoneException(task.tid(), 0);
            }
            task.process.memory.plain.read(plainRanges);
        }
    }

    private void updatePlainRanges(RecordedTask task) {
        if (task.process.memory.plain.takeChanged() && task.process.memory.buffered) {
            writePlainRanges(task);
        }
    }

    private void writePlainRanges(RecordedTask task) {
        task.process.memory.plain.write(plainRanges);
        ProcessMemory.write(task.tid(), BufferLayout.PLAIN_RANGES, plainRanges, plainRanges.byteSize());
    }

    /** Nothing is known any more of the descriptors of the task's process. */
    void forgetClasses(RecordedTask task) {
        if (task.process.memory.buffered) {
            ProcessMemory.write(task.tid(), BufferLayout.CLASSES, noClasses, BufferLayout.CLASSES_SIZE);
        }
    }

    /** A descriptor of the task's process was closed or replaced by a traced call. */
    void forgetClass(RecordedTask task, long descriptor) {
        if (task.process.memory.buffered && descriptor >= 0 && descriptor < BufferLayout.CLASSES_SIZE) {
            ProcessMemory.write(task.tid(), BufferLayout.CLASSES + descriptor, noClasses, 1);
        }
    }

    /** No call of the task's process is performed without a stop any more. */
    void disable(RecordedTask task) {
        task.process.memory.bufferable = false;
        if (task.process.memory.buffered) {
            writeInt(task, BufferLayout.DISABLED, 1);
        }
    }

    /** Has the calls of the task's process traced for a while, or not any longer. */
    void pause(RecordedTask task, boolean paused) {
        if (task.process.memory.buffered && task.process.memory.bufferable) {
            writeInt(task, BufferLayout.DISABLED, paused ? 1 : 0);
        }
    }

    private void writeInt(RecordedTask task, long address, int value) {
        word.set(JAVA_INT, 0, value);
        ProcessMemory.write(task.tid(), address, word, 4);
    }

    /** Asks a task, which may be running, to stop behind the call that it performs or the next one. */
    void requestStop(RecordedTask task) {
        if (task.process.memory.buffered) {
            writeInt(task, BufferLayout.STOP, 1);
            task.process.memory.stopRequested = true;
        }
    }

    /** Takes a request back: the task has stopped elsewhere. */
    private void withdrawStop(RecordedTask task) {
        if (task.process.memory.stopRequested) {
            task.process.memory.stopRequested = false;
            writeInt(task, BufferLayout.STOP, 0);
        }
    }

    /**
     * Whether a stopped task is in the midst of a call that it performs by itself. It has to go on from there before it can
     * be dealt with.
     */
    static boolean isInside(RecordedTask task) {
        if (!task.process.memory.buffered) {
            return false;
        }
        long at = task.tracee.get(Registers.RIP);
        return BufferLayout.isStub(at) && at != BufferLayout.STOP_INSTRUCTION + Registers.SYSCALL_LENGTH;
    }

    /** Whether the system call that the stopped task is about to make is the request to stop. */
    static boolean isStop(RecordedTask task) {
        return task.tracee.get(Registers.RIP) == BufferLayout.STOP_INSTRUCTION + Registers.SYSCALL_LENGTH;
    }

    /**
     * A task that is inside, and was stopped by something from outside, is to come out and stop. A call in which it slept
     * is made again, traced.
     */
    void bringOut(RecordedTask task) {
        requestStop(task);
        long result = task.tracee.get(Registers.RAX);
        boolean slept = task.tracee.get(Registers.ORIG_RAX) >= 0
                && result <= -Errno.ERESTARTSYS
                && result >= -Errno.ERESTART_RESTARTBLOCK
                && task.tracee.get(Registers.RIP) == RuntimePage.UNTRACED_SYSCALL + Registers.SYSCALL_LENGTH;
        if (slept) {
            abort(task);
        }
    }

    /** The task gives its call up and makes it traced. */
    static void abort(RecordedTask task) {
        task.tracee.set(Registers.RIP, BufferLayout.ABORT);
        task.tracee.set(Registers.ORIG_RAX, -1);
    }

    /** Whether a stopped task has something in its buffer. */
    boolean isFilled(RecordedTask task) {
        return task.process.memory.buffered
                && ProcessMemory.read(task.tid(), BufferLayout.CURSOR, word, WORD) == WORD
                && word.get(JAVA_LONG, 0) > 0;
    }

    /**
     * Puts into the trace what a stopped task has in its buffer, and empties that.
     *
     * @param stops whether the task stopped because it was asked to
     * @return whether there was something
     */
    boolean flush(RecordedTask task, boolean stops) {
        return flush(task, task.tid(), stops);
    }

    /** As {@link #flush(RecordedTask, boolean)}, where another task of the address space has to be asked for its content. */
    boolean flush(RecordedTask task, int holder, boolean stops) {
        if (!task.process.memory.buffered) {
            return false;
        }
        withdrawStop(task);
        task.polling = false;
        long count = ProcessMemory.read(holder, BufferLayout.CURSOR, content, WORD + FIRST_READ);
        long used = count < WORD + FIRST_READ ? 0 : content.get(JAVA_LONG, 0);
        if (used <= 0 || used > BufferLayout.BUFFER_SIZE) {
            if (stops) {
                trace.bufferedCalls(task.domain.id, task.tid(), true, content, 0);
            }
            return false;
        }
        // Nearly a megabyte where a program makes one call after the other: it is read to where it belongs.
        MemorySegment records = trace.openBufferedCalls(task.domain.id, task.tid(), stops, used);
        MemorySegment.copy(content, WORD, records, 0, Math.min(used, FIRST_READ));
        if (used > FIRST_READ) {
            long rest = used - FIRST_READ;
            MemorySegment room = records.asSlice(FIRST_READ, rest);
            if (ProcessMemory.read(holder, BufferLayout.BUFFER + FIRST_READ, room, rest) != rest) {
                trace.abandon();
                throw new TraceeGoneException(task.tid(), 0);
            }
        }
        task.polling = stops && Polls.areAll(records);
        trace.end();
        word.set(JAVA_LONG, 0, 0);
        ProcessMemory.write(holder, BufferLayout.CURSOR, word, WORD);
        return true;
    }

    /**
     * The task stopped behind a call because it was asked to, and has left the stop's own system call: puts its registers
     * to what the program shall see.
     */
    void comeOut(RecordedTask task) {
        ProcessMemory.read(task.tid(), BufferLayout.RETURN, word, 16);
        long behind = word.get(JAVA_LONG, 0);
        task.tracee.set(Registers.RIP, behind);
        task.tracee.set(Registers.RCX, behind);
        task.tracee.set(Registers.RAX, word.get(JAVA_LONG, 8));
        task.tracee.set(Registers.ORIG_RAX, -1);
    }
}
