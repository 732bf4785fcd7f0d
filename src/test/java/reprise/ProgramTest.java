package reprise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Programs that people use, recorded with checksums and replayed. {@code -Dreprise.repeat=20} does each so often. */
class ProgramTest {
    private static final int REPEAT = Integer.getInteger("reprise.repeat", 1);
    private static final List<String> CHECKSUMS = List.of("--checksums");
    private static final int SIGINT = 2;
    private static final int SIGKILL = 9;
    private static final int SIGSEGV = 11;
    private static final int SIGNALLED = 128;

    static Stream<Script> scripts() throws IOException {
        return Script.all().stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("scripts")
    @Execution(ExecutionMode.CONCURRENT)
    @DisplayName("real programs do their work under record and replay exactly")
    void replaysExactly(Script script) throws Exception {
        for (String need : script.needs()) {
            assumeTrue(Programs.has(need), () -> "needs " + need);
        }
        repeat(script.name(), faithful -> {
            shell(faithful, "prepare", script.prepare());
            Path command = Files.writeString(faithful.directory().resolve("command"), script.command());
            Reprise.Run run = faithful.record(CHECKSUMS, List.of("bash", command.toString()), null, 0);
            shell(
                    faithful,
                    "verify",
                    script.verify().replace("@OUTPUT", run.output().toString()));
            return run;
        });
    }

    @ParameterizedTest(name = "{0} starts, and compiles")
    @MethodSource("jdks")
    @Execution(ExecutionMode.CONCURRENT)
    @DisplayName("JDKs record and replay")
    void jdk(Path home) throws Exception {
        repeat("java -version of " + home.getFileName(), faithful -> {
            Reprise.Run run = faithful.record(CHECKSUMS, List.of(home + "/bin/java", "-version"), null, 0);
            assertThat(run.error()).content().contains("64-Bit Server VM");
            return run;
        });
        repeat("javac of " + home.getFileName(), faithful -> {
            Path source = Files.writeString(faithful.workingDirectory().resolve("Hello.java"), """
                    import java.util.stream.IntStream;
                    class Hello {
                        public static void main(String[] arguments) {
                            System.out.println(IntStream.range(0, 10).sum());
                        }
                    }
                    """);
            Reprise.Run run = faithful.record(CHECKSUMS, List.of(home + "/bin/javac", source.toString()), null, 0);
            assertThat(source.resolveSibling("Hello.class")).exists();
            return run;
        });
    }

    /** The one on PATH, and the one that runs this, if they are two. */
    static Stream<Path> jdks() throws IOException {
        Path own = Path.of(System.getProperty("java.home")).toRealPath();
        Optional<Path> compiler = Programs.find("javac");
        return compiler.isEmpty()
                ? Stream.of(own)
                : Stream.of(own, compiler.get().toRealPath().getParent().getParent())
                        .distinct();
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    @DisplayName("redis-server serves redis-benchmark and is shut down")
    void redis() throws Exception {
        for (String need : List.of("redis-server", "redis-cli", "redis-benchmark")) {
            assumeTrue(Programs.has(need), () -> "needs " + need);
        }
        repeat("redis", faithful -> {
            int port = freePort();
            Reprise.Run server = Reprise.record(
                    faithful.directory(),
                    CHECKSUMS,
                    List.of("redis-server", "--port", "" + port, "--save", "60 1000", "--appendonly", "yes"),
                    faithful.workingDirectory(),
                    null);
            try {
                shell(faithful, "drive", """
                        for try in $(seq 300); do
                            redis-cli -p PORT ping >/dev/null 2>&1 && break
                            sleep 0.1
                        done
                        redis-benchmark -p PORT -n 1000 -q -t set,get,incr,lpush,lrange_100,mset
                        redis-cli -p PORT bgsave
                        redis-cli -p PORT shutdown save
                        """.replace("PORT", "" + port));
                Faithful.expectEnd(server, 0);
            } finally {
                server.kill();
            }
            assertThat(server.output()).content().contains("bye bye");
            return server;
        });
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    @DisplayName("a program that dies by SIGSEGV takes the recorder's exit status with it")
    void segmentationFault() throws Exception {
        assumeTrue(Programs.has("bash"), "needs bash");
        repeat(
                "sigsegv",
                faithful -> faithful.record(
                        CHECKSUMS,
                        List.of("bash", "-c", "ulimit -c 0; echo dying; kill -SEGV $$; echo never"),
                        null,
                        SIGNALLED + SIGSEGV));
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    @DisplayName("a program killed from outside is recorded up to there")
    void killed() throws Exception {
        assumeTrue(Programs.has("bash"), "needs bash");
        repeat("sigkill", faithful -> {
            Reprise.Run run = Reprise.record(
                    faithful.directory(),
                    CHECKSUMS,
                    List.of("bash", "-c", "echo $$; while :; do echo working; sleep 0.05; done"),
                    faithful.workingDirectory(),
                    null);
            try {
                long program = firstNumber(run);
                Thread.sleep(300);
                ProcessHandle.of(program).orElseThrow().destroyForcibly();
                Faithful.expectEnd(run, SIGNALLED + SIGKILL);
            } finally {
                run.kill();
            }
            return run;
        });
    }

    private static long firstNumber(Reprise.Run run) throws Exception {
        long end = System.nanoTime() + Faithful.LIMIT.toNanos();
        while (System.nanoTime() < end && run.process().isAlive()) {
            String output = Files.readString(run.output());
            if (output.contains("\n")) {
                return Long.parseLong(output.lines().findFirst().orElseThrow());
            }
            Thread.sleep(20);
        }
        throw new AssertionError("the program wrote nothing\n" + run.tails());
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    @DisplayName("Ctrl-C stops the program, and the recorder with its status")
    void interruptedAtTerminal() throws Exception {
        assumeTrue(Programs.has("bash"), "needs bash");
        repeat(
                "ctrl-c",
                faithful -> atTerminal(
                        faithful,
                        // One long sleep: a shell goes on if its child ended by itself in the moment of the Ctrl-C.
                        List.of("bash", "-c", "echo started; sleep 1000; echo not reached"),
                        SIGNALLED + SIGINT,
                        terminal -> {
                            terminal.await("started", 0, Faithful.LIMIT);
                            Thread.sleep(200);
                            terminal.type("\003");
                        }));
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    @DisplayName("Ctrl-C caught by the program is the program's own affair")
    void interruptCaught() throws Exception {
        assumeTrue(Programs.has("bash"), "needs bash");
        repeat(
                "ctrl-c caught",
                faithful -> atTerminal(
                        faithful,
                        List.of(
                                "bash",
                                "-c",
                                "trap 'echo caught; exit 3' INT; echo started; while :; do sleep 0.05; done"),
                        3,
                        terminal -> {
                            terminal.await("started", 0, Faithful.LIMIT);
                            Thread.sleep(200);
                            terminal.type("\003");
                            terminal.await("caught", 0, Faithful.LIMIT);
                        }));
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    @DisplayName("less pages through a file at a terminal")
    void less() throws Exception {
        assumeTrue(Programs.has("less"), "needs less");
        repeat("less", faithful -> {
            Path file = faithful.workingDirectory().resolve("numbers");
            Files.writeString(file, numbers(500));
            return atTerminal(faithful, List.of("less", file.toString()), 0, terminal -> {
                int shown = terminal.await("line 23", 0, Faithful.LIMIT);
                terminal.type(" ");
                shown = terminal.await("line 46", shown, Faithful.LIMIT);
                terminal.type("/line 300\n");
                shown = terminal.await("line 320", shown, Faithful.LIMIT);
                terminal.type("G");
                terminal.await("line 500", shown, Faithful.LIMIT);
                terminal.type("q");
            });
        });
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    @DisplayName("vi changes a file at a terminal")
    void vi() throws Exception {
        assumeTrue(Programs.has("vi"), "needs vi");
        repeat("vi", faithful -> {
            Path file = faithful.workingDirectory().resolve("numbers");
            Files.writeString(file, numbers(100));
            // Without its information file, or it begins where an earlier run left a file of the same name.
            Reprise.Run run = atTerminal(faithful, List.of("vi", "-n", "-i", "NONE", file.toString()), 0, terminal -> {
                // Vim asks whether there is input with a time limit of 0 less what passed since it looked at the clock.
                // If that was
                // a millisecond, as it may be between two checksums, the limit is negative and it waits for a key.
                terminal.await("numbers", 0, Faithful.LIMIT);
                int shown = terminal.awaitTyping("\f", "line 23", Faithful.LIMIT);
                terminal.type("G");
                shown = terminal.await("Bot", shown, Faithful.LIMIT);
                terminal.type("oanother one\033");
                terminal.type(":%s/line/row/g\r");
                terminal.await("100 substitutions on 100 lines", shown, Faithful.LIMIT);
                terminal.type(":wq\r");
            });
            assertThat(file).content().startsWith("row 1\n").endsWith("row 100\nanother one\n");
            return run;
        });
    }

    private static String numbers(int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 1; i <= count; i++) {
            text.append("line ").append(i).append('\n');
        }
        return text.toString();
    }

    /** Who sits at the terminal. */
    private interface Typist {
        void work(Pty terminal) throws Exception;
    }

    /**
     * Records a program in the foreground of a terminal of its own. The terminal echoes nothing and passes output on as it
     * is, so what it shows is what the program wrote.
     */
    private static Reprise.Run atTerminal(Faithful faithful, List<String> command, int status, Typist typist)
            throws Exception {
        assumeTrue(Programs.has("setsid") && Programs.has("stty"), "needs setsid and stty");
        String script = "stty -echo -opost; export TERM=xterm; exec "
                + String.join(" ", Reprise.recordLine(faithful.directory(), CHECKSUMS)) + " \"$@\"";
        List<String> line = Stream.concat(Stream.of("setsid", "--ctty", "sh", "-c", script, "sh"), command.stream())
                .toList();
        try (Pty terminal = new Pty()) {
            Reprise.Run run = Reprise.startAtTerminal(
                    faithful.directory(), "record", line, faithful.workingDirectory(), terminal.slave());
            try {
                typist.work(terminal);
                Faithful.expectEnd(run, status);
            } finally {
                run.kill();
                Files.write(run.output(), terminal.shown());
            }
            return run;
        }
    }

    private static void shell(Faithful faithful, String name, String script) throws Exception {
        if (!script.isEmpty()) {
            Reprise.Run run = Reprise.start(
                    faithful.directory(),
                    name,
                    List.of("bash", "-e", "-o", "pipefail", "-c", script),
                    faithful.workingDirectory(),
                    null);
            Faithful.expectEnd(run, 0);
        }
    }

    private static void repeat(String name, Faithful.Recording recording) throws Exception {
        for (int i = 1; i <= REPEAT; i++) {
            Faithful.check("program/" + name.replace(' ', '-') + "-" + i, recording);
        }
    }
}
