package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import reprise.linux.Files;
import reprise.linux.LinuxException;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.trace.Event;
import reprise.trace.TraceWriter;
import reprise.tracee.AddressSpace;
import reprise.tracee.ProcMaps;
import reprise.tracee.RuntimePage;
import reprise.tracee.Tracee;
import reprise.x86.Registers;

/** Records the birth of an address space: everything that is in it right after exec. */
final class ExecRecorder {
    private static final int AT_NULL = 0;
    private static final int AT_IGNORE = 1;
    private static final int AT_SYSINFO_EHDR = 33;
    private static final long PAGE = 4096;
    private static final int RLIMIT_STACK = 3;
    /** Of an unlimited stack, as much as replay provides. */
    private static final long LARGEST_STACK = 1L << 30;

    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final MemorySegment ZERO = Arena.global().allocate(PAGE, 16);

    private final Recorder recorder;
    private final TraceWriter trace;
    private final MappedFiles files;
    private final RandomPatcher random;
    private final ResolverPatcher resolver = new ResolverPatcher();
    private final MemorySegment page = Arena.global().allocate(PAGE, 16);
    private final MemorySegment pages = Arena.global().allocate(16 * PAGE, 16);
    /** The page of a new program's stack that is in {@link #pages}; -1 for none. */
    private long stackPage;

    private final MemorySegment runtimeImage = Arena.global().allocate(PAGE, 16);
    /** Offset of a syscall instruction in the vdso, which is the same in all processes; -1 if not yet looked for. */
    private long vdsoSyscall = -1;

    ExecRecorder(Recorder recorder, TraceWriter trace, MappedFiles files, RandomPatcher random) {
        this.random = random;
        this.recorder = recorder;
        this.trace = trace;
        this.files = files;
        MemorySegment.copy(RuntimePage.image(), 0, runtimeImage, JAVA_BYTE, 0, (int) PAGE);
    }

    /** The current task is at its PTRACE_EVENT_EXEC. */
    void executed(RecordedTask task, int formerTid) {
        Tracee tracee = task.tracee;
        int status;
        do {
            tracee.resume(Ptrace.SYSCALL, 0);
            status = tracee.awaitStop();
        } while (!Wait.isSyscallStop(status));
        task.inCall = false;
        task.counterFaults = false;
        task.readImpliesExec = false;
        task.entryRecorded = false;
        task.exitRecorded = false;
        task.clearTid = 0;
        task.scratchAddress = 0;
        task.scratchLength = 0;
        task.process.memory.leave();
        task.process.memory = new RecordedProcess.Memory(new AddressSpace<>());
        task.process.memory.enter();
        if (tracee.get(Registers.CS) != Registers.CODE_SEGMENT_64) {
            refuse(task, "32-bit programs cannot be recorded");
            return;
        }
        List<ProcMaps.Region> regions = ProcMaps.read(task.tid());
        if (regions.isEmpty()) {
            // Its file is not this user's to read: neither is then its memory (ptrace_may_access in the kernel).
            refuse(task, "programs that this user may execute but not read cannot be recorded");
            return;
        }
        installRuntime(task, regions);
        hideVdso(task);
        long patched = resolver.patch(tracee, regions);
        record(task, formerTid, ProcMaps.read(task.tid()), patched);
        recorder.emulation().executed(task, formerTid);
        recorder.afterEvent(task, true, false);
    }

    private void refuse(RecordedTask task, String reason) {
        String file = Files.readLink("/proc/" + task.tid() + "/exe");
        String name = file != null
                ? file
                : String.valueOf(Files.readText("/proc/" + task.tid() + "/comm"))
                        .strip();
        recorder.note(task, reason + ": " + name + " is killed here");
        Syscall.call(SyscallNumber.KILL, task.process.pid, Signal.SIGKILL, 0);
    }

