package reprise.runtime;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import reprise.x86.Assembler;
import reprise.x86.FlagUse;
import reprise.x86.Instruction;
import reprise.x86.Instruction.Kind;
import reprise.x86.InstructionDecoder;

/**
 * Plans {@link Probe probes} at any instruction, whatever its length and wherever jumps may lead.
 *
 * <p>A jump takes five bytes. If the instruction is shorter, the ones behind it are moved too, and something may lead to
 * them: a loop's head may be there. So the jump's displacement, which can be chosen because the probe's memory can be mapped
 * anywhere, is such that each byte at which an instruction began is the first byte of one that raises an exception,
 * whatever follows. The tracer then sends the task to the moved instruction: slow, but right.
 *
 * <p>Not thread safe.
 */
public final class ProbePlanner {
    /** Bytes from the site on at which instructions are moved that begin there. */
    public static final int JUMP = 5;

    private static final int PAGE = 4096;
    /** Code of comparisons and moved instructions, which begins anywhere in the first page or a little before. */
    private static final int CODE_PAGES = 3;

    /** The most words of memory that a probe can compare: the table is one page. */
    public static final int MOST_WORDS = 200;

    /** How many bytes of code are wanted from the site on. */
    public static final int WINDOW = JUMP + InstructionDecoder.MAX_LENGTH;

    private static final long LENGTH = (CODE_PAGES + 1L) * PAGE;
    private static final long LOWEST = 0x10000;
    private static final long HIGHEST = 0x7fff_ff00_0000L;
    /** Distance kept to the next mapping above, which may be a stack that grows (stack_guard_gap is 1 MB). */
    private static final long MARGIN = 0x11_0000;

    /**
     * First bytes that raise an exception in 64-bit mode whatever follows: opcodes that mode does not have, int3, and hlt,
     * in and out, which are the kernel's.
     */
    private static final int[] GUARDS = {
        0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x6c, 0x6d, 0x6e, 0x6f, 0x9a,
        0xcc, 0xce, 0xd4, 0xe4, 0xe5, 0xe6, 0xe7, 0xea, 0xec, 0xed, 0xee, 0xef, 0xf4
    };

    private static final int[] ANY_HIGH = {0, 0xff, 1, 0xfe, 2, 0xfd, 4, 0xfb, 8, 0xf7, 16, 0xef, 32, 0xdf, 64, 0xbf};
    private static final int[] ANY_MIDDLE = every(8);
    private static final int[] ANY_LOW = {0x40};

    private final InstructionDecoder decoder = new InstructionDecoder();
    private final Free free;

    /** Tells which memory of the tracee is not mapped. */
    @FunctionalInterface
    public interface Free {
        boolean isFree(long address, long length);
    }

    public ProbePlanner(Free free) {
        this.free = free;
    }

    private static int[] every(int step) {
        int[] values = new int[256 / step];
        Arrays.setAll(values, i -> i * step);
        return values;
    }

    /**
     * Plans one.
     *
     * @param site address of the instruction
     * @param code the bytes from there on, {@link #WINDOW} of them unless the mapping ends
     * @param checks in the order in which they are to be made, at least one; at most {@link #MOST_WORDS} words of memory
     * @return null if there is an instruction that cannot be moved, or no memory in reach
     */
    public Probe plan(long site, byte[] code, List<ProbeCheck> checks) {
        return plan(site, code, checks, FlagUse.areDead(code, 0, decoder, new Instruction()));
    }

    /** As {@link #plan}, and leaves the flags as they are even where the program does not need them: somebody may look. */
    public Probe planInvisible(long site, byte[] code, List<ProbeCheck> checks) {
        return plan(site, code, checks, false);
    }

    private Probe plan(long site, byte[] code, List<ProbeCheck> checks, boolean flagsAreDead) {
        List<Instruction> instructions = instructions(site, code);
        if (instructions == null) {
            return null;
        }
        long entry = findEntry(site, instructions);
        return entry == Probe.NONE ? null : make(site, code, entry, instructions, checks, flagsAreDead);
    }

    /**
     * Plans one that compares nothing but counts: it stops at the execution at which its {@link Probe#counter counter}, which
     * whoever plants it sets, comes down to 0.
     *
     * @param site address of the instruction
     * @param code as of {@link #plan}
     * @return null if there is an instruction that cannot be moved, or no memory in reach
     */
    public Probe planCounter(long site, byte[] code) {
        return plan(site, code, List.of(), false);
    }

