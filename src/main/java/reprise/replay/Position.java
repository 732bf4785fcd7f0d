package reprise.replay;

/**
 * A place in a replay.
 *
 * @param event sequence number of the last event that was applied; 0 before the first
 */
public record Position(long event) {}
