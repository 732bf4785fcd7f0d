package reprise.cli;

/** The exit statuses that mean something. A recorded program's own status is passed through instead. */
final class ExitStatus {
    static final int OK = 0;

    /** The command was understood and failed: no such trace, a trace that cannot be read. */
    static final int FAILED = 1;

    /** Replay did something else than the recording did. */
    static final int DIVERGED = 2;

    /** Wrong use of the command line (EX_USAGE of sysexits.h). */
    static final int USAGE = 64;

    /** A fault of Reprise itself (EX_SOFTWARE of sysexits.h). */
    static final int INTERNAL = 70;

    private ExitStatus() {}
}
