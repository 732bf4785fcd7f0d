package reprise.cli;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import reprise.trace.TraceDirectories;

/** Where Reprise starts: chooses the command, and turns its failures into one line and an exit status. */
public final class Main {
    private Main() {}

    /** Runs the command that {@code args} names, and exits with its status. */
    public static void main(String[] args) {
        if (args.length == 1 && args[0].equals(Training.ARGUMENT)) {
            Training.run();
            return;
        }
        int status = run(args);
        System.out.flush();
        System.err.flush();
        // Nothing is registered to be done at the end, and exit() makes a logger first, to tell about it: that takes
        // longer than
        // some commands.
        Runtime.getRuntime().halt(status);
    }

    /**
     * Runs the command that {@code args} names.
     *
     * @return the exit status
     */
    static int run(String... args) {
        String name = "reprise";
        try {
            if (args.length == 0) {
                throw wrongUse("no command and no program given");
            }
            if (args[0].startsWith("-")) {
                return withoutCommand(args[0]);
            }
            Optional<Command> named = Commands.named(args[0]);
            // As rr does: a directory or a pack is a trace to replay, anything else a program to record.
            Command command = named.orElseGet(() -> isTrace(args[0]) ? new ReplayCommand() : new RecordCommand());
            Syntax syntax = command.syntax();
            name = "reprise " + syntax.command();
            List<String> rest = List.of(args).subList(named.isPresent() ? 1 : 0, args.length);
            Arguments arguments = syntax.parse(rest);
            if (arguments.has(Syntax.HELP)) {
                System.out.print(syntax.help());
                return ExitStatus.OK;
            }
            return command.run(arguments);
        } catch (CommandFailure e) {
            System.err.println(name + ": " + e.getMessage());
            e.hint().ifPresent(System.err::println);
            return e.status();
        } catch (RuntimeException e) {
            System.err.println(name + ": internal fault, please report it");
            e.printStackTrace();
            return ExitStatus.INTERNAL;
        }
    }

    private static int withoutCommand(String option) {
        switch (option) {
            case "--version" -> System.out.println(Version.line());
            case "--help", "-h" -> System.out.print(HelpCommand.overview());
            default -> throw wrongUse("unknown option " + option + "; options come after the command");
        }
        return ExitStatus.OK;
    }

    private static CommandFailure wrongUse(String message) {
        return new CommandFailure(ExitStatus.USAGE, message, Optional.of("see 'reprise --help'"));
    }

    private static boolean isTrace(String name) {
        try {
            return Files.isDirectory(Path.of(name)) || TraceDirectories.isTrace(Path.of(name));
        } catch (InvalidPathException e) {
            return false;
        }
    }
}
