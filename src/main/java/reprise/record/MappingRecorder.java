package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import reprise.linux.Files;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.runtime.Patch;
import reprise.trace.Event;
import reprise.trace.TraceWriter;
import reprise.tracee.AddressSpace;
import reprise.tracee.ProcMaps;
import reprise.x86.Registers;

/** Records how system calls change address spaces, and what calls on files do to memory that shows them. */
final class MappingRecorder {
    private static final int MAP_SHARED = 1;
    private static final int MAP_TYPE = 0xf;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_FIXED = 0x10;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MAP_FIXED_NOREPLACE = 0x100000;
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int PROT_EXEC = 4;
    private static final int MREMAP_DONTUNMAP = 4;
    private static final long[] NONE = {};
    private static final int WRITE_PERMISSION = 0200;
    private static final int O_TRUNC = 01000;
    private static final int MADV_DONTNEED = 4;
    private static final int MADV_DONTNEED_LOCKED = 24;
    /** FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE. */
    private static final int FALLOC_MOVES = 8 | 32;

    private static final int RLIMIT_STACK = 3;
    private static final int SHM_RDONLY = 010000;
    /** Device number of /dev/zero: major 1, minor 5. */
    private static final long DEV_ZERO = 0x105;

    private final Recorder recorder;
    private final MappedFiles files;
    private final RandomPatcher random;
    private final PrivateViews views = new PrivateViews();
    private final List<Event.MappingChange> changes = new ArrayList<>();
    private final MemorySegment vector = Arena.global().allocate(16, 16);
    private final long procDevice;

    /** What to tell the address space once the event is in the trace; null if nothing. */
    private Event.MappingChange pending;

    private MappedFile pendingFile;
    private long[] patched = NONE;

    /** The size of the file whose size the call changed, before it; -1 if it changed none. */
    private long sizeBefore;

    /** A segment attached for the first time, whose content must be recorded; null if none. */
    private ProcMaps.Region attached;

    MappingRecorder(Recorder recorder, MappedFiles files, RandomPatcher random) {
        this.recorder = recorder;
        this.random = random;
        this.files = files;
        Files.Status proc = Files.status("/proc/self/status");
        procDevice = proc == null ? -1 : proc.device();
    }

    /** Addresses of the bytes in newly mapped code that were replaced: they follow the change. */
    long[] patched() {
        return patched;
    }

    /** The changes that the call of the last {@link #prepare} made, in order. */
    List<Event.MappingChange> changes() {
        return changes;
    }

    private static long pages(long length) {
        return length + 4095 & ~4095L;
    }

    /** Works out what a finished call did to the address space, and puts new files and objects into the trace. */
    void prepare(RecordedTask task, int number, long result) {
        changes.clear();
        patched = NONE;
        pending = null;
        pendingFile = null;
        sizeBefore = -1;
        for (MappedFile file : task.process.memory.laterViews) {
            if (file.object != 0) {
                views.show(task, file, changes);
            }
        }
        task.process.memory.laterViews.clear();
        if (result < 0 && result >= -4095) {
            PartialChanges.find(task, number, result, changes);
            return;
        }
        resize(task, number, result);
        switch (number) {
            case SyscallNumber.MMAP -> map(task, result);
            case SyscallNumber.MUNMAP -> change(new Event.Unmap(task.argument(0), pages(task.argument(1))));
            case SyscallNumber.MPROTECT, SyscallNumber.PKEY_MPROTECT -> protect(task);
            case SyscallNumber.MREMAP ->
                change(new Event.Remap(task.argument(0), pages(task.argument(1)), result, pages(task.argument(2)), (int)
                        task.argument(3)));
            case SyscallNumber.BRK -> setBreak(task, result);
            case SyscallNumber.MADVISE -> advise(task);
            case SyscallNumber.SETRLIMIT, SyscallNumber.PRLIMIT64 -> limitStack(task);
            case SyscallNumber.SHMAT -> attach(task, result);
            case SyscallNumber.SHMDT -> detach(task);
            default -> {}
        }
    }

