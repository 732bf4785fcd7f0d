package reprise.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Code of our own in this process: instructions for which Java has no name, handlers of signals, and loops over megabytes,
 * which the compiler that records with does not make fast. It is never unmapped.
 */
public final class MachineCode {
    private static final int PAGE = 4096;
    private static final int READ_WRITE = 3;
    private static final int READ_EXECUTE = 5;
    private static final int PRIVATE_ANONYMOUS = 0x22;
    /** Where the linker keeps errno, which this code does not set. */
    private static final MemorySegment STATE = Arena.global().allocate(Linker.Option.captureStateLayout());

    private final MethodHandle handle;

    /**
     * Code that follows the calling convention of functions, anywhere in memory.
     *
     * @throws LinuxException if there is no memory that can be executed
     */
    public MachineCode(byte... code) {
        handle = Syscall.link(MemorySegment.ofAddress(map(code)));
    }

    /**
     * Maps code.
     *
     * @return its address
     * @throws LinuxException if there is no memory that can be executed
     */
    public static long map(byte... code) {
        long size = (code.length + PAGE - 1) & -PAGE;
        long address = Syscall.call(SyscallNumber.MMAP, 0, size, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
        Syscall.check(address, "mmap");
        MemorySegment.copy(code, 0, MemorySegment.ofAddress(address).reinterpret(size), JAVA_BYTE, 0, code.length);
        Syscall.check(Syscall.call(SyscallNumber.MPROTECT, address, size, READ_EXECUTE), "mprotect");
        return address;
    }

    /** Calls it; what it returns in rax. */
    public long call(long first, long second, long third) {
        try {
            return (long) handle.invokeExact(STATE, first, second, third, 0L, 0L, 0L, 0L);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }
}
