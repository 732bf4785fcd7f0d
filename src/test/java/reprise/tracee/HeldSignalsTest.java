package reprise.tracee;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import reprise.linux.Disposition;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

class HeldSignalsTest {
    private static final int SIGNAL = Signal.SIGRTMIN + 7;
    private static final int SI_QUEUE = -1;
    private static final int SI_TKILL = -6;
    private static final int VALUE = 24;

    private final int pid = (int) Syscall.call(SyscallNumber.GETPID, 0);
    private final HeldSignals held = new HeldSignals();
    private final MemorySegment info = Arena.ofAuto().allocate(Ptrace.SIGINFO_SIZE, 8);

    @BeforeEach
    void ignoreWhatIsSentToThisProcess() {
        Disposition.ignore(SIGNAL);
    }

    private MemorySegment theirs(int value) {
        info.fill((byte) 0);
        info.set(JAVA_INT, 8, SI_QUEUE);
        info.set(JAVA_INT, 16, pid + 1);
        info.set(JAVA_INT, VALUE, value);
        return info;
    }

    private MemorySegment ours() {
        info.fill((byte) 0);
        info.set(JAVA_INT, 8, SI_TKILL);
        info.set(JAVA_INT, 16, pid);
        return info;
    }

    @Test
    @DisplayName("a signal put back before others that were sent again is still the first")
    void putBackIsFirst() {
        for (int value = 0; value < 3; value++) {
            held.arrived(SIGNAL, theirs(value));
            held.putBack(SIGNAL, info);
        }
        held.sendAgain(pid, pid);
        assertThat(held.isEmpty()).isTrue();
        held.arrived(SIGNAL, ours());
        held.putBack(SIGNAL, info);
        assertThat(held.isEmpty()).isFalse();
        held.sendAgain(pid, pid);
        for (int value = 0; value < 3; value++) {
            assertThat(held.arrived(SIGNAL, ours())).isTrue();
            assertThat(info.get(JAVA_INT, VALUE)).isEqualTo(value);
        }
    }

    @Test
    @DisplayName("SIGCONT discards stop signals held back before it, and one without a handler is not sent again")
    void continuedBehindStop() {
        held.arrived(Signal.SIGTTOU, theirs(1));
        held.putBack(Signal.SIGTTOU, info);
        held.arrived(Signal.SIGCONT, theirs(2));
        held.putBack(Signal.SIGCONT, info);
        held.sendAgain(pid, pid);
        assertThat(held.isEmpty()).isTrue();
        assertThat(held.arrived(Signal.SIGTTOU, ours())).isFalse();
        assertThat(held.arrived(Signal.SIGCONT, ours())).isFalse();
    }

    @Test
    @DisplayName("a stop signal discards SIGCONT held back before it")
    void stoppedBehindContinue() {
        held.arrived(Signal.SIGCONT, theirs(1));
        held.putBack(Signal.SIGCONT, info);
        assertThat(held.arrived(Signal.SIGTSTP, theirs(2))).isFalse();
        assertThat(held.isEmpty()).isTrue();
    }

    @Test
    @DisplayName("whatever is held back and when it is sent again, each signal arrives once and in order")
    void eachOnceAndInOrder() {
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            // What the kernel has queued: a value, or -1 for one of ours.
            Deque<Integer> kernel = new ArrayDeque<>();
            HeldSignals signals = new HeldSignals();
            List<Integer> delivered = new ArrayList<>();
            int waiting = 0;
            int next = 0;
            for (int step = 0; step < 500 || !kernel.isEmpty() || !signals.isEmpty(); step++) {
                int choice = random.nextInt(4);
                if (choice == 0 && next < 100) {
                    kernel.add(next++);
                } else if (choice == 1) {
                    signals.sendAgain(pid, pid);
                    for (; waiting > 0; waiting--) {
                        kernel.add(-1);
                    }
                } else if (!kernel.isEmpty()) {
                    int first = kernel.remove();
                    signals.arrived(SIGNAL, first < 0 ? ours() : theirs(first));
                    if (choice == 2) {
                        signals.putBack(SIGNAL, info);
                        waiting++;
                    } else {
                        delivered.add(info.get(JAVA_INT, VALUE));
                    }
                }
            }
            assertThat(delivered).hasSize(next).isSorted().doesNotHaveDuplicates();
        }
    }
}
