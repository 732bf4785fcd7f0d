package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.trace.Event;
import reprise.tracee.ProcMaps;
import reprise.tracee.RuntimePage;

/** The memory of a carrier: building it as recorded, repeating its changes, writing to it. */
final class CarrierMemory {
    private static final long USER_END = 0x7fff_ffff_f000L;
    private static final long PAGE = 4096;
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int PROT_GROWSDOWN = 0x0100_0000;
    private static final int MAP_SHARED = 1;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_TYPE = 0xf;
    private static final int MAP_FIXED = 0x10;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MAP_GROWSDOWN = 0x100;
    private static final int MAP_NORESERVE = 0x4000;
    private static final int MAP_STACK = 0x20000;
    /** The rest of mmap's flags (populate, locked, huge pages, 32bit) changes nothing that a program could see here. */
    private static final int MAP_KEPT = MAP_GROWSDOWN | MAP_STACK;

    private static final int MREMAP_MAYMOVE = 1;
    private static final int MREMAP_FIXED = 2;
    private static final int MREMAP_DONTUNMAP = 4;
    private static final int VECTORS = 1024;

    /** Shared by all carriers: they belong to one thread and none keeps anything here. */
    private static final ThreadLocal<MemorySegment> BUFFER =
            ThreadLocal.withInitial(() -> Arena.global().allocate(2L * VECTORS * 16, 64));

    private final Carrier carrier;
    private static final int MADV_DONTFORK = 10;
    private static final int MADV_DOFORK = 11;
    private static final int MADV_WIPEONFORK = 18;
    private static final int MADV_KEEPONFORK = 19;

    private long stackStart;
    private long stackEnd;
    private boolean forkAdvice;

    CarrierMemory(Carrier carrier) {
        this.carrier = carrier;
    }

    /** At least 8 KB for whoever needs it for a moment. */
    MemorySegment buffer() {
        return BUFFER.get();
    }

    /** The memory was copied from another carrier's. */
    void inheritFrom(CarrierMemory other) {
        stackStart = other.stackStart;
        stackEnd = other.stackEnd;
        forkAdvice = other.forkAdvice;
    }

    /** Whether there may be memory that children do not inherit as it is. */
    boolean hasForkAdvice() {
        return forkAdvice;
    }

    /** Lets a child inherit a mapping, see {@link #advise(ProcMaps.ForkAdvice)}. */
    void inherit(ProcMaps.ForkAdvice advice) {
        advise(advice.start(), advice.end(), advice.absent() ? MADV_DOFORK : 0);
        advise(advice.start(), advice.end(), advice.wiped() ? MADV_KEEPONFORK : 0);
    }

    /** Makes what a child would inherit of a mapping as it was. */
    void advise(ProcMaps.ForkAdvice advice) {
        advise(advice.start(), advice.end(), advice.absent() ? MADV_DONTFORK : 0);
        advise(advice.start(), advice.end(), advice.wiped() ? MADV_WIPEONFORK : 0);
    }

    private void advise(long start, long end, int advice) {
        if (advice != 0) {
            carrier.remote("madvise", SyscallNumber.MADVISE, start, end - start, advice, 0, 0, 0);
        }
    }

    /** Whether an address is in the stack that the process was started with. */
    boolean isMainStack(long address) {
        return stackStart <= address && address < stackEnd;
    }

