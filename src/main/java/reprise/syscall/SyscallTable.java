package reprise.syscall;

import java.util.ArrayList;
import java.util.List;
import reprise.linux.Errno;
import reprise.linux.SyscallNumber;

/**
 * All system calls of x86-64 Linux.
 *
 * <p>The declarations stand in the classes named {@code ...Calls}, by subject, those of the calls that are many in
 * one in {@code ...Commands}. Everything else that has to do with a call by its number asks here.
 */
public final class SyscallTable {
    private static final SyscallSpec[] SPECS = new SyscallSpec[SyscallNumber.LIMIT];

    static {
        Declarations calls = new Declarations(SPECS);
        FileCalls.declare(calls);
        TransferCalls.declare(calls);
        MemoryCalls.declare(calls);
        ProcessCalls.declare(calls);
        SignalCalls.declare(calls);
        TimeCalls.declare(calls);
        NetworkCalls.declare(calls);
        IpcCalls.declare(calls);
        SystemCalls.declare(calls);
    }

    private SyscallTable() {}

    /** What is known of a number; null for one that is not in the table. */
    public static SyscallSpec of(int number) {
        return number >= 0 && number < SPECS.length ? SPECS[number] : null;
    }

    /** Name of a number: {@code syscall_N} for one that is not in the table. */
    public static String name(int number) {
        SyscallSpec spec = of(number);
        return spec == null ? "syscall_" + number : spec.name();
    }

    /**
     * One line of the documentation.
     *
     * @param number of the call
     * @param name of the call, or of the call and its command
     * @param arguments names of the arguments, separated by commas; empty for a command
     * @param support how far it is supported
     * @param reason why it is not simply supported; empty if it is
     */
    public record Row(int number, String name, String arguments, Support support, String reason) {}

    /** The whole table by number; the commands of a call that are not simply supported follow it. */
    public static List<Row> documentation() {
        List<Row> rows = new ArrayList<>();
        for (SyscallSpec spec : SPECS) {
            if (spec != null) {
                document(spec, rows);
            }
        }
        return rows;
    }

    private static void document(SyscallSpec spec, List<Row> rows) {
        StringBuilder arguments = new StringBuilder();
        for (Argument argument : spec.arguments()) {
            arguments.append(arguments.isEmpty() ? "" : ", ").append(argument.name());
        }
        String reason = reason(spec.support(), spec.errno(), spec.reason());
        rows.add(new Row(spec.number(), spec.name(), arguments.toString(), spec.support(), reason));
        if (spec.commands() != null) {
            for (Command command : spec.commands().commands()) {
                if (command.support != Support.SUPPORTED) {
                    String why = reason(command.support, command.errno, command.reason);
                    rows.add(new Row(spec.number(), spec.name() + " " + command.name, "", command.support, why));
                }
            }
        }
    }

    private static String reason(Support support, int errno, String reason) {
        return support == Support.ANSWERED ? Errno.name(errno) + ": " + reason : reason;
    }
}
