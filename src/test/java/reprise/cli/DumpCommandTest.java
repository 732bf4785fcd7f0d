package reprise.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static reprise.linux.SyscallNumber.*;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import reprise.linux.Signal;
import reprise.trace.Event;

/** The events of a trace as text. */
class DumpCommandTest {
    @TempDir
    private Path directory;

    private SyntheticTrace trace;

    @BeforeEach
    void begin() {
        trace = new SyntheticTrace(directory, "a-0");
    }

    /** What is printed, without the brackets at the lines' beginnings. */
    private List<String> dump(String... options) {
        List<String> line = new ArrayList<>(List.of("dump", trace.done()));
        line.addAll(List.of(options));
        Console.Run run = Console.reprise(line.toArray(String[]::new));
        assertThat(run.status()).isEqualTo(ExitStatus.OK);
        return run.lines().stream()
                .map(text -> text.replaceFirst("^\\[[^]]*\\] ", ""))
                .toList();
    }

    @Test
    @DisplayName("a line begins with event, seconds, domain and task")
    void beginningOfLines() {
        trace.call(10, GETPID, 10).end(10, 0);
        Console.Run run = Console.reprise("dump", trace.done());
        assertThat(run.lines().getFirst()).matches("\\[      1    0\\.\\d{6}  1      10\\] getpid\\(\\) = 10");
        assertThat(run.err()).isEmpty();
    }

    @Test
    @DisplayName("a call is printed with what it wrote")
    void callWithOutput() {
        trace.writer.syscallExit(1, 10, SyntheticTrace.registers(READ, 3, 0x1000, 100), READ, 5, null, null, 0);
        trace.write(10, 0x1000, "hello");
        trace.writer.end();
        trace.call(10, OPENAT, -2, -100, 0x2000, 0);
        assertThat(dump())
                .containsExactly("read(3, \"hello\", 100) = 5", "openat(AT_FDCWD, 0x2000, O_RDONLY) = -1 ENOENT");
    }

    @Test
    @DisplayName("what was written to another task's memory is not shown as the caller's")
    void otherTasksMemory() {
        trace.writer.syscallExit(1, 10, SyntheticTrace.registers(READ, 3, 0x1000, 100), READ, 5, null, null, 0);
        trace.write(11, 0x1000, "hello");
        trace.writer.end();
        assertThat(dump()).containsExactly("read(3, 0x1000, 100) = 5");
    }

