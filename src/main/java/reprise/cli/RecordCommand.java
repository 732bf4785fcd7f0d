package reprise.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import reprise.linux.Disposition;
import reprise.linux.Errno;
import reprise.linux.LinuxException;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.record.OwnSignals;
import reprise.record.RecordOptions;
import reprise.record.Recorder;
import reprise.record.SizeLimit;
import reprise.trace.FileStore;
import reprise.trace.TraceDirectories;
import reprise.trace.TraceException;
import reprise.trace.TraceSummary;
import reprise.trace.TraceWriter;
import reprise.tracee.RuntimePage;

/** {@code reprise record}: runs a program and makes a trace of it. */
final class RecordCommand implements Command {
    static final Option DIRECTORY =
            Option.valued('o', "DIR", "Make the trace in DIR, which must not exist or be empty.");
    static final Option UNBUFFERED = Option.flag(
            'n', "no-buffer", "Stop at every system call instead of buffering those that allow it. Slower.");
    static final Option BUFFER_AFTER = Option.optionallyValued(
            "buffer-after",
            "TIMES",
            "Buffer the calls of a system call instruction once it has stopped the program TIMES times (6).");
    static final Option CHECKSUMS = Option.optionallyValued(
            "checksums",
            "WHEN",
            "Record checksums of memory, which replay verifies: at 'all' events, after "
                    + "'syscalls', or at every WHEN-th event; without WHEN as often as costs little.");
    static final Option VARIABLE =
            Option.valued('v', "NAME=VALUE", "Set a variable in PROGRAM's environment. May be repeated.");
    static final Option SCRUBBED = Option.required(
            "scrub-env",
            "NAME",
            "Keep variable NAME out of PROGRAM's environment, and so out of the trace; NAME* means all that begin so. "
                    + "May be repeated.");
    static final Option MAXIMUM_SIZE = Option.required(
            "max-size",
            "SIZE",
            "End the recording, and kill PROGRAM, when the events take SIZE bytes on disk (K, M and G are understood).");
    static final Option WAIT_FOR_ALL =
            Option.flag('w', "Changes nothing: recording always goes on until all recorded processes have ended.");
    static final Option IGNORED_SIGNAL = Option.valued('i', "SIG", "Never deliver signal SIG, a name or a number.");
    static final Option SWITCH_ALWAYS = Option.flag('s', "Let another thread run after every event.");
    static final Option PRINT_TRACE =
            Option.valued('p', "print-trace-dir", "FD", "Write the path of the trace to the open file descriptor FD.");
    static final Option CHAOS = Option.flag('h', "chaos", "Schedule adversely, to find races.");
    static final Option SLICE = Option.required(
            "slice",
            "MICROSECONDS",
            "Interrupt who computes for about so long, even if nobody waits. Costly below some thousands.");

    /** What patching costs is regained by a few dozen calls. */
    private static final String DEFAULT_STOPS = "6";

    private static final Pattern SIZE = Pattern.compile("([0-9]{1,12}(?:\\.[0-9]{1,3})?)([KkMmGgTt]?)B?");

    @Override
    public Syntax syntax() {
        return new Syntax(
                "record",
                "[--] PROGRAM [ARGUMENT]...",
                Syntax.Target.PROGRAM,
                "Run PROGRAM and record it, with all processes it starts.",
                List.of(
                        DIRECTORY,
                        UNBUFFERED,
                        BUFFER_AFTER,
                        CHECKSUMS,
                        VARIABLE,
                        SCRUBBED,
                        MAXIMUM_SIZE,
                        WAIT_FOR_ALL,
                        IGNORED_SIGNAL,
                        SWITCH_ALWAYS,
                        PRINT_TRACE,
                        CHAOS,
                        SLICE),
                "The exit status is PROGRAM's own.");
    }

