package reprise.debug;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import reprise.replay.DivergenceException;
import reprise.replay.TaskInfo;
import reprise.replay.Timeline;
import reprise.replay.Watch;

/**
 * Serves one client: takes its packets one after the other and answers them.
 *
 * <p>A packet that makes no sense, or asks for what cannot be done, is answered with an error; nothing that a client sends
 * ends the server or changes the trace. Belongs to the timeline's thread, but for {@link #interrupt}.
 */
final class Session {
    /** How a session ended. */
    enum End {
        /** The client has gone; another may come. */
        LEFT,
        /** The client said that nothing more is to be done. */
        KILLED
    }

    private static final String ERROR = "E01";

    private final Timeline timeline;
    private final Debuggee debuggee;
    private final ClientFeatures client = new ClientFeatures();
    private final Reply reply = new Reply();
    private final Breakpoints breakpoints;
    private final Present present;
    private final Execution execution;
    private final Queries queries;
    private final Transfers transfers;
    private final FileService files;
    private Connection connection;
    private ThreadId selected = ThreadId.ANY_THREAD;
    private ThreadId continued = ThreadId.ANY_THREAD;
    private boolean answered;
    private End end;

    Session(
            Timeline timeline,
            RegisterLayout layout,
            Debuggee debuggee,
            TraceIndex index,
            Moments moments,
            DebugOptions options) {
        this.timeline = timeline;
        this.debuggee = debuggee;
        client.endIsSignal = options.endIsSignal();
        breakpoints = new Breakpoints(timeline);
        present = new Present(timeline, breakpoints, layout);
        execution =
                new Execution(timeline, debuggee, breakpoints, present, client, reply, () -> connection.send(reply));
        RecordedFiles recorded = new RecordedFiles(timeline, index);
        files = new FileService(recorded);
        transfers = new Transfers(timeline, debuggee, present, execution, recorded, client);
        queries = new Queries(this, new Commands(timeline, debuggee, index, moments, execution, options.eventText()));
        debuggee.resumeDebugging();
    }

    /** Stops the program if it runs. For any thread. */
    void interrupt() {
        execution.interrupt();
    }

    /** Serves the client until it goes. */
    End serve(Connection line) throws InterruptedException {
        connection = line;
        try {
            Packet packet;
            while (end == null && (packet = line.receive()) != null) {
                take(packet);
            }
        } finally {
            present.drop();
            breakpoints.clear(0);
            files.close();
        }
        return end == null ? End.LEFT : end;
    }

    private void take(Packet packet) {
        reply.clear();
        answered = true;
        try {
            dispatch(packet);
        } catch (MalformedPacketException e) {
            reply.clear().text(ERROR);
        } catch (RefusedException e) {
            reply.clear().text("E.").text(e.getMessage());
        } catch (DivergenceException e) {
            System.err.println(e.report());
            reply.clear().text("E.the replay did not do what the recording did");
        } catch (RuntimeException e) {
            System.err.println("reprise replay: internal fault at " + packet + ", please report it");
            e.printStackTrace();
            reply.clear().text(ERROR);
        }
        if (answered) {
            connection.send(reply);
        }
    }

    private void dispatch(Packet packet) {
        if (packet.atEnd()) {
            return;
        }
        switch (packet.next()) {
            case '?' -> execution.where();
            case '!' -> ok();
            case 'D' -> detach(packet);
            case 'k' -> {
                packet.expectEnd();
                answered = false;
                end = End.KILLED;
            }
            case 'H' -> select(packet);
            case 'T' -> alive(packet);
            case 'g' -> present.registers(task(), reply);
            case 'G' -> setRegisters(packet);
            case 'p' -> register(packet);
            case 'P' -> setRegister(packet);
            case 'm' -> memory(packet);
            case 'M' -> setMemory(packet, true);
            case 'X' -> setMemory(packet, false);
            case 'c', 'C' -> resume(false, 0, 0, task());
            case 's', 'S' -> resume(true, 0, 0, task());
            case 'b' -> backwards(packet);
            case 'Z' -> point(packet, true);
            case 'z' -> point(packet, false);
            case 'v' -> verbose(packet);
            case 'q' -> queries.query(packet, reply);
            case 'Q' -> queries.set(packet, reply);
            default -> {}
        }
    }

    void ok() {
        reply.text("OK");
    }

    // ---- for Queries ----

    ClientFeatures client() {
        return client;
    }

