package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
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
    /** The same for jumps with a displacement of four bytes, which are few that lead to just there. */
    private static final int FAR = 16384;

    private static final int FAR_JUMP = 5;
    /** Bytes before an address that are looked at. */
    private static final int WINDOW = 48;
    /** Instructions between a call and the function. */
    private static final int PROLOGUE = 4;
    /** Bytes of a function in which it may return, and how often it may. */
    private static final int FUNCTION = 2048;

    private static final int RETURNS = 3;
    /** Bytes of the stack in which calls are looked for. */
    private static final int STACK = 4096;

    private static final int LONGEST_CALL = 7;
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
        addFarJumps(playback, address);
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

    /** Adds jumps from further away. */
    private void addFarJumps(Playback playback, long address) {
        long start = address - FAR;
        byte[] code = readMuch(playback, start, 2 * FAR);
        MemorySegment bytes = MemorySegment.ofArray(code);
        for (int at = 0; at + FAR_JUMP <= code.length && count < MOST; at++) {
            long behind = start + at + FAR_JUMP;
            if (behind + bytes.get(ValueLayout.JAVA_INT_UNALIGNED, at + 1L) != address) {
                continue;
            }
            boolean conditional = at > 0 && code[at - 1] == 0x0f && (code[at] & 0xf0) == 0x80;
            long jump = conditional ? start + at - 1 : start + at;
            if ((conditional || code[at] == (byte) 0xe9) && Math.abs(jump - address) > NEARBY) {
                found[count++] = jump;
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
     * The calls that the running task is in, the innermost first. What else is on the stack may look like one.
     *
     * @param most how many to look for
     */
    long[] calls(Playback playback, int most) {
        byte[] stack = read(playback, stackPointer(playback), STACK);
        long[] calls = new long[most];
        int size = 0;
        for (int at = 0; at + 8 <= stack.length && size < most; at += 8) {
            long behind = MemorySegment.ofArray(stack).get(ValueLayout.JAVA_LONG_UNALIGNED, at);
            count = 0;
            if (isBehindCall(playback, behind)) {
                addEndingAt(playback.running().carrier(), behind, true);
            }
            if (count > 0) {
                calls[size++] = found[0];
            }
        }
        return Arrays.copyOf(calls, size);
    }

    /** Whether there may be a call before an address: with a displacement, or through a register or memory. */
    private boolean isBehindCall(Playback playback, long behind) {
        byte[] code = read(playback, behind - LONGEST_CALL, LONGEST_CALL);
        if (code.length < LONGEST_CALL) {
            return false;
        }
        boolean call = code[LONGEST_CALL - 5] == (byte) 0xe8;
        for (int length = 2; length <= LONGEST_CALL && !call; length++) {
            call = code[LONGEST_CALL - length] == (byte) 0xff && (code[LONGEST_CALL - length + 1] & 0x38) == 0x10;
        }
        return call;
    }

    /** The stack pointer of the running task. */
    static long stackPointer(Playback playback) {
        ReplayTask task = playback.running();
        return Registers.get(task.carrier().registers(task), Registers.RSP);
    }

    /** Where the call at which a playback stands returns to; 0 if it stands at none. */
    long behindCall(Playback playback) {
        byte[] code = read(playback, playback.address(), InstructionDecoder.MAX_LENGTH);
        boolean call =
                decoder.decode(code, 0, code.length, playback.address(), instruction) && isCall(instruction.kind());
        return call ? playback.address() + instruction.length() : 0;
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

    private static byte[] readMuch(Playback playback, long address, int length) {
        byte[] all = new byte[length];
        int done = 0;
        while (done < length) {
            byte[] part = read(playback, address + done, Math.min(STACK, length - done));
            System.arraycopy(part, 0, all, done, part.length);
            done += STACK;
        }
        return all;
    }

    private static byte[] read(Playback playback, long address, int length) {
        Carrier carrier = playback.running().carrier();
        var code = carrier.memory().buffer().asSlice(0, length);
        int count = (int) carrier.tracee().read(address, code, length);
        carrier.breakpoints().hide(address, code, count);
        return code.asSlice(0, count).toArray(JAVA_BYTE);
    }
}
