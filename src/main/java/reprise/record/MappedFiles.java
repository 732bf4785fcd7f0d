package reprise.record;

import java.util.HashMap;
import java.util.Map;
import java.util.function.LongConsumer;
import reprise.linux.Files;
import reprise.trace.FileStore;
import reprise.trace.TraceWriter;
import reprise.tracee.AddressSpace;

/** The files and shared objects that recorded processes have mapped, and their copies in the trace. */
final class MappedFiles {
    private record Identity(long device, long inode) {}

    private final TraceWriter trace;
    private final FileStore store;
    private final Map<Identity, MappedFile> live = new HashMap<>();
    private final LongConsumer listener;
    private int nextObject = 1;

    /** {@code listener}: is told the inode numbers of files that are mapped. */
    MappedFiles(TraceWriter trace, FileStore store, LongConsumer listener) {
        this.trace = trace;
        this.store = store;
        this.listener = listener;
    }

    /**
     * Puts the present content of a file into the trace, once for each state of it.
     *
     * @param openPath a path that opens exactly this file
     * @param name its path as the program knows it
     * @param changing whether its time stamps do not tell whether its content changed
     * @return its number in the trace
     */
    int store(int domain, int tid, String openPath, String name, boolean changing) {
        FileStore.Stored stored = changing ? store.addChanging(openPath, name) : store.add(openPath, name);
        if (stored.added()) {
            trace.fileStored(domain, tid, stored.file(), name, stored.stored(), stored.size());
        }
        return stored.file();
    }

    /** As {@link FileStore#note}. */
    long[] note(int stored, String name) {
        return store.note(stored, name);
    }

    /** As {@link FileStore#keepNote}. */
    void keepNote(int stored, String name, long... values) {
        store.keepNote(stored, name, values);
    }

    /** What is known of a file; created if it is not known yet. */
    MappedFile of(Files.Status status) {
        listener.accept(status.inode());
        return live.computeIfAbsent(
                new Identity(status.device(), status.inode()), key -> new MappedFile(key.device, key.inode));
    }

    /** What is known of a file, null if nobody has it mapped. */
    MappedFile find(Files.Status status) {
        return live.get(new Identity(status.device(), status.inode()));
    }

    /** A shared object without a file: MAP_SHARED|MAP_ANONYMOUS. */
    MappedFile anonymous(int domain, int tid, long size) {
        MappedFile file = new MappedFile(0, 0);
        file.object = nextObject++;
        file.objectSize = size;
        trace.sharedObject(domain, tid, file.object, 0, size, "/dev/zero");
        return file;
    }

    /** Makes a file known as a shared object with its present content. */
    void share(int domain, int tid, MappedFile file, int stored, long size, String name) {
        file.object = nextObject++;
        file.objectSize = size;
        trace.sharedObject(domain, tid, file.object, stored, size, name);
    }

    /** Whether some mapping of this address space can be written by others, or written for others. */
    static boolean sharesWritable(AddressSpace<MappedFile> mappings) {
        for (AddressSpace.Range<MappedFile> range : mappings.ranges()) {
            if (range.shared() && range.file().writable) {
                return true;
            }
        }
        return false;
    }
}
