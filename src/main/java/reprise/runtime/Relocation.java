package reprise.runtime;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import reprise.x86.Assembler;
import reprise.x86.Instruction;
import reprise.x86.Label;
import reprise.x86.Memory;

/** Moves instructions to a trampoline, so that they do there what they did where they were. */
final class Relocation {
    /** Less than 2 GB by more than any trampoline is long. */
    private static final long REACH = (1L << 31) - 65536;

    private static final int JMP = 0xe9;
    private static final int JMP_SHORT = 0xeb;
    private static final int CALL_TO_JMP = 0x10; // /2 and /3 to /4 and /5

    private final CodeWindow window;
    private final Assembler trampoline;
    private final List<Patch.Place> places = new ArrayList<>();
    private final List<Literal> literals = new ArrayList<>();

    private record Literal(Label label, long value) {}

    Relocation(CodeWindow window, Assembler trampoline) {
        this.window = window;
        this.trampoline = trampoline;
    }

    List<Patch.Place> places() {
        return List.copyOf(places);
    }

    /** Notes that what comes next in the trampoline stands for an original address. */
    void place(long address) {
        places.add(new Patch.Place(address, trampoline.size()));
    }

    /**
     * Whether {@link #move} can move an instruction to about {@code to}.
     *
     * @param last whether the bytes behind it stay: then a call may return to them
     * @return null if it can
     */
    static PatchPlan.Reason obstacle(Instruction instruction, long to, boolean last) {
        return switch (instruction.kind()) {
            // A kernel entry has to be seen where it is, and a breakpoint is somebody's.
            case SYSCALL, RDTSC, RDTSCP, INTERRUPT, INT3, TRANSACTION, INVALID -> PatchPlan.Reason.UNMOVABLE;
            case TRUNCATED -> PatchPlan.Reason.WINDOW_TOO_SMALL;
            case CALL -> last ? reach(instruction, to) : PatchPlan.Reason.UNMOVABLE;
            case INDIRECT_CALL ->
                last && isPlainCall(instruction) ? reach(instruction, to) : PatchPlan.Reason.UNMOVABLE;
            default -> instruction.hasWideImmediate() ? PatchPlan.Reason.CONSTANT : reach(instruction, to);
        };
    }

    private static PatchPlan.Reason reach(Instruction instruction, long to) {
        if (!instruction.kind().isRelativeBranch() && !instruction.isRipRelative()) {
            return null;
        }
        if (instruction.isRipRelative() && instruction.hasAddressSizePrefix()) {
            return PatchPlan.Reason.UNMOVABLE;
        }
        return isInReach(instruction.target(), to) ? null : PatchPlan.Reason.OUT_OF_REACH;
    }

    /** Whether a 32-bit displacement can lead from anywhere in a trampoline at {@code from} to {@code to}. */
    static boolean isInReach(long from, long to) {
        long distance = to - from;
        return distance > -REACH && distance < REACH;
    }

    /** Only through a rip-relative operand: any other might name rsp, which the push before the jump changes. */
    private static boolean isPlainCall(Instruction instruction) {
        return instruction.isRipRelative();
    }

    /**
     * Appends an instruction to the trampoline. There must be no {@link #obstacle}.
     *
     * @return whether control may go on behind it, in the trampoline: calls return to the original code
     */
    boolean move(Instruction instruction) {
        place(instruction.address());
        switch (instruction.kind()) {
            case JUMP -> trampoline.jmp(instruction.target());
            case CONDITIONAL_JUMP -> {
                trampoline.bytes((byte) 0x0f, (byte) (0x80 | instruction.opcode() & 0xf));
                trampoline.dd((int) (instruction.target() - (trampoline.address() + 4)));
            }
            case LOOP -> loop(instruction);
            case CALL -> {
                push(instruction.end());
                trampoline.jmp(instruction.target());
            }
            case INDIRECT_CALL -> {
                push(instruction.end());
                byte[] jump = adjusted(instruction, trampoline.address());
                jump[instruction.modrmOffset()] += CALL_TO_JMP;
                trampoline.bytes(jump);
            }
            default -> trampoline.bytes(adjusted(instruction, trampoline.address()));
        }
        return switch (instruction.kind()) {
            case CALL, INDIRECT_CALL -> false;
            default -> !instruction.kind().endsFlow();
        };
    }

    /** These have short displacements only: {@code loop taken; jmp short behind; taken: jmp target; behind:}. */
    private void loop(Instruction instruction) {
        byte[] bytes = bytesOf(instruction);
        bytes[instruction.displacementOffset()] = 2;
        trampoline.bytes(bytes);
        trampoline.bytes((byte) JMP_SHORT, (byte) 5, (byte) JMP);
        trampoline.dd((int) (instruction.target() - (trampoline.address() + 4)));
    }

    /** Pushes an address, without a register to carry it. */
    private void push(long address) {
        Label literal = trampoline.newLabel();
        literals.add(new Literal(literal, address));
        trampoline.push(Memory.at(literal));
    }

    /** Whether the trampoline contains addresses, which are right in one place only. */
    boolean hasAddresses() {
        return !literals.isEmpty();
    }

    /** Appends the constants that moved instructions use. To be called once, behind the last instruction. */
    void finish() {
        for (Literal literal : literals) {
            trampoline.bind(literal.label());
            trampoline.dq(literal.value());
        }
    }

    /** The bytes of an instruction, with its rip-relative operand, if any, adjusted to {@code address}. */
    private byte[] adjusted(Instruction instruction, long address) {
        byte[] bytes = bytesOf(instruction);
        if (instruction.isRipRelative()) {
            int displacement = (int) (instruction.ripRelativeAddress() - (address + bytes.length));
            for (int i = 0; i < 4; i++) {
                bytes[instruction.displacementOffset() + i] = (byte) (displacement >> (8 * i));
            }
        }
        return bytes;
    }

    private byte[] bytesOf(Instruction instruction) {
        int offset = window.offset(instruction.address());
        return Arrays.copyOfRange(window.bytes(), offset, offset + instruction.length());
    }
}
