package reprise.runtime;

import static reprise.x86.GeneralRegister.RAX;
import static reprise.x86.GeneralRegister.RCX;
import static reprise.x86.GeneralRegister.RDX;
import static reprise.x86.Memory.at;
import static reprise.x86.Memory.dword;
import static reprise.x86.Memory.qword;

import java.util.ArrayList;
import java.util.List;
import reprise.x86.Assembler;
import reprise.x86.Condition;
import reprise.x86.GeneralRegister;
import reprise.x86.Label;

/**
 * Writes the parts of a probe that compare: a short one, through which every execution goes on unless its one comparison
 * holds, and a long one that makes all and stops at an {@code int3} where they hold.
 *
 * <p>Nothing on the stack is changed, below which there may be a red zone: registers are saved in the probe's own memory. Where
 * the flags are of use to the program they are not changed either: values are compared by adding the negative of what is
 * wanted with {@code lea}, and testing rcx with {@code jrcxz}.
 */
final class ProbeCode {
    /** Words of memory compared one by one, before a loop takes the rest. */
    private static final int INLINE_WORDS = 8;

    private static final int CMP_RIP_LENGTH = 10;
    private static final byte JRCXZ = (byte) 0xe3;
    private static final byte JMP_SHORT = (byte) 0xeb;
    private static final byte JMP_LENGTH = 5;

    private final Assembler code;
    private final Label savedRax;
    private final Label savedRcx;
    private final Label savedRdx;
    private final Label table;
    private final Label counter;
    private final Label full;
    private final List<ProbeCheck.Word> listed = new ArrayList<>();

    ProbeCode(Assembler code) {
        this.code = code;
        savedRax = code.newLabel();
        savedRcx = code.newLabel();
        savedRdx = code.newLabel();
        counter = code.newLabel();
        table = code.newLabel();
        full = code.newLabel();
    }

    /** Offset of the counter in {@link #data}. */
    static final int COUNTER = 24;

    /** How many bytes {@link #emitFilter} needs before the entry. */
    static final int BEFORE_ENTRY = JMP_LENGTH;

    /** Appends the jump that the filter takes: it is out of reach for its own. */
    void emitBeforeEntry() {
        code.jmp(full);
    }

    /**
     * Appends the first comparison, behind {@link #emitBeforeEntry}. It runs into what comes next where it does not hold.
     *
     * @param flagsAreDead whether the flags may be changed
     */
    void emitFilter(ProbeCheck first, boolean flagsAreDead) {
        int hop = code.size() - JMP_LENGTH;
        if (flagsAreDead) {
            compare(first);
            code.jcc(Condition.EQUAL, full);
            return;
        }
        code.mov(at(savedRcx), RCX);
        subtract(first);
        code.bytes(JRCXZ, (byte) (hop - (code.size() + 2)));
        code.mov(RCX, at(savedRcx));
    }

    /** Appends, behind {@link #emitBeforeEntry}, what counts an execution, and runs into what comes next unless it was the last. */
    void emitCounter() {
        int hop = code.size() - JMP_LENGTH;
        code.mov(at(savedRcx), RCX);
        code.mov(RCX, at(counter));
        code.lea(RCX, qword(RCX, -1));
        code.mov(at(counter), RCX);
        code.bytes(JRCXZ, (byte) (hop - (code.size() + 2)));
        code.mov(RCX, at(savedRcx));
    }

    /**
     * Appends where a counter stops.
     *
     * @return offset of the {@code int3}
     */
    int emitCountersEnd() {
        code.bind(full);
        code.mov(RCX, at(savedRcx));
        int trap = code.size();
        code.int3();
        return trap;
    }

    /** Compares the lower halves, or all of a vector register's, by means of the flags. */
    private void compare(ProbeCheck check) {
        switch (check) {
            case ProbeCheck.General(GeneralRegister register, long value) -> code.cmp32(register, (int) value);
            case ProbeCheck.Word(long address, long value) -> {
                long displacement = address - (code.address() + CMP_RIP_LENGTH);
                if (displacement == (int) displacement) {
                    // cmp dword [rip + displacement], value
                    code.bytes((byte) 0x81, (byte) 0x3d);
                    code.dd((int) displacement);
                    code.dd((int) value);
                    return;
                }
                code.mov(at(savedRax), RAX);
                code.mov(RAX, address);
                code.cmp(dword(RAX, 0), (int) value);
                code.mov(RAX, at(savedRax));
            }
            case ProbeCheck.Vector(int register, long value) -> {
                code.mov(at(savedRax), RAX);
                moveFromVector(register);
                code.cmp32(RAX, (int) value);
                code.mov(RAX, at(savedRax));
            }
        }
    }

