package reprise.runtime;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static reprise.x86.GeneralRegister.RAX;
import static reprise.x86.GeneralRegister.RCX;
import static reprise.x86.GeneralRegister.RDI;
import static reprise.x86.GeneralRegister.RDX;
import static reprise.x86.GeneralRegister.RSI;
import static reprise.x86.GeneralRegister.RSP;
import static reprise.x86.Memory.qword;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.runtime.PatchPlan.Strategy;
import reprise.x86.Assembler;
import reprise.x86.Condition;
import reprise.x86.Instruction.Kind;
import reprise.x86.Label;
import reprise.x86.Memory;

/** Patched functions, executed in this very process, return what they returned before. */
class PatchedCodeTest {
    private static final long SIZE = 65536;
    private static final long TRAMPOLINE = 0x8000;
    private static final long COUNTER = 0xc000;
    private static final int PROT_READ_WRITE_EXEC = 7;
    private static final int MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE = 0x100022;
    private static final int CLOSE = 3;
    private static final int GETPID = 39;
    private static final int GETPPID = 110;

    private long base;
    private MemorySegment memory;

    /** A function: what comes before its entry, and the function, which binds the site label. */
    private record Function(
            String name, Strategy strategy, boolean settled, BiConsumer<Assembler, Label> code, long argument) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Stream<Function> functions() {
        return Stream.of(
                new Function("a hole behind the return", Strategy.HOLE, false, PatchedCodeTest::hole, 0),
                new Function("a number before the site", Strategy.PRECEDING, true, PatchedCodeTest::number, 0),
                new Function("a number in memory", Strategy.PRECEDING, true, PatchedCodeTest::numberInMemory, 0),
                new Function("a test for errors, failing", Strategy.FOLLOWING, false, PatchedCodeTest::errno, -1),
                new Function("a short branch, taken", Strategy.FOLLOWING, false, PatchedCodeTest::shortBranch, -1),
                new Function("a branch on rcx", Strategy.FOLLOWING, false, PatchedCodeTest::jrcxz, 0),
                new Function("a loop", Strategy.FOLLOWING, false, PatchedCodeTest::loop, 0),
                new Function("a call", Strategy.FOLLOWING, false, PatchedCodeTest::call, 0),
                new Function("a call through memory", Strategy.FOLLOWING, false, PatchedCodeTest::callMemory, 0),
                new Function("data behind the code", Strategy.FOLLOWING, false, PatchedCodeTest::data, 0),
                new Function("the red zone", Strategy.FOLLOWING, false, PatchedCodeTest::redZone, 12345));
    }

    @BeforeEach
    void map() {
        // Anywhere below 2 GB, where an absolute address fits an instruction. The Java heap may be there too.
        base = -1;
        for (long address = 0x1000_0000L; base < 0 && address < 0x7000_0000L; address += 0x10_0000L) {
            base = Syscall.call(
                    SyscallNumber.MMAP,
                    address,
                    SIZE,
                    PROT_READ_WRITE_EXEC,
                    MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE,
                    -1,
                    0);
        }
        assumeTrue(base > 0, "no memory below 2 GB that is writable and executable");
        memory = MemorySegment.ofAddress(base).reinterpret(SIZE);
    }

    @AfterEach
    void unmap() {
        if (base > 0) {
            Syscall.call(SyscallNumber.MUNMAP, base, SIZE, 0);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("functions")
    @DisplayName("returns the same")
    void returnsTheSame(Function function) throws Throwable {
        Assembler assembler = new Assembler(base);
        if (function.settled()) {
            solid(assembler, 20);
        }
        long entry = assembler.address();
        Label site = assembler.newLabel();
        function.code().accept(assembler, site);
        byte[] code = assembler.toByteArray();
        MemorySegment.copy(code, 0, memory, JAVA_BYTE, 0, code.length);
        MethodHandle handle = Linker.nativeLinker()
                .downcallHandle(MemorySegment.ofAddress(entry), FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));

        long plain = (long) handle.invokeExact(function.argument());
        CodeWindow window = new CodeWindow(base, code, List.of());
        PatchPlan plan = new PatchPlanner(this::hook).plan(window, assembler.addressOf(site), base + TRAMPOLINE);
        assertThat(plan).isInstanceOf(Patch.class);
        Patch patch = (Patch) plan;
        assertThat(patch.strategy()).isEqualTo(function.strategy());

        write(patch.trampolineAddress(), patch.trampoline());
        patch.edits().forEach(edit -> write(edit.address(), edit.after()));
        assertThat((long) handle.invokeExact(function.argument())).isEqualTo(plain);
        assertThat((long) handle.invokeExact(function.argument())).isEqualTo(plain);
        assertThat(memory.get(JAVA_LONG, COUNTER)).as("passes of the hook").isEqualTo(2);

        patch.edits().forEach(edit -> write(edit.address(), edit.before()));
        assertThat(memory.asSlice(0, code.length).toArray(JAVA_BYTE)).isEqualTo(code);
        assertThat((long) handle.invokeExact(function.argument())).isEqualTo(plain);
        assertThat(memory.get(JAVA_LONG, COUNTER)).isEqualTo(2);
    }

    @Test
    @DisplayName("rdtsc goes on counting")
    void rdtsc() throws Throwable {
        Assembler assembler = new Assembler(base);
        assembler.rdtsc();
        assembler.shl(RDX, 32);
        assembler.or(RAX, RDX);
        assembler.ret();
        solid(assembler, 4);
        byte[] code = assembler.toByteArray();
        write(base, code);
        MethodHandle handle =
                Linker.nativeLinker().downcallHandle(MemorySegment.ofAddress(base), FunctionDescriptor.of(JAVA_LONG));
        long before = (long) handle.invokeExact();
        CodeWindow window = new CodeWindow(base, code, List.of());
        Patch patch = (Patch) new PatchPlanner(this::hook).plan(window, base, base + TRAMPOLINE);
        write(patch.trampolineAddress(), patch.trampoline());
        patch.edits().forEach(edit -> write(edit.address(), edit.after()));
        assertThat((long) handle.invokeExact()).isGreaterThan(before);
        assertThat(memory.get(JAVA_LONG, COUNTER)).isEqualTo(1);
    }

    /** Counts, leaving the red zone and the flags as they are, and does what the site did. */
    private void hook(Assembler trampoline, long site, Kind kind) {
        trampoline.lea(RSP, qword(RSP, -128));
        trampoline.pushfq();
        trampoline.inc(Memory.absolute(base + COUNTER));
        trampoline.popfq();
        trampoline.lea(RSP, qword(RSP, 128));
        if (kind == Kind.SYSCALL) {
            trampoline.syscall();
        } else {
            trampoline.rdtsc();
        }
    }

    private void write(long address, byte[] bytes) {
        MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, address - base, bytes.length);
    }

