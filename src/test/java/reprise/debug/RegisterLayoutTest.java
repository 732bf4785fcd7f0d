package reprise.debug;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the client is told of registers is what it gets. */
class RegisterLayoutTest {
    private static final long X87_SSE = 3;
    private static final long AVX = 4;
    private static final long AVX512 = 0xe0;
    private static final long PKRU = 0x200;
    private static final int XSTATE_BV = 512;

    /** Where Intel's processors have them. */
    private static int offset(int component) {
        return switch (component) {
            case 2 -> 576;
            case 5 -> 1088;
            case 6 -> 1152;
            case 7 -> 1664;
            default -> 2688;
        };
    }

    private final MemorySegment general = Arena.ofAuto().allocate(216, 16);
    private final MemorySegment extended = Arena.ofAuto().allocate(2696, 64);

    @ParameterizedTest(name = "XCR0 {0}")
    @ValueSource(longs = {X87_SSE, X87_SSE | AVX, X87_SSE | AVX | PKRU, X87_SSE | AVX | AVX512 | PKRU})
    @DisplayName("the description lists the registers of the layout, in order and size")
    void descriptionFits(long enabled) {
        RegisterLayout layout = new RegisterLayout(enabled, RegisterLayoutTest::offset);
        TargetDescription description = new TargetDescription(layout);
        List<Integer> sizes = new ArrayList<>();
        Matcher includes = Pattern.compile("href=\"([^\"]+)\"").matcher(description.document("target.xml"));
        while (includes.find()) {
            Matcher registers =
                    Pattern.compile("<reg .*bitsize=\"(\\d+)\"").matcher(description.document(includes.group(1)));
            while (registers.find()) {
                sizes.add(Integer.parseInt(registers.group(1)) / 8);
            }
        }
        assertThat(sizes).hasSize(layout.count());
        for (int number = 0; number < layout.count(); number++) {
            assertThat(layout.register(number).size()).as("register %d", number).isEqualTo(sizes.get(number));
        }
        assertThat(layout.size())
                .isEqualTo(sizes.stream().mapToInt(Integer::intValue).sum());
    }

    @Test
    @DisplayName("every register reads back what was written to it")
    void readsBack() {
        RegisterLayout layout = new RegisterLayout(X87_SSE | AVX | AVX512 | PKRU, RegisterLayoutTest::offset);
        for (int number = 0; number < layout.count(); number++) {
            RegisterLayout.Register register = layout.register(number);
            if (register.kind() != RegisterLayout.Kind.GENERAL && register.kind() != RegisterLayout.Kind.EXTENDED) {
                continue;
            }
            byte[] value = new byte[register.size()];
            for (int i = 0; i < register.stored(); i++) {
                value[i] = (byte) (number + i + 1);
            }
            layout.write(register, value, general, extended);
            assertThat(layout.read(register, general, extended))
                    .as("register %d", number)
                    .isEqualTo(value);
        }
        assertThat(extended.get(JAVA_LONG_UNALIGNED, XSTATE_BV)).isEqualTo(X87_SSE | AVX | AVX512 | PKRU);
    }

    @Test
    @DisplayName("what is not in use has its initial value, whatever the block holds")
    void initialValues() {
        extended.fill((byte) 0x55);
        extended.set(JAVA_LONG_UNALIGNED, XSTATE_BV, 0);
        RegisterLayout layout = new RegisterLayout(X87_SSE | AVX, RegisterLayoutTest::offset);
        byte[] control = layout.read(layout.register(32), general, extended);
        assertThat(control).containsExactly(0x7f, 3, 0, 0);
        assertThat(layout.read(layout.register(34), general, extended)).containsExactly(0xff, 0xff, 0, 0);
        assertThat(layout.read(layout.register(40), general, extended)).containsOnly(0);
        assertThat(layout.read(layout.register(60), general, extended)).containsOnly(0);
    }

    @Test
    @DisplayName("the x87 tag word tells empty, zero, special and valid registers apart")
    void tags() {
        extended.set(JAVA_LONG_UNALIGNED, XSTATE_BV, X87_SSE);
        RegisterLayout layout = new RegisterLayout(X87_SSE, RegisterLayoutTest::offset);
        final int status = 33;
        layout.write(layout.register(status), new byte[] {0, 0x28, 0, 0}, general, extended); // top is 5
        layout.write(layout.register(34), new byte[] {(byte) 0xff, 0x03, 0, 0}, general, extended);
        byte[] one = {0, 0, 0, 0, 0, 0, 0, (byte) 0x80, (byte) 0xff, 0x3f};
        layout.write(layout.register(24), one, general, extended);
        byte[] infinity = {0, 0, 0, 0, 0, 0, 0, (byte) 0x80, (byte) 0xff, 0x7f};
        layout.write(layout.register(25), infinity, general, extended);
        // st0 is physical register 5: valid, 00; st1 is 6: special, 10; st2 is 7: zero, 01; 0 to 4 are empty, 11.
        assertThat(layout.read(layout.register(34), general, extended)).containsExactly(0xff, 0x63, 0, 0);
    }
}
