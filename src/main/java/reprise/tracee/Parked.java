package reprise.tracee;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import reprise.linux.Errno;
import reprise.linux.Files;
import reprise.linux.LinuxException;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Spawn;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;

/** A freshly spawned process that consists of the {@link RuntimePage} and does nothing, seized and stopped. */
public final class Parked {
    private static int image = -1;

    private Parked() {}

    /**
     * Spawns one and seizes it. To be called by the tracer thread.
     *
     * @param options PTRACE_O_ bits
     * @throws LinuxException if the kernel does not allow processes to be traced, EPERM
     */
    public static Tracee spawn(int options) {
        int pid = Spawn.start("/proc/self/fd/" + image());
        try {
            Ptrace.seize(pid, options);
            Ptrace.interrupt(pid);
        } catch (LinuxException e) {
            Syscall.call(SyscallNumber.KILL, pid, Signal.SIGKILL, 0);
            throw e;
        }
        Tracee tracee = new Tracee(pid);
        int status;
        do {
            status = tracee.awaitStop();
            if (Wait.event(status) != Ptrace.EVENT_STOP) {
                // The end of its exec, which may come after vfork's wait for it. Any stop uses up a pending interrupt.
                Ptrace.interrupt(pid);
                tracee.resume(Ptrace.CONT, 0);
            }
        } while (Wait.event(status) != Ptrace.EVENT_STOP);
        return tracee;
    }

    private static synchronized int image() {
        if (image < 0) {
            int descriptor = Files.memoryFile("reprise", true);
            try (Arena arena = Arena.ofConfined()) {
                byte[] bytes = RuntimePage.image();
                MemorySegment buffer = arena.allocate(bytes.length);
                MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
                long written = Syscall.call(SyscallNumber.WRITE, descriptor, buffer.address(), bytes.length);
                if (written != bytes.length) {
                    throw new LinuxException("writing the runtime page", written < 0 ? (int) -written : Errno.EIO);
                }
            }
            image = descriptor;
        }
        return image;
    }
}
