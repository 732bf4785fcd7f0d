package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.util.Arrays;
import reprise.x86.Instruction;
import reprise.x86.InstructionDecoder;
import reprise.x86.Registers;

/** Guesses which instructions can have been executed right before an instant. */
final class CodeBefore {
    private static final int MOST = CarrierBreakpoints.SLOTS - 2;

    private final InstructionDecoder decoder = new InstructionDecoder();
    private final Instruction instruction = new Instruction();
    private final long[] found = new long[MOST];
    private int count;

    /**
     * Addresses at which an instruction may begin that leads to where the running task is. They need not be instructions
     * of the program: only the processor's breakpoints may be used there.
     */
    long[] guess(Playback playback) {
        count = 0;
        ReplayTask task = playback.running();
        Carrier carrier = task.carrier();
        var registers = carrier.registers(task);
        var stack = carrier.memory().buffer().asSlice(0, 8);
        // At a function's first instruction: the call.
        if (carrier.tracee().read(Registers.get(registers, Registers.RSP), stack, 8) == 8) {
            add(carrier, stack.get(java.lang.foreign.ValueLayout.JAVA_LONG, 0), true);
        }
        add(carrier, Registers.get(registers, Registers.RIP), false);
        return Arrays.copyOf(found, count);
    }

    private void add(Carrier carrier, long behind, boolean calls) {
        int most = InstructionDecoder.MAX_LENGTH;
        var code = carrier.memory().buffer().asSlice(0, 2L * most);
        code.fill((byte) 0);
        long start = behind - most;
        if (carrier.tracee().read(start, code, most) != most) {
            return;
        }
        carrier.breakpoints().hide(start, code, most);
        byte[] bytes = code.asSlice(0, most).toArray(JAVA_BYTE);
        for (int length = 1; length <= most && count < MOST; length++) {
            boolean valid = decoder.decode(bytes, most - length, most, behind - length, instruction)
                    && instruction.length() == length;
            if (valid && leadsOn(instruction.kind(), calls)) {
                found[count++] = behind - length;
                if (calls) {
                    return;
                }
            }
        }
    }

    private static boolean leadsOn(Instruction.Kind kind, boolean calls) {
        boolean call = kind == Instruction.Kind.CALL || kind == Instruction.Kind.INDIRECT_CALL;
        return calls ? call : !call && !kind.endsFlow();
    }
}
