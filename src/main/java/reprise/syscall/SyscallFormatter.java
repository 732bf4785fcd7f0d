package reprise.syscall;

import static reprise.linux.SyscallNumber.*;

import reprise.linux.Errno;
import reprise.linux.Signal;
import reprise.syscall.Argument.Shape;

/**
 * Prints a system call in one line, as strace does: {@code openat(AT_FDCWD, 0x7ffc10, O_RDONLY|O_CLOEXEC) = 3}.
 *
 * <p>What the kernel only read is not recorded, so paths and the like are shown as addresses.
 */
public final class SyscallFormatter {
    private static final int AT_FDCWD = -100;
    private static final long MAX_ERRNO = 4095;
    private static final int O_CREAT = 0x40;
    private static final int O_TMPFILE = 0x400000;
    private static final int SOL_SOCKET = 1;
    private static final int SOL_TCP = 6;

    private SyscallFormatter() {}

    /**
     * A call by its values alone.
     *
     * @param arguments the six argument registers at entry
     * @param result of the call, -errno included
     */
    public static String format(int number, long[] arguments, long result) {
        return format(number, arguments, result, address -> null);
    }

    /** A call with what the kernel wrote to memory. */
    public static String format(int number, long[] arguments, long result, RecordedMemory memory) {
        StringBuilder text = new StringBuilder(80);
        appendCall(number, arguments, result, memory, text);
        return text.append(" = ").append(result(number, result)).toString();
    }

    /** A call that has not come back. */
    public static String formatEntry(int number, long[] arguments) {
        StringBuilder text = new StringBuilder(80);
        appendCall(number, arguments, -Errno.ENOSYS, address -> null, text);
        return text.toString();
    }

    private static void appendCall(
            int number, long[] arguments, long result, RecordedMemory memory, StringBuilder text) {
        SyscallSpec spec = SyscallTable.of(number);
        text.append(SyscallTable.name(number)).append('(');
        if (spec == null) {
            for (int i = 0; i < arguments.length; i++) {
                text.append(i == 0 ? "" : ", ").append(hex(arguments[i]));
            }
        } else {
            Command command = spec.commands() == null ? null : spec.commands().find(arguments);
            int count = shownArguments(number, arguments, spec.arguments().size());
            for (int i = 0; i < count; i++) {
                text.append(i == 0 ? "" : ", ").append(argument(spec, command, i, arguments, result, memory));
            }
        }
        text.append(')');
    }

    /** Arguments that mean something in this very call. */
    private static int shownArguments(int number, long[] arguments, int declared) {
        return switch (number) {
            case OPEN -> (arguments[1] & (O_CREAT | O_TMPFILE)) == 0 ? 2 : 3;
            case OPENAT -> (arguments[2] & (O_CREAT | O_TMPFILE)) == 0 ? 3 : 4;
            case FCNTL ->
                switch ((int) arguments[1]) {
                    case 1, 3, 9, 11, 1025, 1032, 1034 -> 2;
                    default -> declared;
                };
            case FUTEX ->
                switch ((int) arguments[1] & 0x7f) {
                    case 0 -> 4;
                    case 1 -> 3;
                    default -> declared;
                };
            default -> declared;
        };
    }

    private static String argument(
            SyscallSpec spec, Command command, int index, long[] arguments, long result, RecordedMemory memory) {
        long value = arguments[index];
        Argument argument = spec.argument(index);
        String special = special(spec.number(), index, arguments);
        if (special != null) {
            return special;
        }
        if (spec.commands() != null && index == spec.commands().argument() && argument.vocabulary() == null) {
            return command != null ? command.name : hex(value & 0xffff_ffffL);
        }
        if (command != null) {
            for (Argument output : command.outputs) {
                argument = output.position == index ? output : argument;
            }
        }
        boolean failed = result < 0 && result >= -MAX_ERRNO;
        byte[] written =
                failed || value == 0 || argument.struct() == null && !argument.isOutput() ? null : memory.at(value);
        String output = written == null ? null : output(spec.number(), argument, written, result);
        return output != null ? output : value(argument, value);
    }

    private static String special(int number, int index, long[] arguments) {
        long value = arguments[index];
        if (number == FCNTL && index == 2) {
            return switch ((int) arguments[1]) {
                case 0, 1030, 1031, 8 -> Integer.toString((int) value);
                case 2 -> Names.of(Vocabulary.DESCRIPTOR_FLAGS).flags(value);
                case 4 -> Names.of(Vocabulary.OPEN_FLAGS).flags(value);
                case 10 -> signal(value);
                default -> null;
            };
        }
        if ((number == GETSOCKOPT || number == SETSOCKOPT) && index == 2) {
            return switch ((int) arguments[1]) {
                case SOL_SOCKET -> Names.of(Vocabulary.SOCKET_OPTIONS).value(value);
                case SOL_TCP -> Names.of(Vocabulary.TCP_OPTIONS).value(value);
                default -> null;
            };
        }
        return null;
    }

    private static String output(int number, Argument argument, byte[] written, long result) {
        if (number == WAIT4 && argument.struct() == Struct.INT) {
            return StructFormatter.waitStatus(written);
        }
        if (argument.struct() != null) {
            return argument.shape == Shape.SIZE_ARGUMENT
                    ? StructFormatter.array(argument.struct(), written)
                    : StructFormatter.structure(argument.struct(), written);
        }
        boolean isText = argument.shape == Shape.SIZE_ARGUMENT && argument.extent == OutputPlan.Extent.RESULT;
        if (isText && number != GETDENTS && number != GETDENTS64 && number != SCHED_GETAFFINITY) {
            return StructFormatter.string(written, (int) Math.min(written.length, result));
        }
        if (argument.shape == Shape.SIZE_ARGUMENT && written.length == Struct.SIGSET.size()) {
            return StructFormatter.structure(Struct.SIGSET, written);
        }
        return null;
    }

    private static String value(Argument argument, long value) {
        return switch (argument.kind()) {
            case INT -> Integer.toString((int) value);
            case UNSIGNED -> Integer.toUnsignedString((int) value);
            case LONG, OFFSET -> Long.toString(value);
            case SIZE -> Long.toUnsignedString(value);
            case HEX -> hex(value);
            case OCTAL -> "0" + (value == 0 ? "" : Integer.toOctalString((int) value));
            case FD -> (int) value == AT_FDCWD ? "AT_FDCWD" : Integer.toString((int) value);
            case SIGNAL -> signal(value);
            case VALUE -> Names.of(argument.vocabulary()).value(value);
            case FLAGS -> Names.of(argument.vocabulary()).flags(value);
            case ADDRESS, PATH, STRING, IN, OUT, IN_OUT -> value == 0 ? "NULL" : hex(value);
        };
    }

    private static String signal(long value) {
        return value > 0 && value < Signal.LIMIT ? Signal.name((int) value) : Integer.toString((int) value);
    }

    private static String result(int number, long result) {
        if (result < 0 && result >= -MAX_ERRNO) {
            int errno = (int) -result;
            boolean restarts = errno >= Errno.ERESTARTSYS && errno <= Errno.ERESTART_RESTARTBLOCK;
            return (restarts ? "? " : "-1 ") + Errno.name(errno);
        }
        return switch (number) {
            case MMAP, MREMAP, BRK, SHMAT -> hex(result);
            case EXIT, EXIT_GROUP -> "?";
            default -> Long.toString(result);
        };
    }

    private static String hex(long value) {
        return value == 0 ? "0" : "0x" + Long.toHexString(value);
    }
}
