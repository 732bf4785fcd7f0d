package reprise.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Questions about terminals. */
public final class Terminal {
    private static final int TCGETS = 0x5401;

    private Terminal() {}

    /** Whether a descriptor of this process is a terminal. */
    public static boolean isTerminal(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment termios = arena.allocate(64, 8);
            return Syscall.call(SyscallNumber.IOCTL, descriptor, TCGETS, termios.address()) == 0;
        }
    }
}
