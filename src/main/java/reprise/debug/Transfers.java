package reprise.debug;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import reprise.linux.Signal;
import reprise.replay.Stop;
import reprise.replay.TaskInfo;
import reprise.replay.Timeline;

/** Answers {@code qXfer} packets: larger things that are read piece by piece. */
final class Transfers {
    private static final int SIGINFO_SIZE = 128;
    private static final String DOCTYPE = "<?xml version=\"1.0\"?>\n";

    private final Timeline timeline;
    private final Debuggee debuggee;
    private final Present present;
    private final Execution execution;
    private final RecordedFiles files;
    private final ClientFeatures client;
    private final TargetDescription description;

    Transfers(
            Timeline timeline,
            Debuggee debuggee,
            Present present,
            Execution execution,
            RecordedFiles files,
            ClientFeatures client) {
        this.timeline = timeline;
        this.debuggee = debuggee;
        this.present = present;
        this.execution = execution;
        this.files = files;
        this.client = client;
        this.description = new TargetDescription(present.layout());
    }

    /** What is told of a thread beside its name. */
    static String description(TaskInfo task) {
        return task.inKernel() ? "in a system call" : "";
    }

    /** Answers what follows {@code qXfer:}. An unknown object gets an empty answer. */
    void transfer(Packet packet, Reply reply) {
        String object = packet.until(":");
        packet.expect(":");
        String mode = packet.until(":");
        packet.expect(":");
        String annex = packet.until(":");
        packet.expect(":");
        long offset = packet.hex();
        if (mode.equals("write")) {
            write(object, packet, reply);
            return;
        }
        packet.expect(",");
        long length = packet.hex();
        if (object.equals("siginfo") && offset == 0) {
            present.callMayFollow();
        }
        byte[] content = content(object, annex);
        if (content != null) {
            piece(content, offset, length, reply);
        } else if (object.equals("features")) {
            reply.text("E00");
        }
    }

    private void write(String object, Packet packet, Reply reply) {
        packet.expect(":");
        if (object.equals("siginfo")) {
            int length = packet.rest().length;
            present.callIsOver();
            reply.hex(length);
        }
    }

    private byte[] content(String object, String annex) {
        return switch (object) {
            case "features" -> bytes(description.document(annex));
            case "auxv" -> timeline.auxiliaryVector(selected("").tid());
            case "exec-file" -> bytes(files.program(selected(annex)));
            case "siginfo" -> signalInfo();
            case "threads" -> bytes(threads());
            case "osdata" -> bytes(annex.isEmpty() || annex.equals("processes") ? processes() : null);
            default -> null;
        };
    }

    private static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    private TaskInfo selected(String process) {
        int wanted = process.isEmpty() ? 0 : Packet.of(process).hex(Integer.MAX_VALUE);
        return debuggee.tasks().stream()
                .filter(task -> wanted == 0 || task.process() == wanted)
                .findFirst()
                .orElseThrow(() -> new RefusedException("there is no such process now"));
    }

    private static void piece(byte[] content, long offset, long length, Reply reply) {
        if (offset < 0 || offset > content.length) {
            throw new MalformedPacketException("there is nothing at that offset");
        }
        // Half a packet: each byte may have to be escaped.
        long count =
                Math.min(Math.min(length & Long.MAX_VALUE, Connection.PACKET_SIZE / 2 - 8), content.length - offset);
        int from = (int) offset;
        int to = from + (int) count;
        reply.text(to == content.length ? "l" : "m").binary(content, from, to);
    }

    /** That of the signal at which the thread stands, else that of a breakpoint. */
    private byte[] signalInfo() {
        Stop.Signal signal = execution.signal();
        if (signal != null) {
            return Arrays.copyOf(signal.info(), SIGINFO_SIZE);
        }
        ByteBuffer info = ByteBuffer.allocate(SIGINFO_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        info.putInt(Signal.SIGTRAP).putInt(0).putInt(execution.trapCode());
        return info.array();
    }

    private String threads() {
        StringBuilder xml = new StringBuilder(DOCTYPE).append("<threads>\n");
        for (TaskInfo task : debuggee.tasks()) {
            Reply id = new Reply();
            new StopReply(id, client).id(task.process(), task.tid());
            xml.append("<thread id=\"").append(id).append("\" name=\"").append(escaped(task.name()));
            xml.append("\">").append(description(task)).append("</thread>\n");
        }
        return xml.append("</threads>\n").toString();
    }

    /** For {@code info os processes}: all that are alive at the present, whether debugged or not. */
    private String processes() {
        TreeMap<Integer, TaskInfo> all = new TreeMap<>();
        List<TaskInfo> tasks = timeline.tasks();
        tasks.forEach(task -> all.putIfAbsent(task.process(), task));
        StringBuilder xml = new StringBuilder(DOCTYPE).append("<osdata type=\"processes\">\n");
        all.forEach((process, task) -> {
            xml.append("<item><column name=\"pid\">").append(process);
            xml.append("</column><column name=\"command\">").append(escaped(String.join(" ", task.arguments())));
            xml.append("</column><column name=\"threads\">");
            xml.append(tasks.stream().filter(each -> each.process() == process).count());
            xml.append("</column></item>\n");
        });
        return xml.append("</osdata>\n").toString();
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replaceAll("[\\x00-\\x1f]", "?");
    }
}
