package reprise.record;

import java.util.List;

/**
 * What is to be recorded, and how.
 *
 * @param program as the user named it
 * @param candidates files to try to execute, in the order of PATH
 * @param arguments argv, the first being the program as named
 * @param environment NAME=VALUE strings for the program
 * @param checksums how often memory is summed up
 * @param checksumInterval events between checksums with {@link Checksums#EVERY_NTH}
 * @param ignoredSignals signals that the program shall find ignored, as a kernel mask
 * @param ownIgnoredSignals signals that a process spawned by this one would find ignored
 * @param blockedSignals signals that the program shall find blocked
 * @param descriptors the descriptors that the program shall find open
 * @param switchAlways switch tasks after every event
 * @param stopsBeforeBuffering how often a system call instruction stops the program before its calls are buffered; 0 for
 *     never
 * @param chaos schedule adversely
 * @param slice nanoseconds of computation after which a task is interrupted even if nobody waits; 0: only for others, as is fair
 * @param withheldSignal a signal never to be delivered, 0 for none
 */
public record RecordOptions(
        String program,
        List<byte[]> candidates,
        List<byte[]> arguments,
        List<byte[]> environment,
        Checksums checksums,
        long checksumInterval,
        long ignoredSignals,
        long ownIgnoredSignals,
        long blockedSignals,
        List<Integer> descriptors,
        boolean switchAlways,
        int stopsBeforeBuffering,
        boolean chaos,
        long slice,
        int withheldSignal) {
    /** Which of descriptors 1 and 2 were open when the recorder was started, as bits 1 and 2. */
    int outputs() {
        return (descriptors.contains(1) ? 1 : 0) | (descriptors.contains(2) ? 2 : 0);
    }

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
