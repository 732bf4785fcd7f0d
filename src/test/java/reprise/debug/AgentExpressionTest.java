package reprise.debug;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Conditions mean what gdb's manual says of the bytecode. */
class AgentExpressionTest {
    /** Register n holds n * 1000; the memory at each address holds its address. */
    private static final AgentExpression.Machine MACHINE = new AgentExpression.Machine() {
        @Override
        public long register(int number) {
            return number * 1000L;
        }

        @Override
        public long memory(long address, int size) {
            if (address == 0) {
                throw new IllegalArgumentException("no memory");
            }
            return size == 8 ? address : address & (1L << 8 * size) - 1;
        }
    };

    private static boolean isTrue(String code) {
        return new AgentExpression(HexFormat.of().parseHex(code.replace(" ", ""))).isTrue(MACHINE);
    }

    @ParameterizedTest(name = "{0}: {2}")
    @CsvSource({
        "22 05 22 05 13 27, true, 5 == 5",
        "22 05 22 06 13 27, false, 5 == 6",
        "26 0003 23 0bb8 13 27, true, register 3 == 3000",
        "23 1234 17 22 34 13 27, true, one byte of memory",
        "24 00012345 18 23 2345 13 27, true, two bytes of memory",
        "22 ff 16 08 22 00 14 27, true, (signed char) 255 < 0",
        "22 ff 2a 08 22 00 14 27, false, (unsigned char) 255 < 0",
        "22 ff 16 08 22 01 15 27, false, -1 < 1 unsigned",
        "22 07 22 02 03 22 05 13 27, true, 7 - 2 == 5",
        "22 07 22 02 05 22 03 13 27, true, 7 / 2 == 3",
        "22 01 22 03 09 22 08 13 27, true, 1 << 3 == 8",
        "22 00 0e 27, true, !0",
        "22 01 20 0008 22 01 27 22 00 27, false, if (1) goto",
        "22 01 22 02 2b 03 27, true, swap",
        "22 01 28 13 27, true, dup",
        "22 01 22 02 22 03 33 29 29 22 03 13 27, true, rotate"
    })
    void operations(String code, boolean value, String what) {
        assertThat(isTrue(code)).as(what).isEqualTo(value);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "22 00 1a 27, memory that is not there",
        "22 01 22 00 05 27, division by zero",
        "02 27, too few operands",
        "ff 27, an unknown operation",
        "22 01, no end",
        "21 0000, an endless loop"
    })
    @DisplayName("what cannot be evaluated stops the program")
    void stopsWhereInDoubt(String code, String what) {
        assertThat(isTrue(code)).as(what).isTrue();
    }

    @Test
    @DisplayName("no bytecode does harm")
    void anyBytecode() {
        Random random = new Random(2);
        for (int round = 0; round < 20_000; round++) {
            byte[] code = new byte[random.nextInt(40)];
            random.nextBytes(code);
            new AgentExpression(code).isTrue(MACHINE);
        }
    }
}
