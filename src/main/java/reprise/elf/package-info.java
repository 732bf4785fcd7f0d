/**
 * As much of ELF as recording and replaying need: program headers, symbols, the auxiliary vector and notes.
 *
 * <p>Knows nothing of tracees: it reads files and bytes.
 */
package reprise.elf;
