package reprise.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The one gate to the kernel: {@code syscall(2)} by number, all arguments as 64-bit words.
 *
 * <p>A single downcall shape serves every call. Linking a shape costs milliseconds at start-up, calling it a few
 * nanoseconds, so one shape for all is what keeps the start of the recorder short. Nothing here allocates after a
 * thread's first call.
 */
public final class Syscall {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final FunctionDescriptor SEVEN_WORDS = FunctionDescriptor.of(
            JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle SYSCALL = link("syscall");
    private static final ThreadLocal<MemorySegment> ERRNO =
            ThreadLocal.withInitial(() -> Arena.global().allocate(Linker.Option.captureStateLayout()));

    private Syscall() {}

    /** Links a libc function that takes up to seven words and returns one. */
    static MethodHandle link(String function) {
        return link(LINKER.defaultLookup().findOrThrow(function));
    }

    /** Links code of that shape at an address. */
    static MethodHandle link(MemorySegment address) {
        return LINKER.downcallHandle(address, SEVEN_WORDS, Linker.Option.captureCallState("errno"));
    }

    /**
     * Performs a system call.
     *
     * @return the result, or {@code -errno} (in -4095..-1) when the call failed
     */
    public static long call(int number, long a, long b, long c, long d, long e, long f) {
        MemorySegment state = ERRNO.get();
        long result;
        try {
            result = (long) SYSCALL.invokeExact(state, (long) number, a, b, c, d, e, f);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
        return result == -1 ? -state.get(JAVA_INT, 0) : result;
    }

    /** As {@link #call(int, long, long, long, long, long, long)} with the last arguments zero. */
    public static long call(int number, long a, long b, long c, long d) {
        return call(number, a, b, c, d, 0, 0);
    }

    /** As {@link #call(int, long, long, long, long, long, long)} with the last arguments zero. */
    public static long call(int number, long a, long b, long c) {
        return call(number, a, b, c, 0, 0, 0);
    }

    /** As {@link #call(int, long, long, long, long, long, long)} with the last arguments zero. */
    public static long call(int number, long a) {
        return call(number, a, 0, 0, 0, 0, 0);
    }

    /**
     * Throws if {@code result} is a failure.
     *
     * @param what the call, for the message
     * @return the result
     * @throws LinuxException with the errno of the call
     */
    public static long check(long result, String what) {
        if (result < 0 && result >= -4095) {
            throw new LinuxException(what, (int) -result);
        }
        return result;
    }
}
