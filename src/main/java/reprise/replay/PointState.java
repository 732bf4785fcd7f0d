package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.runtime.ProbeCheck;
import reprise.runtime.ProbePlanner;
import reprise.trace.Event;
import reprise.tracee.Tracee;
import reprise.x86.GeneralRegister;
import reprise.x86.Registers;
import reprise.x86.VectorState;

/**
 * The state that names one instant: compares that of a carrier with it, and learns meanwhile in what those that are not it
 * differ.
 */
final class PointState {
    /** Set by the kernel in eflags so that a breakpoint is not hit twice. */
    static final long RESUME_FLAG = 1 << 16;

    private static final GeneralRegister[] GENERAL = GeneralRegister.values();

    /** Number of the first probe that is a word of memory and not a vector register. */
    private static final int VECTORS = 16;

    private final Event.ExecutionPoint point;
    private final MemoryCheck memory;
    private final MemorySegment extendedState;
    private final int[] registersDiffered = new int[GENERAL.length];
    private final int[] probesDiffered;
    private final MemorySegment words;
    private final MemorySegment vectors;

    PointState(Event.ExecutionPoint point, MemoryCheck memory, MemorySegment extendedState) {
        this.point = point;
        this.memory = memory;
        this.extendedState = extendedState;
        int count = point.probes().length;
        probesDiffered = new int[count];
        words = Arena.ofAuto().allocate(8L * count + 8, 8);
        vectors = Arena.ofAuto().allocate(16L * count + 32, 8);
    }

    /** Address of the instruction that is about to be executed. */
    long site() {
        return Registers.get(point.registers(), Registers.RIP);
    }

    /** The flags register. */
    long flags() {
        return Registers.get(point.registers(), Registers.EFLAGS);
    }

    /** Whether the carrier is at the instant. */
    boolean matches(Tracee tracee) {
        MemorySegment registers = tracee.registers();
        for (int register = 0; register < Registers.SIZE; register += 8) {
            long recorded = point.registers().get(JAVA_LONG, register);
            long seen = registers.get(JAVA_LONG, register);
            if (register == Registers.EFLAGS) {
                recorded &= ~RESUME_FLAG;
                seen &= ~RESUME_FLAG;
            }
            if (recorded != seen && register != Registers.ORIG_RAX) {
                return false;
            }
        }
        long size = tracee.extendedState(extendedState);
        return VectorState.hash(extendedState.asSlice(0, size)) == point.vectorHash()
                && memory.matches(point.pages(), point.hashes(), tracee);
    }

    /** Notes in what the state of the carrier, which is at the instruction, differs from the wanted one. */
    void learn(Tracee tracee) {
        for (int index = 0; index < GENERAL.length; index++) {
            if (tracee.get(Registers.offset(GENERAL[index]))
                    != Registers.get(point.registers(), Registers.offset(GENERAL[index]))) {
                registersDiffered[index]++;
            }
        }
        int count = point.probes().length;
        boolean read = count > 0 && readWords(tracee);
        for (int index = 0; index < count && read; index++) {
            if (point.probes()[index] >= VECTORS && words.get(JAVA_LONG, 8L * index) != point.values()[index]) {
                probesDiffered[index]++;
            }
        }
    }

    /** Reads the words of all probes; whether they could be read. */
    private boolean readWords(Tracee tracee) {
        int count = 0;
        long total = 0;
        vectors.set(JAVA_LONG, 0, words.address());
        long first = 0;
        for (int index = 0; index < point.probes().length; index++) {
            if (point.probes()[index] < VECTORS) {
                // They are listed first.
                first = 8L * (index + 1);
                continue;
            }
            vectors.set(JAVA_LONG, 16 + 16L * count, point.probes()[index]);
            vectors.set(JAVA_LONG, 24 + 16L * count, 8);
            count++;
            total += 8;
        }
        vectors.set(JAVA_LONG, 0, words.address() + first);
        vectors.set(JAVA_LONG, 8, total);
        return Syscall.call(
                        SyscallNumber.PROCESS_VM_READV,
                        tracee.tid(),
                        vectors.address(),
                        1,
                        vectors.address() + 16,
                        count,
                        0)
                == total;
    }

    /** What a probe has to compare, what is most likely to differ first. */
    List<ProbeCheck> checks() {
        record Rated(ProbeCheck check, int rating) {}
        List<Rated> all = new ArrayList<>();
        for (int index = 0; index < GENERAL.length; index++) {
            long value = Registers.get(point.registers(), Registers.offset(GENERAL[index]));
            int changing = point.registersChanging() >> index & 1;
            all.add(new Rated(
                    new ProbeCheck.General(GENERAL[index], value), rating(registersDiffered[index], changing)));
        }
        int listed = 0;
        for (int index = 0; index < point.probes().length; index++) {
            long where = point.probes()[index];
            long value = point.values()[index];
            int rating = rating(probesDiffered[index], index < point.probesChanging() ? 1 : 0);
            if (where >= 0 && where < VECTORS) {
                all.add(new Rated(new ProbeCheck.Vector((int) where, value), rating));
            } else if (!isChangedByProbe(where) && listed++ < ProbePlanner.MOST_WORDS) {
                all.add(new Rated(new ProbeCheck.Word(where, value), rating));
            }
        }
        all.sort(Comparator.comparingInt(Rated::rating).reversed());
        return all.stream().map(Rated::check).toList();
    }

    /**
     * Whether a word is one of those over which the probe's own jump is written. Registers often point to the code that is
     * executed: an interpreter that jumps through one leaves the address of the instruction's neighbourhood in it.
     */
    private boolean isChangedByProbe(long word) {
        return word < site() + ProbePlanner.JUMP && word + 8 > site();
    }

    /**
     * What differs at most of the first executions may be equal in all later ones; what was changing when the instant was named
     * is what tells the last ones apart.
     */
    private static int rating(int differed, int changing) {
        return (changing << 16) + differed;
    }
}