    /** Adds the scratch page and removes all but that and the runtime page. */
    void clear() {
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
        map(Carrier.SCRATCH, PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
        carrier.remote("munmap", SyscallNumber.MUNMAP, 0, RuntimePage.ADDRESS, 0, 0, 0, 0);
        long rest = USER_END - Carrier.OWN_END;
        carrier.remote("munmap", SyscallNumber.MUNMAP, Carrier.OWN_END, rest, 0, 0, 0, 0);
    }

    /** Maps what a program has when it starts, in a cleared carrier. */
    void build(List<Event.Mapping> mappings, StoredFiles files, SharedObjects objects) {
        for (Event.Mapping mapping : mappings) {
            if (mapping.address() == RuntimePage.ADDRESS || isKernels(mapping)) {
                continue;
            }
            if (mapping.name().equals("[stack]")) {
                mapStack(mapping);
            } else {
                map(mapping, files, objects);
            }
        }
    }

    /** The kernel's own pages: they cannot be mapped at will, and the program was made not to use them. */
    private static boolean isKernels(Event.Mapping mapping) {
        return mapping.name().startsWith("[vvar") || mapping.name().equals("[vsyscall]");
    }

    /**
     * The main thread's stack grows by itself while recording. Here it has its full size, which the recorder told, from the
     * start: growing on demand does not happen for writes by the tracer.
     */
    private void mapStack(Event.Mapping stack) {
        stackEnd = stack.address() + stack.length();
        stackStart = stack.address();
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE | MAP_STACK;
        map(stackStart, stackEnd - stackStart, stack.protection(), flags, -1, 0);
    }

    private void map(Event.Mapping mapping, StoredFiles files, SharedObjects objects) {
        int kept = mapping.flags() & MAP_KEPT | MAP_FIXED | MAP_NORESERVE;
        long address = mapping.address();
        long length = mapping.length();
        int protection = mapping.protection();
        switch (mapping.backing()) {
            case Event.Anonymous none -> map(address, length, protection, kept | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            case Event.PrivateFile file -> {
                int descriptor = carrier.descriptor(files.pathToOpen(file.file()), false);
                map(address, length, protection, kept | MAP_PRIVATE, descriptor, file.offset());
            }
            case Event.Shared shared -> {
                int descriptor = carrier.descriptor(objects.pathToOpen(shared.object()), true);
                // A private mapping of a file that others write to shows what they write, until it is written itself.
                int type = (mapping.flags() & MAP_TYPE) == MAP_PRIVATE ? MAP_PRIVATE : MAP_SHARED;
                map(address, length, protection, kept | type, descriptor, shared.offset());
            }
        }
    }

    private void map(long address, long length, int protection, int flags, int descriptor, long offset) {
        carrier.remote("mmap", SyscallNumber.MMAP, address, length, protection, flags, descriptor, offset);
    }

    /** Repeats a change. */
    void apply(Event.MappingChange change, StoredFiles files, SharedObjects objects) {
        switch (change) {
            case Event.Map map -> map(map.mapping(), files, objects);
            case Event.Unmap unmap ->
                carrier.remote("munmap", SyscallNumber.MUNMAP, unmap.address(), unmap.length(), 0, 0, 0, 0);
            case Event.Protect protect -> protect(protect);
            case Event.Remap remap -> remap(remap);
            case Event.Resize resize -> objects.resize(resize.object(), resize.size());
            case Event.Discard discard -> {
                forkAdvice |= discard.advice() == MADV_DONTFORK || discard.advice() == MADV_WIPEONFORK;
                advise(discard.address(), discard.address() + discard.length(), discard.advice());
            }
        }
    }

    private void protect(Event.Protect protect) {
        long address = protect.address();
        long end = address + protect.length();
        if ((protect.protection() & PROT_GROWSDOWN) != 0 && address >= stackStart && end <= stackEnd) {
            address = stackStart;
        }
        int protection = protect.protection() & ~PROT_GROWSDOWN;
        carrier.remote("mprotect", SyscallNumber.MPROTECT, address, end - address, protection, 0, 0, 0);
    }

    private void remap(Event.Remap remap) {
        boolean moves = remap.oldAddress() != remap.newAddress();
        int flags = moves ? MREMAP_MAYMOVE | MREMAP_FIXED | remap.flags() & MREMAP_DONTUNMAP : 0;
        carrier.remote(
                "mremap",
                SyscallNumber.MREMAP,
                remap.oldAddress(),
                remap.oldLength(),
                remap.newLength(),
                flags,
                remap.newAddress(),
                0);
    }

    /**
     * Writes recorded bytes.
     *
     * @param writes of this address space, or of others too
     * @param from first of the list to write
     * @param to behind the last
     * @throws Mismatch if there is no memory at an address
     */
    void write(List<Event.MemoryWrite> writes, int from, int to, SharedObjects objects) {
        for (int at = from; at < to; at += VECTORS) {
            writeBatch(writes, at, Math.min(to, at + VECTORS), objects);
        }
    }

    private void writeBatch(List<Event.MemoryWrite> writes, int from, int to, SharedObjects objects) {
        MemorySegment vectors = buffer();
        long remote = 16L * VECTORS;
        long total = 0;
        for (int i = from; i < to; i++) {
            Event.MemoryWrite write = writes.get(i);
            long at = 16L * (i - from);
            long length = write.data().byteSize();
            vectors.set(JAVA_LONG, at, write.data().address());
            vectors.set(JAVA_LONG, at + 8, length);
            vectors.set(JAVA_LONG, remote + at, write.address());
            vectors.set(JAVA_LONG, remote + at + 8, length);
            total += length;
        }
        int count = to - from;
        long local = vectors.address();
        long done =
                Syscall.call(SyscallNumber.PROCESS_VM_WRITEV, carrier.tid(), local, count, local + remote, count, 0);
        if (done == total) {
            return;
        }
        // Some page is not writable for the program, which does not keep the kernel from having written it.
        for (int i = from; i < to; i++) {
            Event.MemoryWrite write = writes.get(i);
            if (!carrier.tracee()
                    .write(write.address(), write.data(), write.data().byteSize())) {
                writeByPage(write.address(), write.data(), objects);
            }
        }
    }

    /** Shared mappings that are not writable refuse even a tracer: their objects are written instead. */
    private void writeByPage(long address, MemorySegment data, SharedObjects objects) {
        List<ProcMaps.Region> regions = ProcMaps.read(carrier.tid());
        long length = data.byteSize();
        for (long done = 0; done < length; ) {
            long at = address + done;
            long part = Math.min(length - done, PAGE - at % PAGE);
            MemorySegment bytes = data.asSlice(done, part);
            if (!carrier.tracee().write(at, bytes, part) && !writeToObject(regions, at, bytes, objects)) {
                throw new Mismatch(String.format(
                        "%d bytes that were recorded for 0x%x cannot be written there.%n", length, address));
            }
            done += part;
        }
    }

    private static boolean writeToObject(
            List<ProcMaps.Region> regions, long address, MemorySegment bytes, SharedObjects objects) {
        for (ProcMaps.Region region : regions) {
            if (region.start() <= address && address < region.end()) {
                int object = region.shared() ? SharedObjects.objectOf(region.path()) : -1;
                return object >= 0 && objects.write(object, region.offset() + address - region.start(), bytes);
            }
        }
        return false;
    }
}
