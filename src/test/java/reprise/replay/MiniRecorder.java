package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.trace.Event;
import reprise.tracee.MemoryScanner;
import reprise.tracee.Parked;
import reprise.tracee.ProcMaps;
import reprise.tracee.RuntimePage;
import reprise.tracee.Tracee;
import reprise.x86.Registers;

/**
 * Records a single-threaded static program (and its children, one at a time) as a list of events, so that the replayer
 * can be tested without the recorder. Knows only the system calls that the test programs make.
 */
final class MiniRecorder {
    private static final int OPTIONS = Ptrace.O_TRACESYSGOOD
            | Ptrace.O_EXITKILL
            | Ptrace.O_TRACEEXEC
            | Ptrace.O_TRACEFORK
            | Ptrace.O_TRACEVFORK
            | Ptrace.O_TRACECLONE;

    private static final long STACK = 8 << 20;

    private final Arena arena = Arena.ofAuto();
    private final List<Event> events = new ArrayList<>();
    private final Map<Integer, MemoryScanner> scanners = new HashMap<>();
    private final Path directory;
    private final boolean checksums;
    private int files;
    private long brk;

    MiniRecorder(Path directory, boolean checksums) {
        this.directory = directory;
        this.checksums = checksums;
    }

    private Event.Header header(int tid) {
        return new Event.Header(events.size() + 1L, 1, tid, 0);
    }

    private MemorySegment copy(MemorySegment block) {
        return arena.allocate(block.byteSize(), 64).copyFrom(block);
    }

    private MemorySegment memory(Tracee tracee, long address, long length) {
        MemorySegment into = arena.allocate(length, 8);
        long count = tracee.read(address, into, length);
        return into.asSlice(0, count);
    }

    private MemorySegment extendedState(Tracee tracee) {
        MemorySegment block = arena.allocate(65536, 64);
        return block.asSlice(0, tracee.extendedState(block));
    }

    /** Runs a program to its end. */
    List<Event> record(Path program) {
        Tracee tracee = Parked.spawn(OPTIONS);
        byte[] path = (program + "\0").getBytes(StandardCharsets.UTF_8);
        long at = RuntimePage.ADDRESS + 0x800;
        MemorySegment text = arena.allocate(path.length);
        MemorySegment.copy(path, 0, text, JAVA_BYTE, 0, path.length);
        tracee.write(at, text, path.length);
        tracee.writeWord(at + 512, at);
        tracee.writeWord(at + 520, 0);
        tracee.set(Registers.RIP, RuntimePage.UNTRACED_SYSCALL);
        tracee.set(Registers.RAX, SyscallNumber.EXECVE);
        tracee.set(Registers.ORIG_RAX, -1);
        tracee.set(Registers.RDI, at);
        tracee.set(Registers.RSI, at + 512);
        tracee.set(Registers.RDX, at + 520);
        int status;
        do {
            tracee.resume(Ptrace.SYSCALL, 0);
            status = tracee.awaitStop();
        } while (Wait.event(status) != Ptrace.EVENT_EXEC);
        do {
            tracee.resume(Ptrace.SYSCALL, 0);
        } while (!Wait.isSyscallStop(tracee.awaitStop()));
        exec(tracee, program);
        int end = follow(tracee);
        events.add(new Event.End(header(tracee.tid()), end));
        scanners.values().forEach(MemoryScanner::close);
        return events;
    }

