package reprise.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static reprise.x86.GeneralRegister.R10;
import static reprise.x86.GeneralRegister.R11;
import static reprise.x86.GeneralRegister.R12;
import static reprise.x86.GeneralRegister.R13;
import static reprise.x86.GeneralRegister.R9;
import static reprise.x86.GeneralRegister.RAX;
import static reprise.x86.GeneralRegister.RBP;
import static reprise.x86.GeneralRegister.RBX;
import static reprise.x86.GeneralRegister.RCX;
import static reprise.x86.GeneralRegister.RDI;
import static reprise.x86.GeneralRegister.RDX;
import static reprise.x86.GeneralRegister.RSI;
import static reprise.x86.GeneralRegister.RSP;
import static reprise.x86.Memory.absolute;
import static reprise.x86.Memory.dword;
import static reprise.x86.Memory.octet;
import static reprise.x86.Memory.qword;
import static reprise.x86.Memory.word;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What the assembler writes is what the disassembler reads. */
class AssemblerTest {
    private static final long BASE = 0x7000_0000L;

    private final List<String> expected = new ArrayList<>();
    private final Assembler assembler = new Assembler(BASE);

    @BeforeAll
    static void needsObjdump() {
        Objdump.assume();
    }

    @Test
    @DisplayName("moves")
    void moves() {
        check("mov ebx,0x12", a -> a.mov(RBX, 0x12));
        check("mov r9d,0xffffffff", a -> a.mov(R9, 0xffff_ffffL));
        check("mov rax,0xffffffffffffffff", a -> a.mov(RAX, -1));
        check("movabs r12,0x1234567890", a -> a.mov(R12, 0x12_3456_7890L));
        check("mov rax,r13", a -> a.mov(RAX, R13));
        check("mov r9d,edi", a -> a.mov32(R9, RDI));
        check("mov rax,QWORD PTR [rdi]", a -> a.mov(RAX, qword(RDI, 0)));
        check("mov rax,QWORD PTR [rbp+0x0]", a -> a.mov(RAX, qword(RBP, 0)));
        check("mov rax,QWORD PTR [r13+0x0]", a -> a.mov(RAX, qword(R13, 0)));
        check("mov rax,QWORD PTR [rsp]", a -> a.mov(RAX, qword(RSP, 0)));
        check("mov rax,QWORD PTR [r12-0x80]", a -> a.mov(RAX, qword(R12, -0x80)));
        check("mov rax,QWORD PTR [rdi+0x80]", a -> a.mov(RAX, qword(RDI, 0x80)));
        check("mov r10,QWORD PTR ds:0x70001008", a -> a.mov(R10, absolute(BASE + 0x1008)));
        check(
                "mov eax,DWORD PTR [rdi+r12*4-0x4]",
                a -> a.mov(RAX, dword(RDI, -4).plus(R12, 4)));
        check("mov ax,WORD PTR [r9]", a -> a.mov(RAX, word(R9, 0)));
        check("mov cl,BYTE PTR [rdx]", a -> a.mov(RCX, octet(RDX, 0)));
        check("mov QWORD PTR [rsp+0x8],r11", a -> a.mov(qword(RSP, 8), R11));
        check("mov BYTE PTR [rdi],al", a -> a.mov(octet(RDI, 0), RAX));
        check("mov QWORD PTR [rax],0xffffffffffffffff", a -> a.mov(qword(RAX, 0), -1));
        check("mov DWORD PTR [rax],0x12345678", a -> a.mov(dword(RAX, 0), 0x12345678));
        check("mov WORD PTR [rax],0xfffe", a -> a.mov(word(RAX, 0), 0xfffe));
        check("mov BYTE PTR ds:0x70000000,0x7", a -> a.mov(absolute(BASE).ofSize(1), 7));
        check(
                "movzx eax,BYTE PTR [rbx+rcx*1+0x10]",
                a -> a.movzx(RAX, octet(RBX, 16).plus(RCX, 1)));
        check(
                "movzx r9d,WORD PTR [rbx+rcx*8+0x1000]",
                a -> a.movzx(R9, word(RBX, 4096).plus(RCX, 8)));
        check("movsx rax,BYTE PTR [rsi]", a -> a.movsx(RAX, octet(RSI, 0)));
        check("movsx rax,WORD PTR [rsi]", a -> a.movsx(RAX, word(RSI, 0)));
        check("movsxd rax,DWORD PTR [r9]", a -> a.movsx(RAX, dword(R9, 0)));
        check("lea rsp,[rsp-0x80]", a -> a.lea(RSP, qword(RSP, -128)));
        check("lea r9,[rax+r10*8+0x12345]", a -> a.lea(R9, qword(RAX, 0x12345).plus(R10, 8)));
        check("xchg r12,rsp", a -> a.xchg(RSP, R12));
        check("xchg QWORD PTR [rdi],rsp", a -> a.xchg(RSP, qword(RDI, 0)));
        check("xchg DWORD PTR [rdi],eax", a -> a.xchg(RAX, dword(RDI, 0)));
        check("push r12", a -> a.push(R12));
        check("pop rbp", a -> a.pop(RBP));
        check("push QWORD PTR [r12+0x8]", a -> a.push(qword(R12, 8)));
        check("push 0xffffffff80000000", a -> a.push(0x8000_0000));
        check("sahf", Assembler::sahf);
        check("rol ax,0x8", a -> a.swapLowBytes(RAX));
        check("rol r11w,0x8", a -> a.swapLowBytes(R11));
        check("add al,0x76", a -> a.addAl(0x76));
        check("pushf", Assembler::pushfq);
        check("popf", Assembler::popfq);
        check("cld", Assembler::cld);
        check("rep movs BYTE PTR es:[rdi],BYTE PTR ds:[rsi]", Assembler::repMovsb);
        check("rep movs QWORD PTR es:[rdi],QWORD PTR ds:[rsi]", Assembler::repMovsq);
        compare();
    }

