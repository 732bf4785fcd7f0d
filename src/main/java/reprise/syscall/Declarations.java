package reprise.syscall;

/** Takes the declarations of system calls while the table is built. */
final class Declarations {
    private final SyscallSpec[] specs;

    Declarations(SyscallSpec[] specs) {
        this.specs = specs;
    }

    /** A call that may wait for what another task does. */
    SyscallSpec mayBlock(int number, String name, Argument... arguments) {
        return declare(number, name, Support.SUPPORTED, 0, "", false, arguments);
    }

    /** A call that never waits for another task (for a disk perhaps). */
    SyscallSpec neverBlocks(int number, String name, Argument... arguments) {
        return declare(number, name, Support.SUPPORTED, 0, "", true, arguments);
    }

    /** A call that the recorder has code of its own for, and that may wait for another task. */
    SyscallSpec specialBlocking(int number, String name, String reason, Argument... arguments) {
        return declare(number, name, Support.SPECIAL, 0, reason, false, arguments);
    }

    /** A call that the recorder has code of its own for. */
    SyscallSpec special(int number, String name, String reason, Argument... arguments) {
        return declare(number, name, Support.SPECIAL, 0, reason, true, arguments);
    }

    /** A call that the recorder answers with an error number. */
    SyscallSpec answered(int number, String name, int errno, String reason, Argument... arguments) {
        return declare(number, name, Support.ANSWERED, errno, reason, true, arguments);
    }

    /** A call that is performed, but what it does cannot be recorded. */
    SyscallSpec unsupported(int number, String name, String reason, Argument... arguments) {
        return declare(number, name, Support.UNSUPPORTED, 0, reason, false, arguments);
    }

    private SyscallSpec declare(
            int number,
            String name,
            Support support,
            int errno,
            String reason,
            boolean neverBlocks,
            Argument... arguments) {
        if (specs[number] != null) {
            throw new IllegalStateException(number + " is " + specs[number].name() + " and " + name);
        }
        SyscallSpec spec = new SyscallSpec(number, name, support, errno, reason, neverBlocks, arguments);
        specs[number] = spec;
        return spec;
    }
}
