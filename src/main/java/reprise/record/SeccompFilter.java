package reprise.record;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A classic BPF program for seccomp(2).
 *
 * @param program struct sock_filter[]
 * @param length number of instructions
 */
record SeccompFilter(byte[] program, int length) {
    /** What the stop's message is, by which it is told from that of a program's own filter: their lowest 16 bits are free. */
    static final int MESSAGE = 0x7265;

    private static final int RET_TRACE = 0x7ff00000;
    private static final int RET_ALLOW = 0x7fff0000;
    private static final int LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
    private static final int JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    private static final int RETURN = 0x06; // BPF_RET | BPF_K
    /** Offset of instruction_pointer in struct seccomp_data. */
    private static final int INSTRUCTION_POINTER = 8;

    /** Traces every system call except those made with this instruction pointer (behind the instruction). */
    static SeccompFilter traceAllBut(long instructionPointer) {
        ByteBuffer code = ByteBuffer.allocate(6 * 8).order(ByteOrder.LITTLE_ENDIAN);
        instruction(code, LOAD_WORD, 0, 0, INSTRUCTION_POINTER);
        instruction(code, JUMP_EQUAL, 0, 3, (int) instructionPointer);
        instruction(code, LOAD_WORD, 0, 0, INSTRUCTION_POINTER + 4);
        instruction(code, JUMP_EQUAL, 0, 1, (int) (instructionPointer >>> 32));
        instruction(code, RETURN, 0, 0, RET_ALLOW);
        instruction(code, RETURN, 0, 0, RET_TRACE | MESSAGE);
        return new SeccompFilter(code.array(), 6);
    }

    private static void instruction(ByteBuffer code, int opcode, int ifTrue, int ifFalse, int operand) {
        code.putShort((short) opcode).put((byte) ifTrue).put((byte) ifFalse).putInt(operand);
    }
}
