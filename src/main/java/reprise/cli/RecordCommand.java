package reprise.cli;

import java.util.List;

/** {@code reprise record}: runs a program and makes a trace of it. */
final class RecordCommand implements Command {
    static final Option DIRECTORY =
            Option.valued('o', "DIR", "Make the trace in DIR, which must not exist or be empty.");
    static final Option UNBUFFERED = Option.flag(
            'n', "no-buffer", "Stop at every system call instead of buffering those that allow it. Slower.");
    static final Option CHECKSUMS = Option.optionallyValued(
            "checksums",
            "WHEN",
            "Record checksums of memory, which replay verifies: at 'all' events (also without WHEN), after "
                    + "'syscalls', or at all events from number WHEN on.");
    static final Option VARIABLE =
            Option.valued('v', "NAME=VALUE", "Set a variable in PROGRAM's environment. May be repeated.");
    static final Option WAIT_FOR_ALL =
            Option.flag('w', "Wait until all recorded processes have ended, not only the first.");
    static final Option IGNORED_SIGNAL = Option.valued('i', "SIG", "Never deliver signal SIG, a name or a number.");
    static final Option SWITCH_ALWAYS = Option.flag('s', "Let another thread run after every event.");
    static final Option CHAOS = Option.flag('h', "chaos", "Schedule adversely, to find races. Not supported yet.");

    @Override
    public Syntax syntax() {
        return new Syntax(
                "record",
                "[--] PROGRAM [ARGUMENT]...",
                Syntax.Target.PROGRAM,
                "Run PROGRAM and record it, with all processes it starts.",
                List.of(DIRECTORY, UNBUFFERED, CHECKSUMS, VARIABLE, WAIT_FOR_ALL, IGNORED_SIGNAL, SWITCH_ALWAYS, CHAOS),
                "The exit status is PROGRAM's own.");
    }

    @Override
    public int run(Arguments arguments) {
        if (arguments.operands().isEmpty()) {
            throw syntax().wrongUse("no PROGRAM given");
        }
        if (arguments.has(CHAOS)) {
            throw syntax().wrongUse("--chaos is not supported yet");
        }
        for (String variable : arguments.values(VARIABLE)) {
            if (variable.indexOf('=') < 1) {
                throw syntax().wrongUse("-v needs NAME=VALUE, not '" + variable + "'");
            }
        }
        arguments.value(CHECKSUMS).ifPresent(this::checkChecksums);
        return notBuilt();
    }

    private void checkChecksums(String when) {
        if (!when.matches("|all|syscalls|[0-9]{1,18}")) {
            throw syntax().wrongUse("--checksums takes all, syscalls or an event number, not '" + when + "'");
        }
    }
}
