package reprise.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import reprise.debug.DebugOptions;
import reprise.debug.DebugServer;
import reprise.debug.Listener;
import reprise.linux.Disposition;
import reprise.linux.Signal;
import reprise.replay.ReplayOptions;
import reprise.replay.ReplayProgress;
import reprise.trace.Event;

/** The part of {@code reprise replay} that lets a debugger work with the replay: one that it starts, or one that connects. */
final class DebugCommand {
    static final Option PROCESS = Option.valued(
            'p',
            "onprocess",
            "PROCESS",
            "Debug the process with this id, or the first that runs a program of this name, from its start.");
    static final Option FORK = Option.valued('f', "onfork", "PID", "Debug process PID from when it was forked.");
    static final Option EVENT = Option.valued('g', "goto", "EVENT", "Start the debugger at EVENT.");
    static final Option AT_END = Option.flag('e', "goto-end", "Start the debugger at the end of the process.");
    static final Option PORT = Option.valued(
            's', "dbgport", "PORT", "Start no debugger but wait for one at PORT; 0 stands for any that is free.");
    static final Option HOST =
            Option.valued('h', "dbghost", "HOST", "With -s: wait at this address of the machine instead of 127.0.0.1.");
    static final Option KEEP_LISTENING =
            Option.flag('k', "keep-listening", "With -s: wait for the next debugger when one has gone.");
    static final Option DEBUGGER = Option.valued('d', "debugger", "FILE", "Use FILE as the debugger instead of gdb.");
    static final Option SCRIPT = Option.valued('x', "gdb-x", "FILE", "Let the debugger read commands from FILE.");
    static final Option DEBUGGER_OPTION =
            Option.valued('o', "debugger-option", "OPT", "Pass OPT to the debugger. May be repeated.");
    static final Option INTERPRETER =
            Option.valued('i', "interpreter", "NAME", "Let gdb speak the language of front ends NAME, as mi.");
    static final Option FULL_NAME = Option.flag("fullname", "Let gdb tell front ends where the source is.");

    private static final String LOOPBACK = "127.0.0.1";
    private static final int HIGHEST_PORT = 65535;

    private final Syntax syntax;
    private final Arguments arguments;

    DebugCommand(Syntax syntax, Arguments arguments) {
        this.syntax = syntax;
        this.arguments = arguments;
    }