    @Test
    @DisplayName("arithmetic")
    void arithmetic() {
        check("add rax,r9", a -> a.add(RAX, R9));
        check("add r9,0x7f", a -> a.add(R9, 0x7f));
        check("add rax,0x80", a -> a.add(RAX, 0x80));
        check("add rcx,QWORD PTR [rdx]", a -> a.add(RCX, qword(RDX, 0)));
        check("add DWORD PTR [rdx],ecx", a -> a.add(dword(RDX, 0), RCX));
        check("add QWORD PTR [rdx],0x80", a -> a.add(qword(RDX, 0), 0x80));
        check("sub rsp,rax", a -> a.sub(RSP, RAX));
        check("sub rsp,0x1000", a -> a.sub(RSP, 0x1000));
        check("sub rcx,QWORD PTR [rdx]", a -> a.sub(RCX, qword(RDX, 0)));
        check("sub QWORD PTR [rdx],rcx", a -> a.sub(qword(RDX, 0), RCX));
        check("sub BYTE PTR [rdx],0x1", a -> a.sub(octet(RDX, 0), 1));
        check("and rax,rbx", a -> a.and(RAX, RBX));
        check("and rsp,0xfffffffffffffff0", a -> a.and(RSP, -16));
        check("and rcx,QWORD PTR [rdx]", a -> a.and(RCX, qword(RDX, 0)));
        check("and QWORD PTR [rdx],rcx", a -> a.and(qword(RDX, 0), RCX));
        check("and DWORD PTR [rdx],0x7fff0000", a -> a.and(dword(RDX, 0), 0x7fff0000));
        check("or rax,rbx", a -> a.or(RAX, RBX));
        check("or r13,0x100", a -> a.or(R13, 0x100));
        check("or rcx,QWORD PTR [rdx]", a -> a.or(RCX, qword(RDX, 0)));
        check("or QWORD PTR [rdx],rcx", a -> a.or(qword(RDX, 0), RCX));
        check("or BYTE PTR [rdx],0x80", a -> a.or(octet(RDX, 0), 0x80));
        check("xor rax,rbx", a -> a.xor(RAX, RBX));
        check("xor r9d,r9d", a -> a.xor32(R9, R9));
        check("xor rbx,0x1", a -> a.xor(RBX, 1));
        check("xor rcx,QWORD PTR [rdx]", a -> a.xor(RCX, qword(RDX, 0)));
        check("xor QWORD PTR [rdx],rcx", a -> a.xor(qword(RDX, 0), RCX));
        check("xor WORD PTR [rdx],0x1234", a -> a.xor(word(RDX, 0), 0x1234));
        check("cmp rax,rbx", a -> a.cmp(RAX, RBX));
        check("cmp eax,r9d", a -> a.cmp32(RAX, R9));
        check("cmp rax,0xfffffffffffff001", a -> a.cmp(RAX, -4095));
        check("cmp ecx,0x123", a -> a.cmp32(RCX, 0x123));
        check("cmp r9,QWORD PTR [r12+0x10]", a -> a.cmp(R9, qword(R12, 16)));
        check("cmp QWORD PTR [rdx],rcx", a -> a.cmp(qword(RDX, 0), RCX));
        check("cmp BYTE PTR ds:0x70000000,0x0", a -> a.cmp(absolute(BASE).ofSize(1), 0));
        check("test rax,r9", a -> a.test(RAX, R9));
        check("test edi,edi", a -> a.test32(RDI, RDI));
        check("test rdx,0x100", a -> a.test(RDX, 0x100));
        check("test BYTE PTR [rdx],0x80", a -> a.test(octet(RDX, 0), 0x80));
        check("test QWORD PTR [rdx],rcx", a -> a.test(qword(RDX, 0), RCX));
        check("inc r9", a -> a.inc(R9));
        check("inc QWORD PTR ds:0x70000000", a -> a.inc(absolute(BASE)));
        check("dec rax", a -> a.dec(RAX));
        check("dec DWORD PTR [rdx]", a -> a.dec(dword(RDX, 0)));
        check("shl r9,0x4", a -> a.shl(R9, 4));
        check("shr rax,0x3f", a -> a.shr(RAX, 63));
        check("bt rax,r9", a -> a.bt(RAX, R9));
        check("bt r9,0x21", a -> a.bt(R9, 33));
        check("bt QWORD PTR [rdi+0x8],0x5", a -> a.bt(qword(RDI, 8), 5));
        compare();
    }

