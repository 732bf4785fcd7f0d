package reprise.x86;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import reprise.x86.Instruction.Kind;

class InstructionDecoderTest {
    private static final long ADDRESS = 0x40_0000L;

    private final InstructionDecoder decoder = new InstructionDecoder();
    private final Instruction instruction = new Instruction();

    @ParameterizedTest(name = "{0} is {1}")
    @CsvSource({
        "0f05, SYSCALL",
        "0f31, RDTSC",
        "0f01f9, RDTSCP",
        "0f34, INTERRUPT",
        "cd80, INTERRUPT",
        "cc, INT3",
        "90, NOP",
        "6690, NOP",
        "f390, OTHER", // pause
        "4190, OTHER", // xchg r8, rax
        "0f1f8000000000, NOP",
        "66662e0f1f840000000000, NOP",
        "f30f1efa, OTHER", // endbr64
        "0f0b, TRAP",
        "0fb9c0, TRAP",
        "f4, TRAP",
        "c3, RETURN",
        "f3c3, RETURN",
        "c21000, RETURN",
        "48cf, RETURN",
        "ffe0, INDIRECT_JUMP",
        "3effe0, INDIRECT_JUMP",
        "ff2500000000, INDIRECT_JUMP",
        "ffd0, INDIRECT_CALL",
        "ff15deadbeef, INDIRECT_CALL",
        "ff5010, INDIRECT_CALL",
        "ff30, OTHER", // push
        "c5f877, OTHER", // vzeroupper
        "c5f831c0, INVALID",
        "c5f80fc0, INVALID",
        "d50001c0, INVALID", // REX2
        "0fff00, INVALID", // ud0
        "66e800000000, INVALID",
        "66eb00, INVALID",
        "f089c0, INVALID", // lock mov
        "06, INVALID",
        "9a, INVALID",
        "4810, TRUNCATED",
        "c5f8, TRUNCATED",
        "62f17c48, TRUNCATED",
        "0f, TRUNCATED",
        "f3, TRUNCATED",
        "e8000000, TRUNCATED",
        "8f, TRUNCATED",
    })
    @DisplayName("kinds")
    void kinds(String code, Kind kind) {
        decode(code);
        assertThat(instruction.kind()).isEqualTo(kind);
        boolean valid = kind != Kind.INVALID && kind != Kind.TRUNCATED;
        assertThat(instruction.isValid()).isEqualTo(valid);
        assertThat(instruction.length()).isEqualTo(valid ? code.length() / 2 : 0);
    }

    @ParameterizedTest(name = "{0}: {1} to {2}, {3} bytes at {4}")
    @CsvSource({
        "ebfe, JUMP, 400000, 1, 1",
        "e9fbffffff, JUMP, 400000, 4, 1",
        "747f, CONDITIONAL_JUMP, 400081, 1, 1",
        "0f8500010000, CONDITIONAL_JUMP, 400106, 4, 2",
        "2e0f8500010000, CONDITIONAL_JUMP, 400107, 4, 3",
        "e280, LOOP, 3fff82, 1, 1",
        "67e302, LOOP, 400005, 1, 2",
        "e800000080, CALL, ffffffff80400005, 4, 1",
        "666648e8fcffffff, CALL, 400004, 4, 4", // as linkers pad the call of __tls_get_addr
        "c7f810000000, TRANSACTION, 400016, 4, 2",
    })
    @DisplayName("relative branches")
    void branches(String code, Kind kind, String target, int size, int offset) {
        decode(code);
        assertThat(instruction.kind()).isEqualTo(kind);
        assertThat(instruction.kind().isRelativeBranch()).isTrue();
        assertThat(Long.toHexString(instruction.target())).isEqualTo(target);
        assertThat(instruction.displacementSize()).isEqualTo(size);
        assertThat(instruction.displacementOffset()).isEqualTo(offset);
        assertThat(instruction.isRipRelative()).isFalse();
    }

    @ParameterizedTest(name = "{0}: {1} at {2}")
    @CsvSource({
        "488b0510000000, 400017, 3",
        "8b05f9ffffff, 3fffff, 2",
        "c7051000000001000000, 40001a, 2",
        "80 3d 10000000 00, 400017, 2",
        "f7 05 10000000 01000000, 40001a, 2",
        "0fba2510000000 01, 400018, 3",
        "c5fa6f0510000000, 400018, 4",
        "c4e37d0605 10000000 31, 40001a, 5",
        "62f17c48100510000000, 40001a, 6",
        "ff2510000000, 400016, 2",
        "488b0425 10000000, none, -1", // absolute
        "488b45 10, none, -1",
    })
    @DisplayName("operands relative to rip")
    void ripRelative(String code, String address, int offset) {
        decode(code.replace(" ", ""));
        assertThat(instruction.isRipRelative()).isEqualTo(!address.equals("none"));
        if (instruction.isRipRelative()) {
            assertThat(Long.toHexString(instruction.ripRelativeAddress())).isEqualTo(address);
            assertThat(instruction.displacementOffset()).isEqualTo(offset);
            assertThat(instruction.displacementSize()).isEqualTo(4);
        }
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(
            strings = {
                "c8100001", // enter
                "48a1 8877665544332211", // mov rax, moffs
                "67a1 44332211",
                "48b8 8877665544332211",
                "66b8 3412",
                "b8 44332211",
                "66 68 3412",
                "6648 05 44332211", // REX.W overrides the prefix
                "f6 c0 01",
                "f6 d0",
                "66f7 00 3412",
                "0f20c0", // mov rax, cr0: never memory
                "0f2000",
                "0f0fc1 9e", // 3DNow!
                "0f3800c1",
                "660f3a0fc1 08",
                "f2480f38f1c0",
                "8fe97812d0", // XOP
                "8fea781000 44332211",
                "660f78c0 0102", // extrq
                "62f17c48c2c800", // EVEX vcmpps
                "62f27d4892040500000000", // EVEX gather
                "62f6 7d08 98c1", // EVEX map 6
                "c4e27b49c0", // tilezero
                "9b", // fwait is its own instruction
                "262e3e6465f2f30f1f00",
                "4040 90", // only the last REX counts
            })
    @DisplayName("lengths")
    void lengths(String code) {
        String bytes = code.replace(" ", "");
        decode(bytes + "00000000000000000000");
        assertThat(instruction.length()).isEqualTo(bytes.length() / 2);
    }

    @Test
    @DisplayName("more than fifteen bytes are no instruction, however many there are")
    void tooLong() {
        decode("66".repeat(14) + "90");
        assertThat(instruction.length()).isEqualTo(15);
        decode("66".repeat(15) + "90");
        assertThat(instruction.kind()).isEqualTo(Kind.INVALID);
        decode("66".repeat(14));
        assertThat(instruction.kind()).isEqualTo(Kind.TRUNCATED);
    }

    @Test
    @DisplayName("a memory segment is decoded as an array is")
    void segment() {
        MemorySegment code = MemorySegment.ofArray(HexFormat.of().parseHex("ccebfe"));
        assertThat(decoder.decode(code, 1, ADDRESS, instruction)).isTrue();
        assertThat(instruction.target()).isEqualTo(ADDRESS);
        assertThat(decoder.decode(code, 2, ADDRESS, instruction)).isFalse();
    }

    private void decode(String hex) {
        byte[] code = HexFormat.of().parseHex(hex);
        decoder.decode(code, 0, code.length, ADDRESS, instruction);
    }
}
