package reprise.tracee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import reprise.linux.CpuSet;

/** On which cores the thread that calls this may run after what its tracees did. */
class TracerCoreTest {
    private final CpuSet before = CpuSet.ofCallingThread();
    private final int[] cores =
            IntStream.range(0, 1024).filter(before::contains).toArray();
    private final TracerCore tracer = new TracerCore();

    @AfterEach
    void allowAll() {
        before.bind(0);
    }

    private void stops(int core, int count) {
        for (int i = 0; i < count; i++) {
            tracer.stopped(core);
        }
    }

    private int[] allowed() {
        CpuSet now = CpuSet.ofCallingThread();
        return IntStream.range(0, 1024).filter(now::contains).toArray();
    }

    @Test
    @DisplayName("goes where all stops come from, and not before there were some")
    void goesWhereAllStopsComeFrom() {
        stops(cores[0], 7);
        assertThat(allowed()).isEqualTo(cores);
        stops(cores[0], 1);
        assertThat(allowed()).containsExactly(cores[0]);
        tracer.release();
        assertThat(allowed()).isEqualTo(cores);
    }

    @Test
    @DisplayName("one stop from elsewhere changes nothing, two in a row do")
    void strangersReleaseIt() {
        stops(cores[0], 8);
        stops(cores[0] + 1, 1);
        stops(cores[0], 1);
        stops(cores[0] + 1, 1);
        assertThat(allowed()).containsExactly(cores[0]);
        stops(cores[0] + 1, 1);
        assertThat(allowed()).isEqualTo(cores);
    }

    @Test
    @DisplayName("does not wait for its turn behind one who computes")
    void silenceReleasesIt() {
        stops(cores[0], 8);
        tracer.tick();
        assertThat(allowed()).containsExactly(cores[0]);
        tracer.tick();
        assertThat(allowed()).isEqualTo(cores);
    }

    @Test
    @DisplayName("follows to another core")
    void follows() {
        assumeTrue(cores.length > 1, "this machine lets us use one core only");
        stops(cores[0], 8);
        stops(cores[1], 10);
        assertThat(allowed()).containsExactly(cores[1]);
    }

    @Test
    @DisplayName("stays with tracees that are bound to no core, or to one that it may not use")
    void staysWhereItMayNotGo() {
        stops(-1, 20);
        assertThat(allowed()).isEqualTo(cores);
        stops(8000, 20);
        assertThat(allowed()).isEqualTo(cores);
    }
}
