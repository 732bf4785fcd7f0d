/**
 * Running a trace again: the replayer, the carriers that execute it, and the timeline with its snapshots, on which one moves
 * in both directions.
 *
 * <p>Knows neither the recorder nor gdb: what the two sides share lives in the packages below both.
 */
package reprise.replay;