    /** Code without holes. */
    private static void solid(Assembler a, int instructions) {
        for (int i = 0; i < instructions; i++) {
            a.mov(RAX, RAX);
        }
    }

    private static void hole(Assembler a, Label site) {
        a.mov(RAX, GETPPID);
        a.bind(site);
        a.syscall();
        a.ret();
        for (int i = 0; i < 6; i++) {
            a.db(0x90);
        }
        solid(a, 4);
    }

    private static void number(Assembler a, Label site) {
        a.mov(RAX, GETPID);
        a.bind(site);
        a.syscall();
        a.ret();
        solid(a, 4);
    }

    private static void numberInMemory(Assembler a, Label site) {
        Label number = a.newLabel();
        a.mov(RAX, Memory.at(number));
        a.bind(site);
        a.syscall();
        a.ret();
        a.bind(number);
        a.dq(GETPPID);
        solid(a, 4);
    }

    private static void errno(Assembler a, Label site) {
        Label error = a.newLabel();
        a.mov(RAX, CLOSE);
        a.bind(site);
        a.syscall();
        a.cmp(RAX, -4095);
        a.jcc(Condition.ABOVE_OR_EQUAL, error);
        a.ret();
        a.bind(error);
        a.add(RAX, 1000);
        a.ret();
        solid(a, 4);
    }

    private static void shortBranch(Assembler a, Label site) {
        a.mov(RAX, CLOSE);
        a.bind(site);
        a.syscall();
        a.test32(RAX, RAX);
        a.bytes((byte) 0x78, (byte) 1); // js over the ret
        a.ret();
        a.add(RAX, 1000);
        a.ret();
        solid(a, 4);
    }

    private static void jrcxz(Assembler a, Label site) {
        a.mov(RAX, GETPID);
        a.bind(site);
        a.syscall();
        a.xor32(RCX, RCX);
        a.bytes((byte) 0xe3, (byte) 1); // jrcxz over the ret
        a.ret();
        a.add(RAX, 1000);
        a.ret();
        solid(a, 4);
    }

    private static void loop(Assembler a, Label site) {
        a.mov(RAX, GETPID);
        a.bind(site);
        a.syscall();
        a.bytes((byte) 0xe2, (byte) 4); // loop over the next two: rcx is an address
        a.add(RAX, 1);
        a.add(RAX, 2);
        a.ret();
        solid(a, 4);
    }

    /** The callee returns its return address: the original one, not one in the trampoline. */
    private static void call(Assembler a, Label site) {
        Label callee = a.newLabel();
        a.mov(RAX, GETPID);
        a.bind(site);
        a.syscall();
        a.call(callee);
        a.add(RAX, 1);
        a.ret();
        a.bind(callee);
        a.mov(RAX, qword(RSP, 0));
        a.ret();
        solid(a, 4);
    }

    private static void callMemory(Assembler a, Label site) {
        Label callee = a.newLabel();
        Label pointer = a.newLabel();
        a.mov(RAX, GETPID);
        a.bind(site);
        a.syscall();
        a.call(Memory.at(pointer));
        a.add(RAX, 1);
        a.ret();
        a.bind(callee);
        a.mov(RAX, qword(RSP, 0));
        a.ret();
        a.bind(pointer);
        a.dq(a.addressOf(callee));
        solid(a, 4);
    }

    private static void data(Assembler a, Label site) {
        Label constant = a.newLabel();
        a.mov(RAX, GETPID);
        a.bind(site);
        a.syscall();
        a.add(RAX, Memory.at(constant));
        a.ret();
        a.bind(constant);
        a.dq(0x1234_5678_9abcL);
        solid(a, 4);
    }

    private static void redZone(Assembler a, Label site) {
        a.mov(qword(RSP, -8), RDI);
        a.mov(qword(RSP, -128), RDI);
        a.mov(RSI, 0);
        a.mov(RAX, GETPID);
        a.bind(site);
        a.syscall();
        a.add(RAX, qword(RSP, -8));
        a.add(RAX, qword(RSP, -128));
        a.ret();
        solid(a, 4);
    }
}
