package reprise.cli;

/** One of Reprise's commands. */
interface Command {
    Syntax syntax();

    /**
     * Does what the user asked.
     *
     * @return the exit status
     * @throws CommandFailure if that cannot be done, for a reason the user can act on
     */
    int run(Arguments arguments);

    /** What a command does whose work is not there yet. */
    default int notBuilt() {
        throw new CommandFailure(ExitStatus.INTERNAL, "not built yet");
    }
}