    Debuggee debuggee() {
        return debuggee;
    }

    Present present() {
        return present;
    }

    Transfers transfers() {
        return transfers;
    }

    Connection connection() {
        return connection;
    }

    // ---- threads ----

    /** The task that requests about registers and memory are about. */
    TaskInfo task() {
        return task(selected);
    }

    /**
     * A task that is alive at the present.
     *
     * @throws RefusedException if there is none
     */
    TaskInfo task(ThreadId id) {
        if (id.isOne()) {
            TaskInfo task = debuggee.task(id.task());
            if (task != null) {
                return task;
            }
        }
        TaskInfo usual = debuggee.usual();
        if (usual != null && id.matches(usual.process(), id.task())) {
            return usual;
        }
        return debuggee.tasks().stream()
                .filter(task -> id.matches(task.process(), task.tid()))
                .findFirst()
                .orElseThrow(() -> new RefusedException("there is no such thread now"));
    }

    private void select(Packet packet) {
        int what = packet.next();
        ThreadId id = ThreadId.parse(packet);
        if (id.isOne() && debuggee.task(id.task()) == null) {
            reply.text(ERROR);
            return;
        }
        if (what == 'g') {
            selected = id;
        } else if (what == 'c') {
            continued = id;
        }
        ok();
    }

    private void alive(Packet packet) {
        ThreadId id = ThreadId.parse(packet);
        reply.text(debuggee.task(id.task()) == null ? ERROR : "OK");
    }

    private void detach(Packet packet) {
        if (packet.accept(";")) {
            int process = packet.hex(Integer.MAX_VALUE);
            breakpoints.clear(process);
            debuggee.detach(process);
        } else {
            breakpoints.clear(0);
            List.copyOf(debuggee.processes()).forEach(debuggee::detach);
        }
        ok();
    }

    // ---- registers and memory ----

    private void register(Packet packet) {
        RegisterLayout.Register register = present.layout().register(packet.hex(Integer.MAX_VALUE));
        if (register == null) {
            reply.text(ERROR);
        } else {
            byte[] value = present.register(task(), register);
            reply.hexBytes(value, 0, value.length);
        }
    }

    private void setRegister(Packet packet) {
        RegisterLayout.Register register = present.layout().register(packet.hex(Integer.MAX_VALUE));
        packet.expect("=");
        byte[] value = packet.hexBytes();
        if (register == null || value.length != register.size()) {
            reply.text(ERROR);
        } else {
            present.setRegister(task(), register, value);
            ok();
        }
    }

    private void setRegisters(Packet packet) {
        byte[] values = packet.hexBytes();
        RegisterLayout layout = present.layout();
        if (values.length != layout.size()) {
            reply.text(ERROR);
            return;
        }
        int at = 0;
        for (int number = 0; number < layout.count(); number++) {
            RegisterLayout.Register register = layout.register(number);
            byte[] value = java.util.Arrays.copyOfRange(values, at, at + register.size());
            at += register.size();
            if (register.kind() != RegisterLayout.Kind.ZERO) {
                present.setRegister(task(), register, value);
            }
        }
        ok();
    }

    private void memory(Packet packet) {
        long address = packet.hex();
        packet.expect(",");
        int length = (int) Math.min(packet.hex() & Long.MAX_VALUE, (Connection.PACKET_SIZE - 16) / 2);
        byte[] bytes = present.memory(task(), address, length);
        if (bytes.length == 0 && length > 0) {
            reply.text(ERROR);
        } else {
            reply.hexBytes(bytes, 0, bytes.length);
        }
    }

    private void setMemory(Packet packet, boolean inHex) {
        long address = packet.hex();
        packet.expect(",");
        int length = packet.hex(Connection.PACKET_SIZE);
        packet.expect(":");
        byte[] bytes = inHex ? packet.hexBytes() : packet.rest();
        if (bytes.length != length) {
            throw new MalformedPacketException("the length is wrong");
        }
        reply.text(present.setMemory(task(), address, bytes) ? "OK" : ERROR);
    }

    // ---- breakpoints ----

