package reprise.x86;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("The effective address of")
class EffectiveAddressTest {
    private final MemorySegment registers = Arena.ofAuto().allocate(Registers.SIZE, 16);

    @BeforeEach
    void setRegisters() {
        for (GeneralRegister register : GeneralRegister.values()) {
            Registers.set(registers, Registers.offset(register), 0x1000L * (register.ordinal() + 1));
        }
        Registers.set(registers, Registers.FS_BASE, 0x7000_0000);
    }

    @ParameterizedTest(name = "{0} is {2}")
    @CsvSource({
        "'mov rax, [rbx]', 48 8b 03, 4000",
        "'mov rax, [rip + 0x10]', 48 8b 05 10 00 00 00, 400017",
        "'mov eax, [rsp - 8]', 8b 44 24 f8, 4ff8",
        "'mov eax, [r12]', 41 8b 04 24, d000",
        "'mov eax, [rdi + rax * 8 + 0x100]', 8b 84 c7 00 01 00 00, 10100",
        "'mov eax, [r8 + r9 * 4]', 43 8b 04 88, 31000",
        "'mov eax, [rcx * 2 + 0x40]', 8b 04 4d 40 00 00 00, 4040",
        "'mov rax, fs:[0x28]', 64 48 8b 04 25 28 00 00 00, 70000028",
        "'vmovups ymm1, [r10 + rax]', c4 c1 7c 10 0c 02, c000",
        "'rep stosb', f3 aa, 8000",
        "'add eax, ebx', 01 d8, ffffffffffffffff",
    })
    @DisplayName("an instruction follows from its bytes and the registers")
    void address(String text, String code, String expected) {
        byte[] bytes = HexFormat.of().parseHex(code.replace(" ", ""));
        Instruction instruction = new Instruction();
        assertThat(new InstructionDecoder().decode(bytes, 0, bytes.length, 0x400000, instruction))
                .isTrue();
        assertThat(EffectiveAddress.of(bytes, 0, instruction, registers))
                .isEqualTo(Long.parseUnsignedLong(expected, 16));
    }
}
