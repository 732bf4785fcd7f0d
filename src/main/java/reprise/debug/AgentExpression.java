package reprise.debug;

/**
 * The condition of a breakpoint, in the bytecode of gdb's agent expressions.
 *
 * <p>Conditions are tested here and not by the client because a round trip for each hit costs ten times what the hit does.
 */
final class AgentExpression {
    /** Nothing that gdb compiles comes near; it ends loops. */
    private static final int MOST_STEPS = 10_000;

    private static final int STACK = 256;

    /** What an expression can look at. */
    interface Machine {
        /** The value of a register by the protocol's number, zero-extended. */
        long register(int number);

        /**
         * An unsigned number in memory, least significant byte first.
         *
         * @param size 1, 2, 4 or 8
         * @throws RuntimeException if it cannot be read
         */
        long memory(long address, int size);
    }

    private final byte[] code;

    AgentExpression(byte[] code) {
        this.code = code;
    }

    /** Whether the expression is true. One that cannot be evaluated is: the user is to see where that is. */
    boolean isTrue(Machine machine) {
        try {
            return new Evaluation(machine).run() != 0;
        } catch (RuntimeException e) {
            return true;
        }
    }

    private final class Evaluation {
        private final Machine machine;
        private final long[] stack = new long[STACK];
        private int depth;
        private int at;

        Evaluation(Machine machine) {
            this.machine = machine;
        }

        long run() {
            for (int step = 0; step < MOST_STEPS; step++) {
                int operation = operand(1);
                if (operation == 0x27) {
                    return pop();
                }
                execute(operation);
            }
            throw new IllegalStateException("the expression does not end");
        }

        private int operand(int bytes) {
            return (int) constant(bytes);
        }

        private long constant(int bytes) {
            long value = 0;
            for (int i = 0; i < bytes; i++) {
                value = value << 8 | code[at++] & 0xff;
            }
            return value;
        }

        private void push(long value) {
            stack[depth++] = value;
        }

        private long pop() {
            return stack[--depth];
        }

        private void execute(int operation) {
            switch (operation) {
                case 0x0e -> push(pop() == 0 ? 1 : 0);
                case 0x12 -> push(~pop());
                case 0x16 -> extend(operand(1), true);
                case 0x17 -> push(machine.memory(pop(), 1));
                case 0x18 -> push(machine.memory(pop(), 2));
                case 0x19 -> push(machine.memory(pop(), 4));
                case 0x1a -> push(machine.memory(pop(), 8));
                case 0x20 -> {
                    int target = operand(2);
                    at = pop() != 0 ? target : at;
                }
                case 0x21 -> at = operand(2);
                case 0x22 -> push(constant(1));
                case 0x23 -> push(constant(2));
                case 0x24 -> push(constant(4));
                case 0x25 -> push(constant(8));
                case 0x26 -> push(machine.register(operand(2)));
                case 0x28 -> push(stack[depth - 1]);
                case 0x29 -> pop();
                case 0x2a -> extend(operand(1), false);
                case 0x2b -> swap();
                case 0x32 -> push(stack[depth - 1 - operand(1)]);
                case 0x33 -> rotate();
                default -> binary(operation);
            }
        }

        private void binary(int operation) {
            long b = pop();
            long a = pop();
            push(
                    switch (operation) {
                        case 0x02 -> a + b;
                        case 0x03 -> a - b;
                        case 0x04 -> a * b;
                        case 0x05 -> a / b;
                        case 0x06 -> Long.divideUnsigned(a, b);
                        case 0x07 -> a % b;
                        case 0x08 -> Long.remainderUnsigned(a, b);
                        case 0x09 -> b >= 0 && b < 64 ? a << b : 0;
                        case 0x0a -> a >> (b >= 0 && b < 64 ? b : 63);
                        case 0x0b -> b >= 0 && b < 64 ? a >>> b : 0;
                        case 0x0f -> a & b;
                        case 0x10 -> a | b;
                        case 0x11 -> a ^ b;
                        case 0x13 -> a == b ? 1 : 0;
                        case 0x14 -> a < b ? 1 : 0;
                        case 0x15 -> Long.compareUnsigned(a, b) < 0 ? 1 : 0;
                        default -> throw new IllegalStateException("operation " + operation + " is not known");
                    });
        }

        private void extend(int bits, boolean signed) {
            if (bits < 64) {
                int unused = 64 - bits;
                long high = pop() << unused;
                push(signed ? high >> unused : high >>> unused);
            }
        }

        private void swap() {
            long b = pop();
            long a = pop();
            push(b);
            push(a);
        }

        /** (a b c) becomes (c a b). */
        private void rotate() {
            long c = pop();
            long b = pop();
            long a = pop();
            push(c);
            push(a);
            push(b);
        }
    }
}
