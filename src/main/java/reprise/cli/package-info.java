/**
 * The command line: one class for each command, which turns its options into a call of the packages below and the outcome
 * into a line and an exit status.
 */
package reprise.cli;
