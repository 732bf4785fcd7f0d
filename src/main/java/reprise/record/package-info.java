/**
 * Making a trace: the recorder's loop over stops, the choice of who runs, the delivery of signals, and the choice of
 * execution points.
 *
 * <p>Knows nothing of replay.
 */
package reprise.record;
