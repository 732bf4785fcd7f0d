package reprise.replay;

/**
 * How a replay that did not diverge ended.
 *
 * @param events applied
 * @param complete the trace has a regular end; if not, the recorder was killed and the trace ends in the middle
 * @param waitStatus of the recording's first process as wait(2) gives it; 0 if not complete
 * @param pagesVerified memory pages whose content was compared
 */
public record ReplayResult(long events, boolean complete, int waitStatus, long pagesVerified) {}
