package reprise.cli;

import java.util.List;
import reprise.linux.Wait;

/** Commands run in this virtual machine, for tests that run so many that starting one each time would take longest. */
public final class InProcess {
    private InProcess() {}

    /**
     * {@code reprise record}.
     *
     * @return the status a shell would see
     * @throws CommandFailure as a user would see it told
     */
    public static int record(List<String> arguments) {
        RecordCommand command = new RecordCommand();
        int status = command.record(command.syntax().parse(arguments), -1, Long.MAX_VALUE);
        return Wait.isSignaled(status) ? 128 + Wait.terminatingSignal(status) : Wait.exitStatus(status);
    }

    /** {@code reprise replay}. */
    public static int replay(List<String> arguments) {
        ReplayCommand command = new ReplayCommand();
        return command.run(command.syntax().parse(arguments));
    }
}
