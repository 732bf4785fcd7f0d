package reprise.debug;

import reprise.linux.Signal;

/** Signal numbers of the protocol, which are gdb's own and not the kernel's. */
final class GdbSignal {
    static final int NONE = 0;
    static final int INT = 2;
    static final int TRAP = 5;
    static final int KILL = 9;
    private static final int REALTIME_32 = 77;
    private static final int REALTIME_33 = 45;
    private static final int REALTIME_64 = 78;
    private static final int UNKNOWN = 143;

    /** By the kernel's numbers 0 to 31. There is none for SIGSTKFLT. */
    private static final int[] OF_LINUX = {
        0, 1, 2, 3, 4, 5, 6, 10, 8, 9, 30, 11, 31, 13, 14, 15, UNKNOWN, 20, 19, 17, 18, 21, 22, 16, 24, 25, 26, 27, 28,
        23, 32, 12
    };

    private GdbSignal() {}

    /** The protocol's number of a signal of the kernel's. */
    static int of(int signal) {
        if (signal < 0 || signal >= Signal.LIMIT) {
            return UNKNOWN;
        }
        if (signal < OF_LINUX.length) {
            return OF_LINUX[signal];
        }
        return switch (signal) {
            case 32 -> REALTIME_32;
            case 64 -> REALTIME_64;
            default -> REALTIME_33 + signal - 33;
        };
    }

    /** The kernel's number of a signal of the protocol's; 0 if it has none. */
    static int toLinux(int number) {
        for (int signal = 1; signal < Signal.LIMIT; signal++) {
            if (of(signal) == number) {
                return signal;
            }
        }
        return 0;
    }
}