    /**
     * Appends the comparisons.
     *
     * @param checks in the order in which they are to be made
     * @param flagsAreDead whether the filter was made so
     * @param resume where to go on where one does not hold
     * @return offset of the {@code int3}
     */
    int emitAll(List<ProbeCheck> checks, boolean flagsAreDead, long resume) {
        Label miss = code.newLabel();
        code.bind(full);
        if (flagsAreDead) {
            code.mov(at(savedRcx), RCX);
        }
        int words = 0;
        for (ProbeCheck check : checks) {
            if (check instanceof ProbeCheck.Word word && words++ >= INLINE_WORDS) {
                listed.add(word);
            } else {
                subtract(check);
                code.bytes(JRCXZ, JMP_LENGTH);
                code.jmp(miss);
            }
        }
        if (!listed.isEmpty()) {
            loop(miss);
        }
        code.mov(RCX, at(savedRcx));
        int trap = code.size();
        code.int3();
        code.bind(miss);
        code.mov(RCX, at(savedRcx));
        code.jmp(resume);
        return trap;
    }

    /** Leaves in rcx what is seen minus what is wanted. */
    private void subtract(ProbeCheck check) {
        if (check instanceof ProbeCheck.General(GeneralRegister register, long value) && register != RCX) {
            code.mov(RCX, -value);
            code.lea(RCX, qword(register, 0).plus(RCX, 1));
            return;
        }
        code.mov(at(savedRax), RAX);
        switch (check) {
            case ProbeCheck.General rcx -> code.mov(RAX, at(savedRcx));
            case ProbeCheck.Vector vector -> moveFromVector(vector.register());
            case ProbeCheck.Word word -> {
                code.mov(RAX, word.address());
                code.mov(RAX, qword(RAX, 0));
            }
        }
        code.mov(RCX, -check.value());
        code.lea(RCX, qword(RAX, 0).plus(RCX, 1));
        code.mov(RAX, at(savedRax));
    }

    /** {@code movq rax, xmm}. */
    private void moveFromVector(int register) {
        byte prefix = (byte) (register < 8 ? 0x48 : 0x4c);
        code.bytes((byte) 0x66, prefix, (byte) 0x0f, (byte) 0x7e, (byte) (0xc0 | (register & 7) << 3));
    }

    private void loop(Label miss) {
        Label all = code.newLabel();
        code.mov(at(savedRax), RAX);
        code.mov(at(savedRdx), RDX);
        code.lea(RAX, at(table));
        int begin = code.size();
        code.mov(RDX, qword(RAX, 0));
        code.mov(RCX, RDX);
        code.bytes(JRCXZ, (byte) 2, JMP_SHORT, JMP_LENGTH);
        code.jmp(all);
        code.mov(RDX, qword(RDX, 0));
        code.mov(RCX, qword(RAX, 8));
        code.lea(RCX, qword(RDX, 0).plus(RCX, 1));
        code.lea(RAX, qword(RAX, 16));
        code.bytes(JRCXZ, (byte) (begin - (code.size() + 2)));
        code.mov(RAX, at(savedRax));
        code.mov(RDX, at(savedRdx));
        code.jmp(miss);
        code.bind(all);
        code.mov(RAX, at(savedRax));
        code.mov(RDX, at(savedRdx));
    }

    /** Appends what the code reads and writes. */
    void data() {
        for (Label saved : List.of(savedRax, savedRcx, savedRdx)) {
            code.bind(saved);
            code.dq(0);
        }
        code.bind(counter);
        code.dq(0);
        code.bind(table);
        for (ProbeCheck.Word word : listed) {
            code.dq(word.address());
            code.dq(-word.value());
        }
        code.dq(0);
    }
}
