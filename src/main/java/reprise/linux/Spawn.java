package reprise.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

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
}
