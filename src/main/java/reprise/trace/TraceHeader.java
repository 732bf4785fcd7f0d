package reprise.trace;

import java.util.List;
import java.util.Map;

/**
 * What is known when a recording starts.
 *
 * @param uuid identity of the trace
 * @param startedAt wall-clock start, milliseconds since the epoch
 * @param kernel release of the kernel that recorded
 * @param cpuModel vendor and model name of the processor
 * @param cpuFeatures the processor's feature flags as the kernel names them
 * @param xcr0 the extended state components that the kernel enables
 * @param cores number of online cores
 * @param refusedCalls what a filter around the recording refused without the recorder seeing it: number of the call, -1 for
 *     those that no kernel knows, and errno
 * @param workingDirectory where the program was started
 * @param command the program and its arguments
 * @param environment NAME=VALUE, as the program got it
 */
public record TraceHeader(
        String uuid,
        long startedAt,
        String kernel,
        String cpuModel,
        List<String> cpuFeatures,
        long xcr0,
        int cores,
        Map<Integer, Integer> refusedCalls,
        String workingDirectory,
        List<String> command,
        List<String> environment) {}
