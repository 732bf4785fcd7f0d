package reprise.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import reprise.trace.TraceHeader;

/** What Reprise says about the machine it is on. */
class DoctorTest {
    @Test
    @DisplayName("doctor looks at everything, and says of each lack what it means and what to do")
    void doctor() {
        Console.Run run = Console.reprise("doctor");
        assertThat(run.err()).isEmpty();
        assertThat(run.status()).isIn(ExitStatus.OK, ExitStatus.FAILED);
        for (String subject : List.of("kernel", "ptrace", "seccomp", "PMU", "trace directory", "gdb", "Java", "AOT")) {
            assertThat(run.out()).contains(" " + subject);
        }
        List<String> lines = run.lines();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith("lacking") || lines.get(i).startsWith("FATAL")) {
                assertThat(lines.get(i + 1)).contains("means: ");
                assertThat(lines.get(i + 2)).contains("to do: ");
            }
        }
        assertThat(run.status() == ExitStatus.FAILED).isEqualTo(run.out().contains("FATAL"));
    }

    @Test
    @DisplayName("a trace of a processor with more instructions or registers is refused, and those are named")
    void features() {
        TraceHeader header = header(List.of("fpu", "sse2", "avx2", "avx512f", "hypervisor", "ibrs"), 0x2e7);
        ProcessorFeatures small = new ProcessorFeatures("small", Set.of("fpu", "sse2", "avx2"), 7);
        assertThat(small.missing(header))
                .containsExactly(
                        "avx512f",
                        "registers of avx512-opmask",
                        "registers of avx512-upper",
                        "registers of avx512-high",
                        "registers of pkru");
        Assertions.assertThatThrownBy(() -> small.require(header))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("avx512f");
        ProcessorFeatures large = new ProcessorFeatures("large", Set.of("sse2", "avx2", "avx512f", "vaes"), 0x2e7);
        assertThat(large.missing(header)).isEmpty();
        assertThat(large.note(header))
                .hasValueSatisfying(note -> assertThat(note).contains("large", "Other", "cpuid"));
        assertThat(new ProcessorFeatures("Other", Set.of(), 0).note(header)).isEmpty();
    }

    private static TraceHeader header(List<String> features, long states) {
        return new TraceHeader("", 0, "", "Other", features, states, 1, Map.of(), "/", List.of("x"), List.of());
    }
}