    /** A file that is mapped as a shared object may have another size now, which decides where access to it faults. */
    private void resize(RecordedTask task, int number, long result) {
        String path = resized(task, number, result);
        Files.Status status = path == null ? null : Files.status(path);
        MappedFile file = status == null || !status.isRegular() ? null : files.find(status);
        if (file != null && file.object != 0 && file.objectSize != status.size()) {
            sizeBefore = file.objectSize;
            file.objectSize = status.size();
            changes.add(new Event.Resize(file.object, status.size()));
        }
        if (file != null && file.stored != 0 && file.privateSize != status.size()) {
            PrivateSizes.follow(task, file, status.size(), changes);
        }
    }

    /** A path to the file whose size a call may have changed; null if there is none. */
    private String resized(RecordedTask task, int number, long result) {
        int descriptor = switch (number) {
            case SyscallNumber.OPEN -> (task.argument(1) & O_TRUNC) != 0 ? (int) result : -1;
            case SyscallNumber.OPENAT -> (task.argument(2) & O_TRUNC) != 0 ? (int) result : -1;
            case SyscallNumber.OPENAT2 -> (task.tracee.readWord(task.argument(2)) & O_TRUNC) != 0 ? (int) result : -1;
            case SyscallNumber.CREAT -> (int) result;
            default -> writtenDescriptor(task.entry, number);
        };
        if (descriptor >= 0) {
            return TaskPaths.ofDescriptor(task, descriptor);
        }
        if (number != SyscallNumber.TRUNCATE) {
            return null;
        }
        return TaskPaths.resolve(task, task.tracee.readString(task.argument(0)));
    }

    /** The descriptor whose file a call may have written to, -1 if it writes to none. */
    private static int writtenDescriptor(MemorySegment registers, int number) {
        int argument = switch (number) {
            case SyscallNumber.WRITE,
                    SyscallNumber.WRITEV,
                    SyscallNumber.PWRITE64,
                    SyscallNumber.PWRITEV,
                    SyscallNumber.PWRITEV2,
                    SyscallNumber.FTRUNCATE,
                    SyscallNumber.FALLOCATE,
                    SyscallNumber.SENDFILE -> 0;
            case SyscallNumber.COPY_FILE_RANGE, SyscallNumber.SPLICE -> 2;
            default -> -1;
        };
        return argument < 0 ? -1 : (int) Registers.get(registers, Registers.argument(argument));
    }

    /** What mmap and mprotect were asked for, and what the kernel adds to it. */
    private static int protection(RecordedTask task) {
        int asked = (int) task.argument(2);
        return task.readImpliesExec && (asked & PROT_READ) != 0 ? asked | PROT_EXEC : asked;
    }

    private void change(Event.MappingChange change) {
        changes.add(change);
        pending = change;
    }

    private void map(RecordedTask task, long address) {
        long length = pages(task.argument(1));
        int protection = protection(task);
        int flags = (int) task.argument(3);
        boolean shared = (flags & MAP_TYPE) != MAP_PRIVATE;
        int kept = flags & ~(MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_TYPE) | (shared ? MAP_SHARED : MAP_PRIVATE);
        Event.Backing backing;
        String name = "";
        if ((flags & MAP_ANONYMOUS) != 0) {
            backing = shared ? sharedZeroes(task, length, 0) : new Event.Anonymous();
        } else {
            String path = "/proc/" + task.tid() + "/fd/" + (int) task.argument(4);
            Files.Status status = Files.status(path);
            name = String.valueOf(Files.readLink(path));
            if (status != null && status.isCharacterDevice() && status.specialDevice() == DEV_ZERO) {
                backing = shared ? sharedZeroes(task, length, task.argument(5)) : new Event.Anonymous();
                kept |= MAP_ANONYMOUS;
            } else if (status == null || !status.isRegular()) {
                recorder.note(
                        task, "mapping of " + name + " is not recorded: it is neither a file nor anonymous memory");
                backing = new Event.Anonymous();
                kept |= MAP_ANONYMOUS;
            } else {
                backing = mapFile(task, path, name, status, length, shared, protection);
                if ((protection & PROT_EXEC) != 0 && backing instanceof Event.PrivateFile stored) {
                    patched = random.patch(task.tracee, status, stored.file(), task.argument(5), address, length);
                }
            }
        }
        change(new Event.Map(new Event.Mapping(address, length, protection, kept, backing, name)));
    }

    /** Of /dev/zero the kernel makes an object as long as the mapping, even if that begins at an offset in it. */
    private Event.Backing sharedZeroes(RecordedTask task, long length, long offset) {
        pendingFile = files.anonymous(task.domain.id, task.tid(), length);
        pendingFile.writable = true;
        return new Event.Shared(pendingFile.object, offset);
    }

