package reprise.syscall;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The names and values in the table against the kernel's headers. */
class KernelConstantsTest {
    /** Names that libc's headers give another value, because they hide the difference from the kernel. */
    private static final List<String> DIFFERS_IN_LIBC = List.of("O_LARGEFILE");

    @TempDir
    private Path folder;

    @Test
    @DisplayName("commands have the values that the headers define")
    void commands() throws Exception {
        TreeMap<String, Long> values = new TreeMap<>();
        for (CommandSet set : CommandSet.values()) {
            if (!set.table().isPair()) {
                for (Command command : set.table().commands()) {
                    values.put(command.name, command.value);
                }
            }
        }
        compare(values);
    }

    @Test
    @DisplayName("vocabularies have the values that the headers define")
    void vocabularies() throws Exception {
        TreeMap<String, Long> values = new TreeMap<>();
        for (Vocabulary vocabulary : Vocabulary.values()) {
            values.putAll(Names.of(vocabulary).all());
        }
        compare(values);
    }

    private void compare(TreeMap<String, Long> values) throws Exception {
        StringBuilder statements = new StringBuilder();
        for (String name : values.keySet()) {
            if (!DIFFERS_IN_LIBC.contains(name)) {
                statements.append(
                        "#ifdef %s%nprintf(\"%s %%lld\\n\", (long long) (%s));%n#endif%n".formatted(name, name, name));
            }
        }
        List<String> wrong = new ArrayList<>();
        List<String> answers = HostCompiler.run(folder, "", statements.toString());
        for (String answer : answers) {
            String name = answer.substring(0, answer.indexOf(' '));
            int value = (int) Long.parseLong(answer.substring(name.length() + 1));
            if (value != values.get(name).intValue()) {
                wrong.add(answer + ", in the table " + values.get(name));
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(answers).hasSizeGreaterThan(values.size() / 3);
    }
}
