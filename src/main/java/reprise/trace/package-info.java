/**
 * The trace on disk: writer, reader, file store, index, and the directories that traces live in.
 *
 * <p>Knows nothing of ptrace: a trace can be read, listed and dumped on a machine that could not replay it.
 */
package reprise.trace;
