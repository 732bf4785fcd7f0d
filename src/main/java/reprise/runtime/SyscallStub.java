package reprise.runtime;

import static reprise.runtime.BufferLayout.*;
import static reprise.x86.Condition.*;
import static reprise.x86.GeneralRegister.*;
import static reprise.x86.Memory.absolute;
import static reprise.x86.Memory.dword;
import static reprise.x86.Memory.octet;
import static reprise.x86.Memory.qword;
import static reprise.x86.Memory.word;

import reprise.linux.Errno;
import reprise.linux.SyscallNumber;
import reprise.tracee.RuntimePage;
import reprise.x86.Assembler;
import reprise.x86.GeneralRegister;
import reprise.x86.Instruction.Kind;
import reprise.x86.Label;
import reprise.x86.Memory;

/**
 * The code that performs system calls without a stop, in the process of the program.
 *
 * <p>A patched site jumps to its trampoline, which puts the address behind its own syscall instruction in rcx, as that
 * instruction would, and goes to {@link BufferLayout#ENTRY}. While recording, the stub looks the call up in its table.
 * One that waits for nobody it performs, with the program's own pointers, through the instruction that is not traced; one
 * that may wait, only after asking whether it would. What the kernel wrote is then copied from the program's memory into
 * the record. All else it leaves to the trampoline's own syscall instruction, which stops the program: calls that are not
 * in the table or would block, too much data, a full buffer.
 *
 * <p>At replay the same code takes the records, as long as there are any, and copies what they hold to where the kernel
 * wrote it. When there are none it goes to the trampoline's instruction, since all that was performed here while recording
 * is in the buffer: no decision of then has to be made again. A record that does not fit to what the call did ends in ud2.
 *
 * <p>Inside a domain one task runs at a time and is never changed for another while it is in here, so one buffer and one
 * place for registers are enough for all tasks of an address space. The program's stack is not used.
 */
public final class SyscallStub {
    private static final GeneralRegister[] ARGUMENT_REGISTERS = {RDI, RSI, RDX, R10, R8, R9};

    private static final int O_TRUNC = 01000;
    private static final int O_NONBLOCK = 04000;
    private static final int POLLIN = 1;
    private static final int POLLOUT = 4;
    private static final int F_GETFL = 3;
    private static final int MSG_WAITALL = 0x100;
    private static final int WNOHANG = 1;
    private static final int FUTEX_CLOCK_REALTIME = 0x100;
    private static final int NANOSECONDS = 1_000_000_000;
    private static final int S_IFMT = 0170000;
    private static final int S_IFREG = 0100000;
    private static final int S_IFDIR = 0040000;
    private static final int S_IFCHR = 0020000;
    /** As st_rdev of struct stat: null, zero, full and urandom, where nobody ever waits (drivers/char/mem.c). */
    private static final int[] READY_DEVICES = {0x103, 0x105, 0x107, 0x109};

    private static final int OVERFLOW_FLAG = 0x800;
    /** The interrupt flag, and a bit that is always 1. */
    private static final int ALWAYS_SET = 0x202;
    /** With these, which arithmetic sets: nothing else is set at calls of ordinary code. */
    private static final int USUAL_FLAGS = 0xd5 | OVERFLOW_FLAG | ALWAYS_SET;

    /** Bytes up to which a loop copies faster than the processor's string instruction begins. */
    private static final int FEW_BYTES = 160;

    /** A pipe that is ready takes as much at once. */
    private static final int PIPE_BUF = 4096;

    /** Gives memory a name. Allocators do that with each piece. */
    private static final int PR_SET_VMA = 0x53564d41;

    private static final int MOST_VECTORS = 16;
    private static final int HIGHEST_ERRNO = 4095;

    /** Class of a descriptor: a file, a directory or a device that never blocks. */
    private static final int FILE = 1;
    /** Something that can be polled. */
    private static final int POLLED_CLASS = 2;
    /** Calls have to be traced. */
    private static final int TRACED_CLASS = 3;
    /** A file that somebody maps: what is read is read, but what is written appears in memory. */
    private static final int MAPPED_CLASS = 4;

    private static final int STACK_START = (int) STACK_TOP;

    private final Assembler code = new Assembler(CODE);
    private final Label abort = code.newLabel();
    private final Label done = code.newLabel();
    private final Label perform = code.newLabel();
    private final Label afresh = code.newLabel();
    private final Label classify = code.newLabel();
    private final Label keepPolled = code.newLabel();
    private final Label restorePolled = code.newLabel();
    private final Label copyOutput = code.newLabel();
    private final Label exit = code.newLabel();
    private final Label table = code.newLabel();
    private final Label begun = code.newLabel();
    private final Label countering = code.newLabel();
    private final CounterPath counter = new CounterPath(code);
    private final MemoryPath memory = new MemoryPath(code, abort, done);

