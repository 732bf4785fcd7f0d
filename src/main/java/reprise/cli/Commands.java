package reprise.cli;

import java.util.List;
import java.util.Optional;

/** The commands there are. */
final class Commands {
    /** In the order of the help page. */
    private static final List<String> NAMES = List.of(
            "record",
            "replay",
            "ps",
            "ls",
            "rm",
            "pack",
            "dump",
            "traceinfo",
            "timeline",
            "doctor",
            "syscalls",
            "gdbinit",
            "help",
            "generate-completion");

    private Commands() {}

    /** All of them. */
    static List<Command> all() {
        return NAMES.stream().map(name -> named(name).orElseThrow()).toList();
    }

    /** The one of that name. No other is loaded: a run needs one. */
    static Optional<Command> named(String name) {
        return Optional.ofNullable(
                switch (name) {
                    case "record" -> new RecordCommand();
                    case "replay" -> new ReplayCommand();
                    case "ps" -> new PsCommand();
                    case "ls" -> new LsCommand();
                    case "rm" -> new RmCommand();
                    case "pack" -> new PackCommand();
                    case "dump" -> new DumpCommand();
                    case "traceinfo" -> new TraceinfoCommand();
                    case "timeline" -> new TimelineCommand();
                    case "doctor" -> new DoctorCommand();
                    case "syscalls" -> new SyscallsCommand();
                    case "gdbinit" -> new GdbinitCommand();
                    case "help" -> new HelpCommand();
                    case "generate-completion" -> new CompletionCommand();
                    default -> null;
                });
    }
}
