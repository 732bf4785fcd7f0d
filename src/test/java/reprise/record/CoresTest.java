package reprise.record;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class CoresTest {
    private static final String STAT = """
            cpu  10 20 30 4000 500 0 0 0 0 0
            cpu0 1 2 3 1000 50 0 0 0 0 0
            cpu1 1 2 3 2000 60 0 0 0 0 0
            cpu12 1 2 3 3000 70 0 0 0 0 0
            intr 5 6 7
            """;

    @Test
    @DisplayName("a core's idle time is what it had nothing to do and what it waited for disks")
    void idleTime() {
        long[] idle = {7, 7, 7};
        Cores.readIdle(STAT, new int[] {1, 2, 12}, idle);
        assertThat(idle).containsExactly(2060, 0, 3070);
    }

    @Test
    @DisplayName("a machine that tells nothing has no idle cores")
    void nothingTold() {
        long[] idle = {7};
        Cores.readIdle("", new int[] {0}, idle);
        assertThat(idle).containsExactly(0);
    }

    @Test
    @DisplayName("the wanted core is taken if the task may run there")
    void wanted() {
        Cores cores = new Cores();
        int present = cores.take();
        assertThat(cores.better(present, 5, null)).isEqualTo(5);
        assertThat(cores.better(present, 5, new byte[] {1 << 5})).isEqualTo(5);
        assertThat(cores.better(present, -1, null)).isEqualTo(present);
        byte[] onlyPresent = new byte[present / 8 + 1];
        onlyPresent[present / 8] = (byte) (1 << present % 8);
        assertThat(cores.better(present, present + 8, onlyPresent)).isEqualTo(present);
    }
}
