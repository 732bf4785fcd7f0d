package reprise.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reprise.trace.Event;

/** The replayer on recordings of tiny static programs, made by {@link MiniRecorder}. */
class ReplaySessionTest {
    private static final String START = """
            typedef unsigned long u;
            static long sys(long n, u a, u b, u c, u d, u e, u f) {
                long r; register u r10 asm("r10") = d; register u r8 asm("r8") = e; register u r9 asm("r9") = f;
                asm volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                    : "rcx", "r11", "memory");
                return r;
            }
            #define S(n, ...) S_(n, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
            #define S_(n, a, b, c, d, e, f, ...) sys(n, (u)(a), (u)(b), (u)(c), (u)(d), (u)(e), (u)(f))
            static void text(const char *s) { u n = 0; while (s[n]) n++; S(1, 1, s, n); }
            static void fail(void) { text("failed\\n"); S(231, 1); }
            static volatile char data[70000] = {1};
            static volatile char zeroes[70000];
            int program(void);
            asm(".globl _start\\n_start: xor %ebp,%ebp\\n and $-16,%rsp\\n call program\\n mov %eax,%edi\\n"
                " mov $231,%eax\\n syscall\\n"
                ".globl restorer\\nrestorer: mov $15,%eax\\n syscall\\n");
            """;

    @TempDir
    private Path directory;

    private List<Event> record(String program) throws IOException, InterruptedException {
        Path source = directory.resolve("program.c");
        Path binary = directory.resolve("program");
        Files.writeString(source, START + program);
        Process compiler;
        try {
            compiler = new ProcessBuilder(
                            "gcc",
                            "-w",
                            "-O1",
                            "-static",
                            "-nostdlib",
                            "-fno-pic",
                            "-no-pie",
                            "-fno-stack-protector",
                            "-fno-builtin",
                            "-o",
                            binary.toString(),
                            source.toString())
                    .inheritIO()
                    .start();
        } catch (IOException e) {
            assumeTrue(false, "no C compiler");
            throw e;
        }
        assertThat(compiler.waitFor()).isZero();
        return new MiniRecorder(directory, true).record(binary);
    }

    private int replay(List<Event> events) {
        try (ReplaySession session = new ReplaySession(directory, new RefusedCalls(Map.of()), ReplayOptions.QUIET)) {
            events.forEach(session::apply);
            return session.waitStatus();
        }
    }

    @Test
    void memoryCallsAndTheirResultsAreRepeated() throws Exception {
        List<Event> events = record("""
                int program(void) {
                    char *brk = (char *)S(12, 0);
                    S(12, (brk + 0x5000));
                    brk[0x4000] = 5;
                    for (int i = 0; i < 70000; i += 1000) { data[i]++; zeroes[i] = i; }
                    char *p = (char *)S(9, 0, 1 << 20, 3, 0x22, -1, 0);
                    S(318, p, 100, 0);
                    for (int i = 0; i < 50; i++) p[4096 * i] = p[i];
                    p = (char *)S(25, p, 1 << 20, 1 << 21, 1, 0);
                    S(318, (p + (1 << 20)), 100, 0);
                    S(28, p, 8192, 4);
                    if (p[0] || p[4096]) fail();
                    S(10, p, 4096, 1);
                    S(228, 0, (p + 8192));
                    S(11, (p + 12288), 4096);
                    char stack[300000];
                    for (int i = 0; i < 300000; i += 4096) ((volatile char *)stack)[i] = p[8192];
                    text("done\\n");
                    return 7;
                }
                """);
        assertThat(replay(events)).isEqualTo(7 << 8);
    }

    @Test
    void signalsStrikeWhereTheyDid() throws Exception {
        List<Event> events = record("""
                void restorer(void);
                struct action { void (*handler)(int, char *, u *); u flags; void (*restorer)(void); u mask; };
                static int seen;
                static char *page;
                static void handler(int signal, char *info, u *context) {
                    seen += signal;
                    if (signal == 11) S(10, page, 4096, 3);
                    if (signal == 4) context[21] += 2;
                }
                int program(void) {
                    struct action action = {handler, 0x04000004, restorer, 0};
                    S(13, 10, &action, 0, 8); S(13, 11, &action, 0, 8); S(13, 4, &action, 0, 8);
                    page = (char *)S(9, 0, 4096, 1, 0x22, -1, 0);
                    u pid = S(39);
                    S(62, pid, 10);
                    *(volatile char *)page = 1;
                    asm volatile("ud2");
                    asm volatile("pxor %xmm3,%xmm3");
                    S(62, pid, 10);
                    return seen;
                }
                """);
        assertThat(replay(events)).isEqualTo((10 + 11 + 4 + 10) << 8);
    }

    @Test
    void readingTheTimeStampCounterGivesWhatItGave() throws Exception {
        List<Event> events = record("""
                int program(void) {
                    S(157, 26, 2);
                    u low, high;
                    asm volatile("rdtsc" : "=a"(low), "=d"(high));
                    if (low != 0x1234 || high != 0x5678) fail();
                    return low & 0xff;
                }
                """);
        assertThat(replay(events)).isEqualTo(0x34 << 8);
    }

    @Test
    void forkedProcessesHaveTheirOwnMemoryAndShareWhatIsShared() throws Exception {
        List<Event> events = record("""
                int program(void) {
                    volatile int own = 1;
                    volatile int *shared = (volatile int *)S(9, 0, 8192, 3, 0x21, -1, 0);
                    for (int i = 0; i < 3; i++) {
                        if (S(57) == 0) {
                            own += 10;
                            shared[0] += own;
                            shared[1024]++;
                            S(318, shared + 100, 8, 0);
                            S(231, own);
                        }
                        S(228, 0, shared + 200);
                    }
                    S(39);
                    return own + shared[0] + shared[1024];
                }
                """);
        assertThat(replay(events)).isEqualTo((1 + 33 + 3) << 8);
    }

    @Test
    void aDifferentResultIsReportedAtTheNextSystemCallThatShowsIt() throws Exception {
        List<Event> events = new ArrayList<>(record("""
                int program(void) {
                    u pid = S(39);
                    S(62, pid, 0);
                    return 0;
                }
                """));
        for (int i = 0; i < events.size(); i++) {
            if (events.get(i) instanceof Event.SyscallExit exit && exit.number() == 39) {
                events.set(
                        i,
                        new Event.SyscallExit(
                                exit.header(),
                                exit.entryRegisters(),
                                39,
                                4711,
                                null,
                                null,
                                0,
                                List.of(),
                                List.of(),
                                null));
            }
        }
        assertThatThrownBy(() -> replay(events)).isInstanceOfSatisfying(DivergenceException.class, e -> {
            assertThat(e.report()).contains("rdi", "0x1267", "SyscallExit, kill", "program r-xp");
        });
    }

    @Test
    void aPageThatDiffersIsReported() throws Exception {
        List<Event> events = new ArrayList<>(record("int program(void) { S(39); data[5000] = 1; S(39); return 0; }"));
        for (int i = 0; i < events.size(); i++) {
            if (events.get(i) instanceof Event.Checksum sum && !sum.complete() && sum.hashes().length > 0) {
                sum.hashes()[0]++;
            }
        }
        assertThatThrownBy(() -> replay(events)).isInstanceOfSatisfying(DivergenceException.class, e -> {
            assertThat(e.report()).contains("pages of memory differ", "the main stack rw-p");
        });
    }
}