    @Test
    @DisplayName("a call that others interrupted is printed in two parts, the second from the first new argument on")
    void unfinished() {
        trace.writer.syscallEnter(1, 10, SyntheticTrace.registers(READ, 3, 0x1000, 100));
        trace.writer.syscallEnter(1, 11, SyntheticTrace.registers(FUTEX, 0x2000, 0, 1, 0));
        trace.writer.syscallExit(1, 10, null, READ, 2, null, null, 0);
        trace.write(10, 0x1000, "hi");
        trace.writer.end();
        trace.writer.syscallExit(1, 11, null, FUTEX, -512, null, null, 0);
        trace.writer.end();
        assertThat(dump())
                .containsExactly(
                        "read(3, 0x1000, 100 <unfinished ...>",
                        "futex(0x2000, FUTEX_WAIT, 1, NULL <unfinished ...>",
                        "<... read resumed>\"hi\", 100) = 2",
                        "<... futex resumed>) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)");
        assertThat(dump("3")).containsExactly("<... read resumed>) = 2");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-512 | ? ERESTARTSYS (To be restarted if SA_RESTART is set)",
                "-513 | ? ERESTARTNOINTR (To be restarted)",
                "-514 | ? ERESTARTNOHAND (To be restarted if no handler)",
                "-516 | ? ERESTART_RESTARTBLOCK (Interrupted by signal)",
                "4294966784 | 4294966784"
            })
    @DisplayName("restarts are explained")
    void restarts(long result, String text) {
        trace.call(10, READ, result, 3, 0, 0);
        assertThat(dump()).containsExactly("read(3, NULL, 0) = " + text);
    }

    @Test
    @DisplayName("changes of the address space and new tasks are indented")
    void changes() {
        trace.writer.syscallExit(1, 10, SyntheticTrace.registers(MUNMAP, 0x1000, 0x1000), MUNMAP, 0, null, null, 0);
        trace.writer.change(
                new Event.Map(new Event.Mapping(0x1000, 0x1000, 3, 1, new Event.Shared(2, 0x4000), "/dev/shm/x")));
        trace.writer.change(new Event.Unmap(0x1000, 0x1000));
        trace.writer.change(new Event.Protect(0x2000, 0x1000, 5));
        trace.writer.change(new Event.Remap(0x1000, 0x1000, 0x3000, 0x2000, 1));
        trace.writer.change(new Event.Discard(0x1000, 0x1000, 4));
        trace.writer.end();
        trace.clone(10, 11, SyntheticTrace.CLONE_VM);
        assertThat(dump())
                .containsExactly(
                        "munmap(0x1000, 4096) = 0",
                        "          map 1000-2000 rw-s object 2 +0x4000 /dev/shm/x",
                        "          unmap 1000-2000",
                        "          protect 2000-3000 r-x",
                        "          remap 1000-2000 to 3000-5000",
                        "          discard 1000-2000",
                        "clone(CLONE_VM, NULL, NULL, NULL, 0) = 11",
                        "          new task 11 in domain 2, sharing memory");
    }

    @Test
    @DisplayName("an exec is one line and a summary, all of it with -v")
    void exec() {
        trace.exec(10, 11, 0, "/bin/a", "say \"hi\"\n");
        assertThat(dump())
                .containsExactly(
                        "execve(\"/bin/a\", [\"/bin/a\", \"say \\\"hi\\\"\\n\"]) = 0",
                        "          called by thread 11, which goes on as 10",
                        "          2 mappings, 5B of their content recorded, begins at 0x401000");
        assertThat(dump("-v"))
                .contains(
                        "          400000-402000 r-xp file 1 +0x1000 /bin/a",
                        "          7000-8000 rw-p anonymous [stack]",
                        "          write 7000-7005, 5 bytes, in 10");
    }

    @Test
    @DisplayName("signals tell who sent them, where they struck and what they did")
    void signals() {
        MemorySegment child = Arena.ofAuto().allocate(128, 8);
        child.set(ValueLayout.JAVA_INT, 0, Signal.SIGCHLD);
        child.set(ValueLayout.JAVA_INT, 8, 1);
        child.set(ValueLayout.JAVA_INT, 16, 11);
        child.set(ValueLayout.JAVA_INT, 24, 3);
        MemorySegment fault = Arena.ofAuto().allocate(128, 8);
        fault.set(ValueLayout.JAVA_INT, 8, 1);
        MemorySegment state = Arena.ofAuto().allocate(8, 8);
        MemorySegment registers = SyntheticTrace.registers(0);
        trace.writer.signalDelivered(
                1,
                10,
                Signal.SIGCHLD,
                Event.SignalPoint.AT_SYSCALL,
                Event.SignalEffect.HANDLER,
                registers,
                child,
                registers,
                state);
        trace.writer.end();
        trace.writer.signalDelivered(
                1, 10, Signal.SIGSEGV, Event.SignalPoint.FAULT, Event.SignalEffect.FATAL, registers, fault, null, null);
        trace.writer.end();
        trace.exit(10, 0x8b).end(10, 0x100);
        assertThat(dump())
                .containsExactly(
                        "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=11, si_uid=0, si_status=3, "
                                + "si_utime=0, si_stime=0} --- before the system call at 0x401000: handler 0x401000",
                        "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} --- "
                                + "raised at 0x401000: fatal",
                        "+++ killed by SIGSEGV (core dumped) +++",
                        "end of the recording: exited with 1");
    }

    @Test
    @DisplayName("everything else has a line, too")
    void otherEvents() {
        MemorySegment registers = SyntheticTrace.registers(0);
        trace.writer.fileStored(1, 10, 1, "/lib/a\u001b.so", "files/1-a.so", 2048);
        trace.writer.sharedObject(1, 10, 2, 0, 4096, "/dev/zero");
        trace.writer.sharedObject(1, 10, 3, 1, 4096, "x");
        trace.writer.coreBound(1, 10, 3);
        trace.writer.checksum(1, 10, true, new long[] {0x1000, 0x2000}, new long[] {1, 2}, 2);
        trace.writer.checksum(1, 10, false, new long[] {0x1000}, new long[] {1}, 1);
        trace.writer.note(1, 10, "call 9999 is not known");
        trace.writer.instructionTrapped(1, 10, Event.TrappedInstruction.RDTSC, registers, 5, 0, 0, 1);
        trace.writer.instructionTrapped(1, 10, Event.TrappedInstruction.RDTSCP, registers, 5, 0, 2, 0);
        trace.writer.instructionTrapped(1, 10, Event.TrappedInstruction.CPUID, registers, 1, 2, 3, 4);
        assertThat(dump())
                .containsExactly(
                        "file 1: /lib/a\\033.so, 2.0K, stored as files/1-a.so",
                        "object 2: /dev/zero, 4.0K, of zeros",
                        "object 3: x, 4.0K, begins as file 1",
                        "domain 1 runs on core 3",
                        "checksum of 2 pages, which are all",
                        "checksum of 1 page changed since the last",
                        "note: call 9999 is not known",
                        "rdtsc at 0x401000 = 4294967301",
                        "rdtscp at 0x401000 = 5, core 2",
                        "cpuid(0x0, 0x0) at 0x401000 = eax=0x1, ebx=0x2, ecx=0x3, edx=0x4");
        assertThat(dump("-v", "5")).contains("          1000-2000 1", "          2000-3000 2");
    }

    @ParameterizedTest
    @CsvSource({"2, b", "2-3, bc", "3-, cd", "end, d", "1-99, abcd"})
    @DisplayName("a range is one event, several, all from one on, or the last")
    void ranges(String range, String expected) {
        for (String name : List.of("a", "b", "c", "d")) {
            trace.writer.note(1, 10, name);
        }
        assertThat(String.join("", dump(range)).replace("note: ", "")).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1, the trace has no event 0: its last is event 1",
        "2-, 1, the trace has no event 2: its last is event 1",
        "3-2, 64, the range 3-2 ends before it begins",
        "x, 64, 'RANGE is an event number, FIRST-LAST, FIRST- or ''end'', not ''x'''"
    })
    @DisplayName("a range that is not there is told of in one line")
    void wrongRanges(String range, int status, String message) {
        trace.call(10, GETPID, 10).writer.close();
        Console.Run run = Console.reprise("dump", trace.directory.toString(), range);
        assertThat(run.status()).isEqualTo(status);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines().findFirst()).contains("reprise dump: " + message);
    }

    @Test
    @DisplayName("-t prints the events of one task, and says so if there are none")
    void oneTask() {
        trace.call(10, GETPID, 10).call(11, GETPID, 10).call(10, GETTID, 10);
        assertThat(dump("-t", "10")).containsExactly("getpid() = 10", "gettid() = 10");
        Console.Run run = Console.reprise("dump", "-t", "12", trace.directory.toString());
        assertThat(run.status()).isEqualTo(ExitStatus.FAILED);
        assertThat(run.err()).isEqualTo("reprise dump: there is no event of task 12\n");
    }

    @Test
    @DisplayName("--json has everything, one object a line")
    void json() throws IOException {
        trace.writer.syscallExit(1, 10, SyntheticTrace.registers(READ, 3, 0x1000, 100), READ, 2, null, null, 1);
        trace.write(10, 0x1000, "h\0");
        trace.writer.change(new Event.Unmap(0x2000, 4096));
        trace.writer.end();
        List<String> lines = dump("--json");
        assertThat(lines).hasSize(1);
        assertThat(lines.getFirst())
                .startsWith("{\"event\":1,\"kind\":\"SyscallExit\",\"domain\":1,\"tid\":10,\"nanos\":")
                .contains("\"number\":0,\"name\":\"read\",\"text\":\"read(3, \\\"h\\\\0\\\", 100) = 2\",\"result\":2")
                .contains("\"entryRegisters\":{\"r15\":\"0x0\"")
                .contains("\"rsi\":\"0x1000\"")
                .contains("\"exitRegisters\":null,\"extendedState\":null,\"output\":1")
                .contains("\"changes\":[{\"kind\":\"Unmap\",\"address\":\"0x2000\",\"length\":4096}]")
                .contains("\"writes\":[{\"tid\":10,\"address\":\"0x1000\",\"data\":\"6800\"}],\"child\":null");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-v", "--json", "--stats", "--stats --json"})
    @DisplayName("events with senseless values are printed all the same")
    void senselessValues(String options) throws IOException {
        Random random = new Random(1);
        for (int round = 0; round < 50; round++) {
            MemorySegment registers = random(random, 216);
            int number = random.nextInt();
            trace.writer.syscallEnter(random.nextInt(), round, registers);
            trace.writer.syscallExit(1, round, null, number, random.nextLong(), registers, random(random, 11), 7);
            trace.write(round, random.nextLong(), "x".repeat(random.nextInt(100)));
            trace.writer.child(new Event.NewTask(number, -1, random.nextLong(), true, registers));
            trace.writer.end();
            trace.writer.syscallExit(1, -1, registers, random.nextInt(460), -random.nextInt(600), null, null, 0);
            trace.writer.end();
            trace.writer.signalDelivered(
                    1,
                    number,
                    round % 2 == 0 ? number : round,
                    Event.SignalPoint.AFTER_EVENT,
                    Event.SignalEffect.FATAL,
                    registers,
                    random(random, 128),
                    null,
                    null);
            trace.writer.end();
            trace.exit(number, random.nextInt()).end(0, random.nextInt());
        }
        trace.exec(3, -7, 5, "\ud83d", "\u0000\uffff\ud83d\ude00".repeat(100));
        List<String> given = options.isEmpty() ? List.of() : List.of(options.split(" "));
        List<String> lines = dump(given.toArray(String[]::new));
        assertThat(lines).isNotEmpty();
        if (given.contains("--json")) {
            try (JsonParser parser = new JsonFactory().createParser(String.join("\n", lines))) {
                int depth = 0;
                for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                    depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
                }
                assertThat(depth).isZero();
            }
        }
    }

    private static MemorySegment random(Random random, int size) {
        MemorySegment segment = Arena.ofAuto().allocate(size, 8);
        for (int i = 0; i < size; i++) {
            segment.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
        }
        return segment;
    }

    @Test
    @DisplayName("--stats counts kinds and calls, and the bytes recorded with them")
    void statistics() {
        trace.call(10, GETPID, 10).call(10, GETPID, 10).call(10, CLOSE, -9, 3);
        trace.writer.syscallExit(1, 10, SyntheticTrace.registers(READ, 3, 0x1000, 100), READ, 3, null, null, 0);
        trace.write(10, 0x1000, "abc");
        trace.writer.end();
        trace.writer.fileStored(1, 10, 1, "/a", "files/1-a", 1000);
        trace.writer.checksum(1, 10, false, new long[] {0x1000}, new long[] {1}, 1);
        List<String> lines = dump("--stats");
        assertThat(lines)
                .contains(
                        "system calls        4, 4 of them stopped the program, 0 did not",
                        "memory recorded     3B",
                        "checksums           1 page",
                        "files stored        1, 1.0K",
                        "       4   66.7%      3B  100.0%  SyscallExit",
                        "       2   50.0%      0B    0.0%       0       2  getpid",
                        "       1   25.0%      0B    0.0%       1       1  close",
                        "       1   25.0%      3B  100.0%       0       1  read");
        assertThat(lines).anyMatch(line -> line.matches("size of all events  1\\.\\dK, compressed .* in 1 chunk"));
    }

    @Test
    @DisplayName("a trace that was cut off is printed to its end, which is told of")
    void cutOff() {
        trace.call(10, GETPID, 10);
        Console.Run run = Console.reprise("dump", trace.done());
        assertThat(run.status()).isEqualTo(ExitStatus.OK);
        assertThat(run.lines()).hasSize(1);
        assertThat(run.err()).startsWith("reprise dump: the trace ends early, at event 1: ");
    }

    @Test
    @DisplayName("printing ends soon after the reader has gone")
    void readerGone() {
        for (int i = 0; i < 100_000; i++) {
            trace.writer.note(1, 10, "one of very many notes");
        }
        trace.end(10, 0).writer.close();
        AtomicLong written = new AtomicLong();
        PrintStream usual = System.out;
        try {
            System.setOut(new PrintStream(new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                    written.incrementAndGet();
                    throw new IOException("Broken pipe");
                }

                @Override
                public void write(byte[] bytes, int offset, int length) throws IOException {
                    written.addAndGet(length);
                    throw new IOException("Broken pipe");
                }
            }));
            Main.run("dump", trace.directory.toString());
        } finally {
            System.setOut(usual);
        }
        assertThat(written.get()).isBetween(1L, 200_000L);
    }
}
