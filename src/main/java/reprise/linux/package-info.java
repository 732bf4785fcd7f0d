/**
 * The kernel as Java sees it: system calls, ptrace, waiting, seccomp, structures, and the numbers of errors, signals and
 * system calls, all through {@code java.lang.foreign}.
 *
 * <p>Thin on purpose: a call that fails becomes an exception that carries errno and the name of the call, and nothing is
 * allocated on the hot path. Knows nothing of recording.
 */
package reprise.linux;