    private SyscallStub() {}

    /** The bytes at {@link BufferLayout#CODE}. */
    public static byte[] image() {
        return new SyscallStub().assemble();
    }

    /** Whether calls of a number may be performed without a stop. */
    public static boolean performs(int number) {
        return BufferTable.isPerformed(number);
    }

    /** What a trampoline does in the place of a syscall instruction, see {@link PatchPlanner.Hook}. */
    public static void hook(Assembler trampoline, long site, Kind kind) {
        if (kind == Kind.RDTSC) {
            CounterPath.hook(trampoline);
            return;
        }
        Label behind = trampoline.newLabel();
        trampoline.lea(RCX, Memory.at(behind));
        trampoline.mov(R11, ENTRY);
        trampoline.jmp(R11);
        trampoline.syscall();
        trampoline.bind(behind);
    }

    private byte[] assemble() {
        pad(STOP_INSTRUCTION);
        code.syscall();
        code.ud2();
        pad(ABORT);
        code.jmp(abort);
        pad(COUNTER_ENTRY);
        code.jmp(countering);
        pad(LEAVE);
        code.jmp(RCX);
        pad(ENTRY);
        enter();
        code.bind(begun);
        // Strings copied backwards, alignment checked: nothing below is made for that.
        code.test(qword(RSP, 0), ~USUAL_FLAGS);
        code.jcc(NOT_EQUAL, abort);
        record();
        replay();
        leave();
        subroutines();
        code.align(8);
        ways();
        if (code.size() > TABLE - CODE) {
            throw new IllegalStateException("the stub has " + code.size() + " bytes");
        }
        byte[] image = new byte[CODE_SIZE];
        byte[] bytes = code.toByteArray();
        System.arraycopy(bytes, 0, image, 0, bytes.length);
        System.arraycopy(BufferTable.image(), 0, image, (int) (TABLE - CODE), TABLE_SIZE);
        return image;
    }

    private void pad(long address) {
        while (code.address() < address) {
            code.int3();
        }
    }

    private static Memory int32(long address) {
        return absolute(address).ofSize(4);
    }

    static Memory argument(int index) {
        return absolute(ARGUMENTS + 8L * index);
    }

    // ---- there and back ----

    /** Saves what is used; then rbx is the entry of the table. */
    private void enter() {
        save();
        code.mov(int32(COUNTING), 0);
        code.mov(absolute(NUMBER), RAX);
        code.cmp(RAX, BufferTable.COUNTER);
        code.jcc(ABOVE_OR_EQUAL, abort);
        code.mov32(RBX, RAX);
        code.shl(RBX, BufferTable.ENTRY_BITS);
        code.add(RBX, (int) TABLE);
    }

    /** What is below begins as {@link #enter} does, and goes on behind it. */
    private void enterToCount() {
        code.bind(countering);
        counter.begin();
        save();
        counter.proceed(begun, abort);
    }

    private void save() {
        code.mov(absolute(RETURN), RCX);
        code.mov(absolute(SAVED_RSP), RSP);
        code.mov(RSP, STACK_START);
        code.pushfq();
        for (int index = 0; index < ARGUMENT_REGISTERS.length; index++) {
            code.mov(argument(index), ARGUMENT_REGISTERS[index]);
        }
        code.mov(absolute(SAVED_RBX), RBX);
        code.mov(absolute(SAVED_RBP), RBP);
        code.mov(absolute(SAVED_R12), R12);
    }

    private void restoreArguments() {
        for (int index = 0; index < ARGUMENT_REGISTERS.length; index++) {
            code.mov(ARGUMENT_REGISTERS[index], argument(index));
        }
    }

    private void restoreRegisters() {
        restoreArguments();
        code.mov(RBX, absolute(SAVED_RBX));
        code.mov(RBP, absolute(SAVED_RBP));
        code.mov(R12, absolute(SAVED_R12));
    }

    /** The program's flags, also in r11 as after a system call; then its stack. */
    private void restoreFlagsAndStack() {
        code.mov(R11, qword(RSP, 0));
        code.popfq();
        code.mov(RSP, absolute(SAVED_RSP));
    }