    private Event.Backing mapFile(
            RecordedTask task,
            String path,
            String name,
            Files.Status status,
            long length,
            boolean shared,
            int protection) {
        long offset = task.argument(5);
        MappedFile file = files.of(status);
        file.inMemory = name.startsWith("/memfd:");
        pendingFile = file;
        if (file.object != 0 && (!isMapped(file) || file.stale && !isShared(file))) {
            file.object = 0;
            file.writable = false;
            file.stale = false;
        }
        if (!shared && file.object != 0) {
            // Pages of a private mapping that are not written to show what is written to the shared ones.
            if (file.writable) {
                connect(task, file);
            }
            return new Event.Shared(file.object, offset);
        }
        boolean writableDescriptor = isOpenForWriting(path);
        // Who may write to the file, or map it shared later, may also fork before.
        if (!shared && !writableDescriptor) {
            boolean changing = file.writable || status.device() != 0 && isMemoryFile(name);
            int stored = files.store(task.domain.id, task.tid(), path, name, changing);
            file.stored = stored;
            file.privateSize = status.size();
            return new Event.PrivateFile(stored, offset);
        }
        boolean writable = (protection & PROT_WRITE) != 0 || writableDescriptor;
        if (file.object == 0) {
            // Most are mapped before anything is in them.
            int stored = isOfZeros(name, status)
                    ? 0
                    : files.store(task.domain.id, task.tid(), path, name, writable || isMemoryFile(name));
            files.share(task.domain.id, task.tid(), file, stored, status.size(), name);
        }
        if (shared && writable && !file.writable) {
            becomeWritable(task, file);
        } else if (file.writable) {
            connect(task, file);
        }
        return new Event.Shared(file.object, offset);
    }

    /** Whether a file has no page yet, where the file system counts pages at once: others may have written what is not allocated. */
    private static boolean isOfZeros(String name, Files.Status status) {
        return status.blocks() == 0 && name.startsWith("/memfd:");
    }

    private static boolean isMemoryFile(String name) {
        return name.startsWith("/memfd:") || name.startsWith("/dev/shm/") || name.endsWith(" (deleted)");
    }

    /** Whether a descriptor, of which this is the link in /proc, may write; yes if that cannot be told. */
    private static boolean isOpenForWriting(String path) {
        Files.Status link = Files.linkStatus(path);
        return link == null || (link.mode() & WRITE_PERMISSION) != 0;
    }

    /** From now on memory that shows a file may be stored to: who maps it privately is to see that, too. */
    private void becomeWritable(RecordedTask task, MappedFile file) {
        file.writable = true;
        connect(task, file);
        for (RecordedTask other : recorder.all()) {
            if (other.process.memory != task.process.memory && maps(other, file)) {
                other.process.memory.laterViews.add(file);
            }
        }
        views.show(task, file, changes);
    }

    /** The task shares a writable file with others from now on: their domains become one. */
    private void connect(RecordedTask task, MappedFile file) {
        for (RecordedTask other : recorder.list()) {
            if (other.domain != task.domain && other.process.memory != task.process.memory && maps(other, file)) {
                recorder.merge(task.domain, other.domain);
            }
        }
    }

    /** A task is about to make a call: if that writes to memory of other domains, they become one with the task's. */
    void connectWritten(RecordedTask task, int number) {
        if (number == SyscallNumber.PROCESS_VM_WRITEV) {
            connect(task, recorder.find((int) task.tracee.get(Registers.RDI)));
            return;
        }
        int descriptor = writtenDescriptor(task.tracee.registers(), number);
        if (descriptor < 0 || task.domain.tasks == recorder.taskCount()) {
            return;
        }
        String path = TaskPaths.ofDescriptor(task, descriptor);
        Files.Status status = Files.status(path);
        if (status == null || !status.isRegular()) {
            return;
        }
        if (status.device() == procDevice) {
            connect(task, ownerOfMemoryFile(path));
            return;
        }
        MappedFile file = files.find(status);
        if (file != null) {
            connect(task, file);
        }
    }

