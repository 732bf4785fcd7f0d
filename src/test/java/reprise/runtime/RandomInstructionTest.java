package reprise.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Which bytes are taken for random instructions, and what is made of them. */
class RandomInstructionTest {
    private static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    /** Behind code that leaves no doubt where instructions begin: mov rdi,rax; mov rax,[rbx+8]; test rax,rax; ... */
    private static boolean isAt(String hex, int at) {
        String before = "4889c7 488b4308 4885c0 4883c301 ".repeat(8);
        byte[] code = bytes(before + hex);
        return RandomInstruction.isAt(code, bytes(before).length + at, code.length);
    }

    @Test
    void theyAreKnownByALookAtTheCarryFlagBehind() {
        assertThat(isAt("0fc7f0 8901 0f42c2", 1)).as("libstdc++: mov, cmovb").isTrue();
        assertThat(isAt("490fc7f2 7216", 2)).as("libcrypto: jb").isTrue();
        assertThat(isAt("0fc7f8 0f92c1", 1)).as("rdseed, setb").isTrue();
        assertThat(isAt("0fc7f0 19c9", 1)).as("sbb").isTrue();
    }

    @Test
    void othersAreLeftAlone() {
        assertThat(isAt("0fc7f0 8901 c3", 1)).as("nobody looks").isFalse();
        assertThat(isAt("0fc7f0 8901 75f0 c3", 1)).as("another flag").isFalse();
        assertThat(isAt("0fc7642440 7216", 1)).as("xsavec").isFalse();
        assertThat(isAt("0fc7f0", 1)).as("the end").isFalse();
        assertThat(isAt("0f846a0fc7ff 3b4104 0f83610fc7ff 488b44c108", 4))
                .as("inside the displacement of a jump")
                .isFalse();
        byte[] alone = bytes("0fc7f0 8901 0f42c2");
        assertThat(RandomInstruction.isAt(alone, 1, alone.length))
                .as("nothing before it to tell")
                .isFalse();
    }

    @Test
    void destinationAndWidthAreThoseOfTheInstruction() {
        expect("0fb9f3", 3, 3, 0x55667788L);
        expect("410fb9f3", 4, 11, 0x55667788L);
        expect("480fb9f9", 4, 1, 0x1122334455667788L);
        expect("490fb9f2", 4, 10, 0x1122334455667788L);
        expect("660fb9f2", 4, 2, 0xffff_ffff_ffff_7788L);
        expect("66410fb9f6", 5, 14, 0xffff_ffff_ffff_7788L);
        assertThat(RandomInstruction.length(bytes("0f0bf30f1efa"), 0, 6)).isZero();
        assertThat(RandomInstruction.length(bytes("0fb94010"), 0, 4)).isZero();
    }

    private static void expect(String hex, int length, int register, long result) {
        byte[] code = bytes(hex);
        assertThat(RandomInstruction.length(code, 0, code.length)).isEqualTo(length);
        assertThat(RandomInstruction.register(code, 0, length)).isEqualTo(register);
        assertThat(RandomInstruction.result(code, 0, length, -1, 0x1122334455667788L))
                .isEqualTo(result);
    }
}
