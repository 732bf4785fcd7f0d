package reprise.debug;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import reprise.replay.TaskInfo;

/** Answers the packets of one client that begin with q or Q. */
final class Queries {
    private static final int SEARCH_PIECE = 1 << 16;
    /** More than this is searched no further: the client cannot interrupt it. */
    private static final long LONGEST_SEARCH = 1L << 32;

    private static final String FEATURES = ";QStartNoAckMode+;multiprocess+;swbreak+;hwbreak+;fork-events+;exec-events+"
            + ";vContSupported+;ReverseContinue+;ReverseStep+;ConditionalBreakpoints+;QPassSignals+;QProgramSignals+"
            + ";QCatchSyscalls+;qXfer:features:read+;qXfer:auxv:read+;qXfer:exec-file:read+;qXfer:siginfo:read+"
            + ";qXfer:siginfo:write+;qXfer:threads:read+;qXfer:osdata:read+;no-resumed+";

    private final Session session;
    private final Commands commands;
    private final ThreadLocals threadLocals;

    Queries(Session session, Commands commands) {
        this.session = session;
        this.commands = commands;
        this.threadLocals = new ThreadLocals(session.present());
    }

    Commands commands() {
        return commands;
    }

    /** Answers what follows a q. What is not known gets an empty answer. */
    void query(Packet packet, Reply reply) {
        switch (packet.until(":,;")) {
            case "Supported" -> supported(packet, reply);
            case "C" -> thread(reply.text("QC"), session.task());
            case "Attached" -> reply.text("1");
            case "fThreadInfo" -> threads(reply);
            case "sThreadInfo" -> reply.text("l");
            case "ThreadExtraInfo" -> extra(packet, reply);
            case "GetTLSAddr" -> threadLocal(packet, reply);
            case "Symbol" -> symbol(packet, reply);
            case "Search" -> search(packet, reply);
            case "CRC" -> checksum(packet, reply);
            case "Xfer" -> {
                packet.expect(":");
                session.transfers().transfer(packet, reply);
            }
            case "Rcmd" -> {
                packet.expect(",");
                monitor(packet.hexText(), reply);
            }
            case "RRCmd" -> command(packet, reply);
            default -> {}
        }
    }

    private void supported(Packet packet, Reply reply) {
        ClientFeatures client = session.client();
        while (!packet.atEnd()) {
            packet.next();
            switch (packet.until(";")) {
                case "multiprocess+" -> client.multiprocess = true;
                case "swbreak+" -> client.softwareBreakpoints = true;
                case "hwbreak+" -> client.hardwareBreakpoints = true;
                case "fork-events+" -> client.forks = true;
                case "exec-events+" -> client.execs = true;
                default -> {}
            }
        }
        reply.text("PacketSize=").hex(Connection.PACKET_SIZE).text(FEATURES);
    }

    private void thread(Reply reply, TaskInfo task) {
        new StopReply(reply, session.client()).id(task.process(), task.tid());
    }

    private void threads(Reply reply) {
        String separator = "m";
        for (TaskInfo task : session.debuggee().tasks()) {
            thread(reply.text(separator), task);
            separator = ",";
        }
        if (reply.size() == 0) {
            reply.text("l");
        }
    }

    private void extra(Packet packet, Reply reply) {
        packet.expect(",");
        reply.hexText(Transfers.description(session.task(ThreadId.parse(packet))));
    }

    private void threadLocal(Packet packet, Reply reply) {
        packet.expect(":");
        TaskInfo task = session.task(ThreadId.parse(packet));
        packet.expect(",");
        long offset = packet.hex();
        packet.expect(",");
        reply.hex(threadLocals.address(task, offset, packet.hex()));
    }

    /** The client offers to look symbols up, and after each is offered the next; in the end there is nothing to ask. */
    private void symbol(Packet packet, Reply reply) {
        packet.expect(":");
        boolean known = packet.peek() >= 0 && packet.peek() != ':';
        long address = known ? packet.hex() : 0;
        packet.expect(":");
        String name = packet.hexText();
        if (name.isEmpty()) {
            threadLocals.forget();
        } else if (known) {
            threadLocals.found(name, address);
        }
        String next = threadLocals.nextWanted(name);
        if (next == null) {
            session.ok();
        } else {
            reply.text("qSymbol:").hexText(next);
        }
    }

