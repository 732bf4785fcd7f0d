package reprise.syscall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import reprise.linux.SyscallNumber;

/** The table as a whole. */
class SyscallTableTest {
    private static final Path HEADER = Path.of("/usr/include/x86_64-linux-gnu/asm/unistd_64.h");

    static Stream<Field> numbers() {
        return Stream.of(SyscallNumber.class.getFields())
                .filter(field -> !field.getName().equals("LIMIT"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("numbers")
    @DisplayName("every number has a decision, under its name")
    void everyNumberHasADecision(Field field) throws IllegalAccessException {
        SyscallSpec spec = SyscallTable.of(field.getInt(null));
        assertThat(spec).as(field.getName()).isNotNull();
        assertThat(spec.name()).isEqualTo(field.getName().toLowerCase(Locale.ROOT));
        assertThat(spec.number()).isEqualTo(field.getInt(null));
        assertThat(spec.support()).isNotEqualTo(Support.UNKNOWN);
        assertThat(spec.reason().isEmpty()).isEqualTo(spec.support() == Support.SUPPORTED);
        assertThat(spec.errno() != 0).isEqualTo(spec.support() == Support.ANSWERED);
    }

    @Test
    @DisplayName("the kernel headers of this machine know no other numbers or names")
    void agreesWithTheHeaders() throws Exception {
        assumeTrue(Files.exists(HEADER), "needs the kernel's headers");
        Matcher matcher = Pattern.compile("#define __NR_(\\w+) (\\d+)").matcher(Files.readString(HEADER));
        while (matcher.find()) {
            int number = Integer.parseInt(matcher.group(2));
            assertThat(SyscallTable.of(number)).as(matcher.group()).isNotNull();
            assertThat(SyscallTable.name(number)).isEqualTo(matcher.group(1));
        }
    }

    @ParameterizedTest
    @EnumSource(CommandSet.class)
    @DisplayName("tables of commands have no command twice, and a reason where one is due")
    void commands(CommandSet set) {
        for (Command command : set.table().commands()) {
            assertThat(set.table().find(command.value)).isSameAs(command);
            assertThat(command.reason.isEmpty()).as(command.name).isEqualTo(command.support == Support.SUPPORTED);
            for (Argument output : command.outputs) {
                assertThat(output.position).as(command.name).isBetween(0, 5);
            }
        }
    }

    @Test
    @DisplayName("a number that is not in the table is null and has a name")
    void unknownNumber() {
        assertThat(SyscallTable.of(400)).isNull();
        assertThat(SyscallTable.of(-1)).isNull();
        assertThat(SyscallTable.of(1 << 30)).isNull();
        assertThat(SyscallTable.name(400)).isEqualTo("syscall_400");
    }

    @Test
    @DisplayName("the documentation lists calls and the commands that are not simply supported")
    void documentation() {
        assertThat(SyscallTable.documentation())
                .anySatisfy(row -> {
                    assertThat(row.name()).isEqualTo("rseq");
                    assertThat(row.support()).isEqualTo(Support.ANSWERED);
                    assertThat(row.reason()).startsWith("ENOSYS: ");
                })
                .anySatisfy(row -> assertThat(row)
                        .isEqualTo(new SyscallTable.Row(
                                SyscallNumber.READ, "read", "fd, buf, count", Support.SUPPORTED, "")))
                .anySatisfy(row -> assertThat(row.name()).isEqualTo("madvise MADV_HWPOISON"));
    }
}