    /**
     * Whether a call writes from memory to a file that is mapped. Who maps it would see the bytes before the event that
     * writes them, if others ran meanwhile; and such a call always ends by itself, however slow the disk is.
     */
    boolean writesMappedFile(RecordedTask task, int number) {
        if (task.domain.tasks == 1) {
            return false;
        }
        return switch (number) {
            case SyscallNumber.WRITE,
                    SyscallNumber.WRITEV,
                    SyscallNumber.PWRITE64,
                    SyscallNumber.PWRITEV,
                    SyscallNumber.PWRITEV2 -> {
                int descriptor = writtenDescriptor(task.tracee.registers(), number);
                Files.Status status = Files.status(TaskPaths.ofDescriptor(task, descriptor));
                yield status != null
                        && status.isRegular()
                        && (status.device() == procDevice || files.find(status) != null);
            }
            default -> false;
        };
    }

    private void connect(RecordedTask task, RecordedTask other) {
        if (other != null) {
            recorder.merge(task.domain, other.domain);
        }
    }

    private boolean isMapped(MappedFile file) {
        for (RecordedTask task : recorder.all()) {
            // One of a process tells for all: there may be hundreds, and thousands of mappings.
            if (task == task.process.threads.getFirst() && maps(task, file)) {
                return true;
            }
        }
        return false;
    }

