package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reprise.linux.Processor;
import reprise.linux.SyscallNumber;
import reprise.runtime.ResolverPatch;
import reprise.tracee.ProcMaps;
import reprise.tracee.Tracee;
import reprise.x86.Registers;

/** Applies the {@link ResolverPatch} to programs right after exec. What it changes is part of their exec event. */
final class ResolverPatcher {
    private static final long PAGE = 4096;
    /** Larger than any dynamic linker; a static program's code is not looked at. */
    private static final long LARGEST_LINKER = 1 << 20;
    /** Byte offset of MXCSR_MASK in the extended state. */
    private static final int MXCSR_MASK = 28;
    /** How many places behind the linker are tried for the trampoline. */
    private static final int ATTEMPTS = 64;

    private record File(long device, long inode, long offset) {}

    /** Offsets of the instruction in the linkers seen so far; -1 where there is nothing to patch. */
    private final Map<File, Integer> offsets = new HashMap<>();

    private long enabled = -1;

    /**
     * Patches the dynamic linker of a program at its first instruction.
     *
     * @return the address that was patched, or 0
     */
    long patch(Tracee tracee, List<ProcMaps.Region> regions) {
        long entry = tracee.get(Registers.RIP);
        ProcMaps.Region code = null;
        long end = 0;
        for (ProcMaps.Region region : regions) {
            if (region.start() <= entry && entry < region.end()) {
                code = region;
            }
            if (code != null && region.inode() == code.inode()) {
                end = region.end();
            }
        }
        if (code == null || code.inode() == 0 || code.length() > LARGEST_LINKER) {
            return 0;
        }
        int offset = offset(tracee, code);
        if (offset < 0) {
            return 0;
        }
        long address = code.start() + offset;
        long trampoline = place(tracee, end);
        if (trampoline == 0) {
            return 0;
        }
        if (enabled < 0) {
            enabled = Processor.enabledStates();
        }
        MemorySegment buffer = Arena.ofAuto().allocate(16);
        tracee.read(address, buffer, ResolverPatch.LENGTH);
        int displacement = buffer.get(JAVA_BYTE, ResolverPatch.LENGTH - 1);
        int mask = ExtendedState.read(tracee).get(JAVA_INT, MXCSR_MASK);
        write(
                tracee,
                trampoline,
                ResolverPatch.trampoline(
                        trampoline,
                        displacement,
                        enabled,
                        Processor.hasWideMasks(),
                        mask,
                        address + ResolverPatch.LENGTH));
        write(tracee, address, ResolverPatch.jump(address, trampoline));
        return address;
    }

    private int offset(Tracee tracee, ProcMaps.Region code) {
        File file = new File(code.device(), code.inode(), code.offset());
        Integer known = offsets.get(file);
        if (known == null) {
            MemorySegment text = Arena.ofAuto().allocate(code.length());
            tracee.read(code.start(), text, code.length());
            known = ResolverPatch.find(text.toArray(JAVA_BYTE));
            offsets.put(file, known);
        }
        return known;
    }

    /** A page of code behind the linker, within reach of a jump; 0 if there is no room. */
    private static long place(Tracee tracee, long end) {
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            long wanted = end + attempt * 4 * PAGE;
            // PROT_READ|PROT_EXEC; MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED_NOREPLACE
            long address = tracee.remote(SyscallNumber.MMAP, wanted, PAGE, 5, 0x100022, -1, 0);
            if (address == wanted) {
                return address;
            }
        }
        return 0;
    }

    private static void write(Tracee tracee, long address, byte[] bytes) {
        MemorySegment buffer = Arena.ofAuto().allocate(bytes.length);
        MemorySegment.copy(bytes, 0, buffer, JAVA_BYTE, 0, bytes.length);
        tracee.write(address, buffer, bytes.length);
    }
}
