package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import reprise.x86.Instruction;
import reprise.x86.InstructionDecoder;
import reprise.x86.Registers;

/** Guesses which instructions can have been executed right before an instant. */
final class CodeBefore {
    private static final int MOST = CarrierBreakpoints.SLOTS - 1;
    /** Bytes on both sides of an address where jumps to it are looked for. */
    private static final int NEARBY = 512;
    /** Bytes before an address that are looked at. */
    private static final int WINDOW = 48;
    /** Instructions between a call and the function. */
    private static final int PROLOGUE = 4;
    /** Bytes of a function in which it may return, and how often it may. */
    private static final int FUNCTION = 2048;

    private static final int RETURNS = 3;
    /** Bytes within which a stub of the procedure linkage table jumps to the function. */
    private static final int MAX_STUB = 16;

    private final InstructionDecoder decoder = new InstructionDecoder();
    private final Instruction instruction = new Instruction();
    private final long[] found = new long[MOST];
    private int count;

    /**
     * Addresses at which an instruction may begin that leads to where the running task is, the likeliest first. They need not
     * be instructions of the program: only the processor's breakpoints may be used there.
     */
    long[] guess(Playback playback) {
        count = 0;
        ReplayTask task = playback.running();
        Carrier carrier = task.carrier();
        var registers = carrier.registers(task);
        long address = Registers.get(registers, Registers.RIP);
        addEndingAt(carrier, address, false);
        // At a function's first instruction: the call.
        var stack = carrier.memory().buffer().asSlice(0, 8);
        if (carrier.tracee().read(Registers.get(registers, Registers.RSP), stack, 8) == 8) {
            addEndingAt(carrier, stack.get(ValueLayout.JAVA_LONG, 0), true);
        }
        addJumps(playback, address);
        return Arrays.copyOf(found, count);
    }

    /** Adds jumps nearby that lead to an address. */
    private void addJumps(Playback playback, long address) {
        long start = address - NEARBY;
        byte[] code = read(playback, start, 2 * NEARBY);
        for (int at = 0; at < code.length && count < MOST; at++) {
            if (decoder.decode(code, at, code.length, start + at, instruction)
                    && instruction.kind().isRelativeBranch()
                    && instruction.kind() != Instruction.Kind.CALL
                    && instruction.target() == address) {
                found[count++] = start + at;
            }
        }
    }

    /**
     * Adds the instructions that end at an address. Instructions can be read forward only; but wherever one begins to, one
     * soon comes to read those that are meant. So several beginnings vote.
     */
    private void addEndingAt(Carrier carrier, long behind, boolean calls) {
        var code = carrier.memory().buffer().asSlice(0, WINDOW);
        if (carrier.tracee().read(behind - WINDOW, code, WINDOW) != WINDOW) {
            return;
        }
        carrier.breakpoints().hide(behind - WINDOW, code, WINDOW);
        byte[] bytes = code.toArray(JAVA_BYTE);
        int[] votes = new int[WINDOW];
        for (int start = 0; start < WINDOW; start++) {
            int last = -1;
            int at = start;
            while (at < WINDOW) {
                boolean valid = decoder.decode(bytes, at, WINDOW, behind - WINDOW + at, instruction);
                last = at;
                at += valid ? instruction.length() : 2 * WINDOW;
            }
            if (at == WINDOW && leadsOn(instruction.kind(), calls)) {
                votes[last]++;
            }
        }
        int best = 0;
        for (int at = 1; at < WINDOW; at++) {
            best = votes[at] > votes[best] ? at : best;
        }
        if (votes[best] > 0) {
            found[count++] = behind - WINDOW + best;
        }
    }

    private static boolean leadsOn(Instruction.Kind kind, boolean calls) {
        return calls ? isCall(kind) : !kind.endsFlow();
    }

    private static boolean isCall(Instruction.Kind kind) {
        return kind == Instruction.Kind.CALL || kind == Instruction.Kind.INDIRECT_CALL;
    }

    /**
     * Where a function can return, if a playback is about to call one.
     *
     * @return addresses of instructions; none if it stands at no call
     */
    long[] returns(History history, Playback playback) {
        byte[] code = read(playback, playback.address(), InstructionDecoder.MAX_LENGTH);
        if (!decoder.decode(code, 0, code.length, playback.address(), instruction) || !isCall(instruction.kind())) {
            return new long[0];
        }
        try (Playback inside = history.copy(playback)) {
            // Through the procedure linkage table, if it is called that way.
            for (int i = 0; i < PROLOGUE; i++) {
                if (inside.proceed(Playback.UNARMED, tid -> true, 0) != Halt.STEPPED) {
                    return new long[0];
                }
                long[] found = returns(read(inside, inside.address(), FUNCTION), inside.address());
                if (found.length > 0) {
                    return found;
                }
            }
        }
        return new long[0];
    }

    private long[] returns(byte[] code, long address) {
        long[] addresses = new long[RETURNS];
        int found = 0;
        for (int at = 0; at < code.length && found < RETURNS; at += instruction.length()) {
            boolean valid = decoder.decode(code, at, code.length, address + at, instruction);
            if (!valid || instruction.kind() == Instruction.Kind.INDIRECT_JUMP && at < MAX_STUB) {
                break;
            }
            if (instruction.kind() == Instruction.Kind.RETURN) {
                addresses[found++] = address + at;
            }
        }
        return Arrays.copyOf(addresses, found);
    }

    private static byte[] read(Playback playback, long address, int length) {
        Carrier carrier = playback.running().carrier();
        var code = carrier.memory().buffer().asSlice(0, length);
        int count = (int) carrier.tracee().read(address, code, length);
        carrier.breakpoints().hide(address, code, count);
        return code.asSlice(0, count).toArray(JAVA_BYTE);
    }
}
