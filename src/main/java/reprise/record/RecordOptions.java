package reprise.record;

import java.nio.file.Path;
import java.util.List;

/**
 * What is to be recorded, and how.
 *
 * @param program as the user named it
 * @param candidates files to try to execute, in the order of PATH
 * @param arguments argv, the first being the program as named
 * @param environment NAME=VALUE strings for the program
 * @param directory where the trace goes; null for a new one under the trace root
 * @param checksums how often memory is summed up
 * @param checksumInterval events between checksums with {@link Checksums#EVERY_NTH}
 * @param ignoredSignals signals that the program shall find ignored, as a kernel mask
 * @param ownIgnoredSignals signals that a process spawned by this one would find ignored
 * @param blockedSignals signals that the program shall find blocked
 * @param outputs which of descriptors 1 and 2 were open when the recorder was started, as bits 1 and 2
 * @param switchAlways switch tasks after every event
 * @param withheldSignal a signal never to be delivered, 0 for none
 */
public record RecordOptions(
        String program,
        List<byte[]> candidates,
        List<byte[]> arguments,
        List<byte[]> environment,
        Path directory,
        Checksums checksums,
        long checksumInterval,
        long ignoredSignals,
        long ownIgnoredSignals,
        long blockedSignals,
        int outputs,
        boolean switchAlways,
        int withheldSignal) {
    /** When memory is summed up. */
    public enum Checksums {
        NONE,
        /** After every event. */
        ALL,
        /** After every system call. */
        SYSCALLS,
        EVERY_NTH,
        /** As often as keeps the cost near that of the recording itself. */
        ADAPTIVE
    }
}
