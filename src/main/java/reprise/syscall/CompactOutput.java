package reprise.syscall;

import java.util.ArrayList;
import java.util.List;

/**
 * An output of a system call in a form that a few instructions can interpret.
 *
 * @param rule how its length follows from the call
 * @param pointer the argument that points to it
 * @param count the argument that counts elements, where the rule needs one
 * @param size of the whole in bytes, or of an element
 * @param ifPositive whether a result of zero means that nothing was written
 */
public record CompactOutput(Rule rule, int pointer, int count, int size, boolean ifPositive) {
    /** How the length of an output follows from result and arguments. */
    public enum Rule {
        /** {@link #size} bytes. */
        FIXED,
        /** As many elements as the result says, but not more than the argument {@link #count} says. */
        RESULT,
        /** As many elements as the argument {@link #count} says. */
        ARGUMENT
    }

    /** Bytes that a successful call wrote, given its result and its argument {@link #count}. */
    public long length(long result, long counted) {
        if (ifPositive && result <= 0) {
            return 0;
        }
        return switch (rule) {
            case FIXED -> size;
            case RESULT -> (Long.compareUnsigned(result, counted) < 0 ? result : counted) * size;
            case ARGUMENT -> counted * size;
        };
    }

    /** The outputs of a system call; null if there are some that cannot be expressed. */
    public static List<CompactOutput> of(int number) {
        SyscallSpec spec = SyscallTable.of(number);
        List<CompactOutput> outputs = new ArrayList<>();
        for (Argument argument : spec.arguments()) {
            if (!argument.isOutput()) {
                continue;
            }
            CompactOutput output = compact(argument);
            if (output == null) {
                return null;
            }
            outputs.add(output);
        }
        return outputs;
    }

    private static CompactOutput compact(Argument argument) {
        boolean ifPositive = argument.minimumResult > 0;
        return switch (argument.shape) {
            case FIXED_SIZE ->
                argument.extent == OutputPlan.Extent.CAPACITY
                        ? new CompactOutput(Rule.FIXED, argument.position, 0, argument.constant, ifPositive)
                        : null;
            case SIZE_ARGUMENT ->
                switch (argument.extent) {
                    case RESULT -> counted(Rule.RESULT, argument, 1);
                    case RESULT_TIMES -> counted(Rule.RESULT, argument, argument.constant);
                    case CAPACITY -> counted(Rule.ARGUMENT, argument, argument.constant);
                    default -> null;
                };
            default -> null;
        };
    }

    private static CompactOutput counted(Rule rule, Argument argument, int size) {
        return new CompactOutput(rule, argument.position, argument.sizeArgument, size, argument.minimumResult > 0);
    }
}
