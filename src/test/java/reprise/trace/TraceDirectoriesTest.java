package reprise.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceDirectoriesTest {
    @TempDir
    Path temporary;

    private Path root;
    private TraceDirectories directories;

    @BeforeEach
    void prepare() throws Exception {
        temporary = temporary.toRealPath();
        root = temporary.resolve("data/reprise");
        directories = new TraceDirectories(root);
    }

    private Path record(String program) {
        return complete(directories.create(program));
    }

    private static Path complete(Path directory) {
        try (TraceWriter writer = TraceWriter.create(directory, SampleTrace.HEADER)) {
            writer.end(1, 1, 0);
        }
        return directory;
    }

    @Test
    void namesAreTheProgramsWithTheFirstFreeNumber() throws Exception {
        assertThat(directories.create("/usr/bin/ls")).isEqualTo(root.resolve("ls-0"));
        assertThat(directories.create("ls")).isEqualTo(root.resolve("ls-1"));
        assertThat(directories.create("./sub/ls")).isEqualTo(root.resolve("ls-2"));
        assertThat(directories.create("cat")).isEqualTo(root.resolve("cat-0"));
        Files.delete(root.resolve("ls-1/files"));
        Files.delete(root.resolve("ls-1"));
        assertThat(directories.create("ls")).isEqualTo(root.resolve("ls-1"));
        for (Path made : List.of(root, root.resolve("ls-0"), root.resolve("ls-0/files"))) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
                    .isEqualTo("rwx------");
        }
    }

    @Test
    void oddNamesGiveDirectoriesUnderTheRoot() {
        assertThat(directories.create("/")).isEqualTo(root.resolve("trace-0"));
        assertThat(directories.create("..")).isEqualTo(root.resolve("trace-1"));
        assertThat(directories.create(".hidden")).isEqualTo(root.resolve("_hidden-0"));
        assertThat(directories.create("a b\n")).isEqualTo(root.resolve("a b\n-0"));
        assertThat(directories.create("x".repeat(300)).getParent()).isEqualTo(root);
        assertThat(directories.create("ü".repeat(255)).getParent()).isEqualTo(root);
    }

    @Test
    void latestIsTheOneMadeLast() throws Exception {
        record("one");
        Path two = record("two");
        assertThat(directories.resolve(null)).isEqualTo(two);
        assertThat(Files.readSymbolicLink(root.resolve("latest"))).isEqualTo(Path.of("two-0"));
        Path elsewhere = complete(directories.create(temporary.resolve("elsewhere")));
        assertThat(directories.resolve(null)).isEqualTo(elsewhere);
        try (var files = Files.list(root)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("one-0", "two-0", "latest");
        }
    }

    @Test
    void anExplicitDirectoryMustBeNewOrEmpty() throws Exception {
        Path empty = Files.createDirectory(temporary.resolve("empty"));
        assertThat(directories.create(empty)).isEqualTo(empty);
        assertThatThrownBy(() -> directories.create(empty))
                .isInstanceOf(TraceException.class)
                .hasMessage("cannot create the trace " + empty + ": the directory is not empty");
        Path file = Files.createFile(temporary.resolve("file"));
        assertThatThrownBy(() -> directories.create(file))
                .isInstanceOf(TraceException.class)
                .hasMessage("cannot create the trace " + file + ": a file of that name exists");
        Path within = file.resolve("such");
        assertThatThrownBy(() -> directories.create(within))
                .isInstanceOf(TraceException.class)
                .hasMessageStartingWith("cannot create the directory for traces, " + file);
    }

    @Test
    void anExplicitDirectoryIsMadeWithItsParents() throws Exception {
        Path deep = temporary.resolve("not/there/yet");
        assertThat(directories.create(deep)).isEqualTo(deep).isDirectory();
    }

    @Test
    void anExplicitDirectoryNeedsNoRoot() throws Exception {
        Path file = Files.createFile(temporary.resolve("file"));
        Path explicit = temporary.resolve("explicit");
        assertThat(new TraceDirectories(file.resolve("root")).create(explicit))
                .isEqualTo(explicit)
                .isDirectory();
    }

    @Test
    void resolveTakesPathsAndNames() throws Exception {
        Path trace = record("prog");
        assertThat(directories.resolve("prog-0")).isEqualTo(trace);
        assertThat(directories.resolve("latest")).isEqualTo(trace);
        assertThat(directories.resolve(trace.toString())).isEqualTo(trace);
        assertThat(directories.resolve(trace + "/")).isEqualTo(trace);
        Files.createDirectory(root.resolve("nothing"));
        assertThatThrownBy(() -> directories.resolve("nothing"))
                .isInstanceOf(TraceException.class)
                .hasMessage(root.resolve("nothing") + " is not a trace: it has no header.json");
        assertThatThrownBy(() -> directories.resolve("prog-1"))
                .isInstanceOf(TraceException.class)
                .hasMessage("there is no trace prog-1, neither here nor in " + root);
        assertThatThrownBy(() -> directories.resolve("/no/where"))
                .isInstanceOf(TraceException.class)
                .hasMessage("there is no trace /no/where");
        assertThatThrownBy(() -> directories.resolve("")).isInstanceOf(TraceException.class);
    }

    @Test
    void withoutTracesThereIsNoLatest() throws Exception {
        assertThatThrownBy(() -> directories.resolve(null))
                .isInstanceOf(TraceException.class)
                .hasMessage("there is no trace yet in " + root + ": make one with 'reprise record'");
        assertThat(directories.list()).isEmpty();
        Path elsewhere = complete(directories.create(temporary.resolve("elsewhere")));
        Files.move(elsewhere, temporary.resolve("moved"));
        assertThatThrownBy(() -> directories.resolve(null))
                .isInstanceOf(TraceException.class)
                .hasMessage("the latest trace, " + elsewhere + ", has been deleted");
    }

    @Test
    void manyRecordersAtOnceGetDifferentDirectories() throws Exception {
        Set<Path> made = ConcurrentHashMap.newKeySet();
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Future<Boolean>> results = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                Callable<Boolean> create = () -> made.add(directories.create("same"));
                results.add(threads.submit(create));
            }
            for (Future<Boolean> result : results) {
                assertThat(result.get()).isTrue();
            }
        }
        assertThat(made).hasSize(200).contains(root.resolve("same-0"), root.resolve("same-199"));
        assertThat(root.resolve("latest")).isSymbolicLink();
    }

    @Test
    void listTellsWhatThereIs() throws Exception {
        record("whole");
        try (TraceWriter cut = TraceWriter.create(directories.create("cut"), SampleTrace.HEADER)) {
            cut.note(1, 1, "one");
        }
        directories.create("broken");
        Files.createDirectory(root.resolve("something"));
        try (TraceWriter running = TraceWriter.create(directories.create("running"), SampleTrace.HEADER)) {
            running.note(1, 1, "one");
            List<TraceSummary> list = directories.list();
            assertThat(list)
                    .extracting(TraceSummary::name)
                    .containsExactly("broken-0", "cut-0", "running-0", "whole-0");
            assertThat(list)
                    .extracting(TraceSummary::state)
                    .containsExactly(
                            TraceSummary.State.BROKEN,
                            TraceSummary.State.INCOMPLETE,
                            TraceSummary.State.RECORDING,
                            TraceSummary.State.COMPLETE);
            TraceSummary whole = list.getLast();
            assertThat(whole.command()).isEqualTo(SampleTrace.HEADER.command());
            assertThat(whole.startedAt()).isEqualTo(SampleTrace.HEADER.startedAt());
            assertThat(whole.events()).isEqualTo(1);
            assertThat(whole.problem()).isNull();
            assertThat(whole.bytes()).isPositive();
            assertThat(list.getFirst().problem()).contains("header.json");
        }
    }

    @Test
    void removeDeletesTheTraceAndFilesThatNoOtherUses() throws Exception {
        Path one = record("one");
        Path two = record("two");
        Path shared = source("shared");
        Path own = source("own");
        new FileStore(root, one, FileStoreTest.YOUNG).add(shared.toString(), "shared");
        FileStore second = new FileStore(root, two, FileStoreTest.YOUNG);
        second.add(shared.toString(), "shared");
        second.add(own.toString(), "own");
        assertThat(stored()).hasSize(2);
        TraceSummary summary = TraceSummary.of(two);
        assertThat(summary.sharedBytes()).isPositive();
        directories.remove(two);
        assertThat(two).doesNotExist();
        assertThat(stored()).hasSize(1);
        assertThat(one.resolve("files/1-shared")).hasContent("content of shared");
        assertThat(directories.resolve(null)).isEqualTo(one);
        directories.remove(one);
        assertThat(stored()).isEmpty();
        assertThat(Files.exists(root.resolve("latest"), LinkOption.NOFOLLOW_LINKS))
                .isFalse();
        assertThatThrownBy(() -> directories.remove(one)).hasMessage("there is no trace " + one);
        Files.createDirectory(root.resolve("something"));
        assertThatThrownBy(() -> directories.remove(root.resolve("something")))
                .isInstanceOf(TraceException.class)
                .hasMessageContaining("is not a trace");
    }

    private Path source(String name) throws Exception {
        Path file = Files.writeString(temporary.resolve(name), "content of " + name);
        FileStoreTest.age(file);
        return file;
    }

    private List<Path> stored() throws Exception {
        try (var files = Files.list(root.resolve("store"))) {
            return files.toList();
        }
    }
}