    private void point(Packet packet, boolean insert) {
        int type = packet.next();
        packet.expect(",");
        long address = packet.hex();
        packet.expect(",");
        long length = packet.hex();
        int process = task().process();
        switch (type) {
            case '0', '1' -> {
                boolean hardware = type == '1';
                if (insert) {
                    breakpoints.insert(process, address, hardware, conditions(packet));
                } else {
                    breakpoints.remove(process, address, hardware);
                }
                ok();
            }
            case '2' -> watch(insert, process, address, length, Watch.Access.WRITE);
            case '4' -> watch(insert, process, address, length, Watch.Access.READ_OR_WRITE);
            // The processor cannot watch for reads alone. gdb then watches all accesses and looks at the value.
            default -> {}
        }
    }

    private void watch(boolean insert, int process, long address, long length, Watch.Access access) {
        if (insert) {
            breakpoints.watch(process, address, length, access);
        } else {
            breakpoints.unwatch(process, address, length, access);
        }
        ok();
    }

    private static List<AgentExpression> conditions(Packet packet) {
        List<AgentExpression> conditions = new ArrayList<>();
        while (packet.accept(";X")) {
            int length = packet.hex(Connection.PACKET_SIZE);
            packet.expect(",");
            byte[] code = new byte[length];
            for (int i = 0; i < length; i++) {
                int high = Hex.digit(packet.next());
                int low = Hex.digit(packet.next());
                if (high < 0 || low < 0) {
                    throw new MalformedPacketException("a condition is not in hexadecimal");
                }
                code[i] = (byte) (high << 4 | low);
            }
            conditions.add(new AgentExpression(code));
        }
        return conditions;
    }

    // ---- execution ----

    private void backwards(Packet packet) {
        boolean step = packet.accept("s");
        if (!step) {
            packet.expect("c");
        }
        execution.backward(step ? task(continued) : task(), step);
    }

    private void verbose(Packet packet) {
        String name = packet.until(";:");
        switch (name) {
            case "Cont?" -> reply.text("vCont;c;C;s;S;r");
            case "Cont" -> resume(packet);
            case "Kill" -> ok();
            case "Run" -> run(packet);
            case "Attach" -> attach(packet);
            case "File" -> {
                packet.expect(":");
                files.answer(packet, reply);
            }
            default -> {}
        }
    }

    /**
     * All tasks run as they did in the recording, whatever the client asks for. What counts is which one it wants to step:
     * the first action that names a thread, or the one for all others.
     */
    private void resume(Packet packet) {
        boolean step = false;
        boolean decided = false;
        long from = 0;
        long to = 0;
        ThreadId who = ThreadId.ANY_THREAD;
        while (packet.accept(";")) {
            int action = packet.next();
            long start = 0;
            long end = 0;
            if (action == 'C' || action == 'S') {
                packet.hex();
            } else if (action == 'r') {
                start = packet.hex();
                packet.expect(",");
                end = packet.hex();
            } else if (action != 'c' && action != 's') {
                throw new MalformedPacketException("an action that is not known");
            }
            ThreadId id = packet.accept(":") ? ThreadId.parse(packet) : new ThreadId(ThreadId.ALL, ThreadId.ALL);
            boolean steps = action != 'c' && action != 'C';
            if (!decided || steps && !step) {
                step = steps;
                who = id;
                from = start;
                to = end;
                decided = true;
            }
        }
        packet.expectEnd();
        resume(step, from, to, task(who));
    }

    private void resume(boolean step, long from, long to, TaskInfo task) {
        execution.forward(task, step, from, to);
    }

    /** Restarts; the second argument says where, as rr's does: a checkpoint's number behind a c, or an event. */
    private void run(Packet packet) {
        List<String> arguments = new ArrayList<>();
        while (packet.accept(";")) {
            arguments.add(packet.hexText());
        }
        packet.expectEnd();
        debuggee.resumeDebugging();
        execution.restart(queries.commands().target(arguments.size() > 1 ? arguments.get(1) : "start"));
        execution.where();
    }

    private void attach(Packet packet) {
        packet.expect(";");
        int process = packet.hex(Integer.MAX_VALUE);
        if (timeline.tasks().stream().noneMatch(task -> task.process() == process)) {
            throw new RefusedException("process " + process + " is not alive now");
        }
        debuggee.attach(process);
        execution.where();
    }

    /** The system calls or signals of a list of numbers in hexadecimal, each behind a semicolon but the first. */
    static TreeSet<Integer> numbers(Packet packet) {
        TreeSet<Integer> numbers = new TreeSet<>();
        while (!packet.atEnd()) {
            numbers.add(packet.hex(Integer.MAX_VALUE));
            if (!packet.atEnd()) {
                packet.expect(";");
            }
        }
        return numbers;
    }
}
