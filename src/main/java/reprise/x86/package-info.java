/**
 * The processor: general and extended registers as the kernel lays them out, instruction decoding behind one small
 * interface, and the assembler for the code that runs in the tracee.
 *
 * <p>Knows nothing of tracees: it works on bytes.
 */
package reprise.x86;