    private void search(Packet packet, Reply reply) {
        packet.expect(":memory:");
        long address = packet.hex();
        packet.expect(";");
        long length = Math.min(packet.hex() & Long.MAX_VALUE, LONGEST_SEARCH);
        packet.expect(";");
        byte[] pattern = packet.rest();
        if (pattern.length == 0) {
            throw new MalformedPacketException("nothing to search for");
        }
        TaskInfo task = session.task();
        for (long done = 0; done + pattern.length <= length; done += SEARCH_PIECE) {
            int piece = (int) Math.min(length - done, SEARCH_PIECE + pattern.length - 1L);
            byte[] bytes = session.present().memory(task, address + done, piece);
            int at = indexOf(bytes, pattern);
            if (at >= 0) {
                reply.text("1,").hex(address + done + at);
                return;
            }
            if (bytes.length < piece) {
                break;
            }
        }
        reply.text("0");
    }

    private static int indexOf(byte[] bytes, byte[] pattern) {
        for (int i = 0; i + pattern.length <= bytes.length; i++) {
            if (Arrays.equals(bytes, i, i + pattern.length, pattern, 0, pattern.length)) {
                return i;
            }
        }
        return -1;
    }

    /** The checksum of gdb's compare-sections: CRC-32 with the highest bit first, beginning with all ones. */
    private void checksum(Packet packet, Reply reply) {
        packet.expect(":");
        long address = packet.hex();
        packet.expect(",");
        long length = Math.min(packet.hex() & Long.MAX_VALUE, LONGEST_SEARCH);
        int crc = -1;
        for (long done = 0; done < length; done += SEARCH_PIECE) {
            int piece = (int) Math.min(length - done, SEARCH_PIECE);
            byte[] bytes = session.present().memory(session.task(), address + done, piece);
            if (bytes.length < piece) {
                throw new RefusedException("there is no memory");
            }
            for (byte b : bytes) {
                crc ^= b << 24;
                for (int bit = 0; bit < 8; bit++) {
                    crc = crc << 1 ^ (crc < 0 ? 0x04c11db7 : 0);
                }
            }
        }
        reply.text("C").hex(crc & 0xffffffffL);
    }

    // ---- commands ----

    private void monitor(String line, Reply reply) {
        List<String> words = new ArrayList<>(List.of(line.strip().split("\\s+")));
        String answer = commands.named(words)
                .map(command -> commands.execute(command, words.subList(command.split(" ").length, words.size())))
                .orElseGet(() ->
                        "'" + line + "' is not known. There are:\n  " + String.join("\n  ", Commands.NAMES) + "\n");
        if (answer.isEmpty()) {
            answer = "Done when the program is resumed, for example by stepi.\n";
        }
        reply.hexText(answer);
    }

    /**
     * rr's packet for its own commands: {@code name:tid:arguments}, or, as Delve sends it to older ones, {@code
     * name:arguments} with the name in hexadecimal too.
     */
    private void command(Packet packet, Reply reply) {
        packet.expect(":");
        String name = packet.until(":");
        List<String> arguments = new ArrayList<>();
        if (!commands.isKnown(name)) {
            name = Packet.of(name).hexText();
        } else if (packet.accept(":")) {
            packet.until(":");
        }
        while (packet.accept(":")) {
            arguments.add(packet.hexText());
        }
        if (!commands.isKnown(name)) {
            reply.hexText("Command '" + name + "' not found.\n");
            return;
        }
        String answer = commands.execute(name, arguments);
        reply.hexText(answer.isEmpty() ? "\n" : answer);
    }

    // ---- settings ----

    /** Answers what follows a Q. What is not known gets an empty answer. */
    void set(Packet packet, Reply reply) {
        ClientFeatures client = session.client();
        switch (packet.until(":")) {
            case "StartNoAckMode" -> {
                session.connection().stopAcknowledging();
                session.ok();
            }
            case "PassSignals" -> {
                packet.expect(":");
                Set<Integer> passed = new TreeSet<>();
                for (int number : Session.numbers(packet)) {
                    passed.add(GdbSignal.toLinux(number));
                }
                client.passed.clear();
                client.passed.addAll(passed);
                session.ok();
            }
            case "ProgramSignals" -> session.ok();
            case "CatchSyscalls" -> {
                packet.expect(":");
                boolean wanted = packet.hex(1) == 1;
                packet.accept(";");
                client.syscalls = wanted ? Session.numbers(packet) : null;
                session.ok();
            }
            case "NonStop" -> {
                packet.expect(":");
                if (packet.hex(1) == 0) {
                    session.ok();
                } else {
                    throw new RefusedException("all threads stop together in a replay");
                }
            }
            default -> {}
        }
    }
}
