package reprise.syscall;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The memory that one system call in flight may write, worked out at its entry; reused from call to call.
 *
 * <p>Each region has the place of the pointer to it (an argument register, or a word inside an earlier region), so
 * that the recorder can direct the kernel's writes to scratch memory, and a rule for how much of it was written
 * once the result is known. Regions that hold pointers themselves (an iovec array, a msghdr) are regions too,
 * marked as input.
 */
public final class OutputPlan {
    /** How much of a region the kernel wrote. */
    public enum Extent {
        /** Nothing: the region is only here because it holds pointers to others. */
        NOTHING,
        /** All of it. */
        CAPACITY,
        /**
         * As many bytes as the result says and {@code parameter} more; several such regions are filled one after the
         * other.
         */
        RESULT,
        /** The result times {@code parameter} bytes. */
        RESULT_TIMES,
        /**
         * As many bytes as a 32-bit word says after the call, at most the capacity. The word is in the region
         * {@link #lengthRegion} at byte {@link #lengthOffset}.
         */
        LENGTH_WORD,
        /** As {@link #LENGTH_WORD}, but consecutive regions with the same word are filled one after the other. */
        SHARED_LENGTH_WORD,
        /** The first {@code result} elements of {@code parameter} bytes; the kernel wrote only fields inside. */
        ELEMENTS
    }

    /** When a region was written at all. */
    public enum When {
        /** If the call succeeded. */
        SUCCESS,
        /** Whatever the result, the kernel's restart codes included. */
        ALWAYS
    }

    /** {@link #pointerRegion} of a region whose pointer is in an argument register. */
    public static final int IN_REGISTER = -1;

    /** {@link #pointerRegion} of a region whose address cannot be redirected (it is not passed by pointer). */
    public static final int FIXED = -2;

    private int size;
    private long[] addresses = new long[16];
    private long[] capacities = new long[16];
    private Extent[] extents = new Extent[16];
    private When[] whens = new When[16];
    private long[] parameters = new long[16];
    private boolean[] inputs = new boolean[16];
    private int[] pointerRegions = new int[16];
    private long[] pointerOffsets = new long[16];
    private long[] minimumResults = new long[16];
    private MemorySegment headers;
    private MemorySegment vectors;

    /** Forgets all regions. */
    public void clear() {
        size = 0;
    }

    /** Number of regions. */
    public int size() {
        return size;
    }

    /**
     * Adds a region; a null address or a capacity of zero adds nothing.
     *
     * @param pointerRegion {@link #IN_REGISTER}, {@link #FIXED}, or the index of the region that holds the pointer
     * @param pointerOffset argument index (0 to 5), or byte offset of the pointer in that region
     * @param address where the region is, in the tracee
     * @param capacity most that the kernel can write, in bytes
     * @param input whether the kernel also reads it
     * @return its index, or -1 if nothing was added
     */
    public int add(
            int pointerRegion,
            long pointerOffset,
            long address,
            long capacity,
            Extent extent,
            long parameter,
            When when,
            boolean input) {
        if (address == 0 || capacity <= 0) {
            return -1;
        }
        if (size == addresses.length) {
            grow();
        }
        int index = size++;
        addresses[index] = address;
        capacities[index] = capacity;
        extents[index] = extent;
        parameters[index] = parameter;
        whens[index] = when;
        inputs[index] = input;
        pointerRegions[index] = pointerRegion;
        pointerOffsets[index] = pointerOffset;
        minimumResults[index] = 0;
        return index;
    }

    /** Region {@code index} is written only if the result is at least {@code result}. */
    void setMinimumResult(int index, long result) {
        if (index >= 0) {
            minimumResults[index] = result;
        }
    }

    /** Region {@code index}, if it was added, keeps what was there before where the kernel does not write. */
    void setInput(int index) {
        if (index < size) {
            inputs[index] = true;
        }
    }

    /** The parameter of {@link Extent#LENGTH_WORD} for a word at {@code offset} of a region. */
    static long lengthWord(int region, long offset) {
        return region | offset << 32;
    }

