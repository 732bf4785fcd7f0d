package reprise.debug;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import reprise.replay.MemoryRegion;
import reprise.replay.TaskInfo;
import reprise.replay.Timeline;

/**
 * The files of the machine that recorded, as far as a debugger needs them: those that were mapped, from the trace; separate
 * debug information, from this machine; and of /proc what tells of the recorded processes.
 */
final class RecordedFiles implements FileService.Source {
    private static final String DEBUG_FILES = "/usr/lib/debug/";
    private static final long AT_PHDR = 3;

    private final Timeline timeline;
    private final TraceIndex index;

    RecordedFiles(Timeline timeline, TraceIndex index) {
        this.timeline = timeline;
        this.index = index;
    }

    /** The path of the program that a task executes, as the kernel knew it. */
    String program(TaskInfo task) {
        byte[] vector = timeline.auxiliaryVector(task.tid());
        ByteBuffer words = ByteBuffer.wrap(vector).order(ByteOrder.LITTLE_ENDIAN);
        while (words.remaining() >= 16) {
            long key = words.getLong();
            long value = words.getLong();
            if (key == AT_PHDR) {
                for (MemoryRegion region : timeline.mappings(task.tid())) {
                    if (region.start() <= value
                            && value < region.end()
                            && region.path().startsWith("/")) {
                        return region.path();
                    }
                }
            }
        }
        return task.program();
    }

    @Override
    public Path file(String path) {
        Map<String, Path> files = index.files(timeline.position().event());
        Path exact = files.get(path);
        if (exact != null) {
            return exact;
        }
        String real = realPath(path);
        if (files.containsKey(real)) {
            return files.get(real);
        }
        if (real.startsWith(DEBUG_FILES)) {
            return Path.of(real);
        }
        return similar(path, files);
    }

    /** Links of the recording's machine may be others than this one's, so the end of the path has to do. */
    private static Path similar(String path, Map<String, Path> files) {
        String name = path.substring(path.lastIndexOf('/') + 1);
        if (name.isEmpty() || !path.startsWith("/")) {
            return null;
        }
        List<String> candidates = files.keySet().stream()
                .filter(each -> {
                    String file = each.substring(each.lastIndexOf('/') + 1);
                    return file.equals(name) || name.contains(".so") && file.startsWith(name + ".");
                })
                .toList();
        return candidates.size() == 1 ? files.get(candidates.getFirst()) : null;
    }

    private static String realPath(String path) {
        try {
            return Path.of(path).toRealPath().toString();
        } catch (IOException e) {
            return path;
        }
    }

    // ---- /proc ----

    @Override
    public byte[] content(String path) {
        return process(path)
                .map(task -> switch (path.substring(path.lastIndexOf('/') + 1)) {
                    case "maps" -> maps(task).getBytes(StandardCharsets.UTF_8);
                    case "cmdline" -> (String.join("\0", task.arguments()) + "\0").getBytes(StandardCharsets.UTF_8);
                    case "auxv" -> timeline.auxiliaryVector(task.tid());
                    case "comm" -> (task.name() + "\n").getBytes(StandardCharsets.UTF_8);
                    default -> null;
                })
                .orElse(null);
    }

    @Override
    public String link(String path) {
        return process(path)
                .map(task -> switch (path.substring(path.lastIndexOf('/') + 1)) {
                    case "exe" -> program(task);
                    case "cwd" -> index.header().workingDirectory();
                    default -> null;
                })
                .orElse(null);
    }

    /** The recorded process that a path in /proc is about, if it is directly in the process's directory. */
    private Optional<TaskInfo> process(String path) {
        String[] parts = path.split("/");
        if (parts.length != 4 || !parts[1].equals("proc") || !parts[2].matches("[1-9][0-9]{0,8}")) {
            return Optional.empty();
        }
        int process = Integer.parseInt(parts[2]);
        return timeline.tasks().stream()
                .filter(task -> task.process() == process)
                .findFirst();
    }

    private String maps(TaskInfo task) {
        StringBuilder text = new StringBuilder();
        for (MemoryRegion region : timeline.mappings(task.tid())) {
            int protection = region.protection();
            text.append(String.format(
                    "%08x-%08x %s%s%s%s %08x 00:00 %d",
                    region.start(),
                    region.end(),
                    (protection & 1) != 0 ? "r" : "-",
                    (protection & 2) != 0 ? "w" : "-",
                    (protection & 4) != 0 ? "x" : "-",
                    region.shared() ? "s" : "p",
                    region.offset(),
                    region.path().startsWith("/") ? 1 : 0));
            text.append(region.path().isEmpty() ? "" : "                   " + region.path())
                    .append('\n');
        }
        return text.toString();
    }
}