    @Test
    @DisplayName("jumps and calls")
    void jumps() {
        Label ahead = assembler.newLabel();
        Label data = assembler.newLabel();
        Label back = assembler.here();
        check("syscall", Assembler::syscall);
        check("jmp 0x70000000", a -> a.jmp(back));
        check("je 0x70000000", a -> a.jcc(Condition.EQUAL, back));
        check("jg 0x70000040", a -> a.jcc(Condition.GREATER, ahead));
        check("jmp 0x70000040", a -> a.jmp(ahead));
        check("call 0x70000040", a -> a.call(ahead));
        check("call 0x70000000", a -> a.call(back));
        check("call 0x6fff0000", a -> a.call(0x6fff_0000L));
        check("jmp 0xefffffff", a -> a.jmp(0xefff_ffffL));
        check("jb 0x70001000", a -> a.jcc(Condition.BELOW, BASE + 0x1000));
        check("jmp QWORD PTR [rip+0x1d]", a -> a.jmp(Memory.at(data)));
        check("call QWORD PTR [rip+0x17]", a -> a.call(Memory.at(data)));
        assertThat(assembler.address()).isEqualTo(BASE + 0x37);
        check("jmp r11", a -> a.jmp(R11));
        check("call QWORD PTR [r12+rcx*8+0x8]", a -> a.call(qword(R12, 8).plus(RCX, 8)));
        check("nop", a -> a.db(0x90));
        assembler.bind(ahead);
        check("ud2", Assembler::ud2);
        check("int3", Assembler::int3);
        check("rdtsc", Assembler::rdtsc);
        check("ret", Assembler::ret);
        check("cmp QWORD PTR [rip+0x0],0x11", a -> a.cmp(Memory.at(data), 0x11));
        assembler.bind(data);
        compare();
    }

    @Test
    @DisplayName("a jump back is short as far as a byte reaches")
    void shortAndLong() {
        Label back = assembler.here();
        for (int i = 0; i < 126; i++) {
            assembler.db(0x90);
        }
        assembler.jmp(back);
        assertThat(assembler.size()).isEqualTo(128);
        assembler.jmp(back);
        assertThat(assembler.size()).isEqualTo(133);
        assertThat(Objdump.disassemble(assembler.toByteArray(), BASE)).endsWith("jmp 0x70000000", "jmp 0x70000000");
    }

    @Test
    @DisplayName("data directives and alignment")
    void data() {
        assembler.ret();
        assembler.align(8);
        Label here = assembler.here();
        assembler.dq(0x1122_3344_5566_7788L);
        assembler.dd(-2);
        assertThat(assembler.addressOf(here)).isEqualTo(BASE + 8);
        assertThat(assembler.toByteArray())
                .asHexString()
                .isEqualTo("C3CCCCCCCCCCCCCC" + "8877665544332211" + "FEFFFFFF");
    }

    @Test
    @DisplayName("what cannot be encoded is refused")
    void refused() {
        assertThatIllegalArgumentException().isThrownBy(() -> assembler.jmp(BASE + (1L << 32)));
        assertThatIllegalArgumentException().isThrownBy(() -> absolute(0x8000_0000L));
        assertThatIllegalArgumentException().isThrownBy(() -> assembler.mov(octet(RAX, 0), 256));
        assertThatIllegalArgumentException().isThrownBy(() -> assembler.mov(word(RAX, 0), -32769));
        assertThatIllegalArgumentException().isThrownBy(() -> assembler.mov(octet(RAX, 0), RSI));
        assertThatIllegalArgumentException().isThrownBy(() -> qword(RAX, 0).plus(RSP, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> assembler.movzx(RAX, dword(RAX, 0)));
        Label never = assembler.newLabel();
        assembler.jmp(never);
        assertThatIllegalStateException().isThrownBy(assembler::toByteArray);
    }

    private void check(String text, Consumer<Assembler> instruction) {
        expected.add(text);
        instruction.accept(assembler);
    }

    private void compare() {
        assertThat(Objdump.disassemble(assembler.toByteArray(), BASE)).containsExactlyElementsOf(expected);
    }
}
