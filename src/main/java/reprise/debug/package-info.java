/**
 * The gdb remote serial protocol, served over a timeline.
 *
 * <p>Knows nothing of the command line that starts it.
 */
package reprise.debug;
