package reprise.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import reprise.x86.GeneralRegister;
import reprise.x86.Instruction;
import reprise.x86.InstructionDecoder;

@DisplayName("A probe")
class ProbePlannerTest {
    private static final long SITE = 0x5555_0000_1234L;
    private static final List<ProbeCheck> CHECKS = List.of(
            new ProbeCheck.General(GeneralRegister.RCX, 7),
            new ProbeCheck.General(GeneralRegister.RSP, 0x7fff_1234_5678L),
            new ProbeCheck.Vector(9, -1),
            new ProbeCheck.Word(0x7f00_0000_0000L, 42));

    private final ProbePlanner planner = new ProbePlanner((address, length) -> true);

    private Probe plan(String code) {
        return planner.plan(SITE, HexFormat.of().parseHex(code.replace(" ", "") + "90".repeat(15)), CHECKS);
    }

    @Test
    @DisplayName("jumps to its own memory from an instruction that is long enough, and moves nothing else")
    void longInstruction() {
        Probe probe = plan("48 83 05 b4 2e 00 00 01"); // add qword [rip + 0x2eb4], 1
        assertThat(probe.moved()).extracting(Probe.Moved::from).containsExactly(SITE);
        assertThat(probe.contains(target(probe))).isTrue();
        assertThat(probe.before()).isEqualTo(new byte[] {0x48, (byte) 0x83, 0x05, (byte) 0xb4, 0x2e});
    }

    @Test
    @DisplayName("raises an exception wherever else an instruction began, and knows where that is now")
    void guards() {
        Probe probe = plan("50 53 51 48 01 c8"); // push rax; push rbx; push rcx; add rax, rcx
        assertThat(probe.moved()).extracting(Probe.Moved::from).containsExactly(SITE, SITE + 1, SITE + 2, SITE + 3);
        for (int offset = 1; offset <= 3; offset++) {
            Instruction instruction = new Instruction();
            new InstructionDecoder().decode(probe.jump(), offset, 5, SITE + offset, instruction);
            boolean int3 = instruction.kind() == Instruction.Kind.INT3;
            // ins, outs and the kernel's instructions are valid but not allowed
            boolean kernels = List.of(0x6c, 0x6d, 0x6e, 0x6f, 0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef, 0xf4)
                    .contains(probe.jump()[offset] & 0xff);
            assertThat(int3 || kernels || !instruction.isValid()).isTrue();
            long stopped = SITE + offset + (int3 ? 1 : 0);
            assertThat(probe.redirected(stopped))
                    .isEqualTo(probe.moved().get(offset).to());
        }
        assertThat(probe.redirected(SITE)).isEqualTo(Probe.NONE);
    }

    @Test
    @DisplayName("uses the flags where the program overwrites them before it reads any")
    void flags() {
        assertThat(plan("8b 15 b6 2e 00 00 29 d0").flagsAreDead()).isTrue(); // mov edx, [..]; sub eax, edx
        assertThat(plan("8b 15 b6 2e 00 00 74 05").flagsAreDead()).isFalse(); // mov edx, [..]; je
        assertThat(plan("8b 15 b6 2e 00 00 85 d2").flagsAreDead())
                .isFalse(); // test leaves the auxiliary carry undefined
    }

    @Test
    @DisplayName("is not planted where a call would return to the middle of the jump")
    void callInTheMiddle() {
        assertThat(plan("ff d0 85 c0 74 05")).isNull(); // call rax; test eax, eax; je
        assertThat(plan("0f 05 85 c0 74 05")).isNull(); // syscall
    }

    @Test
    @DisplayName("moves the begin of the next function if the jump reaches into it")
    void nextFunction() {
        Probe probe = plan("c3 cc 48 85 ff 75 01 c3"); // ret; int3; test rdi, rdi; jne
        assertThat(probe.moved()).extracting(Probe.Moved::from).containsExactly(SITE, SITE + 2);
        boolean int3 = probe.jump()[2] == (byte) 0xcc;
        assertThat(probe.redirected(SITE + 2 + (int3 ? 1 : 0)))
                .isEqualTo(probe.moved().get(1).to());
    }

    @Test
    @DisplayName("is not planted where what cannot be moved follows, even behind the end of a function")
    void constantBehindReturn() {
        assertThat(plan("c3 48 be ad de ad de ad de ad de")).isNull(); // ret; movabs rsi, 0xdeaddeaddeaddead
        assertThat(plan("c3 0f 05 c3")).isNull(); // ret; syscall
        assertThat(plan("c3 06 06 06 06 06")).isNotNull(); // ret; no instructions
    }

    @Test
    @DisplayName("is not planted where there is no memory in reach")
    void noMemory() {
        ProbePlanner crowded = new ProbePlanner((address, length) -> false);
        assertThat(crowded.plan(SITE, new byte[20], CHECKS)).isNull();
    }

    @Test
    @DisplayName("says at which of the program's instructions a task stands that is in the probe")
    void original() {
        Probe probe = plan("48 89 c8 48 01 d8");
        assertThat(probe.original(probe.resume())).isEqualTo(SITE);
        assertThat(probe.original(probe.moved().get(1).to())).isEqualTo(SITE + 3);
    }

    private static long target(Probe probe) {
        byte[] jump = probe.jump();
        int displacement = jump[1] & 0xff | (jump[2] & 0xff) << 8 | (jump[3] & 0xff) << 16 | jump[4] << 24;
        return SITE + 5 + displacement;
    }
}