    /** Loads the flags that arithmetic sets from r11, in a third of popfq's time. rax is lost. */
    private void statusFlags() {
        code.mov32(RAX, R11);
        code.swapLowBytes(RAX);
        // The overflow flag is bit 3 here: 0x0a and this overflows, 0x02 does not. The others are in ah.
        code.addAl(0x80 - (OVERFLOW_FLAG | ALWAYS_SET) / 256);
        code.sahf();
    }

    /** Back to the program; the result is in r12. */
    private void leave() {
        Label stopping = code.newLabel();
        Label go = code.newLabel();
        code.bind(exit);
        Label counted = code.newLabel();
        code.cmp(int32(COUNTING), 0);
        code.jcc(NOT_EQUAL, counted);
        code.cmp(int32(STOP), 0);
        code.jcc(NOT_EQUAL, stopping);
        code.bind(go);
        code.mov(R11, qword(RSP, 0));
        statusFlags();
        code.mov(RAX, R12);
        restoreRegisters();
        code.mov(RSP, absolute(SAVED_RSP));
        code.mov(RCX, absolute(RETURN));
        code.jmp(LEAVE);

        code.bind(stopping);
        Label stop = code.newLabel();
        code.cmp(int32(MODE), 0);
        code.jcc(EQUAL, stop);
        code.mov(RCX, absolute(CURSOR));
        code.cmp(RCX, absolute(AVAILABLE));
        code.jcc(BELOW, go);
        code.bind(stop);
        code.mov(absolute(RESULT), R12);
        restoreRegisters();
        restoreFlagsAndStack();
        code.mov(RAX, SyscallNumber.GETPID);
        code.jmp(STOP_INSTRUCTION);

        code.bind(counted);
        code.mov(absolute(RESULT), R12);
        restoreRegisters();
        restoreFlagsAndStack();
        counter.leave();

        // The call is made at its site instead. Whatever was pushed is forgotten.
        code.bind(abort);
        Label execute = code.newLabel();
        code.mov(RSP, STACK_START - 8);
        restoreRegisters();
        code.cmp(int32(COUNTING), 0);
        code.jcc(NOT_EQUAL, execute);
        code.mov(RAX, absolute(NUMBER));
        code.mov(RCX, absolute(RETURN));
        code.popfq();
        code.mov(RSP, absolute(SAVED_RSP));
        code.lea(R11, qword(RCX, -2));
        code.jmp(R11);

        code.bind(execute);
        code.mov(RAX, absolute(NUMBER));
        counter.prepare();
        code.popfq();
        code.mov(RSP, absolute(SAVED_RSP));
        counter.execute();
    }

    /** The numbers of the calls that the stub makes in replay, too; a copy. */
    public static int[] callsDoneAgain() {
        return BufferTable.DONE_AGAIN.clone();
    }

    // ---- recording ----

    private void record() {
        Label replaying = code.newLabel();
        code.cmp(int32(MODE), 0);
        code.jcc(NOT_EQUAL, replaying);
        code.cmp(int32(DISABLED), 0);
        code.jcc(NOT_EQUAL, abort);
        roomOrAbort();
        touchOutputs();
        code.movzx(RCX, octet(RBX, 0));
        code.lea(R11, Memory.at(table));
        code.jmp(qword(R11, 0).plus(RCX, 8));

        code.bind(perform);
        code.mov(RAX, absolute(NUMBER));
        call();

        code.bind(done);
        code.mov(R12, RAX);
        // An input leads nowhere, or the middle of a large output. The tracer can tell what was written; nothing else
        // was done.
        code.cmp(RAX, -Errno.EFAULT);
        code.jcc(EQUAL, abort);
        code.mov(R11, absolute(CURSOR));
        code.add(R11, (int) BUFFER);
        code.mov(RCX, RBX);
        code.sub(RCX, (int) TABLE);
        code.shl(RCX, 16 - BufferTable.ENTRY_BITS);
        code.or(RCX, absolute(NUMBER));
        code.mov(dword(R11, 4), RCX);
        code.mov(qword(R11, BufferRecord.RESULT), R12);
        // All of them, for that is faster than to count; those that mean nothing are overwritten by what comes behind.
        for (int index = 0; index < ARGUMENT_REGISTERS.length; index++) {
            code.mov(RCX, argument(index));
            code.mov(qword(R11, BufferRecord.ARGUMENTS + 8 * index), RCX);
        }
        behindArguments();
        outputs();
        code.mov(RCX, RBP);
        code.sub(RCX, R11);
        code.mov(dword(R11, 0), RCX);
        // From here on it counts.
        code.sub(RBP, (int) BUFFER);
        code.mov(absolute(CURSOR), RBP);
        code.jmp(exit);
        code.bind(replaying);
    }

