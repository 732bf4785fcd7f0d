package reprise.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileStoreTest {
    /** So long a file counts as young here. */
    static final long YOUNG = 300_000_000;

    @TempDir
    Path temporary;

    private Path root;
    private int traces;

    @BeforeEach
    void prepare() throws Exception {
        root = Files.createDirectory(temporary.resolve("root"));
    }

    private Path trace(Path parent) throws Exception {
        Path trace = parent.resolve("trace-" + traces++);
        Files.createDirectories(trace.resolve("files"));
        return trace;
    }

    /** Waits until a file is old enough to be shared. */
    static void age(Path file) throws Exception {
        // The time of the last change cannot be set, only waited for.
        while (true) {
            reprise.linux.Files.Status status = reprise.linux.Files.status(file.toString());
            if (FileCalls.now() - status.changed() > YOUNG + 10_000_000) {
                return;
            }
            Thread.sleep(10);
        }
    }

    private Path source(String name, byte[] content) throws Exception {
        return Files.write(temporary.resolve(name), content);
    }

    private long inode(Path file) throws Exception {
        return (Long) Files.getAttribute(file, "unix:ino");
    }

    private List<Path> stored() throws Exception {
        Path store = root.resolve("store");
        if (!Files.exists(store)) {
            return List.of();
        }
        try (var files = Files.list(store)) {
            return files.toList();
        }
    }

    @Test
    void notesOfAFileAreSharedByTraces() throws Exception {
        Path source = source("program", new byte[10_000]);
        age(source);
        FileStore first = new FileStore(root, trace(root), YOUNG);
        int file = first.add(source.toString(), "program").file();
        assertThat(first.note(file, "found")).isNull();
        first.keepNote(file, "found", 1, -2, 1L << 40);
        first.keepNote(file, "nothing");
        first.keepNote(file, "much", new long[1000]);
        assumeTrue(first.note(file, "found") != null, "this file system has extended attributes");

        FileStore second = new FileStore(root, trace(root), YOUNG);
        second.add(source("other", new byte[1]).toString(), "other");
        int same = second.add(source.toString(), "program").file();
        assertThat(second.note(same, "found")).containsExactly(1, -2, 1L << 40);
        assertThat(second.note(same, "nothing")).isEmpty();
        assertThat(second.note(same, "much")).isNull();

        Files.write(source, new byte[10_000]);
        age(source);
        int changed = second.add(source.toString(), "program").file();
        assertThat(second.note(changed, "found")).isNull();
    }

    @Test
    void aFileIsAddedOnceToATrace() throws Exception {
        Path trace = trace(root);
        Path source = source("libsome.so.1", new byte[] {1, 2, 3});
        FileStore store = new FileStore(root, trace, YOUNG);
        FileStore.Stored first = store.add(source.toString(), "/usr/lib/libsome.so.1");
        assertThat(first).isEqualTo(new FileStore.Stored(1, "files/1-libsome.so.1", 3, true));
        FileStore.Stored again = store.add(source.toString(), "/other/name");
        assertThat(again.file()).isEqualTo(1);
        assertThat(again.added()).isFalse();
        Path other = source("other", new byte[0]);
        assertThat(store.add(other.toString(), "odd\nname\u00fc (deleted)").stored())
                .isEqualTo("files/2-odd_name_ (deleted)");
        assertThat(trace.resolve(first.stored())).hasBinaryContent(new byte[] {1, 2, 3});
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(trace.resolve(first.stored()))))
                .isEqualTo("rw-------");
        Files.write(source, new byte[] {9});
        assertThat(store.add(source.toString(), "libsome.so.1").file()).isEqualTo(3);
        assertThat(trace.resolve(first.stored())).hasBinaryContent(new byte[] {1, 2, 3});
    }

    @Test
    void tracesShareOldFilesAndDoNotShareYoungOnes() throws Exception {
        Path one = trace(root);
        Path two = trace(root);
        Path source = source("prog", new byte[100_000]);
        new FileStore(root, one, YOUNG).add(source.toString(), "prog");
        assertThat(stored()).isEmpty();
        age(source);
        Path three = trace(root);
        new FileStore(root, two, YOUNG).add(source.toString(), "prog");
        new FileStore(root, three, YOUNG).add(source.toString(), "prog");
        assertThat(inode(two.resolve("files/1-prog"))).isEqualTo(inode(three.resolve("files/1-prog")));
        assertThat(inode(one.resolve("files/1-prog"))).isNotEqualTo(inode(two.resolve("files/1-prog")));
        assertThat(stored()).hasSize(1);
        assertThat(three.resolve("files/1-prog")).hasSameBinaryContentAs(source);
    }

    @Test
    void aChangingFileIsTakenAsItIsEachTime() throws Exception {
        Path trace = trace(root);
        Path source = source("shared", new byte[] {1});
        age(source);
        FileStore store = new FileStore(root, trace, YOUNG);
        assertThat(store.addChanging(source.toString(), "shared").file()).isEqualTo(1);
        assertThat(store.addChanging(source.toString(), "shared").file()).isEqualTo(2);
        assertThat(stored()).isEmpty();
    }

    @Test
    void aTraceOnAnotherFileSystemHasItsOwnCopies() throws Exception {
        Path memory = Path.of("/dev/shm");
        assumeTrue(Files.isWritable(memory), "needs a writable /dev/shm");
        Path elsewhere = Files.createTempDirectory(memory, "reprise-test");
        try {
            Path trace = trace(elsewhere);
            byte[] content = new byte[3_000_001];
            new Random(1).nextBytes(content);
            Path source = source("data", content);
            age(source);
            FileStore.Stored stored = new FileStore(root, trace, YOUNG).add(source.toString(), "data");
            assertThat(trace.resolve(stored.stored())).hasBinaryContent(content);
            assertThat(stored.size()).isEqualTo(content.length);
            assertThat(stored()).isEmpty();
            // And from there to here, where the kernel may not copy by itself.
            Path back = trace(root);
            assertThat(new FileStore(root, back, YOUNG)
                            .addChanging(trace.resolve(stored.stored()).toString(), "data")
                            .size())
                    .isEqualTo(content.length);
            assertThat(back.resolve("files/1-data")).hasBinaryContent(content);
        } finally {
            deleteTree(elsewhere);
        }
    }

    @Test
    void holesStayHoles() throws Exception {
        Path source = temporary.resolve("sparse");
        try (FileChannel channel = FileChannel.open(
                source, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            channel.write(ByteBuffer.wrap(new byte[] {1}), 0);
            channel.write(ByteBuffer.wrap(new byte[] {2}), 1L << 32);
            channel.write(ByteBuffer.wrap(new byte[] {3}), 1L << 36);
            channel.truncate((1L << 36) + 1);
        }
        Path trace = trace(root);
        FileStore.Stored stored = new FileStore(root, trace, YOUNG).add(source.toString(), "sparse");
        Path copy = trace.resolve(stored.stored());
        assertThat(stored.size()).isEqualTo((1L << 36) + 1);
        assertThat(FileCalls.allocation(copy.toString()).bytes()).isLessThan(1 << 20);
        try (FileChannel channel = FileChannel.open(copy)) {
            for (long[] expected : new long[][] {{0, 1}, {1L << 32, 2}, {1L << 36, 3}, {5, 0}}) {
                ByteBuffer one = ByteBuffer.allocate(1);
                channel.read(one, expected[0]);
                assertThat(one.get(0)).isEqualTo((byte) expected[1]);
            }
        }
    }

    @Test
    void aFileThatShrinksWhileItIsCopiedIsStoredAsFarAsItIs() throws Exception {
        Path source = source("shrinking", new byte[8 << 20]);
        AtomicBoolean stop = new AtomicBoolean();
        Thread shrinker = new Thread(() -> {
            try (FileChannel channel = FileChannel.open(source, StandardOpenOption.WRITE)) {
                for (long size = 8 << 20; !stop.get(); size = size == 0 ? 8 << 20 : size / 2) {
                    channel.truncate(size);
                    if (size == 8 << 20) {
                        channel.write(ByteBuffer.wrap(new byte[1]), size - 1);
                    }
                }
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        shrinker.start();
        try {
            for (int i = 0; i < 100; i++) {
                Path trace = trace(root);
                FileStore.Stored stored = new FileStore(root, trace, YOUNG).add(source.toString(), "shrinking");
                assertThat(Files.size(trace.resolve(stored.stored()))).isEqualTo(stored.size());
            }
        } finally {
            stop.set(true);
            shrinker.join();
        }
        assertThat(stored()).isEmpty();
    }

    @Test
    void aDeletedFileIsStoredThroughADescriptor() throws Exception {
        Path source = source("deleted", new byte[] {4, 5});
        long descriptor = reprise.linux.Files.open(source.toString(), 0, 0);
        Files.delete(source);
        Path trace = trace(root);
        FileStore.Stored stored =
                new FileStore(root, trace, YOUNG).add("/proc/self/fd/" + descriptor, source + " (deleted)");
        reprise.linux.Files.close(descriptor);
        assertThat(trace.resolve(stored.stored())).hasBinaryContent(new byte[] {4, 5});
    }

    @Test
    void manyRecordersShareAStore() throws Exception {
        List<Path> sources = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            byte[] content = new byte[50_000];
            new Random(i).nextBytes(content);
            sources.add(source("lib" + i, content));
        }
        age(sources.getLast());
        List<Path> made = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            made.add(trace(root));
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Future<Void>> results = new ArrayList<>();
            for (Path trace : made) {
                Callable<Void> record = () -> {
                    FileStore store = new FileStore(root, trace, YOUNG);
                    for (Path source : sources) {
                        store.add(source.toString(), source.toString());
                    }
                    return null;
                };
                results.add(threads.submit(record));
                Callable<Void> sweep = () -> {
                    FileStore.sweep(root);
                    return null;
                };
                results.add(threads.submit(sweep));
            }
            for (Future<Void> result : results) {
                result.get();
            }
        }
        for (Path trace : made) {
            for (int i = 0; i < sources.size(); i++) {
                assertThat(trace.resolve("files/" + (i + 1) + "-lib" + i)).hasSameBinaryContentAs(sources.get(i));
            }
        }
        assertThat(stored()).allMatch(path -> !path.getFileName().toString().startsWith("."));
    }

    @Test
    void whatCannotBeStoredIsToldByItsName() throws Exception {
        Path trace = trace(root);
        FileStore store = new FileStore(root, trace, YOUNG);
        assertThatThrownBy(() -> store.add(temporary.resolve("nothing").toString(), "/lib/x"))
                .isInstanceOf(TraceException.class)
                .hasMessage("cannot store /lib/x in the trace: no such file or directory");
        assertThatThrownBy(() -> store.add("/dev/null", "/dev/null"))
                .isInstanceOf(TraceException.class)
                .hasMessage("cannot store /dev/null in the trace: it is not a regular file");
    }

    private static void deleteTree(Path tree) throws Exception {
        try (var files = Files.walk(tree)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