    private boolean isShared(MappedFile file) {
        for (RecordedTask task : recorder.all()) {
            for (AddressSpace.Range<MappedFile> range : task.process.memory.mappings.ranges()) {
                if (range.file() == file && range.shared()) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean maps(RecordedTask task, MappedFile file) {
        for (AddressSpace.Range<MappedFile> range : task.process.memory.mappings.ranges()) {
            if (range.file() == file) {
                return true;
            }
        }
        return false;
    }

    private void protect(RecordedTask task) {
        long address = task.argument(0);
        long length = pages(task.argument(1));
        int protection = protection(task);
        if ((protection & PROT_WRITE) != 0) {
            for (AddressSpace.Range<MappedFile> range :
                    task.process.memory.mappings.overlapping(address, address + length)) {
                if (range.shared() && !range.file().writable) {
                    becomeWritable(task, range.file());
                }
            }
        }
        change(new Event.Protect(address, length, protection));
    }

    private void setBreak(RecordedTask task, long result) {
        AddressSpace<MappedFile> mappings = task.process.memory.mappings;
        long old = pages(mappings.breakAddress());
        long now = pages(result);
        if (mappings.breakAddress() != 0 && now > old) {
            int protection = PROT_READ | PROT_WRITE | (task.readImpliesExec ? PROT_EXEC : 0);
            changes.add(new Event.Map(new Event.Mapping(
                    old, now - old, protection, MAP_PRIVATE | MAP_ANONYMOUS, new Event.Anonymous(), "[heap]")));
        } else if (mappings.breakAddress() != 0 && now < old) {
            changes.add(new Event.Unmap(now, old - now));
        }
        mappings.setBreakAddress(result);
    }

    /** A new limit of the stack decides where an overflow faults. */
    private void limitStack(RecordedTask task) {
        boolean older = task.call == SyscallNumber.SETRLIMIT;
        int resource = (int) task.argument(older ? 0 : 1);
        int pid = older ? 0 : (int) task.argument(0);
        RecordedProcess.Memory memory = task.process.memory;
        if (resource != RLIMIT_STACK || pid != 0 && pid != task.process.pid || memory.stackStart == 0) {
            return;
        }
        Syscall.call(SyscallNumber.PRLIMIT64, task.tid(), RLIMIT_STACK, 0, vector.address());
        long limit = vector.get(JAVA_LONG, 0) & -4096;
        long start = memory.stackEnd - limit;
        if (limit <= 0 || start <= memory.stackStart) {
            return;
        }
        for (ProcMaps.Region region : ProcMaps.read(task.tid())) {
            if (region.end() == memory.stackEnd) {
                start = Math.min(start, region.start());
            }
        }
        if (start > memory.stackStart) {
            changes.add(new Event.Unmap(memory.stackStart, start - memory.stackStart));
            memory.stackStart = start;
        }
    }

    private void advise(RecordedTask task) {
        int advice = (int) task.argument(2);
        switch (advice) {
            // DONTNEED, REMOVE, DONTFORK, DOFORK, WIPEONFORK, KEEPONFORK, DONTNEED_LOCKED
            case 4, 9, 10, 11, 18, 19, 24 ->
                changes.add(new Event.Discard(task.argument(0), pages(task.argument(1)), advice));
            // FREE, which is done as DONTNEED
            case 8 -> changes.add(new Event.Discard(task.argument(0), pages(task.argument(1)), 4));
            default -> {}
        }
    }

    private void attach(RecordedTask task, long address) {
        // The kernel shows the segment as a file of its own: find the mapping it made.
        for (ProcMaps.Region region : ProcMaps.read(task.tid())) {
            if (region.start() == address) {
                Files.Status status = new Files.Status(region.device(), region.inode(), 1, 0100000, 0, 0, 0, 0, 0);
                MappedFile file = files.of(status);
                boolean fresh = file.object == 0 || !isMapped(file);
                if (fresh) {
                    file.object = 0;
                    files.share(task.domain.id, task.tid(), file, 0, region.length(), region.path());
                }
                file.writable = (task.argument(2) & SHM_RDONLY) == 0 || file.writable;
                pendingFile = file;
                if (file.writable) {
                    connect(task, file);
                }
                change(new Event.Map(new Event.Mapping(
                        address,
                        region.length(),
                        region.protection(),
                        MAP_SHARED,
                        new Event.Shared(file.object, 0),
                        region.path())));
                attached = fresh ? region : null;
                return;
            }
        }
    }

    private void detach(RecordedTask task) {
        long address = task.argument(0);
        for (AddressSpace.Range<MappedFile> range : task.process.memory.mappings.ranges()) {
            if (range.start() == address) {
                change(new Event.Unmap(address, range.end() - address));
                return;
            }
        }
    }

    /**
     * Where a call made code writable, the program finds its own when it changes it. Others may be in the trampolines
     * still; they lead back.
     */
    void openCode(RecordedTask task, int number, TraceWriter trace) {
        int protection = protection(task);
        if (number != SyscallNumber.MPROTECT && number != SyscallNumber.PKEY_MPROTECT
                || (protection & PROT_WRITE) == 0) {
            return;
        }
        long start = task.argument(0);
        long end = start + pages(task.argument(1));
        PatchedCode code = task.process.memory.code;
        if (!code.isPatched(start, end)
                && ((protection & PROT_EXEC) == 0
                        || task.process.memory.mappings.overlapping(start, end).isEmpty())) {
            return;
        }
        for (Patch patch : code.opened(start, end)) {
            for (Patch.Edit edit : patch.edits()) {
                MemorySegment into = trace.write(task.tid(), edit.address(), edit.before().length);
                MemorySegment.copy(edit.before(), 0, into, JAVA_BYTE, 0, edit.before().length);
                task.tracee.write(edit.address(), into, edit.before().length);
            }
        }
    }

    /** Brings the task's address space up to date with what {@link #prepare} found. */
    void commit(RecordedTask task) {
        AddressSpace<MappedFile> mappings = task.process.memory.mappings;
        PatchedCode code = task.process.memory.code;
        switch (pending) {
            case null -> {}
            case Event.Map(Event.Mapping mapping) -> {
                code.unmapped(mapping.address(), mapping.length());
                if (pendingFile != null) {
                    long offset = switch (mapping.backing()) {
                        case Event.PrivateFile file -> file.offset();
                        case Event.Shared object -> object.offset();
                        case Event.Anonymous none -> 0;
                    };
                    boolean shared = (mapping.flags() & MAP_SHARED) != 0;
                    mappings.map(mapping.address(), mapping.length(), pendingFile, offset, shared);
                    if ((mapping.protection() & (PROT_WRITE | PROT_EXEC)) == (PROT_WRITE | PROT_EXEC)) {
                        code.opened(mapping.address(), mapping.address() + mapping.length());
                    }
                } else {
                    mappings.unmap(mapping.address(), mapping.length());
                }
            }
            case Event.Unmap unmap -> {
                code.unmapped(unmap.address(), unmap.length());
                mappings.unmap(unmap.address(), unmap.length());
            }
            case Event.Remap remap -> {
                code.unmapped(remap.oldAddress(), remap.oldLength());
                code.unmapped(remap.newAddress(), remap.newLength());
                mappings.remap(
                        remap.oldAddress(),
                        remap.oldLength(),
                        remap.newAddress(),
                        remap.newLength(),
                        (remap.flags() & MREMAP_DONTUNMAP) != 0 || remap.oldLength() == 0);
            }
            case Event.Protect protect -> {}
            case Event.Resize resize -> {}
            case Event.Discard discard -> {}
        }
    }

    /** Records the pages that the program has written in private mappings that show a shared object now. */
    void recordOwnPages(RecordedTask task, TraceWriter trace) {
        for (long[] page : views.takeOwn()) {
            copy(task, page[0], page[1], trace);
        }
    }

    /** Records what a call wrote to memory by way of a file that some process has mapped. */
    void recordFileWrites(RecordedTask task, int number, long result, TraceWriter trace) {
        if (attached != null) {
            copy(task, attached.start(), attached.length(), trace);
            attached = null;
        }
        if (number == SyscallNumber.MMAP || number == SyscallNumber.MREMAP) {
            recordStale(task, number, result, trace);
            return;
        }
        if (number == SyscallNumber.MADVISE) {
            recordEmptied(task, trace);
            return;
        }
        if (number == SyscallNumber.MSYNC) {
            long start = task.argument(0);
            for (AddressSpace.Range<MappedFile> range :
                    task.process.memory.mappings.overlapping(start, start + pages(task.argument(1)))) {
                copyTail(range.file(), trace);
            }
            return;
        }
        int descriptor = writtenDescriptor(task.entry, number);
        if (isSync(number)) {
            Files.Status synced = Files.status(TaskPaths.ofDescriptor(task, (int) task.argument(0)));
            MappedFile file = synced == null ? null : files.find(synced);
            if (file != null) {
                copyTail(file, trace);
            }
            return;
        }
        if (descriptor < 0 && number != SyscallNumber.TRUNCATE) {
            return;
        }
        String path = resized(task, number, result);
        Files.Status status = path == null ? null : Files.status(path);
        if (status == null || !status.isRegular()) {
            return;
        }
        if (status.device() == procDevice) {
            recordMemoryFile(task, number, result, path, trace);
            return;
        }
        MappedFile file = files.find(status);
        if (file == null) {
            return;
        }
        long from = 0;
        long to = Long.MAX_VALUE;
        switch (number) {
            case SyscallNumber.WRITE, SyscallNumber.WRITEV -> {
                to = position(task, descriptor);
                from = to - result;
            }
            case SyscallNumber.PWRITE64, SyscallNumber.PWRITEV -> {
                from = task.argument(3);
                to = from + result;
            }
            case SyscallNumber.FTRUNCATE, SyscallNumber.TRUNCATE -> {
                from = task.argument(1);
                to = pages(from);
            }
            default -> {}
        }
        if (sizeBefore >= 0 && sizeBefore < from) {
            // What a program stored behind the end, in the end's page, is zeroed when the file grows over it.
            copy(file, sizeBefore, Math.min(pages(sizeBefore), from), false, trace);
        }
        // Where a file's pages change their places, private copies of them are dropped (truncate_pagecache).
        boolean moved = number == SyscallNumber.FALLOCATE && (task.argument(1) & FALLOC_MOVES) != 0;
        copy(file, from, to, moved, trace);
    }

    /** A new mapping may show what was written to the file while no shared mapping showed that part of it. */
    private void recordStale(RecordedTask task, int number, long result, TraceWriter trace) {
        MappedFile file = pendingFile;
        if (number == SyscallNumber.MREMAP) {
            long old = task.argument(0);
            List<AddressSpace.Range<MappedFile>> ranges =
                    task.process.memory.mappings.overlapping(old, old + Math.max(1, task.argument(1)));
            file = ranges.isEmpty() ? null : ranges.getLast().file();
        }
        if (file != null && file.object != 0 && file.stale) {
            copy(task, result, pages(task.argument(number == SyscallNumber.MMAP ? 1 : 2)), trace);
        }
    }

    /** Private pages that were given up show the file as it is now, which its copy in the trace may not be. */
    private void recordEmptied(RecordedTask task, TraceWriter trace) {
        int advice = (int) task.argument(2);
        if (advice != MADV_DONTNEED && advice != MADV_DONTNEED_LOCKED) {
            return;
        }
        long start = task.argument(0);
        long end = start + pages(task.argument(1));
        for (AddressSpace.Range<MappedFile> range : task.process.memory.mappings.overlapping(start, end)) {
            if (!range.shared() && range.file().changed) {
                long from = Math.max(start, range.start());
                copy(task, from, Math.min(end, range.end()) - from, trace);
            }
        }
    }

    private static boolean isSync(int number) {
        return switch (number) {
            case SyscallNumber.FSYNC, SyscallNumber.FDATASYNC, SyscallNumber.SYNC_FILE_RANGE -> true;
            default -> false;
        };
    }

    /** Writing a file's last page to disk zeroes what a program stored behind the file's end. */
    private void copyTail(MappedFile file, TraceWriter trace) {
        if (file.object != 0 && file.writable) {
            copy(file, file.objectSize, pages(file.objectSize), false, trace);
        }
    }

    /** Records what is in memory that shows a part of a file, in all address spaces; {@code always}: private memory, too. */
    private void copy(MappedFile file, long from, long to, boolean always, TraceWriter trace) {
        boolean shown = file.object != 0 && isShown(file, from, Math.min(to, file.objectSize));
        Set<RecordedProcess.Memory> seen = new HashSet<>();
        for (RecordedTask other : recorder.all()) {
            if (seen.add(other.process.memory)) {
                for (AddressSpace.Range<MappedFile> range : other.process.memory.mappings.ranges()) {
                    // What is written to a private page makes it one's own, which it is not if the object has it
                    // anyway.
                    boolean follows = shown && file.writable && !range.shared() && !always;
                    if (range.file() == file && range.offset() < to && range.endOffset() > from && !follows) {
                        long start = range.start() + Math.max(0, from - range.offset());
                        long end = range.end() - Math.max(0, range.endOffset() - to);
                        copy(other, start, end - start, trace);
                    }
                }
            }
        }
        file.changed = true;
        file.stale |= file.object != 0 && !shown;
    }

    /** Whether shared mappings show all of a part of a file. */
    private boolean isShown(MappedFile file, long from, long to) {
        long at = from;
        boolean further = true;
        while (further && at < to) {
            further = false;
            for (RecordedTask task : recorder.all()) {
                for (AddressSpace.Range<MappedFile> range : task.process.memory.mappings.ranges()) {
                    if (range.file() == file && range.shared() && range.offset() <= at && range.endOffset() > at) {
                        at = range.endOffset();
                        further = true;
                    }
                }
            }
        }
        return at >= to;
    }

    private static void copy(RecordedTask owner, long address, long length, TraceWriter trace) {
        MemorySegment into = trace.write(owner.tid(), address, length);
        trace.shortenLastWrite(owner.tracee.read(address, into, length));
    }

    private static long position(RecordedTask task, int descriptor) {
        String text = Files.readText("/proc/" + task.tid() + "/fdinfo/" + descriptor);
        if (text == null || !text.startsWith("pos:\t")) {
            return 0;
        }
        return Long.parseLong(text.substring(5, text.indexOf('\n')));
    }

    /** A write to /proc/PID/mem. */
    private void recordMemoryFile(RecordedTask task, int number, long result, String path, TraceWriter trace) {
        RecordedTask owner = ownerOfMemoryFile(path);
        if (owner == null) {
            return;
        }
        boolean positioned = number == SyscallNumber.PWRITE64 || number == SyscallNumber.PWRITEV;
        long address = positioned ? task.argument(3) : position(task, (int) task.argument(0)) - result;
        copy(owner, address, result, trace);
    }

    /** The recorded task whose /proc/PID/mem a path leads to; null if it leads elsewhere. */
    private RecordedTask ownerOfMemoryFile(String path) {
        String target = Files.readLink(path);
        if (target == null || !target.endsWith("/mem") || !target.startsWith("/proc/")) {
            return null;
        }
        String[] parts = target.split("/");
        return recorder.find(Integer.parseInt(parts.length > 5 ? parts[4] : parts[2]));
    }

    /** Records what process_vm_writev wrote to a recorded process. */
    void recordForeignWrites(RecordedTask task, int number, long result, TraceWriter trace) {
        if (number != SyscallNumber.PROCESS_VM_WRITEV || result == 0) {
            return;
        }
        RecordedTask owner = recorder.find((int) task.argument(0));
        if (owner == null) {
            return;
        }
        long left = result;
        for (long index = 0; index < task.argument(4) && left > 0; index++) {
            if (task.tracee.read(task.argument(3) + index * 16, vector, 16) != 16) {
                return;
            }
            long length = Math.min(left, vector.get(JAVA_LONG, 8));
            copy(owner, vector.get(JAVA_LONG, 0), length, trace);
            left -= length;
        }
    }
}
