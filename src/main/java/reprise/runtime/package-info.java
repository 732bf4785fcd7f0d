/**
 * What is put into a tracee, and the tracer's side of it: the system call buffer, patched call sites, and probes.
 *
 * <p>Knows nothing of traces: it produces records, and others keep them.
 */
package reprise.runtime;
