package reprise.syscall;

import java.util.List;
import reprise.tracee.UnreadableMemoryException;

/** What the table says about one system call. */
public final class SyscallSpec {
    private final int number;
    private final String name;
    private final Support support;
    private final int errno;
    private final String reason;
    private final boolean neverBlocks;
    private final Argument[] arguments;
    private final Argument[] outputs;
    private CommandSet commands;
    private int promptArgument = -1;
    private long promptMask;

    SyscallSpec(
            int number,
            String name,
            Support support,
            int errno,
            String reason,
            boolean neverBlocks,
            Argument... arguments) {
        this.number = number;
        this.name = name;
        this.support = support;
        this.errno = errno;
        this.reason = reason;
        this.neverBlocks = neverBlocks;
        this.arguments = arguments;
        int count = 0;
        for (Argument argument : arguments) {
            count += argument.isOutput() ? 1 : 0;
        }
        this.outputs = new Argument[count];
        for (int i = arguments.length - 1; i >= 0; i--) {
            Argument argument = arguments[i];
            if (argument.isOutput()) {
                argument.position = i;
                outputs[--count] = argument;
                if (argument.sizeArgument >= 0) {
                    argument.sizeKind = arguments[argument.sizeArgument].kind();
                }
            }
        }
    }

    /** The call is many calls in one. */
    SyscallSpec with(CommandSet set) {
        commands = set;
        return this;
    }

    /** Does not block if an argument has one of some bits. */
    SyscallSpec promptIf(int argument, long bits) {
        promptArgument = argument;
        promptMask = bits;
        return this;
    }

    /** Does not block if a 32-bit argument is zero. */
    SyscallSpec promptIfZero(int argument) {
        promptArgument = argument;
        promptMask = 0;
        return this;
    }

    /** Its number. */
    public int number() {
        return number;
    }

    /** Its name in the kernel's table. */
    public String name() {
        return name;
    }

    /** Its arguments, in order. */
    public List<Argument> arguments() {
        return List.of(arguments);
    }

    /** How far it is supported, its commands aside. */
    public Support support() {
        return support;
    }

    /** The error number that it is answered with, if {@link Support#ANSWERED}; else 0. */
    public int errno() {
        return errno;
    }

    /** Why it is not simply {@link Support#SUPPORTED}; else empty. */
    public String reason() {
        return reason;
    }

    /** The commands, where it is many calls in one; else null. */
    CommandTable commands() {
        return commands == null ? null : commands.table();
    }

    /** The argument at a position, or null if there is none. */
    Argument argument(int index) {
        return index < arguments.length ? arguments[index] : null;
    }

    /**
     * Works out what memory a call may write.
     *
     * <p>Pointers that lead to unreadable memory end the list: the kernel will answer EFAULT there.
     *
     * @param plan is cleared, then filled
     * @return how far this very call is supported, its command included
     */
    public Support plan(CallView call, OutputPlan plan) {
        plan.clear();
        if (support == Support.ANSWERED) {
            return support;
        }
        try {
            for (Argument output : outputs) {
                Outputs.add(output, call, plan);
            }
            if (commands != null) {
                return planCommand(call, plan);
            }
        } catch (UnreadableMemoryException e) {
            return support(call);
        }
        return support;
    }

    private Support planCommand(CallView call, OutputPlan plan) {
        Command command = commands.table().find(call);
        if (command == null) {
            return commands == CommandSet.IOCTL
                    ? IoctlEncoding.plan(call, plan)
                    : commands.table().otherwise();
        }
        if (command.support == Support.ANSWERED) {
            plan.clear();
            return command.support;
        }
        for (Argument output : command.outputs) {
            Outputs.add(output, call, plan);
        }
        return command.support;
    }

    /** How far this very call is supported, its command included. */
    public Support support(CallView call) {
        if (commands == null) {
            return support;
        }
        Command command = commands.table().find(call);
        if (command != null) {
            return command.support;
        }
        return commands == CommandSet.IOCTL
                ? IoctlEncoding.support((int) call.argument(1))
                : commands.table().otherwise();
    }

    /** The error number that this very call is answered with, if {@link Support#ANSWERED}; else 0. */
    public int errno(CallView call) {
        Command command = commands == null ? null : commands.table().find(call);
        return command == null ? errno : command.errno;
    }

    /** Why this very call is not simply {@link Support#SUPPORTED}; else empty. */
    public String reason(CallView call) {
        if (commands == null) {
            return reason;
        }
        Command command = commands.table().find(call);
        if (command != null) {
            return command.reason;
        }
        return commands == CommandSet.IOCTL ? IoctlEncoding.reason((int) call.argument(1)) : reason;
    }

    /** Whether this very call may wait for what another task does. Where that is not known, it may. */
    public boolean mayBlock(CallView call) {
        if (neverBlocks) {
            return false;
        }
        if (promptArgument >= 0) {
            long value = call.argument(promptArgument);
            if (promptMask == 0 ? (int) value == 0 : (value & promptMask) != 0) {
                return false;
            }
        }
        Command command = commands == null ? null : commands.table().find(call);
        return command == null || !command.neverBlocks;
    }

    /** The call and its command by name and number, for example {@code ioctl 0x5413 (TIOCGWINSZ)}. */
    public String describe(CallView call) {
        if (commands == null) {
            return name;
        }
        CommandTable table = commands.table();
        Command command = table.find(call);
        String value;
        if (commands == CommandSet.IOCTL) {
            value = "0x" + Integer.toHexString((int) call.argument(1));
        } else if (table.isPair()) {
            value = (int) call.argument(1) + "/" + (int) call.argument(2);
        } else {
            value = Long.toString(table.value(call));
        }
        return name + " " + value + (command == null ? "" : " (" + command.name + ")");
    }
}
