package reprise.trace;

import static reprise.x86.Condition.ABOVE;
import static reprise.x86.Condition.EQUAL;
import static reprise.x86.GeneralRegister.R10;
import static reprise.x86.GeneralRegister.R11;
import static reprise.x86.GeneralRegister.R8;
import static reprise.x86.GeneralRegister.R9;
import static reprise.x86.GeneralRegister.RAX;
import static reprise.x86.GeneralRegister.RDI;
import static reprise.x86.GeneralRegister.RSI;
import static reprise.x86.Memory.qword;

import java.lang.foreign.MemorySegment;
import reprise.linux.MachineCode;
import reprise.linux.SyscallNumber;
import reprise.x86.Assembler;
import reprise.x86.GeneralRegister;
import reprise.x86.Label;

/**
 * Makes what programs were told of the time compress better: of each buffered clock_gettime the difference to the one before is
 * kept. Browsers ask for the time so often that this is most of their traces.
 *
 * <p>Nothing is known here about where records begin: whatever looks like one is treated so. As that is told by words that stay as
 * they are, it can be undone, whatever it was.
 *
 * <p>All that is recorded comes through here, so it is done by machine code: what the virtual machine compiles while recording
 * takes twenty times as long, and was most of what the writing thread did.
 */
final class TimeFilter {
    /** Bytes of a record of clock_gettime: a head with length and number, the result, two arguments, a struct timespec. */
    private static final int RECORD = 48;

    private static final int SECONDS = 32;
    private static final int NANOSECONDS = 40;
    private static final long HEAD = RECORD | (long) SyscallNumber.CLOCK_GETTIME << 32;
    private static final long HEAD_MASK = 0xffff_ffff_ffffL;

    private static final MachineCode APPLY = new MachineCode(loop(false));
    private static final MachineCode UNDO = new MachineCode(loop(true));

    private TimeFilter() {}

    /** Replaces times by differences, in memory outside the Java heap. */
    static void apply(MemorySegment events, long length) {
        call(APPLY, events, length);
    }

    /** Takes {@link #apply} back. */
    static void undo(MemorySegment events, long length) {
        call(UNDO, events, length);
    }

    private static void call(MachineCode loop, MemorySegment events, long length) {
        // Nothing else looks whether the memory is there.
        MemorySegment memory = events.asSlice(0, length);
        if (!memory.isNative()) {
            throw new IllegalArgumentException("memory in the Java heap");
        }
        loop.call(memory.address(), memory.address() + length - RECORD, 0);
    }

    /** Called with the address of the first word, and that of the last where a record may begin. */
    private static byte[] loop(boolean undo) {
        Assembler code = new Assembler(0);
        Label record = code.newLabel();
        Label end = code.newLabel();
        code.xor32(R8, R8);
        code.xor32(R9, R9);
        code.mov(R10, HEAD);
        code.mov(R11, HEAD_MASK);
        Label next = code.here();
        code.cmp(RDI, RSI);
        code.jcc(ABOVE, end);
        code.mov(RAX, qword(RDI, 0));
        code.and(RAX, R11);
        code.cmp(RAX, R10);
        code.jcc(EQUAL, record);
        code.add(RDI, Long.BYTES);
        code.jmp(next);
        code.bind(record);
        replace(code, SECONDS, R8, undo);
        replace(code, NANOSECONDS, R9, undo);
        code.add(RDI, RECORD);
        code.jmp(next);
        code.bind(end);
        code.ret();
        return code.toByteArray();
    }

    /** Replaces a word by its difference to the one before, which a register holds, or the other way round. */
    private static void replace(Assembler code, int offset, GeneralRegister last, boolean undo) {
        if (undo) {
            code.add(last, qword(RDI, offset));
            code.mov(qword(RDI, offset), last);
        } else {
            code.mov(RAX, qword(RDI, offset));
            code.sub(qword(RDI, offset), last);
            code.mov(last, RAX);
        }
    }
}
