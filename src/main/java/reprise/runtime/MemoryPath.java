package reprise.runtime;

import static reprise.runtime.BufferLayout.*;
import static reprise.x86.Condition.*;
import static reprise.x86.GeneralRegister.*;
import static reprise.x86.Memory.absolute;
import static reprise.x86.Memory.qword;

import reprise.linux.SyscallNumber;
import reprise.tracee.RuntimePage;
import reprise.x86.Assembler;
import reprise.x86.GeneralRegister;
import reprise.x86.Label;

/**
 * The part of the stub that makes calls which change the address space.
 *
 * <p>Allocators and garbage collectors make thousands of them, and as long as they are about private memory without code the
 * recorder need not know. It tells in which ranges nothing else is ({@link BufferLayout#PLAIN_RANGES}), and where the program break is.
 * Other than all other calls these are made at replay, too. Calls that fail are left to the traced instruction, where they
 * fail again.
 */
final class MemoryPath {
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_FIXED = 0x10;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MAP_NORESERVE = 0x4000;
    private static final int MAP_STACK = 0x20000;
    private static final int MADV_DONTNEED = 4;
    private static final int MADV_FREE = 8;
    private static final int MADV_DONTFORK = 10;
    /** Huge pages or not, and what a dump of the memory contains: nothing that a program could see. */
    private static final int[] HARMLESS_ADVICE = {14, 15, 16, 17};

    private static final int PAGE = 4096;
    private static final int HIGHEST_ERRNO = 4095;

    private final Assembler code;
    private final Label abort;
    private final Label done;

    /** Calls that cannot be made go to {@code abort}, others to {@code done} with their result in rax. */
    MemoryPath(Assembler code, Label abort, Label done) {
        this.code = code;
        this.abort = abort;
        this.done = done;
    }

    /**
     * Makes a call of the program's in replay, so that the same comes to be at the same place. The result is in r12.
     *
     * @param failed where to go if the call fails, which it did not when it was recorded
     */
    void doAgain(Label failed) {
        Label move = code.newLabel();
        Label call = code.newLabel();
        Label unmap = code.newLabel();
        Label end = code.newLabel();
        Label perform = code.newLabel();
        code.cmp32(RAX, SyscallNumber.BRK);
        code.jcc(EQUAL, move);
        code.cmp32(RAX, SyscallNumber.MMAP);
        code.jcc(NOT_EQUAL, call);
        code.mov(RDI, R12);
        code.or(R10, MAP_FIXED);
        code.bind(call);
        code.cmp32(RAX, SyscallNumber.MADVISE);
        code.jcc(NOT_EQUAL, perform);
        adapted();
        code.bind(perform);
        code.call(RuntimePage.UNTRACED_SYSCALL);
        code.cmp(RAX, -HIGHEST_ERRNO);
        code.jcc(ABOVE_OR_EQUAL, failed);
        code.jmp(end);

        // The kernel's break of the process that replays is somewhere else.
        code.bind(move);
        code.mov(RDI, absolute(BREAK));
        code.mov(absolute(BREAK), R12);
        pageEnd(RDI);
        code.mov(RSI, R12);
        pageEnd(RSI);
        code.sub(RSI, RDI);
        code.jcc(EQUAL, end);
        code.jcc(BELOW, unmap);
        code.mov(RDX, PROT_READ | PROT_WRITE);
        code.mov(R10, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED);
        code.mov(R8, -1);
        code.mov(R9, 0);
        code.mov(RAX, SyscallNumber.MMAP);
        code.jmp(call);
        code.bind(unmap);
        code.add(RDI, RSI);
        code.mov(RCX, 0);
        code.sub(RCX, RSI);
        code.mov(RSI, RCX);
        code.mov(RAX, SyscallNumber.MUNMAP);
        code.jmp(call);
        code.bind(end);
    }

    private void pageEnd(GeneralRegister address) {
        code.add(address, PAGE - 1);
        code.and(address, -PAGE);
    }

    /** Changes the protection of pages that are all in one of the plain ranges, without making them executable. */
    void protect() {
        code.cmp(SyscallStub.argument(2), PROT_READ | PROT_WRITE);
        code.jcc(ABOVE, abort);
        onlyPlain();
        code.mov(RAX, absolute(NUMBER));
        code.call(RuntimePage.UNTRACED_SYSCALL);
        code.test(RAX, RAX);
        code.jcc(NOT_EQUAL, abort);
        code.jmp(done);
    }

    /** Empties pages that are all in one of the plain ranges, or tells the kernel something else of them. */
    void advise() {
        Label known = code.newLabel();
        for (int advice : HARMLESS_ADVICE) {
            code.cmp32(RDX, advice);
            code.jcc(EQUAL, known);
        }
        for (int advice : new int[] {MADV_DONTNEED, MADV_FREE, MADV_DONTFORK}) {
            code.cmp32(RDX, advice);
            code.jcc(EQUAL, known);
        }
        code.jmp(abort);
        code.bind(known);
        onlyPlain();
        adapted();
        code.mov(RAX, absolute(NUMBER));
        code.call(RuntimePage.UNTRACED_SYSCALL);
        code.test(RAX, RAX);
        code.jcc(NOT_EQUAL, abort);
        code.jmp(done);
    }

    /**
     * Nobody knows when the kernel frees what it may, so it is done at once. And whoever copies the replay must know what would
     * not be copied.
     */
    private void adapted() {
        Label notFree = code.newLabel();
        Label end = code.newLabel();
        code.cmp32(RDX, MADV_FREE);
        code.jcc(NOT_EQUAL, notFree);
        code.mov(RDX, MADV_DONTNEED);
        code.bind(notFree);
        code.cmp32(RDX, MADV_DONTFORK);
        code.jcc(NOT_EQUAL, end);
        code.mov(absolute(FORK_ADVICE), 1);
        code.bind(end);
    }

