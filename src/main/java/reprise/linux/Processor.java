package reprise.linux;

import java.lang.foreign.MemorySegment;

/** Registers of the processor that only instructions can read, by a few bytes of code of our own. */
public final class Processor {
    /** rdtsc; shl rdx, 32; or rax, rdx; ret. */
    private static final byte[] RDTSC = {
        0x0f, 0x31, 0x48, (byte) 0xc1, (byte) 0xe2, 0x20, 0x48, 0x09, (byte) 0xd0, (byte) 0xc3
    };

    /** xor ecx, ecx; xgetbv; shl rdx, 32; or rax, rdx; ret. */
    private static final byte[] XGETBV = {
        0x31,
        (byte) 0xc9,
        0x0f,
        0x01,
        (byte) 0xd0,
        0x48,
        (byte) 0xc1,
        (byte) 0xe2,
        0x20,
        0x48,
        0x09,
        (byte) 0xd0,
        (byte) 0xc3
    };

    /** push rbx; mov rax, rdi; shr rax, 32; mov ecx, edi; cpuid; mov eax, ebx; pop rbx; ret. */
    private static final byte[] CPUID_EBX = {
        0x53,
        0x48,
        (byte) 0x89,
        (byte) 0xf8,
        0x48,
        (byte) 0xc1,
        (byte) 0xe8,
        0x20,
        (byte) 0x89,
        (byte) 0xf9,
        0x0f,
        (byte) 0xa2,
        (byte) 0x89,
        (byte) 0xd8,
        0x5b,
        (byte) 0xc3
    };

    /**
     * Compares sixteen bytes at a time with each of the two in dl and dh. rdi is the first place, rsi the last where sixteen are
     * compared; rax becomes the place found, or 0:
     *
     * <pre>
     *   xmm1: sixteen times dl; xmm2: sixteen times dh
     *   next: cmp rdi, rsi; ja none; movdqu xmm0, [rdi]; movdqu xmm3, [rdi + 1]; pcmpeqb xmm0, xmm1; pcmpeqb xmm3, xmm2
     *   pand xmm0, xmm3; pmovmskb eax, xmm0; add rdi, 16; test eax, eax; je next
     *   bsf eax, eax; lea rax, [rdi + rax - 16]; ret
     *   none: xor eax, eax; ret
     * </pre>
     */
    private static final byte[] FIND_PAIR = {
        0x0f,
        (byte) 0xb6,
        (byte) 0xca,
        0x66,
        0x0f,
        0x6e,
        (byte) 0xc9,
        0x66,
        0x0f,
        0x60,
        (byte) 0xc9,
        (byte) 0xf2,
        0x0f,
        0x70,
        (byte) 0xc9,
        0x00,
        0x66,
        0x0f,
        0x6c,
        (byte) 0xc9,
        (byte) 0xc1,
        (byte) 0xea,
        0x08,
        0x66,
        0x0f,
        0x6e,
        (byte) 0xd2,
        0x66,
        0x0f,
        0x60,
        (byte) 0xd2,
        (byte) 0xf2,
        0x0f,
        0x70,
        (byte) 0xd2,
        0x00,
        0x66,
        0x0f,
        0x6c,
        (byte) 0xd2,
        0x48,
        0x39,
        (byte) 0xf7,
        0x77,
        0x2a,
        (byte) 0xf3,
        0x0f,
        0x6f,
        0x07,
        (byte) 0xf3,
        0x0f,
        0x6f,
        0x5f,
        0x01,
        0x66,
        0x0f,
        0x74,
        (byte) 0xc1,
        0x66,
        0x0f,
        0x74,
        (byte) 0xda,
        0x66,
        0x0f,
        (byte) 0xdb,
        (byte) 0xc3,
        0x66,
        0x0f,
        (byte) 0xd7,
        (byte) 0xc0,
        0x48,
        (byte) 0x83,
        (byte) 0xc7,
        0x10,
        (byte) 0x85,
        (byte) 0xc0,
        0x74,
        (byte) 0xda,
        0x0f,
        (byte) 0xbc,
        (byte) 0xc0,
        0x48,
        (byte) 0x8d,
        0x44,
        0x07,
        (byte) 0xf0,
        (byte) 0xc3,
        0x31,
        (byte) 0xc0,
        (byte) 0xc3
    };

    /** Bytes behind the end of what {@link #findPair} looks at that it may read. */
    public static final int PAIR_SLACK = 32;

    private static final long FEATURES = 7L << 32;
    private static final long EXTENDED_STATE = 0xdL << 32;
    private static final int AVX512BW = 30;

    private Processor() {}

    /** Holds what only programs that read the counter need. */
    private static final class Counter {
        static final MachineCode READ = new MachineCode(RDTSC);
    }

    /** The time-stamp counter now. */
    public static long timestamp() {
        return Counter.READ.call(0, 0, 0);
    }

    /** XCR0: the extended state components that the kernel enabled. Requires the OSXSAVE feature. */
    public static long enabledStates() {
        return new MachineCode(XGETBV).call(0, 0, 0);
    }

    /** Holds what is rarely asked. */
    private static final class Identification {
        static final MachineCode EBX = new MachineCode(CPUID_EBX);
    }

    /** Whether the mask registers of AVX-512 have 64 bits (AVX512BW). */
    public static boolean hasWideMasks() {
        return (Identification.EBX.call(FEATURES, 0, 0) >> AVX512BW & 1) != 0;
    }

    /**
     * Where a component of extended state is in a block of XSAVE's standard format: processors differ.
     *
     * @param component number of its bit in XCR0, from 2
     * @return byte offset; 0 if there is none such
     */
    public static int stateOffset(int component) {
        return (int) Identification.EBX.call(EXTENDED_STATE | component, 0, 0);
    }

    /** Holds what only programs with code need. */
    private static final class Search {
        static final MachineCode PAIR = new MachineCode(FIND_PAIR);
    }

    /**
     * The first place where two bytes follow each other, at ten gigabytes a second: memmem(3) needs ten times as long.
     *
     * @param bytes outside the Java heap; {@link #PAIR_SLACK} bytes behind the limit are there, too
     * @param from the first place that may be found
     * @param limit behind the last byte of a pair
     * @return its offset, or -1
     */
    public static long findPair(MemorySegment bytes, long from, long limit, byte first, byte second) {
        long pair = first & 0xff | (second & 0xff) << 8;
        long begin = bytes.address();
        long found = Search.PAIR.call(begin + from, begin + limit - 2, pair);
        return found == 0 || found - begin > limit - 2 ? -1 : found - begin;
    }
}
