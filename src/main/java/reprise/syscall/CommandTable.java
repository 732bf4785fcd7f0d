package reprise.syscall;

import java.util.Arrays;

/**
 * The commands of one system call, found by the value of one or two of its arguments.
 *
 * <p>Each table is a constant of a class of its own, so that it is built when the first call of its kind is seen.
 */
final class CommandTable {
    private final int argument;
    private final int second;
    private final int shift;
    private final long mask;
    private final Support otherwise;
    private final long[] values;
    private final Command[] commands;

    private CommandTable(int argument, int second, int shift, long mask, Support otherwise, Command... commands) {
        this.argument = argument;
        this.second = second;
        this.shift = shift;
        this.mask = mask;
        this.otherwise = otherwise;
        this.values = new long[commands.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = commands[i].value;
        }
        Arrays.sort(values);
        this.commands = new Command[values.length];
        for (Command command : commands) {
            int index = Arrays.binarySearch(values, command.value);
            if (this.commands[index] != null) {
                throw new IllegalStateException("two commands " + command.value + ": " + command.name);
            }
            this.commands[index] = command;
        }
    }

    /** By the low 32 bits of an argument. A command that is not listed is unknown. */
    static CommandTable by(int argument, Command... commands) {
        return new CommandTable(argument, -1, 0, 0xffff_ffffL, Support.UNKNOWN, commands);
    }

    /** By some bits of an argument. */
    static CommandTable byBits(int argument, int shift, long mask, Command... commands) {
        return new CommandTable(argument, -1, shift, mask, Support.UNKNOWN, commands);
    }

    /** By two arguments; a command that is not listed is as the call itself. */
    static CommandTable byPair(int first, int second, Command... commands) {
        return new CommandTable(first, second, 0, 0xffff_ffffL, Support.SUPPORTED, commands);
    }

    /** The value that {@link #byPair} is looked up by. */
    static long pair(int first, int second) {
        return (long) first << 32 | second;
    }

    /** What identifies the command of a call. */
    long value(CallView call) {
        long value = call.argument(argument) >>> shift & mask;
        return second < 0 ? value : value << 32 | call.argument(second) & 0xffff_ffffL;
    }

    /** The command of a call, or null if it is not listed. */
    Command find(CallView call) {
        return find(value(call));
    }

    /** The command of a value, or null if it is not listed. */
    Command find(long value) {
        int index = Arrays.binarySearch(values, value);
        return index < 0 ? null : commands[index];
    }

    /** The argument that holds the command. */
    int argument() {
        return argument;
    }

    /** Whether it goes by two arguments. */
    boolean isPair() {
        return second >= 0;
    }

    /** How far commands are supported that are not listed. */
    Support otherwise() {
        return otherwise;
    }

    /** All of them, by value. */
    Command[] commands() {
        return commands.clone();
    }

    /** Looks up a command in the values of all six arguments. */
    Command find(long[] arguments) {
        long value = arguments[argument] >>> shift & mask;
        return find(second < 0 ? value : value << 32 | arguments[second] & 0xffff_ffffL);
    }
}
