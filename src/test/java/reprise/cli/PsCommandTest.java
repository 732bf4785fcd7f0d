package reprise.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The processes of a trace. */
class PsCommandTest {
    private static final int SIGSEGV_WITH_CORE = 0x8b;

    @TempDir
    private Path directory;

    @Test
    @DisplayName("each process has a line: pid, parent, end and first program")
    void processes() {
        SyntheticTrace trace = new SyntheticTrace(directory, "sh-0");
        trace.exec(10, 0, "sh", "-c", "a b; c");
        trace.clone(10, 11, 17).exec(11, 10, "env", "x").exec(11, 10, "x");
        trace.clone(10, 12, 17).exit(12, SIGSEGV_WITH_CORE);
        trace.exit(11, 0x300).exit(10, 0).end(10, 0);
        Console.Run run = Console.reprise("ps", trace.done());
        assertThat(run.err()).isEmpty();
        assertThat(run.lines())
                .containsExactly(
                        "PID\tPPID\tEXIT\tCMD",
                        "10\t--\t0\tsh -c 'a b; c'",
                        "11\t10\t3\tenv x",
                        "12\t10\tSIGSEGV\tsh -c 'a b; c' (forked without exec)");
    }

    @Test
    @DisplayName("a fork of a fork shows what its parent ran at that moment")
    void forkOfFork() {
        SyntheticTrace trace = new SyntheticTrace(directory, "sh-0");
        trace.exec(10, 0, "env", "sh").exec(10, 0, "sh");
        trace.clone(10, 11, 17).clone(11, 12, 17).exec(10, 0, "cat");
        Console.Run run = Console.reprise("ps", trace.done());
        assertThat(run.lines())
                .containsExactly(
                        "PID\tPPID\tEXIT\tCMD",
                        "10\t--\tnone\tenv sh",
                        "11\t10\tnone\tsh (forked without exec)",
                        "12\t11\tnone\tsh (forked without exec)");
        assertThat(run.err()).startsWith("reprise ps: the trace ends early, at event 5: ");
        assertThat(run.status()).isEqualTo(ExitStatus.OK);
    }

    @Test
    @DisplayName("threads are no processes, and a process ends with its last thread")
    void threads() {
        SyntheticTrace trace = new SyntheticTrace(directory, "a-0");
        trace.exec(10, 0, "a");
        trace.clone(10, 11, SyntheticTrace.CLONE_VM | SyntheticTrace.CLONE_THREAD);
        trace.clone(11, 20, 17).exit(10, 0);
        assertThat(Console.reprise("ps", trace.done()).lines())
                .containsExactly("PID\tPPID\tEXIT\tCMD", "10\t--\tnone\ta", "20\t10\tnone\ta (forked without exec)");
    }

    @Test
    @DisplayName("an exec by a thread makes it the process, under the leader's number")
    void execByThread() {
        SyntheticTrace trace = new SyntheticTrace(directory, "a-0");
        trace.exec(10, 0, "a");
        trace.clone(10, 11, SyntheticTrace.CLONE_VM | SyntheticTrace.CLONE_THREAD);
        trace.exit(10, 0).exec(10, 11, 0, "b").clone(10, 12, 17).exit(10, 0x100);
        assertThat(Console.reprise("ps", trace.done()).lines())
                .containsExactly("PID\tPPID\tEXIT\tCMD", "10\t--\t1\ta", "12\t10\tnone\tb (forked without exec)");
    }

    @Test
    @DisplayName("arguments cannot break the table or drive the terminal")
    void strangeArguments() {
        SyntheticTrace trace = new SyntheticTrace(directory, "a-0");
        trace.exec(10, 0, "a", "", "it's", "two\nlines\u001b[1m", "ärger");
        assertThat(Console.reprise("ps", trace.done()).lines())
                .contains("10\t--\tnone\ta '' 'it'\\''s' $'two\\nlines\\033[1m' ärger");
    }
}
