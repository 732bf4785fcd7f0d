package reprise.cli;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import reprise.linux.Files;
import reprise.linux.Processor;
import reprise.trace.TraceHeader;
import reprise.tracee.OuterFilter;

/** What a trace tells about the machine that it was recorded on. */
final class Machine {
    private Machine() {}

    /** The header of a new trace. */
    static TraceHeader header(Target target) {
        String processor = Files.readText("/proc/cpuinfo");
        String release = Files.readText("/proc/sys/kernel/osrelease");
        return new TraceHeader(
                identity(),
                System.currentTimeMillis(),
                release == null ? "" : release.strip(),
                field(processor, "vendor_id") + " " + field(processor, "model name"),
                List.of(field(processor, "flags").split(" ")),
                Processor.enabledStates(),
                Runtime.getRuntime().availableProcessors(),
                OuterFilter.refusedCalls(),
                System.getProperty("user.dir"),
                texts(target.arguments()),
                texts(target.environment()));
    }

    /** Vendor and model name of the processor. */
    static String processorModel() {
        String processor = Files.readText("/proc/cpuinfo");
        return field(processor, "vendor_id") + " " + field(processor, "model name");
    }

    /** The processor's features as the kernel names them. */
    static List<String> processorFlags() {
        return List.of(field(Files.readText("/proc/cpuinfo"), "flags").split(" "));
    }

    /** Made by the kernel; Java's own source of random numbers takes long to start. */
    private static String identity() {
        String uuid = Files.readText("/proc/sys/kernel/random/uuid");
        return uuid == null ? UUID.randomUUID().toString() : uuid.strip();
    }

    private static String field(String processor, String name) {
        int at = processor == null ? -1 : processor.indexOf(name);
        int colon = at < 0 ? -1 : processor.indexOf(':', at);
        int end = colon < 0 ? -1 : processor.indexOf('\n', colon);
        return end < 0 ? "" : processor.substring(colon + 1, end).strip();
    }

    private static List<String> texts(List<byte[]> strings) {
        List<String> texts = new ArrayList<>();
        for (byte[] each : strings) {
            texts.add(new String(each, StandardCharsets.UTF_8));
        }
        return texts;
    }
}
