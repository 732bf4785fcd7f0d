package reprise;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import reprise.cli.InProcess;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/**
 * What {@code ./soak} runs: records and replays fixtures again and again, all in one virtual machine, because starting one
 * for each would take most of the time.
 */
final class Soak {
    private static final long LIMIT_SECONDS = 90;
    private static final int FIRST_LINES = 12;
    /** A descriptor that nobody else has. */
    private static final int TERMINAL = 200;

    private static final int CLOSE_ON_EXEC = 02000000;
    /** O_RDWR, O_CREAT and O_TRUNC. */
    private static final int EMPTY_FILE = 01102;

    private final Path kept = Path.of("target/failed/soak").toAbsolutePath();
    private final Path scratch;
    private final String mode;
    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().factory());

    private Soak(Path scratch, String mode) {
        this.scratch = scratch;
        this.mode = mode;
    }

    /**
     * Arguments: repetitions, the option for record, whether to go on after a failure, a directory, patterns. Or "list" and
     * patterns: prints the names of the fixtures.
     */
    public static void main(String[] args) throws Exception {
        if (args[0].equals("list")) {
            List<Fixture> chosen = chosen(List.of(args).subList(1, args.length));
            Fixture.compile(chosen);
            chosen.forEach(fixture -> System.out.println(fixture.name()));
            return;
        }
        int repetitions = Integer.parseInt(args[0]);
        boolean goOn = args[2].equals("yes");
        Path scratch = Path.of(args[3]);
        List<Fixture> fixtures = chosen(List.of(args).subList(4, args.length));
        Files.createDirectories(scratch.resolve("work"));
        // Descriptor 1 becomes the recorded program's.
        Syscall.check(Syscall.call(SyscallNumber.DUP3, 1, TERMINAL, CLOSE_ON_EXEC), "dup3");
        System.exit(new Soak(scratch, args[1]).run(fixtures, repetitions, goOn) == 0 ? 0 : 1);
    }

    /** Those that match a pattern; without one, those with threads. */
    private static List<Fixture> chosen(List<String> patterns) throws IOException {
        Map<String, Fixture> chosen = new LinkedHashMap<>();
        for (String folder : List.of(".", "spin")) {
            for (Fixture fixture : Fixture.in(folder)) {
                boolean fits = patterns.isEmpty()
                        ? Files.readString(fixture.source()).matches("(?s).*(pthread_create|CLONE_VM|thrd_create).*")
                        : patterns.stream().anyMatch(pattern -> matches(pattern, fixture.name()));
                if (fits) {
                    chosen.put(fixture.name(), fixture);
                }
            }
        }
        return List.copyOf(chosen.values());
    }

    private static boolean matches(String pattern, String name) {
        PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern);
        return matcher.matches(Path.of(name));
    }

    private int run(List<Fixture> fixtures, int repetitions, boolean goOn) throws IOException {
        int failures = 0;
        for (Fixture fixture : fixtures) {
            int failed = 0;
            long begin = System.nanoTime();
            for (int i = 1; i <= repetitions; i++) {
                String reason = once(fixture);
                if (reason == null) {
                    continue;
                }
                if (failed++ == 0) {
                    keep(fixture, i, reason);
                }
                if (!goOn) {
                    return 1;
                }
            }
            failures += failed;
            long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin);
            int passed = repetitions - failed;
            say("%-48s %d of %d passed, %d s".formatted(fixture.name(), passed, repetitions, seconds));
        }
        return failures;
    }

    /** Why it failed; null if it did not. */
    private String once(Fixture fixture) throws IOException {
        Path run = scratch.resolve("run");
        Path work = scratch.resolve("work");
        remove(run);
        remove(work);
        Files.createDirectories(run);
        Files.createDirectories(work);
        Files.writeString(run.resolve("input"), fixture.input());
        List<String> record = new ArrayList<>(
                List.of("--checksums=all", mode, "-o", run.resolve("trace").toString(), "--"));
        record.add(fixture.binary().toString());
        record.addAll(fixture.arguments());
        int status = guarded(run, "record", work, () -> InProcess.record(record));
        if (status != fixture.status()) {
            return "recorded: status " + status + " instead of " + fixture.status();
        }
        List<String> replay = List.of("-a", run.resolve("trace").toString());
        status = guarded(run, "replay", run, () -> InProcess.replay(replay));
        if (status != 0) {
            return "replayed: status " + status;
        }
        for (String stream : List.of(".out", ".err")) {
            long difference = Files.mismatch(run.resolve("record" + stream), run.resolve("replay" + stream));
            if (difference >= 0) {
                return "the outputs (" + stream + ") differ at byte " + difference;
            }
        }
        return null;
    }

    /** A part of a repetition; gives the exit status. */
    private interface Part {
        int run();
    }

    private int guarded(Path run, String name, Path directory, Part part) {
        redirect(run.resolve("input"), 0, 0);
        redirect(run.resolve(name + ".out"), EMPTY_FILE, 1);
        redirect(run.resolve(name + ".err"), EMPTY_FILE, 2);
        try (Arena arena = Arena.ofConfined()) {
            Syscall.call(
                    SyscallNumber.CHDIR,
                    arena.allocateFrom(directory.toString()).address());
        }
        ScheduledFuture<?> limit = watch.schedule(
                () -> ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly),
                LIMIT_SECONDS,
                TimeUnit.SECONDS);
        try {
            return part.run();
        } catch (RuntimeException e) {
            e.printStackTrace();
            return -1;
        } finally {
            System.out.flush();
            System.err.flush();
            limit.cancel(false);
        }
    }

    private static void redirect(Path file, int flags, int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            long path = arena.allocateFrom(file.toString()).address();
            long opened = Syscall.check(Syscall.call(SyscallNumber.OPEN, path, flags, 0644), "open");
            Syscall.call(SyscallNumber.DUP2, opened, descriptor, 0);
            Syscall.call(SyscallNumber.CLOSE, opened);
        }
    }

    private void keep(Fixture fixture, int repetition, String reason) throws IOException {
        Path place = kept.resolve(fixture.name());
        remove(place);
        Files.createDirectories(place.getParent());
        Files.move(scratch.resolve("run"), place, StandardCopyOption.REPLACE_EXISTING);
        say("%-48s failed in repetition %d: %s".formatted(fixture.name(), repetition, reason));
        say("    kept in " + place);
        for (String name : List.of("record.err", "replay.err")) {
            if (Files.exists(place.resolve(name))) {
                try (Stream<String> lines = Files.lines(place.resolve(name))) {
                    lines.limit(FIRST_LINES).forEach(line -> say("    " + line));
                }
            }
        }
    }

    private static void say(String line) {
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
            Syscall.call(SyscallNumber.WRITE, TERMINAL, text.address(), bytes.length);
        }
    }

    private static void remove(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (NoSuchFileException e) {
            // Nothing to remove.
        }
    }
}
