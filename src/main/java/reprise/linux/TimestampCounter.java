package reprise.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The processor's time-stamp counter, read by a few bytes of code of our own. */
public final class TimestampCounter {
    private static final MethodHandle READ = link();

    private TimestampCounter() {}

    private static MethodHandle link() {
        // rdtsc; shl rdx, 32; or rax, rdx; ret
        byte[] code = {0x0f, 0x31, 0x48, (byte) 0xc1, (byte) 0xe2, 0x20, 0x48, 0x09, (byte) 0xd0, (byte) 0xc3};
        // PROT_READ|PROT_WRITE; MAP_PRIVATE|MAP_ANONYMOUS; then PROT_READ|PROT_EXEC
        long page = Syscall.check(Syscall.call(SyscallNumber.MMAP, 0, 4096, 3, 0x22, -1, 0), "mmap");
        MemorySegment memory = MemorySegment.ofAddress(page).reinterpret(4096);
        MemorySegment.copy(code, 0, memory, JAVA_BYTE, 0, code.length);
        Syscall.check(Syscall.call(SyscallNumber.MPROTECT, page, 4096, 5), "mprotect");
        return Linker.nativeLinker().downcallHandle(memory, FunctionDescriptor.of(JAVA_LONG));
    }

    /** The counter now. */
    public static long read() {
        try {
            return (long) READ.invokeExact();
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }
}
