package reprise.trace;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import reprise.linux.Files;

/**
 * The handful of libzstd's functions that chunks need.
 *
 * <p>The library is the system's or, where there is none, the one that zstd-jni carries. zstd-jni's own classes are not
 * used: on a current JDK they bind a hundred functions at first use, 300 ms of work on a machine that is about to
 * record, where these few take one millisecond since they share the shape of {@link reprise.linux.Syscall}'s.
 */
final class Zstd {
    private static final int COMPRESSION_LEVEL = 100;

    private static final FunctionDescriptor SEVEN_WORDS = FunctionDescriptor.of(
            JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final SymbolLookup LIBRARY = library();
    private static final MethodHandle CREATE_COMPRESSOR = link("ZSTD_createCCtx");
    private static final MethodHandle FREE_COMPRESSOR = link("ZSTD_freeCCtx");
    private static final MethodHandle SET_PARAMETER = link("ZSTD_CCtx_setParameter");
    private static final MethodHandle COMPRESS = link("ZSTD_compress2");
    private static final MethodHandle CREATE_DECOMPRESSOR = link("ZSTD_createDCtx");
    private static final MethodHandle FREE_DECOMPRESSOR = link("ZSTD_freeDCtx");
    private static final MethodHandle DECOMPRESS = link("ZSTD_decompressDCtx");

    private Zstd() {}

    private static SymbolLookup library() {
        try {
            SymbolLookup system = SymbolLookup.libraryLookup("libzstd.so.1", Arena.global());
            // Since 1.4.0.
            if (system.find("ZSTD_compress2").isPresent()) {
                return system;
            }
        } catch (IllegalArgumentException absent) {
            // The usual case in minimal containers.
        }
        return carried();
    }

    /** zstd-jni's library, from an anonymous file: no place on disk has to be writable and executable. */
    static SymbolLookup carried() {
        String resource = "/linux/amd64/libzstd-jni-" + com.github.luben.zstd.util.ZstdVersion.VERSION + ".so";
        try (InputStream in = Zstd.class.getResourceAsStream(resource);
                Arena arena = Arena.ofConfined()) {
            if (in == null) {
                throw new TraceException("libzstd is missing: neither libzstd.so.1 nor zstd-jni's library was found");
            }
            byte[] content = in.readAllBytes();
            MemorySegment copy = arena.allocate(content.length);
            MemorySegment.copy(content, 0, copy, JAVA_BYTE, 0, content.length);
            int descriptor = Files.memoryFile("libzstd", true);
            try {
                long result = FileCalls.writeFully(descriptor, copy.address(), content.length, 0);
                if (result < 0) {
                    throw TraceException.ofErrno("cannot unpack libzstd", -result);
                }
                return SymbolLookup.libraryLookup("/proc/self/fd/" + descriptor, Arena.global());
            } finally {
                Files.close(descriptor);
            }
        } catch (IOException e) {
            throw new TraceException("cannot unpack libzstd: " + e.getMessage(), e);
        }
    }

    private static MethodHandle link(String function) {
        // Captures errno only so that the shape is that of Syscall, which is linked already.
        return Linker.nativeLinker()
                .downcallHandle(LIBRARY.findOrThrow(function), SEVEN_WORDS, Linker.Option.captureCallState("errno"));
    }

    private static long call(MethodHandle function, MemorySegment state, long a, long b, long c, long d, long e) {
        try {
            return (long) function.invokeExact(state, a, b, c, d, e, 0L, 0L);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** libzstd returns errors as -code, codes being below 120. */
    private static boolean isError(long result) {
        return result < 0 && result > -200;
    }

    /** What {@link Compressor#compress} needs room for: ZSTD_COMPRESSBOUND. */
    static long bound(long length) {
        return length + (length >>> 8) + 1024;
    }

    /** Compresses; owned by one thread. */
    static final class Compressor implements AutoCloseable {
        private final MemorySegment state = Arena.ofAuto().allocate(Linker.Option.captureStateLayout());
        private final long context = call(CREATE_COMPRESSOR, state, 0, 0, 0, 0, 0);

        Compressor(int level) {
            call(SET_PARAMETER, state, context, COMPRESSION_LEVEL, level, 0, 0);
        }

        /** Compresses native memory; bytes written to {@code to}, or -1 if they do not fit. */
        long compress(long from, long length, long to, long capacity) {
            long result = call(COMPRESS, state, context, to, capacity, from, length);
            return isError(result) ? -1 : result;
        }

        @Override
        public void close() {
            call(FREE_COMPRESSOR, state, context, 0, 0, 0, 0);
        }
    }

    /** Decompresses; owned by one thread. */
    static final class Decompressor implements AutoCloseable {
        private final MemorySegment state = Arena.ofAuto().allocate(Linker.Option.captureStateLayout());
        private final long context = call(CREATE_DECOMPRESSOR, state, 0, 0, 0, 0, 0);

        /** Decompresses native memory; bytes written to {@code to}, or -1 if the data is malformed or does not fit. */
        long decompress(long from, long length, long to, long capacity) {
            long result = call(DECOMPRESS, state, context, to, capacity, from, length);
            return isError(result) ? -1 : result;
        }

        @Override
        public void close() {
            call(FREE_DECOMPRESSOR, state, context, 0, 0, 0, 0);
        }
    }
}
