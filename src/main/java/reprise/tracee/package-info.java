/**
 * The processes under control: tasks, thread groups, address spaces and descriptor tables, access to their memory, system
 * calls made on their behalf, and how they are started.
 *
 * <p>Knows nothing of recording or replaying. All of it belongs to the tracer thread.
 */
package reprise.tracee;