    /** Maps private memory: over what is in one of the plain ranges, or as a new one where the kernel likes. */
    void map() {
        Label fresh = code.newLabel();
        code.cmp(SyscallStub.argument(2), PROT_READ | PROT_WRITE);
        code.jcc(ABOVE, abort);
        code.mov(RCX, SyscallStub.argument(3));
        code.and(RCX, ~(MAP_NORESERVE | MAP_STACK));
        code.cmp(RCX, MAP_PRIVATE | MAP_ANONYMOUS);
        code.jcc(EQUAL, fresh);
        code.cmp(RCX, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS);
        code.jcc(NOT_EQUAL, abort);
        onlyPlain();
        code.mov(RAX, absolute(NUMBER));
        code.call(RuntimePage.UNTRACED_SYSCALL);
        code.cmp(RAX, SyscallStub.argument(0));
        code.jcc(NOT_EQUAL, abort);
        code.jmp(done);
        code.bind(fresh);
        code.mov(RAX, absolute(NUMBER));
        code.call(RuntimePage.UNTRACED_SYSCALL);
        code.cmp(RAX, -HIGHEST_ERRNO);
        code.jcc(ABOVE_OR_EQUAL, abort);
        addPlain();
        code.jmp(done);
    }

    /**
     * What was mapped at rax becomes a plain range, or part of one that it touches. Without room it takes the place of the smallest:
     * allocators change most what they have mapped last.
     */
    private void addPlain() {
        Label empty = code.newLabel();
        Label next = code.newLabel();
        Label below = code.newLabel();
        Label above = code.newLabel();
        Label free = code.newLabel();
        Label end = code.newLabel();
        code.mov(R11, SyscallStub.argument(1));
        pageEnd(R11);
        code.add(R11, RAX);
        code.mov(RDX, 0);
        code.mov(R8, -1);
        code.mov(RBP, PLAIN_RANGES);
        Label range = code.here();
        code.mov(RCX, qword(RBP, 0));
        code.mov(RSI, qword(RBP, 8));
        code.cmp(RCX, RSI);
        code.jcc(ABOVE_OR_EQUAL, empty);
        code.cmp(RCX, R11);
        code.jcc(EQUAL, below);
        code.cmp(RSI, RAX);
        code.jcc(EQUAL, above);
        code.sub(RSI, RCX);
        code.cmp(RSI, R8);
        code.jcc(ABOVE_OR_EQUAL, next);
        code.mov(R8, RSI);
        code.mov(R9, RBP);
        code.bind(next);
        code.add(RBP, 16);
        code.cmp(RBP, (int) PLAIN_RANGES + 16 * PLAIN_RANGES_COUNT);
        code.jcc(BELOW, range);
        code.test(RDX, RDX);
        code.jcc(NOT_EQUAL, free);
        code.mov(RDX, R9);
        code.bind(free);
        code.mov(qword(RDX, 0), RAX);
        code.mov(qword(RDX, 8), R11);
        code.jmp(end);
        code.bind(empty);
        code.mov(RDX, RBP);
        code.jmp(next);
        code.bind(below);
        code.mov(qword(RBP, 0), RAX);
        code.jmp(end);
        code.bind(above);
        code.mov(qword(RBP, 8), R11);
        code.bind(end);
    }

    /** Unmaps what is in one of the plain ranges. That stays one: nothing else can be there without the recorder knowing. */
    void unmap() {
        Label top = code.newLabel();
        onlyPlain();
        code.mov(RAX, absolute(NUMBER));
        code.call(RuntimePage.UNTRACED_SYSCALL);
        code.test(RAX, RAX);
        code.jcc(NOT_EQUAL, abort);
        code.mov(RCX, SyscallStub.argument(0));
        code.mov(R11, SyscallStub.argument(1));
        pageEnd(R11);
        code.add(R11, RCX);
        code.cmp(R11, qword(RBP, 8));
        code.jcc(EQUAL, top);
        code.cmp(RCX, qword(RBP, 0));
        code.jcc(NOT_EQUAL, done);
        code.mov(qword(RBP, 0), R11);
        code.jmp(done);
        code.bind(top);
        code.mov(qword(RBP, 8), RCX);
        code.jmp(done);
    }

    /** Moves the program break. The kernel tells where it is then, moved or not. */
    void setBreak() {
        code.cmp(absolute(BREAK), 0);
        code.jcc(EQUAL, abort);
        code.mov(RAX, absolute(NUMBER));
        code.call(RuntimePage.UNTRACED_SYSCALL);
        code.mov(absolute(BREAK), RAX);
        code.jmp(done);
    }

    /** Goes on with rbp at the range if the first two arguments are a range that is in one of the plain ones. */
    private void onlyPlain() {
        Label next = code.newLabel();
        Label found = code.newLabel();
        code.mov(RCX, SyscallStub.argument(0));
        code.mov(R11, RCX);
        code.add(R11, SyscallStub.argument(1));
        code.jcc(BELOW, abort);
        code.mov(RBP, PLAIN_RANGES);
        Label range = code.here();
        code.cmp(RCX, qword(RBP, 0));
        code.jcc(BELOW, next);
        code.cmp(R11, qword(RBP, 8));
        code.jcc(BELOW_OR_EQUAL, found);
        code.bind(next);
        code.add(RBP, 16);
        code.cmp(RBP, (int) PLAIN_RANGES + 16 * PLAIN_RANGES_COUNT);
        code.jcc(BELOW, range);
        code.jmp(abort);
        code.bind(found);
    }
}
