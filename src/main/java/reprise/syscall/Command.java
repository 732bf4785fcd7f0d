package reprise.syscall;

/** One command of a system call that is many calls in one (ioctl, fcntl, prctl, futex...). */
final class Command {
    private static final Argument[] NO_OUTPUTS = {};

    final long value;
    final String name;
    final Support support;
    final int errno;
    final String reason;
    final boolean neverBlocks;
    final Argument[] outputs;

    private Command(
            String name,
            long value,
            Support support,
            int errno,
            String reason,
            boolean neverBlocks,
            Argument... outputs) {
        this.name = name;
        this.value = value;
        this.support = support;
        this.errno = errno;
        this.reason = reason;
        this.neverBlocks = neverBlocks;
        this.outputs = outputs;
    }

    /** Supported, and never waits for another task. */
    static Command prompt(String name, long value, Argument... outputs) {
        return new Command(name, value, Support.SUPPORTED, 0, "", true, outputs);
    }

    /** Supported, and may wait for another task. */
    static Command mayBlock(String name, long value, Argument... outputs) {
        return new Command(name, value, Support.SUPPORTED, 0, "", false, outputs);
    }

    /** The recorder has code of its own for it. */
    static Command special(String name, long value, String reason, Argument... outputs) {
        return new Command(name, value, Support.SPECIAL, 0, reason, true, outputs);
    }

    /** The recorder answers with an error number. */
    static Command answered(String name, long value, int errno, String reason) {
        return new Command(name, value, Support.ANSWERED, errno, reason, true, NO_OUTPUTS);
    }

    /** Performed, but what it does cannot be recorded. */
    static Command unsupported(String name, long value, String reason, Argument... outputs) {
        return new Command(name, value, Support.UNSUPPORTED, 0, reason, false, outputs);
    }
}