    /** Maps the runtime page and takes away what the kernel mapped for reading the time without a system call. */
    private void installRuntime(RecordedTask task, List<ProcMaps.Region> regions) {
        Tracee tracee = task.tracee;
        ProcMaps.Region vdso = null;
        for (ProcMaps.Region region : regions) {
            if (region.path().equals("[vdso]")) {
                vdso = region;
            }
        }
        if (vdso == null) {
            throw new IllegalStateException("task " + task.tid() + " has no vdso after exec");
        }
        long instruction = vdso.start() + vdsoSyscall(tracee, vdso);
        // PROT_READ|PROT_EXEC; MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED_NOREPLACE
        long mapped = tracee.remoteAt(
                instruction, SyscallNumber.MMAP, RuntimePage.ADDRESS, RuntimePage.SIZE, 5, 0x100022, -1, 0);
        if (mapped != RuntimePage.ADDRESS) {
            throw new LinuxException("mapping the runtime page into task " + task.tid(), (int) -mapped);
        }
        tracee.write(RuntimePage.ADDRESS, runtimeImage, PAGE);
        // They are neighbours, and each remote call costs two stops.
        long start = 0;
        long end = 0;
        for (ProcMaps.Region region : regions) {
            if (!isKernels(region)) {
                continue;
            }
            if (region.start() != end) {
                unmap(tracee, start, end);
                start = region.start();
            }
            end = region.end();
        }
        unmap(tracee, start, end);
    }

    private static void unmap(Tracee tracee, long start, long end) {
        if (start < end) {
            tracee.remote(SyscallNumber.MUNMAP, start, end - start, 0, 0, 0, 0);
        }
    }

    private static boolean isKernels(ProcMaps.Region region) {
        return region.path().equals("[vdso]") || region.path().startsWith("[vvar");
    }

    private long vdsoSyscall(Tracee tracee, ProcMaps.Region vdso) {
        if (vdsoSyscall < 0) {
            MemorySegment image = Arena.ofAuto().allocate(vdso.length());
            long length = tracee.read(vdso.start(), image, vdso.length());
            for (long at = 0; at + 1 < length; at++) {
                if (image.get(JAVA_BYTE, at) == 0x0f && image.get(JAVA_BYTE, at + 1) == 0x05) {
                    vdsoSyscall = at;
                    return at;
                }
            }
            throw new IllegalStateException("the vdso has no syscall instruction");
        }
        return vdsoSyscall;
    }

    /** Without AT_SYSINFO_EHDR libraries make system calls to learn the time, and those are recorded. */
    private void hideVdso(RecordedTask task) {
        stackPage = -1;
        long at = task.tracee.get(Registers.RSP);
        at += 8 * (stackWord(task.tracee, at) + 2);
        while (stackWord(task.tracee, at) != 0) {
            at += 8;
        }
        at += 8;
        long type;
        while ((type = stackWord(task.tracee, at)) != AT_NULL) {
            if (type == AT_SYSINFO_EHDR) {
                task.tracee.writeWord(at, AT_IGNORE);
            }
            at += 16;
        }
    }

    /** A word of the stack, of which a page is read at a time. */
    private long stackWord(Tracee tracee, long address) {
        long start = address & -PAGE;
        if (start != stackPage) {
            if (tracee.read(start, pages, PAGE) != PAGE) {
                throw new IllegalStateException("the stack cannot be read at " + Long.toHexString(address));
            }
            stackPage = start;
        }
        return pages.get(JAVA_LONG, address - start);
    }

