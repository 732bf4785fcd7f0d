package reprise.replay;

/**
 * How to replay.
 *
 * @param echo write what the program wrote to its standard output and error to ours
 * @param verifyChecksums compare memory at {@code Checksum} events
 * @param progress told now and then where the replay is
 */
public record ReplayOptions(boolean echo, boolean verifyChecksums, ReplayProgress progress) {
    /** Quiet, verifying all there is. */
    public static final ReplayOptions QUIET = new ReplayOptions(false, true, ReplayProgress.NONE);

    /** With the program's output, verifying all there is. */
    public static final ReplayOptions ECHO = new ReplayOptions(true, true, ReplayProgress.NONE);
}
