package reprise.cli;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import reprise.linux.Errno;
import reprise.linux.LinuxException;
import reprise.linux.Spawn;
import reprise.linux.Wait;

/**
 * A debugger that the user works with. It is in our process group and owns the terminal; it finds signals and environment as
 * the user's shell would have given them to it.
 */
final class Debugger {
    private static final String MARK = "GDB_UNDER_REPRISE=1";

    private final List<String> line;
    private final Inherited inherited;
    private volatile String failure;
    private volatile int status;

    Debugger(List<String> line, Inherited inherited) {
        this.line = line;
        this.inherited = inherited;
    }

    /** Starts it and waits for its end: only the thread that started it can. */
    void run() {
        List<byte[]> arguments = new ArrayList<>();
        line.forEach(argument -> arguments.add(argument.getBytes(StandardCharsets.UTF_8)));
        List<byte[]> environment = new ArrayList<>(inherited.environment());
        environment.add(MARK.getBytes(StandardCharsets.UTF_8));
        try {
            int pid = Spawn.start(arguments, environment, inherited.blockedSignals(), inherited.ignoredSignals());
            long result;
            do {
                result = Wait.any(pid, 0);
            } while (result > 0 && Wait.isStopped(Wait.status(result)));
            int end = Wait.status(result);
            status = Wait.isExited(end) ? Wait.exitStatus(end) : 128 + Wait.terminatingSignal(end);
        } catch (LinuxException e) {
            failure = e.errno() == Errno.ENOENT
                    ? "the debugger " + line.getFirst() + " is not installed; -d names another, -a does without"
                    : "cannot start the debugger: " + e.getMessage();
        }
    }

    /** Its exit status, as a shell would tell it. */
    int status() {
        return status;
    }

    /** Why it could not be started; null if it was. */
    String failure() {
        return failure;
    }
}