    /** The instructions that a jump replaces; null if one of them cannot be moved. */
    private List<Instruction> instructions(long site, byte[] code) {
        if (code.length < JUMP) {
            return null;
        }
        List<Instruction> instructions = new ArrayList<>();
        boolean ended = false;
        for (int offset = 0; offset < JUMP; ) {
            Instruction instruction = new Instruction();
            decoder.decode(code, offset, code.length, site + offset, instruction);
            boolean last = offset + instruction.length() >= JUMP;
            if (ended && instruction.kind() == Kind.INT3) {
                // Padding. What is behind it may be the next function.
                offset += instruction.length();
                continue;
            }
            if (ended && !instruction.isValid()) {
                // Data.
                return instructions;
            }
            if (!instruction.isValid() || Relocation.obstacle(instruction, site, last) != null) {
                return null;
            }
            instructions.add(instruction);
            ended |= instruction.kind().endsFlow();
            offset += instruction.length();
        }
        return instructions;
    }

    /** An address for the probe's code to which a jump leads whose bytes are guards where they have to be. */
    private long findEntry(long site, List<Instruction> instructions) {
        boolean[] guarded = new boolean[JUMP];
        Arrays.fill(guarded, true);
        for (Instruction instruction : instructions) {
            int offset = (int) (instruction.address() - site);
            Arrays.fill(guarded, offset + 1, Math.min(JUMP, offset + instruction.length()), false);
        }
        for (int high : guarded[4] ? GUARDS : ANY_HIGH) {
            for (int upper : guarded[3] ? GUARDS : ANY_MIDDLE) {
                for (int lower : guarded[2] ? GUARDS : ANY_MIDDLE) {
                    for (int low : guarded[1] ? GUARDS : ANY_LOW) {
                        long entry = site + JUMP + (high << 24 | upper << 16 | lower << 8 | low);
                        if (fits(entry, instructions)) {
                            return entry;
                        }
                    }
                }
            }
        }
        return Probe.NONE;
    }

    private boolean fits(long entry, List<Instruction> instructions) {
        long start = start(entry);
        if (start < LOWEST || start > HIGHEST || !free.isFree(start, LENGTH + MARGIN)) {
            return false;
        }
        for (Instruction instruction : instructions) {
            if (Relocation.obstacle(instruction, entry, true) != null) {
                return false;
            }
        }
        return true;
    }

    /** The address of the mapping for a probe that is entered at an address. */
    private static long start(long entry) {
        return entry - ProbeCode.BEFORE_ENTRY & -PAGE;
    }

    private Probe make(
            long site,
            byte[] code,
            long entry,
            List<Instruction> instructions,
            List<ProbeCheck> checks,
            boolean flagsAreDead) {
        long address = start(entry);
        boolean counts = checks.isEmpty();
        Assembler image = new Assembler(address);
        while (image.address() < entry - ProbeCode.BEFORE_ENTRY) {
            image.int3();
        }
        ProbeCode comparison = new ProbeCode(image);
        comparison.emitBeforeEntry();
        if (counts) {
            comparison.emitCounter();
        } else {
            comparison.emitFilter(checks.getFirst(), flagsAreDead);
        }
        long resume = image.address();
        Relocation relocation = new Relocation(new CodeWindow(site, code, List.of()), image);
        boolean goesOn = true;
        for (Instruction instruction : instructions) {
            goesOn = relocation.move(instruction);
        }
        if (goesOn) {
            image.jmp(instructions.getLast().end());
        }
        relocation.finish();
        int trap = counts ? comparison.emitCountersEnd() : comparison.emitAll(checks, flagsAreDead, resume);
        if (image.size() > CODE_PAGES * PAGE) {
            throw new IllegalStateException("a probe's code of " + image.size() + " bytes");
        }
        // Data far from code: a write near instructions in the cache makes the processor start over.
        while (image.size() < CODE_PAGES * PAGE) {
            image.int3();
        }
        long counter = image.address() + ProbeCode.COUNTER;
        comparison.data();
        Assembler jump = new Assembler(site);
        jump.jmp(entry);
        List<Probe.Moved> moved = new ArrayList<>();
        for (Patch.Place place : relocation.places()) {
            moved.add(new Probe.Moved(place.address(), address + place.trampolineOffset()));
        }
        byte[] whole = Arrays.copyOf(image.toByteArray(), (int) LENGTH);
        return new Probe(
                site,
                Arrays.copyOf(code, JUMP),
                jump.toByteArray(),
                address,
                whole,
                address + trap,
                resume,
                counter,
                flagsAreDead,
                List.copyOf(moved));
    }
}
