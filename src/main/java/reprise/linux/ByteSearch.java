package reprise.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Finds bytes in memory with libc's memmem(3), which goes through many gigabytes a second. */
public final class ByteSearch {
    private static final MethodHandle MEMMEM = Syscall.link("memmem");

    private final MemorySegment state = Arena.global().allocate(Linker.Option.captureStateLayout());
    private final MemorySegment pattern;

    public ByteSearch(byte... pattern) {
        this.pattern = Arena.global().allocate(pattern.length);
        MemorySegment.copy(MemorySegment.ofArray(pattern), 0, this.pattern, 0, pattern.length);
    }

    /**
     * The first place in {@code bytes}, which are outside the Java heap, from offset {@code from} up to {@code limit} where all
     * of the pattern is.
     *
     * @return its offset, or -1
     */
    public long find(MemorySegment bytes, long from, long limit) {
        long begin = bytes.address() + from;
        try {
            long found = (long)
                    MEMMEM.invokeExact(state, begin, limit - from, pattern.address(), pattern.byteSize(), 0L, 0L, 0L);
            return found == 0 ? -1 : found - bytes.address();
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }
}
