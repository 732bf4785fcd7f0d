package reprise.trace;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Path;
import java.util.List;
import reprise.linux.Errno;
import reprise.linux.Files;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/**
 * What a list of traces tells of one.
 *
 * @param name of its directory
 * @param directory where it is
 * @param state how its recording stands
 * @param startedAt wall-clock start, milliseconds since the epoch; 0 if its header cannot be read
 * @param bytes on disk, stored files included that no other trace shares
 * @param sharedBytes on disk of stored files that other traces share
 * @param events number of events
 * @param command the program and its arguments; empty if its header cannot be read
 * @param problem why the header or the events cannot be read; null if they can
 */
public record TraceSummary(
        String name,
        Path directory,
        State state,
        long startedAt,
        long bytes,
        long sharedBytes,
        long events,
        List<String> command,
        String problem) {

    /** How a recording stands. */
    public enum State {
        /** Its recorder is still at it. */
        RECORDING,
        /** It ended regularly. */
        COMPLETE,
        /** Its recorder was killed or ran out of disk space; it can be replayed to its last event. */
        INCOMPLETE,
        /** Its header or all its events are missing or damaged. */
        BROKEN
    }

    private static final int LOCK_SHARED = 1;
    private static final int LOCK_EXCLUSIVE = 2;
    private static final int LOCK_NO_WAIT = 4;

    /** Looks at a trace. */
    public static TraceSummary of(Path directory) {
        long own = 0;
        long shared = 0;
        if (PackFile.isPack(directory)) {
            own = allocated(directory);
        } else {
            try {
                own += allocated(directory.resolve(TraceFiles.HEADER))
                        + allocated(directory.resolve(TraceFiles.EVENTS))
                        + allocated(directory.resolve(TraceFiles.SIDE));
                try (DirectoryStream<Path> files =
                        java.nio.file.Files.newDirectoryStream(directory.resolve(TraceFiles.FILES))) {
                    for (Path file : files) {
                        FileCalls.Allocation allocation = FileCalls.allocation(file.toString());
                        // One name is the trace's, another the store's.
                        if (allocation != null && allocation.links() > 2) {
                            shared += allocation.bytes();
                        } else if (allocation != null) {
                            own += allocation.bytes();
                        }
                    }
                }
            } catch (IOException | DirectoryIteratorException e) {
                // It is being deleted: what is there is what counts.
            }
        }
        String name = directory.getFileName().toString();
        long startedAt = 0;
        List<String> command = List.of();
        try {
            TraceHeader header = HeaderFile.read(directory);
            startedAt = header.startedAt();
            command = header.command();
            try (ChunkIndex index = ChunkIndex.of(directory)) {
                State state = isBeingRecorded(directory)
                        ? State.RECORDING
                        : index.ends() ? State.COMPLETE : index.size() > 0 ? State.INCOMPLETE : State.BROKEN;
                return new TraceSummary(
                        name, directory, state, startedAt, own, shared, index.last(), command, index.defect());
            }
        } catch (TraceException e) {
            State state = isBeingRecorded(directory) ? State.RECORDING : State.BROKEN;
            return new TraceSummary(name, directory, state, startedAt, own, shared, 0, command, e.getMessage());
        }
    }

    /** The file of a trace that grows with its events. */
    public static Path eventsOf(Path directory) {
        return directory.resolve(TraceFiles.EVENTS);
    }

    private static long allocated(Path file) {
        FileCalls.Allocation allocation = FileCalls.allocation(file.toString());
        return allocation == null ? 0 : allocation.bytes();
    }

    /** Takes the lock that a recorder holds as long as it lives. */
    static void lock(long descriptor) {
        Syscall.call(SyscallNumber.FLOCK, descriptor, LOCK_EXCLUSIVE, 0);
    }

    private static boolean isBeingRecorded(Path directory) {
        long descriptor = Files.open(directory.resolve(TraceFiles.EVENTS).toString(), Files.O_RDONLY, 0);
        if (descriptor < 0) {
            return false;
        }
        long result = Syscall.call(SyscallNumber.FLOCK, descriptor, LOCK_SHARED | LOCK_NO_WAIT, 0);
        Files.close(descriptor);
        return result == -Errno.EAGAIN;
    }
}
