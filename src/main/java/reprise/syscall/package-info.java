/**
 * The system call table: for every call its name, its arguments, and what memory the kernel writes.
 *
 * <p>One table feeds the recorder, the buffer in the tracee, the decoding of a dump and the documentation. A call is
 * described here and nowhere else.
 */
package reprise.syscall;