    /** Puts into rbp where the outputs begin in the record at r11, and into ecx how many arguments it has. */
    private void behindArguments() {
        code.movzx(RCX, octet(RBX, 1));
        code.shr(RCX, 4);
        code.lea(RBP, qword(R11, BufferRecord.ARGUMENTS).plus(RCX, 8));
    }

    /** Leaves a call to its site whose outputs may not fit. */
    private void roomOrAbort() {
        code.cmp(absolute(CURSOR), BUFFER_SIZE - LARGEST_OUTPUT - 0x1000);
        code.jcc(ABOVE, abort);
        Label fits = code.newLabel();
        code.movzx(RCX, octet(RBX, 1));
        code.and(RCX, 15);
        code.jcc(EQUAL, fits);
        code.movzx(R11, word(RBX, 2));
        code.shl(R11, 4);
        code.cmp(R11, absolute(ARGUMENTS - 8).plus(RCX, 8));
        code.jcc(BELOW, abort);
        code.bind(fits);
    }

    /**
     * Touches the first and the last byte of each output. Where the program cannot write, this faults, and the call is made
     * traced, before anything was done: what the kernel had written, or taken from a socket, up to its EFAULT could not be
     * undone. Leaves the arguments in their registers.
     */
    private void touchOutputs() {
        Label end = code.newLabel();
        for (int index = 0; index < 3; index++) {
            Label next = code.newLabel();
            Label fixed = code.newLabel();
            code.mov(RBP, dword(RBX, 4 + 4 * index));
            code.test32(RBP, RBP);
            code.jcc(EQUAL, end);
            loadArgument(R12, RCX, RBP, 4);
            code.test(R12, R12);
            code.jcc(EQUAL, next);
            code.mov32(RCX, RBP);
            code.shr(RCX, 12);
            code.mov32(R11, RBP);
            code.and(R11, 7);
            code.cmp32(R11, 1);
            code.jcc(EQUAL, fixed);
            code.shr(RBP, 8);
            code.and(RBP, 15);
            code.imul(RCX, absolute(ARGUMENTS).plus(RBP, 8));
            code.test(RCX, RCX);
            code.jcc(EQUAL, next);
            code.bind(fixed);
            touch(octet(R12, 0));
            touch(octet(R12, -1).plus(RCX, 1));
            code.bind(next);
        }
        code.bind(end);
    }

    /** Loads the argument whose number is in four bits of an output's description, by way of a register for the number. */
    private void loadArgument(
            GeneralRegister argument, GeneralRegister number, GeneralRegister description, int shift) {
        code.mov32(number, description);
        code.shr(number, shift);
        code.and(number, 15);
        code.mov(argument, absolute(ARGUMENTS).plus(number, 8));
    }

    /** Writes a byte as it is, in one instruction: all who share this memory use the same core. */
    private void touch(Memory octet) {
        code.add(octet, 0);
    }

    /** The three outputs of a call that succeeded. */
    private void outputs() {
        Label none = code.newLabel();
        code.cmp(R12, -HIGHEST_ERRNO);
        code.jcc(ABOVE_OR_EQUAL, none);
        for (int index = 0; index < 3; index++) {
            code.mov(RCX, dword(RBX, 4 + 4 * index));
            code.test32(RCX, RCX);
            code.jcc(EQUAL, none);
            code.call(copyOutput);
        }
        code.bind(none);
    }

    private void call() {
        code.call(RuntimePage.UNTRACED_SYSCALL);
    }

    // ---- replaying ----

    private void replay() {
        Label diverged = code.newLabel();
        Label again = code.newLabel();
        code.mov(R11, absolute(CURSOR));
        code.cmp(R11, absolute(AVAILABLE));
        code.jcc(ABOVE_OR_EQUAL, abort);
        code.add(R11, (int) BUFFER);
        code.movzx(RCX, word(R11, 4));
        // Another call than the one that is next in the buffer is made at its site: the recorder may not have seen it.
        code.cmp32(RCX, RAX);
        code.jcc(NOT_EQUAL, abort);
        code.movzx(RBX, word(R11, 6));
        code.shl(RBX, BufferTable.ENTRY_BITS);
        code.add(RBX, (int) TABLE);
        Label same = code.newLabel();
        behindArguments();
        for (int index = 0; index < ARGUMENT_REGISTERS.length; index++) {
            code.sub(RCX, 1);
            code.jcc(BELOW, same);
            code.cmp(ARGUMENT_REGISTERS[index], qword(R11, BufferRecord.ARGUMENTS + 8 * index));
            code.jcc(NOT_EQUAL, abort);
        }
        code.bind(same);
        code.mov(R12, qword(R11, BufferRecord.RESULT));
        outputs();
        code.mov(RCX, dword(R11, 0));
        code.add(RCX, R11);
        code.cmp(RCX, RBP);
        code.jcc(NOT_EQUAL, diverged);
        code.sub(RBP, (int) BUFFER);
        code.mov(absolute(CURSOR), RBP);
        // What changes the address space is done here, too.
        code.mov(RAX, absolute(NUMBER));
        for (int number : BufferTable.DONE_AGAIN) {
            code.cmp32(RAX, number);
            code.jcc(EQUAL, again);
        }
        code.jmp(exit);
        code.bind(again);
        restoreArguments();
        memory.doAgain(diverged);
        code.jmp(exit);
        code.bind(diverged);
        code.ud2();
    }

