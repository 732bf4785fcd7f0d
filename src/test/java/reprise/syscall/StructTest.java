package reprise.syscall;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sizes in the table against the C compiler's. */
class StructTest {
    /** What libc lacks or has in another form, as the kernel has it. */
    private static final String KERNELS = """
            struct kernel_sigaction { void *handler; unsigned long flags; void *restorer; unsigned long mask; };
            typedef unsigned long kernel_sigset_t;
            #define kernel_termios termios
            #define kernel_termios2 termios2
            struct kernel_termio { unsigned short iflag, oflag, cflag, lflag; unsigned char line, cc[8]; };
            struct ustat_ { int tfree; unsigned long tinode; char fname[6], fpack[6]; };
            #define ustat ustat_
            struct cachestat_ { unsigned long long counts[5]; };
            #define cachestat cachestat_
            """;

    /** Those that only some versions of the headers have. */
    private static final Set<Struct> MAY_BE_ABSENT =
            Set.of(Struct.STATX, Struct.PKEY_QUERY, Struct.SCHED_PARAM, Struct.PM_SCAN_ARG);

    @TempDir
    private Path folder;

    @Test
    @DisplayName("structures are as large as the C compiler says")
    void sizes() throws Exception {
        StringBuilder statements = new StringBuilder();
        List<Struct> asked = new ArrayList<>();
        for (Struct struct : Struct.values()) {
            if (!MAY_BE_ABSENT.contains(struct)) {
                asked.add(struct);
                statements.append("printf(\"%%zu\\n\", sizeof(%s));%n".formatted(struct.type()));
            }
        }
        List<String> answers = HostCompiler.run(folder, KERNELS, statements.toString());
        assertThat(answers).hasSameSizeAs(asked);
        for (int i = 0; i < asked.size(); i++) {
            Struct struct = asked.get(i);
            assertThat(struct.size()).as(struct.type()).isEqualTo(Integer.parseInt(answers.get(i)));
        }
    }
}