    @Override
    public int run(Arguments arguments) {
        if (arguments.operands().isEmpty()) {
            throw syntax().wrongUse("no PROGRAM given");
        }
        for (String variable : arguments.values(VARIABLE)) {
            if (variable.indexOf('=') < 1) {
                throw syntax().wrongUse("-v needs NAME=VALUE, not '" + variable + "'");
            }
        }
        for (String name : arguments.values(SCRUBBED)) {
            if (name.isEmpty() || name.indexOf('=') >= 0) {
                throw syntax().wrongUse("--scrub-env needs the NAME of a variable, not '" + name + "'");
            }
        }
        long limit = arguments.value(MAXIMUM_SIZE).map(this::size).orElse(Long.MAX_VALUE);
        if (!arguments.value(PRINT_TRACE).orElse("0").matches("[0-9]{1,9}")) {
            throw syntax().wrongUse("-p takes the number of a file descriptor");
        }
        int withheld = arguments.value(IGNORED_SIGNAL).map(Signal::of).orElse(-1);
        if (withheld == 0) {
            throw syntax().wrongUse("-i takes a signal's name or number");
        }
        int status = record(arguments, withheld, limit);
        if (Wait.isSignaled(status)) {
            System.err.flush();
            Disposition.dieOf(Wait.terminatingSignal(status));
            return 128 + Wait.terminatingSignal(status);
        }
        return Wait.exitStatus(status);
    }

    /** Returns the wait status of the first process. */
    int record(Arguments arguments, int withheld, long limit) {
        if (RuntimePage.isHere()) {
            throw new CommandFailure(
                    ExitStatus.FAILED,
                    "this recorder is being recorded itself, and programs can be recorded once only");
        }
        Target target = Target.of(arguments, Inherited.read());
        OwnSignals signals = new OwnSignals();
        signals.install();
        RecordOptions options = new RecordOptions(
                target.program(),
                target.candidates(),
                target.arguments(),
                target.environment(),
                checksums(arguments),
                checksumInterval(arguments),
                target.inherited().ignoredSignals(),
                Disposition.ignored(),
                target.inherited().blockedSignals(),
                target.inherited().descriptors(),
                arguments.has(SWITCH_ALWAYS),
                stopsBeforeBuffering(arguments),
                arguments.has(CHAOS),
                slice(arguments),
                Math.max(0, withheld));
        try {
            TraceDirectories traces = TraceDirectories.ofUser();
            Path directory = arguments.value(DIRECTORY).isPresent()
                    ? traces.create(Path.of(arguments.value(DIRECTORY).get()))
                    : traces.create(target.name());
            arguments.value(PRINT_TRACE).ifPresent(descriptor -> announce(directory, descriptor));
            Recorder recorder = null;
            try (TraceWriter trace = TraceWriter.create(directory, Machine.header(target))) {
                recorder = new Recorder(options, trace, new FileStore(traces.root(), directory), signals);
                return limit == Long.MAX_VALUE ? recorder.run() : runLimited(recorder, trace, limit);
            } catch (TraceException e) {
                throw new CommandFailure(ExitStatus.FAILED, e.getMessage(), Optional.of(fate(directory)));
            } catch (LinuxException | IllegalStateException e) {
                if (recorder == null || !recorder.hasStarted()) {
                    traces.remove(directory);
                    if (e instanceof LinuxException refused) {
                        throw cannotStart(target, refused);
                    }
                } else {
                    System.err.println("reprise record: " + fate(directory));
                }
                throw e;
            }
        } catch (TraceException e) {
            Optional<String> hint = arguments.value(DIRECTORY).isPresent()
                    ? Optional.empty()
                    : Optional.of("-o DIRECTORY or REPRISE_TRACE_DIR=DIRECTORY put traces elsewhere");
            throw new CommandFailure(ExitStatus.FAILED, e.getMessage(), hint);
        }
    }

    private long slice(Arguments arguments) {
        String text = arguments.value(SLICE).orElse("0");
        if (!text.matches("[0-9]{1,9}")) {
            throw syntax().wrongUse("--slice takes a number of microseconds");
        }
        return Long.parseLong(text) * 1000;
    }