    // ---- subroutines ----

    private void subroutines() {
        enterToCount();
        afresh();
        copyOutput();
        classify();
        polled();
    }

    /**
     * Copies one output between the program's memory and the record at rbp, which it moves on. rcx describes it, r12 is the
     * result.
     */
    private void copyOutput() {
        Label fixed = code.newLabel();
        Label byArgument = code.newLabel();
        Label nothing = code.newLabel();
        code.bind(copyOutput);
        loadArgument(RDI, RDX, RCX, 4);
        code.test(RDI, RDI);
        code.jcc(EQUAL, nothing);
        code.mov32(RSI, RCX);
        code.shr(RSI, 12);
        code.test(RCX, 8);
        Label anyResult = code.newLabel();
        code.jcc(EQUAL, anyResult);
        code.test(R12, R12);
        code.jcc(LESS_OR_EQUAL, nothing);
        code.bind(anyResult);
        code.mov32(RDX, RCX);
        code.shr(RDX, 8);
        code.and(RDX, 15);
        code.and(RCX, 7);
        code.cmp32(RCX, 1);
        code.jcc(EQUAL, fixed);
        code.mov(RDX, absolute(ARGUMENTS).plus(RDX, 8));
        code.cmp32(RCX, 3);
        code.jcc(EQUAL, byArgument);
        code.cmp(R12, RDX);
        code.jcc(ABOVE_OR_EQUAL, byArgument);
        code.mov(RDX, R12);
        code.bind(byArgument);
        code.imul(RSI, RDX);
        code.bind(fixed);
        code.mov(RCX, RSI);
        code.test(RCX, RCX);
        code.jcc(EQUAL, nothing);
        code.mov(RSI, RBP);
        code.lea(RBP, qword(RBP, 7).plus(RCX, 1));
        code.and(RBP, -8);
        Label fromRecord = code.newLabel();
        code.cmp(int32(MODE), 0);
        code.jcc(NOT_EQUAL, fromRecord);
        code.xchg(RDI, RSI);
        // What lies between the bytes and the next word is part of the record.
        code.mov(qword(RBP, -8), 0);
        code.bind(fromRecord);
        Label string = code.newLabel();
        Label words = code.newLabel();
        code.cmp(RCX, FEW_BYTES);
        code.jcc(ABOVE, string);
        code.sub(RCX, 8);
        Label rest = code.newLabel();
        code.jcc(BELOW, rest);
        code.bind(words);
        code.mov(RAX, qword(RSI, 0));
        code.mov(qword(RDI, 0), RAX);
        code.add(RSI, 8);
        code.add(RDI, 8);
        code.sub(RCX, 8);
        code.jcc(ABOVE_OR_EQUAL, words);
        code.bind(rest);
        code.add(RCX, 8);
        code.jcc(EQUAL, nothing);
        code.bind(string);
        code.repMovsb();
        code.bind(nothing);
        code.ret();
    }

    /**
     * Keeps what poll asks about in the record to be, since the kernel writes to it also where nothing is ready. A call that
     * really waits does not do that before it returns, and others may look meanwhile.
     */
    private void polled() {
        code.bind(keepPolled);
        code.mov(RSI, RDI);
        recordedPolled(RDI);
        code.repMovsb();
        restoreArguments();
        code.ret();
        code.bind(restorePolled);
        code.mov(RDI, argument(0));
        recordedPolled(RSI);
        code.repMovsb();
        code.jmp(abort);
    }

    /** Loads where the array of struct pollfd is kept, and its bytes into rcx. */
    private void recordedPolled(GeneralRegister place) {
        code.mov(RCX, argument(1));
        code.shl(RCX, 3);
        code.mov(place, absolute(CURSOR));
        code.add(place, (int) BUFFER + BufferRecord.LARGEST_HEADER);
    }

