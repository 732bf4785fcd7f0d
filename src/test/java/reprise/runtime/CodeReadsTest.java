package reprise.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CodeReadsTest {
    private static final long BASE = 0x7f0000000000L;

    @ParameterizedTest(name = "{0}: {2}")
    @DisplayName("reads of code are seen, jumps to it and pointers to its begin are not")
    @CsvSource({
        "mov r9 [rip-0x20], 4c8b0de0ffffff, true",
        "add rax [rip-0x1c], 480305e4ffffff, true",
        "cmp dword [rip-0x1e] imm32, 813de2ffffff00000000, true",
        "movsd xmm0 [rip-0x27], f20f1005d9ffffff, true",
        "lea rax [rip-0x1e], 488d05e2ffffff, true",
        "lea rax [rip-0x20], 488d05e0ffffff, false",
        "jmp, e9e2ffffff, false",
        "call, e8e2ffffff, false",
        "je, 0f84e2ffffff, false",
        "mov r9 [rip+0x40], 4c8b0d40000000, false",
        "add rax imm32, 4805e0ffffff, false",
        "mov rax fs:[-0x20], 64488b0425e0ffffff, false",
        "mov eax gs:[-0x20], 658b0425e0ffffff, false",
        "the end of an immediate of movabs, 49bec1761f15e0ffffff, false",
        "add dword [rsi+0x1f] imm32, 81461fdeffffff, false",
        "cmovs rax [rip-0x20], 480f4805e0ffffff, true",
        "unpcklps xmm4 [rip-0x20], 0f1425e0ffffff, true",
        "dppd xmm0 [rip-0x21] imm8, 660f3a4105dfffffff00, true",
        "vpsrlvd xmm0 xmm0 [rip-0x20], c4e2794505e0ffffff, true",
        "vpsrlvd zmm0 zmm0 [rip-0x20], 62f27d484505e0ffffff, true",
    })
    void kinds(String what, String bytes, boolean read) {
        byte[] instruction = HexFormat.of().parseHex(bytes);
        MemorySegment code = Arena.ofAuto().allocate(256);
        code.fill((byte) 0x90);
        MemorySegment.copy(instruction, 0, code, ValueLayout.JAVA_BYTE, 64, instruction.length);
        // What the displacement counts from: for these instructions 32 bytes back is the first of the bytes in
        // question.
        long from = BASE + 64 + instruction.length - 32;
        assertThat(CodeReads.touch(code, BASE, from, from + 5)).isEqualTo(read);
    }

    @ParameterizedTest(name = "seed {0}")
    @DisplayName("random bytes hardly ever look like a read")
    @CsvSource({"1", "2", "3"})
    void random(long seed) {
        byte[] bytes = new byte[2 * CodeReads.REACH];
        new Random(seed).nextBytes(bytes);
        MemorySegment code = Arena.ofAuto().allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
        long from = BASE + CodeReads.REACH;
        assertThat(CodeReads.touch(code, BASE, from, from + 5)).isFalse();
    }
}