    private void exec(Tracee tracee, Path program) {
        List<Event.Mapping> mappings = new ArrayList<>();
        List<Event.MemoryWrite> writes = new ArrayList<>();
        int file = ++files;
        try {
            Files.createDirectories(directory.resolve("files"));
            Files.copy(program, directory.resolve("files/file-" + file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        events.add(new Event.FileStored(header(tracee.tid()), file, program.toString(), "files/file-" + file, 0));
        for (ProcMaps.Region region : ProcMaps.read(tracee.tid())) {
            if (region.path().startsWith("[v")) {
                continue;
            }
            boolean backed = region.inode() != 0;
            Event.Backing backing = backed ? new Event.PrivateFile(file, region.offset()) : new Event.Anonymous();
            // The stack as large as it may grow.
            long start = region.path().equals("[stack]") ? region.end() - STACK : region.start();
            mappings.add(new Event.Mapping(
                    start, region.end() - start, region.protection(), backed ? 2 : 0x22, backing, region.path()));
            if (!backed || (region.protection() & ProcMaps.WRITE) != 0) {
                MemorySegment content = memory(tracee, region.start(), region.length());
                writes.add(new Event.MemoryWrite(tracee.tid(), region.start(), content));
            }
        }
        events.add(new Event.Exec(
                header(tracee.tid()),
                tracee.tid(),
                0,
                program.toString(),
                List.of(program.toString()),
                copy(tracee.registers()),
                extendedState(tracee),
                mappings,
                writes));
        checksum(tracee);
    }

    private void checksum(Tracee tracee) {
        if (!checksums) {
            return;
        }
        MemoryScanner scanner = scanners.computeIfAbsent(tracee.tid(), tid -> new MemoryScanner(tracee, false));
        MemoryScanner.Changes changes = scanner.changedPages(tracee, List.of());
        events.add(new Event.Checksum(header(tracee.tid()), changes.complete(), changes.pages(), changes.hashes()));
    }

    private int follow(Tracee tracee) {
        int tid = tracee.tid();
        Event.NewTask child = null;
        Tracee childTracee = null;
        MemorySegment entry = null;
        while (true) {
            tracee.resume(Ptrace.SYSCALL, 0);
            long result = Wait.any(tid, 0);
            int status = Wait.status(result);
            tracee.forgetRegisters();
            if (!Wait.isStopped(status)) {
                events.add(new Event.TaskExit(header(tid), status, List.of()));
                return status;
            }
            if (Wait.isSyscallStop(status)) {
                if (entry == null) {
                    entry = copy(tracee.registers());
                    continue;
                }
                exit(tracee, entry, child);
                if (child != null) {
                    follow(childTracee);
                }
                entry = null;
                child = null;
                checksum(tracee);
            } else if (Wait.event(status) == 0) {
                signal(tracee, Wait.stopSignal(status), entry == null);
                checksum(tracee);
            } else if (Wait.event(status) == Ptrace.EVENT_FORK || Wait.event(status) == Ptrace.EVENT_CLONE) {
                childTracee = new Tracee((int) Ptrace.eventMessage(tid));
                childTracee.awaitStop();
                child = new Event.NewTask(childTracee.tid(), 1, 0, false, copy(childTracee.registers()));
            }
        }
    }

    private void exit(Tracee tracee, MemorySegment entry, Event.NewTask child) {
        int tid = tracee.tid();
        int number = (int) Registers.get(entry, Registers.ORIG_RAX);
        long result = tracee.get(Registers.RAX);
        long first = Registers.get(entry, Registers.RDI);
        long second = Registers.get(entry, Registers.RSI);
        long third = Registers.get(entry, Registers.RDX);
        List<Event.MemoryWrite> writes = new ArrayList<>();
        List<Event.MappingChange> changes = new ArrayList<>();
        boolean absolute = number == SyscallNumber.RT_SIGRETURN;
        switch (number) {
            case SyscallNumber.GETRANDOM ->
                writes.add(new Event.MemoryWrite(tid, first, memory(tracee, first, result)));
            case SyscallNumber.CLOCK_GETTIME ->
                writes.add(new Event.MemoryWrite(tid, second, memory(tracee, second, 16)));
            case SyscallNumber.MMAP -> {
                Event.Backing backing = new Event.Anonymous();
                int flags = (int) Registers.get(entry, Registers.R10);
                if ((flags & 1) != 0) {
                    events.add(new Event.SharedObject(header(tid), 1, 0, second, "shared"));
                    backing = new Event.Shared(1, 0);
                }
                changes.add(new Event.Map(new Event.Mapping(result, second, (int) third, flags, backing, "")));
            }
            case SyscallNumber.MUNMAP -> changes.add(new Event.Unmap(first, second));
            case SyscallNumber.MPROTECT -> changes.add(new Event.Protect(first, second, (int) third));
            case SyscallNumber.MADVISE -> changes.add(new Event.Discard(first, second, (int) third));
            case SyscallNumber.MREMAP ->
                changes.add(new Event.Remap(first, second, result, third, (int) Registers.get(entry, Registers.R10)));
            case SyscallNumber.BRK -> {
                if (brk != 0 && result > brk) {
                    changes.add(new Event.Map(
                            new Event.Mapping(brk, result - brk, 3, 0x22, new Event.Anonymous(), "[heap]")));
                }
                brk = result;
            }
            default -> {}
        }
        events.add(new Event.SyscallExit(
                header(tid),
                entry,
                number,
                result,
                absolute ? copy(tracee.registers()) : null,
                absolute ? extendedState(tracee) : null,
                number == SyscallNumber.WRITE ? (int) first : 0,
                changes,
                writes,
                child));
    }

    private void signal(Tracee tracee, int signal, boolean outside) {
        int tid = tracee.tid();
        MemorySegment info = arena.allocate(Ptrace.SIGINFO_SIZE, 8);
        Ptrace.getSignalInfo(tid, info);
        MemorySegment before = copy(tracee.registers());
        boolean fault = Ptrace.codeOf(info) > 0;
        if (fault && signal == Signal.SIGSEGV && (tracee.readWord(tracee.get(Registers.RIP)) & 0xffff) == 0x310f) {
            tracee.set(Registers.RAX, 0x1234);
            tracee.set(Registers.RDX, 0x5678);
            tracee.set(Registers.RIP, tracee.get(Registers.RIP) + 2);
            events.add(new Event.InstructionTrapped(
                    header(tid), Event.TrappedInstruction.RDTSC, before, 0x1234, 0, 0, 0x5678));
            return;
        }
        if (signal == Signal.SIGCHLD) {
            return;
        }
        assert outside;
        Event.SignalPoint point = fault ? Event.SignalPoint.FAULT : Event.SignalPoint.AFTER_EVENT;
        tracee.resume(Ptrace.SINGLESTEP, signal);
        long result = Wait.any(tid, 0);
        tracee.forgetRegisters();
        if (!Wait.isStopped(Wait.status(result))) {
            throw new IllegalStateException("test programs do not die of signals");
        }
        MemorySegment after = copy(tracee.registers());
        long stack = Registers.get(after, Registers.RSP);
        events.add(new Event.SignalDelivered(
                header(tid),
                signal,
                point,
                Event.SignalEffect.HANDLER,
                before,
                info,
                after,
                extendedState(tracee),
                List.of(new Event.MemoryWrite(tid, stack, memory(tracee, stack, 4096)))));
    }
}
