package reprise.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/** Starts a program by posix_spawn(3), which does not copy the JVM's address space. */
public final class Spawn {
    private static final MethodHandle POSIX_SPAWN = Syscall.link("posix_spawn");

    private Spawn() {}

    /**
     * Starts a program with an empty environment and the caller's descriptors, mask and ignored signals. Must be called
     * by the thread that will trace it.
     *
     * @return its process id
     * @throws LinuxException if it cannot be executed
     */
    public static int start(String path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment file = arena.allocateFrom(path);
            MemorySegment vector = arena.allocate(ADDRESS, 2);
            vector.set(ADDRESS, 0, file);
            MemorySegment environment = arena.allocate(ADDRESS, 1);
            MemorySegment pid = arena.allocate(JAVA_INT);
            MemorySegment state = arena.allocate(16);
            int error = (int) (long) POSIX_SPAWN.invokeExact(
                    state, pid.address(), file.address(), 0L, 0L, vector.address(), environment.address(), 0L);
            if (error != 0) {
                throw new LinuxException("posix_spawn " + path, error);
            }
            return pid.get(JAVA_INT, 0);
        } catch (LinuxException e) {
            throw e;
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** What only interactive programs need. */
    private static final class Interactive {
        static final MethodHandle SPAWN = Syscall.link("posix_spawnp");
        static final MethodHandle INIT = Syscall.link("posix_spawnattr_init");
        static final MethodHandle FLAGS = Syscall.link("posix_spawnattr_setflags");
        static final MethodHandle MASK = Syscall.link("posix_spawnattr_setsigmask");
        static final MethodHandle DEFAULTS = Syscall.link("posix_spawnattr_setsigdefault");
        static final long SETSIGDEF = 0x4;
        static final long SETSIGMASK = 0x8;
        /** Larger than sigset_t and posix_spawnattr_t are in any libc. */
        static final long SPACE = 1024;
    }

    /**
     * Starts a program for the user to work with, found on the PATH of this process: in our process group, at our
     * terminal, with the descriptors that are not close-on-exec. Only the calling thread can wait for it.
     *
     * @param arguments the first is the program's name
     * @param environment strings NAME=VALUE, in bytes
     * @param blocked the signals it finds blocked, bit 0 for signal 1
     * @param ignored the signals that stay ignored where they are; all others have their default action
     * @return its process id
     * @throws LinuxException if it cannot be executed
     */
    public static int start(List<byte[]> arguments, List<byte[]> environment, long blocked, long ignored) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(Interactive.SPACE, 16);
            MemorySegment signals = arena.allocate(Interactive.SPACE, 16);
            MemorySegment pid = arena.allocate(JAVA_INT);
            MemorySegment state = arena.allocate(16);
            long attribute = attributes.address();
            call(Interactive.INIT, state, attribute, 0);
            call(Interactive.FLAGS, state, attribute, Interactive.SETSIGDEF | Interactive.SETSIGMASK);
            signals.set(JAVA_LONG, 0, blocked);
            call(Interactive.MASK, state, attribute, signals.address());
            signals.set(JAVA_LONG, 0, ~ignored);
            call(Interactive.DEFAULTS, state, attribute, signals.address());
            MemorySegment vector = strings(arena, arguments);
            MemorySegment variables = strings(arena, environment);
            long program = vector.get(JAVA_LONG, 0);
            int error = (int) (long) Interactive.SPAWN.invokeExact(
                    state, pid.address(), program, 0L, attribute, vector.address(), variables.address(), 0L);
            if (error != 0) {
                throw new LinuxException("starting " + new String(arguments.getFirst()), error);
            }
            return pid.get(JAVA_INT, 0);
        } catch (LinuxException e) {
            throw e;
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static void call(MethodHandle function, MemorySegment state, long first, long second) throws Throwable {
        long ignored = (long) function.invokeExact(state, first, second, 0L, 0L, 0L, 0L, 0L);
    }

    private static MemorySegment strings(Arena arena, List<byte[]> strings) {
        MemorySegment vector = arena.allocate(JAVA_LONG, strings.size() + 1L);
        for (int i = 0; i < strings.size(); i++) {
            byte[] bytes = strings.get(i);
            MemorySegment string = arena.allocate(bytes.length + 1L);
            MemorySegment.copy(bytes, 0, string, JAVA_BYTE, 0, bytes.length);
            vector.setAtIndex(JAVA_LONG, i, string.address());
        }
        return vector;
    }
}