    int run(Path trace, boolean echo) {
        boolean serveOnly = arguments.has(PORT);
        for (Option option : List.of(HOST, KEEP_LISTENING)) {
            if (arguments.has(option) && !serveOnly) {
                throw syntax.wrongUse(option.name() + " is of use only with -s");
            }
        }
        int port = arguments.value(PORT).map(this::port).orElse(0);
        boolean frontEnd = serveOnly || arguments.has(INTERPRETER) || arguments.has(FULL_NAME);
        DebugOptions options =
                new DebugOptions(process(), start(), arguments.has(KEEP_LISTENING), frontEnd, DebugCommand::describe);
        if (!serveOnly) {
            // The terminal sends these to all that run in the foreground. They are meant for the debugger.
            Disposition.ignore(Signal.SIGINT);
            Disposition.ignore(Signal.SIGQUIT);
        }
        try (DebugServer server =
                DebugServer.open(trace, new ReplayOptions(echo, true, ReplayProgress.NONE), options)) {
            return serveOnly ? serve(server, port) : debug(server);
        } catch (DebugServer.StartException e) {
            throw new CommandFailure(ExitStatus.FAILED, e.getMessage());
        } catch (IOException e) {
            throw new CommandFailure(ExitStatus.FAILED, "cannot wait for a debugger: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitStatus.FAILED;
        }
    }

    // ---- what the user asked for ----

    private int port(String text) {
        if (text.matches("[0-9]{1,5}") && Integer.parseInt(text) <= HIGHEST_PORT) {
            return Integer.parseInt(text);
        }
        throw syntax.wrongUse("-s takes the number of a port, not '" + text + "'");
    }

    private DebugOptions.ProcessChoice process() {
        if (arguments.has(FORK)) {
            return new DebugOptions.Forked(number(arguments.value(FORK).orElseThrow(), FORK));
        }
        if (arguments.has(PROCESS)) {
            String which = arguments.value(PROCESS).orElseThrow();
            return which.matches("[0-9]{1,9}")
                    ? new DebugOptions.Executed(Integer.parseInt(which))
                    : new DebugOptions.Named(which);
        }
        return new DebugOptions.First();
    }

    private int number(String text, Option option) {
        if (!text.matches("[0-9]{1,9}")) {
            throw syntax.wrongUse(option.name() + " takes a number, not '" + text + "'");
        }
        return Integer.parseInt(text);
    }

    private String start() {
        if (arguments.has(AT_END)) {
            return "end";
        }
        return arguments
                .value(EVENT)
                .map(event -> Integer.toString(number(event, EVENT)))
                .orElse(null);
    }

    // ---- a debugger that connects ----

    private int serve(DebugServer server, int port) throws IOException, InterruptedException {
        try (Listener listener = Listener.atPort(arguments.value(HOST).orElse(LOOPBACK), port)) {
            // Front ends that were made for rr look for these two lines.
            System.err.println("Launch gdb with");
            System.err.println("  gdb '-l' '10000' '-ex' 'set sysroot " + sysroot(server)
                    + "' '-ex' 'target extended-remote " + listener.address() + "' " + server.program());
            server.serve(listener);
        }
        return ExitStatus.OK;
    }

    // ---- a debugger that is started ----

    private int debug(DebugServer server) throws IOException, InterruptedException {
        // Mode 0700: nobody else can connect.
        Path directory = Files.createTempDirectory("reprise-");
        Path socket = directory.resolve("gdb");
        Path script = directory.resolve("gdb.py");
        Files.writeString(script, script());
        try (Listener listener = Listener.atSocket(socket)) {
            Debugger debugger = new Debugger(commandLine(server, script, listener.address()), Inherited.read());
            Thread waiter = new Thread(
                    () -> {
                        debugger.run();
                        server.stop();
                    },
                    "debugger");
            waiter.start();
            try {
                server.serve(listener);
            } finally {
                // It still runs if it only let go of the replay.
                waiter.join();
            }
            if (debugger.failure() != null) {
                throw new CommandFailure(ExitStatus.FAILED, debugger.failure());
            }
            return debugger.status();
        } finally {
            Files.deleteIfExists(socket);
            Files.deleteIfExists(script);
            Files.deleteIfExists(directory);
        }
    }

    private List<String> commandLine(DebugServer server, Path script, String address) {
        List<String> line = new ArrayList<>();
        line.add(arguments.value(DEBUGGER).orElse("gdb"));
        line.addAll(List.of("-q", "-l", "10000", "-iex", "set sysroot " + sysroot(server)));
        arguments.value(INTERPRETER).ifPresent(name -> line.add("--interpreter=" + name));
        if (arguments.has(FULL_NAME)) {
            line.add("--fullname");
        }
        line.addAll(List.of("-x", script.toString(), "-ex", "target extended-remote " + address));
        arguments.values(SCRIPT).forEach(file -> line.addAll(List.of("-x", file)));
        line.addAll(arguments.values(DEBUGGER_OPTION));
        line.addAll(arguments.afterSeparator());
        return line;
    }

    /** gdb is to read the files that were recorded: itself where they are still there, else through us. */
    private static String sysroot(DebugServer server) {
        return server.filesAreUnchanged() ? "/" : "target:";
    }

    /** What gdb is to learn: commands in its Python. */
    static String script() {
        try (InputStream resource = DebugServer.class.getResourceAsStream("gdb.py")) {
            return new String(resource.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String describe(Event event) {
        return Output.collect(output -> new EventText(output, false).accept(event));
    }
}