    /** What becomes of a program whose events cannot be written: its processes do not outlive their tracer. */
    private static String fate(Path directory) {
        return "the program was killed"
                + (Files.exists(directory)
                        ? "; what it did until then is recorded, as far as it was written"
                        : ", since it cannot go on without being recorded");
    }

    private static int runLimited(Recorder recorder, TraceWriter trace, long limit) {
        try (SizeLimit watch = new SizeLimit(TraceSummary.eventsOf(trace.directory()), limit, recorder)) {
            int status = recorder.run();
            if (watch.reached()) {
                System.err.println("reprise record: the trace reached " + Amounts.bytes(limit)
                        + ", so the program was killed; what it did until then is recorded");
            }
            return status;
        }
    }

    /** Bytes, for example 500000, 512K, 20M or 1.5G. */
    private long size(String text) {
        Matcher matcher = SIZE.matcher(text);
        if (!matcher.matches()) {
            throw syntax().wrongUse("--max-size takes a number of bytes, for example 20M, not '" + text + "'");
        }
        double bytes = Double.parseDouble(matcher.group(1));
        for (int power = " KMGT"
                        .indexOf(
                                matcher.group(2).isEmpty()
                                        ? ' '
                                        : Character.toUpperCase(matcher.group(2).charAt(0)));
                power > 0;
                power--) {
            bytes *= 1024;
        }
        return (long) bytes;
    }

    /** Tells a front end where the trace is. What nobody reads is no reason not to record. */
    private static void announce(Path directory, String descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            byte[] line = (directory.toAbsolutePath() + "\n").getBytes(StandardCharsets.UTF_8);
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, line);
            Syscall.call(SyscallNumber.WRITE, Integer.parseInt(descriptor), bytes.address(), line.length);
        }
    }

    /** The statuses that shells use: 127 where there is no such program, 126 where it cannot be executed. */
    private static CommandFailure cannotStart(Target target, LinuxException e) {
        return switch (e.errno()) {
            case Errno.ENOENT, Errno.ENOTDIR -> new CommandFailure(127, target.program() + ": no such program");
            case Errno.EACCES -> new CommandFailure(126, target.program() + ": permission denied");
            case Errno.EPERM ->
                new CommandFailure(
                        ExitStatus.FAILED,
                        "the kernel does not let this process trace others (" + e.getMessage() + ")",
                        Optional.of("in a container, allow it with --cap-add=SYS_PTRACE or a newer seccomp profile;"
                                + " elsewhere see /proc/sys/kernel/yama/ptrace_scope"));
            default -> new CommandFailure(126, e.getMessage());
        };
    }

    private RecordOptions.Checksums checksums(Arguments arguments) {
        if (!arguments.has(CHECKSUMS)) {
            return RecordOptions.Checksums.NONE;
        }
        String when = arguments.value(CHECKSUMS).orElse("");
        return switch (when) {
            case "" -> RecordOptions.Checksums.ADAPTIVE;
            case "all" -> RecordOptions.Checksums.ALL;
            case "syscalls" -> RecordOptions.Checksums.SYSCALLS;
            default -> {
                if (!when.matches("[1-9][0-9]{0,17}")) {
                    throw syntax().wrongUse("--checksums takes all, syscalls or a number, not '" + when + "'");
                }
                yield RecordOptions.Checksums.EVERY_NTH;
            }
        };
    }

    private int stopsBeforeBuffering(Arguments arguments) {
        // Under an adverse schedule every call is a place where the turn can end.
        if (arguments.has(UNBUFFERED) || arguments.has(CHAOS)) {
            return 0;
        }
        String times = arguments.value(BUFFER_AFTER).orElse(DEFAULT_STOPS);
        if (!times.matches("[1-9][0-9]{0,8}")) {
            throw syntax().wrongUse("--buffer-after takes a number, not '" + times + "'");
        }
        return Integer.parseInt(times);
    }

    private static long checksumInterval(Arguments arguments) {
        String when = arguments.value(CHECKSUMS).orElse("");
        return when.isEmpty() || !Character.isDigit(when.charAt(0)) ? 1 : Long.parseLong(when);
    }
}