    /** Puts the class of the descriptor in edi into ecx. The arguments' registers are lost where it has to be found out. */
    private void classify() {
        Label known = code.newLabel();
        Label mapped = code.newLabel();
        Label traced = code.newLabel();
        Label store = code.newLabel();
        code.bind(classify);
        code.mov32(RDX, RDI);
        code.cmp(RDX, CLASSES_SIZE);
        Label small = code.newLabel();
        code.jcc(BELOW, small);
        code.mov(RCX, TRACED_CLASS);
        code.ret();
        code.bind(small);
        code.movzx(RCX, octet(RDX, (int) CLASSES));
        code.test32(RCX, RCX);
        code.jcc(NOT_EQUAL, known);
        code.push(RDX);
        code.mov(RAX, SyscallNumber.FSTAT);
        code.mov(RSI, STATUS);
        call();
        code.pop(RDX);
        code.mov(RCX, FILE);
        code.test32(RAX, RAX);
        code.jcc(NOT_EQUAL, known); // It is not open: the call will say so at once.
        code.mov(RAX, absolute(STATUS));
        code.cmp(RAX, absolute(PROC_DEVICE));
        code.jcc(EQUAL, traced);
        code.mov(RCX, absolute(STATUS + 8));
        code.mov(RAX, RCX);
        code.shr(RAX, 15);
        code.xor(RAX, RCX);
        code.and(RAX, TRACED_INODES_SIZE * 8 - 1);
        code.mov(RCX, RAX);
        code.shr(RCX, 6);
        code.mov(RCX, absolute(TRACED_INODES).plus(RCX, 8));
        code.bt(RCX, RAX);
        code.jcc(BELOW, mapped);
        code.mov(RAX, int32(STATUS + 24));
        code.and(RAX, S_IFMT);
        code.mov(RCX, FILE);
        code.cmp32(RAX, S_IFREG);
        code.jcc(EQUAL, store);
        code.cmp32(RAX, S_IFDIR);
        code.jcc(EQUAL, store);
        Label polled = code.newLabel();
        code.cmp32(RAX, S_IFCHR);
        code.jcc(NOT_EQUAL, polled);
        code.mov(RAX, absolute(STATUS + 40));
        for (int device : READY_DEVICES) {
            code.cmp(RAX, device);
            code.jcc(EQUAL, store);
        }
        code.bind(polled);
        code.mov(RCX, POLLED_CLASS);
        code.bind(store);
        code.mov(octet(RDX, (int) CLASSES), RCX);
        code.bind(known);
        code.ret();
        code.bind(mapped);
        code.mov(RAX, int32(STATUS + 24));
        code.and(RAX, S_IFMT);
        code.mov(RCX, MAPPED_CLASS);
        code.cmp32(RAX, S_IFREG);
        code.jcc(EQUAL, store);
        code.bind(traced);
        code.mov(RCX, TRACED_CLASS);
        code.jmp(store);
    }

    // ---- ways to perform a call ----

    /** The code for each way, then the table of its addresses. */
    private void ways() {
        BufferTable.Way[] ways = BufferTable.Way.values();
        Label[] starts = new Label[ways.length];
        for (BufferTable.Way way : ways) {
            starts[way.ordinal()] = code.here();
            way(way);
        }
        code.align(8);
        code.bind(table);
        for (Label start : starts) {
            code.dq(code.addressOf(start));
        }
    }