    private void record(RecordedTask task, int former, List<ProcMaps.Region> regions, long patched) {
        AddressSpace<MappedFile> mappings = task.process.memory.mappings;
        List<Event.Mapping> list = new ArrayList<>();
        List<long[]> contents = new ArrayList<>();
        for (ProcMaps.Region region : regions) {
            if (isKernels(region) || region.path().equals("[vsyscall]") || region.start() == RuntimePage.ADDRESS) {
                continue;
            }
            if (region.start() <= patched && patched < region.end()) {
                contents.add(new long[] {patched & -PAGE, 2 * PAGE, 1});
            }
            Event.Backing backing = new Event.Anonymous();
            int flags = MAP_PRIVATE | MAP_ANONYMOUS;
            String open = region.inode() == 0 ? null : pathToOpen(task.tid(), region);
            if (open != null) {
                Files.Status status = Files.status(open);
                int stored = files.store(task.domain.id, task.tid(), open, region.path(), false);
                backing = new Event.PrivateFile(stored, region.offset());
                flags = MAP_PRIVATE;
                mappings.map(region.start(), region.length(), files.of(status), region.offset(), false);
                if ((region.protection() & ProcMaps.EXECUTE) != 0) {
                    for (long address : random.patch(
                            task.tracee, status, stored, region.offset(), region.start(), region.length())) {
                        contents.add(new long[] {address & -PAGE, PAGE, 1});
                    }
                }
                if ((region.protection() & ProcMaps.WRITE) != 0) {
                    // The kernel clears what lies behind the file's part of the last page.
                    contents.add(new long[] {region.end() - PAGE, PAGE, 1});
                }
            } else {
                contents.add(new long[] {region.start(), region.length(), 0});
            }
            long start = region.path().equals("[stack]") ? stackLimit(task, region, regions) : region.start();
            list.add(
                    new Event.Mapping(start, region.end() - start, region.protection(), flags, backing, region.path()));
        }
        trace.exec(
                task.domain.id,
                task.tid(),
                former,
                task.process.parent,
                String.valueOf(Files.readLink("/proc/" + task.tid() + "/exe")),
                commandLine(task.tid()),
                task.tracee.registers(),
                ExtendedState.read(task.tracee));
        for (Event.Mapping mapping : list) {
            trace.mapping(mapping);
        }
        for (long[] range : contents) {
            writePages(task, range[0], range[1], range[2] != 0);
        }
        trace.end();
        trace.coreBound(task.domain.id, task.tid(), task.domain.core);
    }

    /**
     * A path by which the file of a mapping can be opened, or null where only its memory can be read: map_files wants
     * CAP_CHECKPOINT_RESTORE, and without it a deleted file or a memfd has a path only as the program's own file.
     */
    private static String pathToOpen(int tid, ProcMaps.Region region) {
        String process = "/proc/" + tid;
        String range =
                process + "/map_files/" + Long.toHexString(region.start()) + "-" + Long.toHexString(region.end());
        if (Files.status(range) != null) {
            return range;
        }
        if (region.path().endsWith(" (deleted)")) {
            return region.path().equals(Files.readLink(process + "/exe")) ? process + "/exe" : null;
        }
        String path = process + "/root" + region.path();
        return Files.status(path) != null ? path : null;
    }

    /**
     * The lowest address to which the main thread's stack can grow. Recorded as part of the mapping, because in replay
     * memory that the tracer writes to does not grow by itself.
     */
    private long stackLimit(RecordedTask task, ProcMaps.Region stack, List<ProcMaps.Region> regions) {
        Syscall.call(SyscallNumber.PRLIMIT64, task.tid(), RLIMIT_STACK, 0, page.address());
        long limit = page.get(JAVA_LONG, 0) & -PAGE;
        if (limit < 0 || limit > LARGEST_STACK) {
            limit = LARGEST_STACK;
        }
        long start = Math.min(stack.start(), stack.end() - limit);
        for (ProcMaps.Region other : regions) {
            if (other.end() <= stack.start() && other.end() > start && !isKernels(other)) {
                start = other.end();
            }
        }
        task.process.memory.stackStart = start;
        task.process.memory.stackEnd = stack.end();
        return start;
    }

    /** Records the pages of a range; those that are all zero only if asked to, where something else is below. */
    private void writePages(RecordedTask task, long start, long length, boolean always) {
        long end = start + length;
        for (long address = start; address < end; ) {
            long count = task.tracee.read(address, pages, Math.min(pages.byteSize(), end - address)) / PAGE * PAGE;
            for (long at = 0; at < count; at += PAGE) {
                if (always || MemorySegment.mismatch(pages, at, at + PAGE, ZERO, 0, PAGE) >= 0) {
                    MemorySegment.copy(pages, at, trace.write(task.tid(), address + at, PAGE), 0, PAGE);
                }
            }
            // What cannot be read is left out.
            address += Math.max(count, PAGE);
        }
    }

    private static List<String> commandLine(int tid) {
        List<String> arguments = new ArrayList<>();
        byte[] text = Files.readAll("/proc/" + tid + "/cmdline");
        int start = 0;
        for (int at = 0; text != null && at < text.length; at++) {
            if (text[at] == 0) {
                arguments.add(new String(text, start, at - start, StandardCharsets.UTF_8));
                start = at + 1;
            }
        }
        return arguments;
    }
}
