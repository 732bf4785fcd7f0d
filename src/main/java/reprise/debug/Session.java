package reprise.debug;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import reprise.replay.DivergenceException;
import reprise.replay.TaskInfo;
import reprise.replay.Timeline;

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

    /** An error that is not explained. */
    static final String ERROR = "E01";

    private final Timeline timeline;
    private final Debuggee debuggee;
    private final ClientFeatures client = new ClientFeatures();
    private final Reply reply = new Reply();
    private final Breakpoints breakpoints;
    private final Present present;
    private final StateRequests state;
    private final PointRequests points;
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
        state = new StateRequests(present);
        points = new PointRequests(breakpoints);
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
            TaskInfo told = execution.takeTold();
            if (told != null) {
                // For the client, too: it does not select the thread of a stop.
                selected = new ThreadId(told.process(), told.tid());
            }
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
            case 'G' -> state.setRegisters(packet, reply, task());
            case 'p' -> state.register(packet, reply, task());
            case 'P' -> state.setRegister(packet, reply, task());
            case 'm' -> state.memory(packet, reply, task());
            case 'M' -> state.setMemory(packet, true, reply, task());
            case 'X' -> state.setMemory(packet, false, reply, task());
            case 'c', 'C' -> resume(false, 0, 0, task());
            case 's', 'S' -> resume(true, 0, 0, task());
            case 'b' -> backwards(packet);
            case 'Z' -> points.take(packet, true, reply, task().process());
            case 'z' -> points.take(packet, false, reply, task().process());
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
