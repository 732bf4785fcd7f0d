package reprise.runtime;

import static reprise.x86.GeneralRegister.RAX;
import static reprise.x86.GeneralRegister.RCX;
import static reprise.x86.GeneralRegister.RDX;
import static reprise.x86.Memory.at;
import static reprise.x86.Memory.qword;

import java.util.ArrayList;
import java.util.List;
import reprise.x86.Assembler;
import reprise.x86.GeneralRegister;
import reprise.x86.Label;

/**
 * Writes the part of a probe that compares: it stops at an {@code int3} where all checks hold, and runs into what comes
 * next where one does not. All registers are then as they were.
 *
 * <p>It changes neither the flags nor anything on the stack, below which there may be a red zone: values are compared by
 * adding the negative of what is wanted with {@code lea}, and testing rcx with {@code jrcxz}; registers are saved in the
 * probe's own memory. A miss at the first check costs two or three nanoseconds.
 */
final class ProbeCode {
    /** Words of memory compared one by one, before a loop takes the rest. */
    private static final int INLINE_WORDS = 8;

    private static final byte JRCXZ = (byte) 0xe3;
    private static final byte JMP_SHORT = (byte) 0xeb;
    private static final byte JMP_LENGTH = 5;

    private final Assembler code;
    private final Label savedRax;
    private final Label savedRcx;
    private final Label savedRdx;
    private final Label table;
    private final Label miss;
    private final List<ProbeCheck.Word> listed = new ArrayList<>();

    ProbeCode(Assembler code) {
        this.code = code;
        savedRax = code.newLabel();
        savedRcx = code.newLabel();
        savedRdx = code.newLabel();
        table = code.newLabel();
        miss = code.newLabel();
    }

    /**
     * Appends the comparisons.
     *
     * @param checks in the order in which they are to be made
     * @return offset of the {@code int3}
     */
    int emit(List<ProbeCheck> checks) {
        code.mov(at(savedRcx), RCX);
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
            loop();
        }
        code.mov(RCX, at(savedRcx));
        int trap = code.size();
        code.int3();
        code.bind(miss);
        code.mov(RCX, at(savedRcx));
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

    private void loop() {
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
        code.bind(table);
        for (ProbeCheck.Word word : listed) {
            code.dq(word.address());
            code.dq(-word.value());
        }
        code.dq(0);
    }
}