    private void grow() {
        int length = size * 2;
        addresses = Arrays.copyOf(addresses, length);
        capacities = Arrays.copyOf(capacities, length);
        extents = Arrays.copyOf(extents, length);
        whens = Arrays.copyOf(whens, length);
        parameters = Arrays.copyOf(parameters, length);
        inputs = Arrays.copyOf(inputs, length);
        pointerRegions = Arrays.copyOf(pointerRegions, length);
        pointerOffsets = Arrays.copyOf(pointerOffsets, length);
        minimumResults = Arrays.copyOf(minimumResults, length);
    }

    /** Address of region {@code index} in the tracee. */
    public long address(int index) {
        return addresses[index];
    }

    /** Most bytes that region {@code index} can take. */
    public long capacity(int index) {
        return capacities[index];
    }

    /** Rule for the bytes written to region {@code index}. */
    public Extent extent(int index) {
        return extents[index];
    }

    /** Parameter of the {@link #extent}. */
    public long parameter(int index) {
        return parameters[index];
    }

    /** When region {@code index} is written. */
    public When when(int index) {
        return whens[index];
    }

    /** Whether the kernel reads region {@code index} too. */
    public boolean input(int index) {
        return inputs[index];
    }

    /** Where the pointer to region {@code index} is: {@link #IN_REGISTER}, {@link #FIXED} or a region. */
    public int pointerRegion(int index) {
        return pointerRegions[index];
    }

    /** Argument index, or byte offset in {@link #pointerRegion}. */
    public long pointerOffset(int index) {
        return pointerOffsets[index];
    }

    /**
     * Smallest result with which region {@code index} is written, for {@link When#SUCCESS}; 0 unless said
     * otherwise.
     */
    public long minimumResult(int index) {
        return minimumResults[index];
    }

    /** Whether the bytes written to region {@code index} depend on a {@linkplain #lengthRegion length word}. */
    public boolean hasLengthWord(int index) {
        return extents[index] == Extent.LENGTH_WORD || extents[index] == Extent.SHARED_LENGTH_WORD;
    }

    /** The region that holds the length word of region {@code index}; can be the region itself. */
    public int lengthRegion(int index) {
        return (int) parameters[index];
    }

    /** Byte offset of the length word of region {@code index} in its {@link #lengthRegion}. */
    public long lengthOffset(int index) {
        return parameters[index] >>> 32;
    }

    /**
     * Bytes that the kernel wrote to region {@code index}, from its start.
     *
     * @param result of the call, -errno included
     * @param lengthWord the length word after the call, zero-extended; ignored unless {@link #hasLengthWord}
     * @param filledBefore bytes that went to the regions before this one that are filled in turn with it; see
     *     {@link #follows}
     */
    public long written(int index, long result, long lengthWord, long filledBefore) {
        boolean failed = result < 0 && result >= -4095;
        if (whens[index] == When.SUCCESS && (failed || result < minimumResults[index])) {
            return 0;
        }
        long capacity = capacities[index];
        return switch (extents[index]) {
            case NOTHING -> 0;
            case CAPACITY -> capacity;
            case RESULT -> clamp((failed ? 0 : result + parameters[index]) - filledBefore, capacity);
            case RESULT_TIMES, ELEMENTS -> clamp(failed ? 0 : result * parameters[index], capacity);
            case LENGTH_WORD -> clamp(lengthWord, capacity);
            case SHARED_LENGTH_WORD -> clamp(lengthWord - filledBefore, capacity);
        };
    }

    private static long clamp(long bytes, long capacity) {
        return Math.clamp(bytes, 0, capacity);
    }

    /** Whether region {@code index} is filled after the region before it, from the same count of bytes. */
    public boolean follows(int index) {
        return index > 0
                && (extents[index] == Extent.RESULT || extents[index] == Extent.SHARED_LENGTH_WORD)
                && extents[index - 1] == extents[index]
                && parameters[index - 1] == parameters[index];
    }

    /** Room for the structures of a call that point to others: 1024 message headers. */
    MemorySegment headers() {
        if (headers == null) {
            headers = Arena.ofAuto().allocate(1024 * Struct.MMSGHDR.size(), 8);
        }
        return headers;
    }

    /** Room for 1024 elements of an iovec array, the most that the kernel takes. */
    MemorySegment vectors() {
        if (vectors == null) {
            vectors = Arena.ofAuto().allocate(1024 * Struct.IOVEC.size(), 8);
        }
        return vectors;
    }
}