    private void way(BufferTable.Way way) {
        switch (way) {
            case TRACED -> code.jmp(abort);
            case PLAIN -> code.jmp(perform);
            case PROTECT -> memory.protect();
            case ADVISE -> memory.advise();
            case MAP -> memory.map();
            case UNMAP -> memory.unmap();
            case BREAK -> memory.setBreak();
            case COUNTER -> {
                counter.read();
                code.jmp(done);
            }
            case READ -> {
                code.call(classify);
                code.cmp32(RCX, MAPPED_CLASS);
                code.jcc(EQUAL, afresh);
                ifReady(POLLIN);
            }
            case WRITE -> {
                code.call(classify);
                code.cmp32(RCX, POLLED_CLASS);
                Label small = code.newLabel();
                code.jcc(NOT_EQUAL, small);
                code.cmp(argument(2), PIPE_BUF);
                code.jcc(ABOVE, abort);
                code.bind(small);
                ifReady(POLLOUT);
            }
            case WRITE_VECTOR -> writeVector();
            case FILE_READ -> {
                code.call(classify);
                code.cmp32(RCX, MAPPED_CLASS);
                code.jcc(EQUAL, afresh);
                onlyFile();
                code.jmp(afresh);
            }
            case FILE_WRITE -> {
                code.call(classify);
                onlyFile();
                code.jmp(afresh);
            }
            case FILE_COPY -> {
                code.call(classify);
                onlyFile();
                code.mov(RDI, argument(2));
                code.call(classify);
                onlyFile();
                code.jmp(afresh);
            }
            case RECEIVE -> {
                code.test(R8, R8);
                code.jcc(NOT_EQUAL, abort);
                code.test(R10, MSG_WAITALL);
                code.jcc(NOT_EQUAL, abort);
                code.call(classify);
                ifReady(POLLIN);
            }
            case CLOSE -> {
                Label unclassed = code.newLabel();
                code.mov32(RDX, RDI);
                code.cmp(RDX, CLASSES_SIZE);
                code.jcc(ABOVE_OR_EQUAL, unclassed);
                code.mov(octet(RDX, (int) CLASSES), 0);
                code.bind(unclassed);
                code.mov(RDX, argument(2));
                code.jmp(perform);
            }
            case OPEN -> open(1);
            case OPEN_AT -> open(2);
            case FCNTL -> {
                for (int command : BufferTable.FCNTLS) {
                    code.cmp32(RSI, command);
                    code.jcc(EQUAL, perform);
                }
                code.jmp(abort);
            }
            case IOCTL -> {
                for (int index = 0; index < BufferTable.ioctls(); index++) {
                    Label next = code.newLabel();
                    code.cmp32(RSI, BufferTable.ioctl(index));
                    code.jcc(NOT_EQUAL, next);
                    code.mov(RBX, TABLE + (long) (BufferTable.FIRST_IOCTL + index) * BufferTable.ENTRY_SIZE);
                    if (BufferTable.ioctl(index) == BufferTable.FICLONE) {
                        code.call(classify);
                        onlyFile();
                        code.jmp(afresh);
                    } else {
                        code.jmp(perform);
                    }
                    code.bind(next);
                }
                code.jmp(abort);
            }
            case POLL -> {
                code.call(keepPolled);
                code.xor32(RDX, RDX);
                withoutWaiting();
                code.cmp(int32(ARGUMENTS + 16), 0);
                code.jcc(EQUAL, done);
                code.jmp(restorePolled);
            }
            case POLL_TIMED -> {
                code.test(R10, R10);
                code.jcc(NOT_EQUAL, abort);
                onlyValid(RDX);
                code.call(keepPolled);
                code.mov(RDX, ZERO_TIME);
                withoutWaiting();
                code.mov(RDX, argument(2));
                code.test(RDX, RDX);
                code.jcc(EQUAL, restorePolled);
                code.mov(RCX, qword(RDX, 0));
                code.or(RCX, qword(RDX, 8));
                code.jcc(EQUAL, done);
                code.jmp(restorePolled);
            }
            case EPOLL_WAIT_MASKED, EPOLL_WAIT -> {
                if (way == BufferTable.Way.EPOLL_WAIT_MASKED) {
                    code.test(R8, R8);
                    code.jcc(NOT_EQUAL, abort);
                }
                code.xor32(R10, R10);
                withoutWaiting();
                code.cmp(int32(ARGUMENTS + 24), 0);
                code.jcc(EQUAL, done);
                code.jmp(abort);
            }
            case FUTEX_CALL -> futex();
            case SIGNAL_MASK -> signalMask();
            case PROCESS_CONTROL -> {
                code.cmp32(RDI, PR_SET_VMA);
                code.jcc(EQUAL, perform);
                code.jmp(abort);
            }
            case WAIT -> {
                code.or(RDX, WNOHANG);
                withoutWaiting();
                code.test(argument(2), WNOHANG);
                code.jcc(NOT_EQUAL, done);
                code.jmp(abort);
            }
        }
    }

    /** Leaves a call to its site whose time limit, if there is one, the kernel would refuse. */
    private void onlyValid(GeneralRegister limit) {
        Label none = code.newLabel();
        code.test(limit, limit);
        code.jcc(EQUAL, none);
        code.cmp(qword(limit, 0), 0);
        code.jcc(LESS, abort);
        code.cmp(qword(limit, 8), NANOSECONDS);
        code.jcc(ABOVE_OR_EQUAL, abort);
        code.bind(none);
    }

    /** Performs the call with changed registers; goes on here if the result is zero: it would have waited, perhaps. */
    private void withoutWaiting() {
        code.mov(RAX, absolute(NUMBER));
        call();
        code.test(RAX, RAX);
        code.jcc(NOT_EQUAL, done);
    }

