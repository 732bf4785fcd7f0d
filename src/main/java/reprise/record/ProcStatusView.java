package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import reprise.linux.Files;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.trace.TraceWriter;
import reprise.x86.Registers;

/**
 * Keeps the recorder out of what recorded programs read in {@code /proc/PID/status} and {@code /proc/PID/stat}.
 *
 * <p>A task that is stopped has the state t because it is traced, its tracer is the recorder, and one seccomp filter is ours.
 * Programs wait for the state T of a child, or refuse to work under a debugger. What is read gets shorter by some bytes;
 * a line that is cut in two by small reads stays as it is.
 */
final class ProcStatusView {
    /** Initialised when the first such file is read, which few programs do. */
    private static final class Lines {
        static final Pattern PATH = Pattern.compile("/proc/(?:\\d+/task/)?(\\d+)/(?:task/(\\d+)/)?(status|stat)");
        static final Pattern STATE = Pattern.compile("(?m)^State:\tt \\(tracing stop\\)\n");
        static final Pattern TRACER = Pattern.compile("(?m)^TracerPid:\t(\\d+)\n");
        static final Pattern NO_NEW_PRIVS = Pattern.compile("(?m)^NoNewPrivs:\t1\n");
        static final Pattern SECCOMP = Pattern.compile("(?m)^Seccomp:\t2\n");
        static final Pattern FILTERS = Pattern.compile("(?m)^Seccomp_filters:\t(\\d+)\n");

        /** A tracer is a thread; this is the one that traces. */
        static final String RECORDER = Long.toString(Syscall.call(SyscallNumber.GETTID, 0));

        private Lines() {}
    }

    private static final int LONGEST = 1 << 14;

    private final Recorder recorder;
    private final long procDevice;
    private final MemorySegment buffer = Arena.global().allocate(LONGEST);
    private long restAddress;
    private int restLength;

    ProcStatusView(Recorder recorder) {
        this.recorder = recorder;
        Files.Status proc = Files.status("/proc/self/status");
        procDevice = proc == null ? -1 : proc.device();
    }

    /**
     * A task is at the exit of a call.
     *
     * @param result what the kernel gave
     * @return the result that the program is to see
     */
    long left(RecordedTask task, long result) {
        if (result <= 0 || result > LONGEST || task.call != SyscallNumber.READ && task.call != SyscallNumber.PREAD64) {
            return result;
        }
        String open = TaskPaths.ofDescriptor(task, task.argument(0));
        Files.Status status = Files.status(open);
        if (status == null || status.device() != procDevice) {
            return result;
        }
        String path = Files.readLink(open);
        Matcher matcher = path == null ? null : Lines.PATH.matcher(path);
        if (matcher == null || !matcher.matches()) {
            return result;
        }
        String id = matcher.group(2) == null ? matcher.group(1) : matcher.group(2);
        RecordedTask shown = id.length() > 9 ? null : recorder.find(Integer.parseInt(id));
        // Where the kernel wrote, which may be scratch memory.
        long address = task.tracee.get(Registers.RSI);
        if (shown == null || task.tracee.read(address, buffer, result) != result) {
            return result;
        }
        byte[] bytes = buffer.asSlice(0, result).toArray(JAVA_BYTE);
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        String seen = matcher.group(3).equals("stat") ? stat(shown, text) : status(shown, text);
        if (seen.equals(text)) {
            return result;
        }
        byte[] changed = seen.getBytes(StandardCharsets.ISO_8859_1);
        MemorySegment.copy(changed, 0, buffer, JAVA_BYTE, 0, changed.length);
        task.tracee.write(address, buffer, changed.length);
        task.tracee.set(Registers.RAX, changed.length);
        if (!task.scratched) {
            restAddress = address + changed.length;
            restLength = bytes.length - changed.length;
        }
        return changed.length;
    }

    /** Adds to the exit event what the kernel wrote behind what the program was told of. */
    void recordRest(RecordedTask task, TraceWriter trace) {
        if (restLength > 0) {
            MemorySegment into = trace.write(task.tid(), restAddress, restLength);
            task.tracee.read(restAddress, into, restLength);
            restLength = 0;
        }
    }

    /** Whether the task stands still only for the recorder; a tracer of its own stops it as the kernel says. */
    private static boolean isStoppedByRecorder(RecordedTask shown) {
        return shown.tracing == null || shown.tracing.stop == null;
    }

    private static boolean isGroupStopped(RecordedTask shown) {
        return shown.state == RecordedTask.State.GROUP_STOPPED;
    }

    private static String stat(RecordedTask shown, String text) {
        int at = text.lastIndexOf(") t ");
        if (at < 0 || !isStoppedByRecorder(shown)) {
            return text;
        }
        return text.substring(0, at + 2) + (isGroupStopped(shown) ? 'T' : 'R') + text.substring(at + 3);
    }

    private static String status(RecordedTask shown, String text) {
        String seen = text;
        if (isStoppedByRecorder(shown)) {
            seen = Lines.STATE
                    .matcher(seen)
                    .replaceFirst(isGroupStopped(shown) ? "State:\tT (stopped)\n" : "State:\tR (running)\n");
        }
        Matcher tracer = Lines.TRACER.matcher(seen);
        if (tracer.find() && tracer.group(1).equals(Lines.RECORDER)) {
            int tid = shown.tracing == null ? 0 : shown.tracing.tracer.tid();
            seen = tracer.replaceFirst("TracerPid:\t" + tid + "\n");
        }
        if (shown.hiddenNoNewPrivs) {
            seen = Lines.NO_NEW_PRIVS.matcher(seen).replaceFirst("NoNewPrivs:\t0\n");
        }
        Matcher filters = Lines.FILTERS.matcher(seen);
        int others = filters.find() ? Math.max(0, Integer.parseInt(filters.group(1)) - 1) : shown.ownFilters ? 1 : 0;
        if (others == 0) {
            seen = Lines.SECCOMP.matcher(seen).replaceFirst(shown.strict ? "Seccomp:\t1\n" : "Seccomp:\t0\n");
        }
        // Since Linux 5.9; some may be those of the recorder's own surroundings.
        return Lines.FILTERS.matcher(seen).replaceFirst("Seccomp_filters:\t" + others + "\n");
    }
}