    /** Performs the call with its own arguments, which were overwritten. */
    private void afresh() {
        code.bind(afresh);
        restoreArguments();
        code.jmp(perform);
    }

    private void onlyFile() {
        code.cmp32(RCX, FILE);
        code.jcc(NOT_EQUAL, abort);
    }

    /** Performs the call if the descriptor, whose class is in ecx, is ready, or does not wait when it is not. */
    private void ifReady(int events) {
        code.cmp32(RCX, FILE);
        code.jcc(EQUAL, afresh);
        code.cmp32(RCX, POLLED_CLASS);
        code.jcc(NOT_EQUAL, abort);
        code.mov(RDI, POLLED);
        code.mov(RAX, argument(0));
        code.mov(dword(RDI, 0), RAX);
        code.mov(dword(RDI, 4), events);
        code.mov(RSI, 1);
        code.xor32(RDX, RDX);
        code.mov(RAX, SyscallNumber.POLL);
        call();
        code.cmp(RAX, 1);
        code.jcc(EQUAL, afresh);
        code.mov(RDI, argument(0));
        code.mov(RSI, F_GETFL);
        code.mov(RAX, SyscallNumber.FCNTL);
        call();
        code.test(RAX, O_NONBLOCK);
        code.jcc(NOT_EQUAL, afresh);
        code.jmp(abort);
    }

    private void writeVector() {
        Label ask = code.newLabel();
        code.call(classify);
        code.cmp32(RCX, POLLED_CLASS);
        code.jcc(NOT_EQUAL, ask);
        code.mov(RSI, argument(1));
        code.mov(RDX, argument(2));
        code.cmp(RDX, MOST_VECTORS);
        code.jcc(ABOVE, abort);
        code.xor32(RAX, RAX);
        Label next = code.newLabel();
        Label summed = code.newLabel();
        code.bind(next);
        code.test(RDX, RDX);
        code.jcc(EQUAL, summed);
        code.add(RAX, qword(RSI, 8));
        code.add(RSI, 16);
        code.dec(RDX);
        code.jmp(next);
        code.bind(summed);
        code.cmp(RAX, PIPE_BUF);
        code.jcc(ABOVE, abort);
        code.bind(ask);
        ifReady(POLLOUT);
    }

    /** A file that loses its content may be mapped. */
    private void open(int flags) {
        code.test(int32(ARGUMENTS + 8L * flags), O_TRUNC);
        code.jcc(NOT_EQUAL, abort);
        code.jmp(perform);
    }

    /** Signals that wait must strike one after the other behind the call that lets them in: then it is traced. */
    private void signalMask() {
        code.test32(RDI, RDI); // SIG_BLOCK
        code.jcc(EQUAL, perform);
        code.test(RSI, RSI);
        code.jcc(EQUAL, perform);
        code.mov(RDI, STATUS);
        code.mov(RSI, 8);
        code.mov(RAX, SyscallNumber.RT_SIGPENDING);
        call();
        code.cmp(absolute(STATUS), 0);
        code.jcc(EQUAL, afresh);
        code.jmp(abort);
    }

    /** Wakes at once; of waits, those that the kernel would refuse because the word has another value. */
    private void futex() {
        Label compare = code.newLabel();
        code.mov32(RCX, RSI);
        code.and(RCX, ~0x180); // FUTEX_PRIVATE_FLAG, FUTEX_CLOCK_REALTIME
        for (int operation : new int[] {1, 10, 3, 4}) { // WAKE, WAKE_BITSET, REQUEUE, CMP_REQUEUE
            code.cmp32(RCX, operation);
            code.jcc(EQUAL, perform);
        }
        Label masked = code.newLabel();
        code.cmp32(RCX, 9); // WAIT_BITSET
        code.jcc(EQUAL, masked);
        code.test32(RCX, RCX);
        code.jcc(NOT_EQUAL, abort);
        code.test(RSI, FUTEX_CLOCK_REALTIME);
        code.jcc(EQUAL, compare);
        code.jmp(abort);
        code.bind(masked);
        code.test32(R9, R9);
        code.jcc(EQUAL, abort);
        code.bind(compare);
        onlyValid(R10);
        code.test(RDI, 3);
        code.jcc(NOT_EQUAL, abort);
        code.mov(RCX, dword(RDI, 0));
        code.cmp32(RCX, RDX);
        code.jcc(EQUAL, abort);
        code.mov(RAX, -Errno.EAGAIN);
        code.jmp(done);
    }
}
