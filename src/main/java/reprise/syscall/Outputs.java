package reprise.syscall;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import reprise.syscall.OutputPlan.Extent;
import reprise.syscall.OutputPlan.When;
import reprise.tracee.MemoryReader;
import reprise.tracee.UnreadableMemoryException;

/** Turns the declared outputs of a call into regions of its plan. */
final class Outputs {
    /** What one read or write takes at most: INT_MAX rounded down to a page. */
    private static final long MAX_TRANSFER = 0x7fff_f000L;

    /** Elements of an iovec array or messages of one call at most. */
    private static final long MAX_VECTORS = 1024;

    private static final long SOCKADDR_STORAGE = 128;
    private static final int MSG_NAMELEN = 8;
    private static final int MSG_IOV = 16;
    private static final int MSG_IOVLEN = 24;
    private static final int MSG_CONTROL = 32;
    private static final int MSG_CONTROLLEN = 40;
    private static final int MSG_LEN = 56;
    private static final int SCAN_VEC = 40;
    private static final int SCAN_VEC_LEN = 48;
    private static final int QUERY_NAME_SIZE = 80;
    private static final int QUERY_BUILD_ID_SIZE = 84;
    private static final int QUERY_NAME = 88;
    private static final int QUERY_BUILD_ID = 96;
    /** The kernel writes names of at most PATH_MAX bytes. */
    private static final int MAX_QUERY_OUTPUT = 4096;
    /** Size of a struct page_region. */
    private static final int PAGE_REGION = 24;

    private static final int CAPABILITY_VERSION_1 = 0x19980330;

    private Outputs() {}

    /** Adds the regions of one output. */
    static void add(Argument output, CallView call, OutputPlan plan) {
        long address = call.argument(output.position);
        int size = output.sizeArgument;
        switch (output.shape) {
            case NONE -> {}
            case FIXED_SIZE -> region(output, address, output.constant, plan);
            case SIZE_ARGUMENT -> buffer(output, call, address, plan);
            case TYPED_MESSAGE -> message(output, address, bytes(output, call, 1) + output.constant, plan);
            case FD_SET -> region(output, address, (count(output, call) + 63) / 64 * 8, plan);
            case PAGE_BYTES -> region(output, address, (call.argument(size) + 4095) >>> 12, plan);
            case NODE_SET -> region(output, address, (call.argument(size) - 1 + 63) / 64 * 8, plan);
            case SELF_SIZED -> selfSized(output, address, bytes(output, call, 1), plan);
            case SOCKET_ADDRESS -> {
                if (address != 0) {
                    behindLength(output, call, address, SOCKADDR_STORAGE, When.SUCCESS, plan);
                }
            }
            case LENGTH_POINTER -> behindLength(output, call, address, MAX_TRANSFER, When.ALWAYS, plan);
            case IOVECS, IOVECS_PARTLY -> vectors(output, call, address, plan);
            case MESSAGE -> {
                MemorySegment header = plan.headers();
                read(call.memory(), address, header, Struct.MSGHDR.size());
                int region = structure(OutputPlan.IN_REGISTER, output.position, address, Struct.MSGHDR, plan);
                messageParts(call.memory(), header, 0, region, -1, plan);
            }
            case MESSAGES -> messages(output, call, address, plan);
            case SENT_MESSAGES -> {
                long capacity = bytes(output, call, Struct.MMSGHDR.size());
                plan.add(
                        OutputPlan.IN_REGISTER,
                        output.position,
                        address,
                        Math.min(capacity, MAX_VECTORS * Struct.MMSGHDR.size()),
                        Extent.ELEMENTS,
                        Struct.MMSGHDR.size(),
                        When.SUCCESS,
                        true);
            }
            case COUNTED_TAIL -> countedTail(output, call, address, plan);
            case CAPABILITIES -> {
                long version = call.argument(size) == 0 ? 0 : call.memory().readInt(call.argument(size));
                int elements = version == CAPABILITY_VERSION_1 ? 1 : 2;
                region(output, address, (long) elements * Struct.CAPABILITY_DATA.size(), plan);
            }
            case READABLE -> {
                long mapped = address == 0 ? 0 : call.memory().read(address, plan.headers(), output.constant);
                plan.add(OutputPlan.FIXED, output.position, address, mapped, Extent.CAPACITY, 0, When.SUCCESS, true);
            }
            case INTERFACE_LIST -> Interfaces.addList(output, call, address, plan);
            case INTERFACE_DATA -> Interfaces.addData(output, call, address, output.constant, plan);
            case ETHTOOL -> Interfaces.addEthtool(output, call, address, plan);
            case KEY_OUTPUT -> {
                long parameters = call.argument(size);
                long capacity = parameters == 0 ? 0 : call.memory().readInt(parameters + 8);
                plan.add(
                        OutputPlan.IN_REGISTER,
                        output.position,
                        address,
                        capacity,
                        Extent.RESULT,
                        0,
                        When.SUCCESS,
                        true);
            }
            case ATTRIBUTE_VALUE -> attributeValue(output, call, address, plan);
            case PAGE_SCAN -> pageScan(output, call, address, plan);
            case MAPPING_QUERY -> mappingQuery(output, call, address, plan);
        }
    }

    private static void region(Argument output, long address, long capacity, OutputPlan plan) {
        int index = plan.add(
                output.fixed ? OutputPlan.FIXED : OutputPlan.IN_REGISTER,
                output.position,
                address,
                capacity,
                output.extent,
                output.extent == Extent.RESULT_TIMES ? output.constant : 0,
                output.when,
                output.input);
        plan.setMinimumResult(index, output.minimumResult);
    }

    private static void buffer(Argument output, CallView call, long address, OutputPlan plan) {
        int index = plan.size();
        region(output, address, bytes(output, call, output.constant), plan);
        if (output.inputArgument >= 0 && (call.argument(output.inputArgument) & output.inputMask) != 0) {
            plan.setInput(index);
        }
    }

    private static void message(Argument output, long address, long capacity, OutputPlan plan) {
        plan.add(
                OutputPlan.IN_REGISTER,
                output.position,
                address,
                capacity,
                Extent.RESULT,
                output.constant,
                When.SUCCESS,
                false);
    }

    private static void selfSized(Argument output, long address, long capacity, OutputPlan plan) {
        plan.add(
                OutputPlan.IN_REGISTER,
                output.position,
                address,
                capacity,
                Extent.LENGTH_WORD,
                OutputPlan.lengthWord(plan.size(), 0),
                When.SUCCESS,
                true);
    }

    /** A structure that holds pointers or lengths and is written in parts. */
    private static int structure(int pointerRegion, long pointerOffset, long address, Struct struct, OutputPlan plan) {
        return plan.add(pointerRegion, pointerOffset, address, struct.size(), Extent.CAPACITY, 0, When.SUCCESS, true);
    }

    /** The value of the argument that says how many, by its type: negative ints are none. */
    private static long count(Argument output, CallView call) {
        long value = call.argument(output.sizeArgument);
        return switch (output.sizeKind) {
            case INT -> Math.max(0, (int) value);
            case UNSIGNED -> value & 0xffff_ffffL;
            default -> value < 0 ? MAX_TRANSFER : value;
        };
    }

    private static long bytes(Argument output, CallView call, long unit) {
        return Math.min(count(output, call), MAX_TRANSFER / unit) * unit;
    }

    private static void behindLength(
            Argument output, CallView call, long address, long most, When when, OutputPlan plan) {
        long word = call.argument(output.sizeArgument);
        if (word == 0) {
            return;
        }
        int capacity = (int) call.memory().readInt(word);
        int region = plan.add(
                OutputPlan.IN_REGISTER, output.sizeArgument, word, Struct.INT.size(), Extent.CAPACITY, 0, when, true);
        plan.add(
                OutputPlan.IN_REGISTER,
                output.position,
                address,
                Math.min(capacity, most),
                output.extent == Extent.CAPACITY ? Extent.LENGTH_WORD : output.extent,
                output.extent == Extent.CAPACITY ? OutputPlan.lengthWord(region, 0) : output.constant,
                When.SUCCESS,
                output.input);
    }

    private static void vectors(Argument output, CallView call, long address, OutputPlan plan) {
        long count = count(output, call);
        if (address == 0 || count <= 0 || count > MAX_VECTORS) {
            return;
        }
        boolean partly = output.shape == Argument.Shape.IOVECS_PARTLY;
        int region = vectorArray(OutputPlan.IN_REGISTER, output.position, address, count, plan);
        vectorParts(call.memory(), address, count, region, Extent.RESULT, 0, partly, 0, plan);
    }

    private static int vectorArray(int pointerRegion, long pointerOffset, long address, long count, OutputPlan plan) {
        return plan.add(
                pointerRegion,
                pointerOffset,
                address,
                count * Struct.IOVEC.size(),
                Extent.NOTHING,
                0,
                When.SUCCESS,
                true);
    }

    private static void vectorParts(
            MemoryReader memory,
            long address,
            long count,
            int region,
            Extent extent,
            long parameter,
            boolean input,
            long minimumResult,
            OutputPlan plan) {
        MemorySegment vectors = plan.vectors();
        long length = count * Struct.IOVEC.size();
        read(memory, address, vectors, length);
        for (long offset = 0; offset < length; offset += Struct.IOVEC.size()) {
            long base = vectors.get(JAVA_LONG_UNALIGNED, offset);
            long bytes = Math.min(vectors.get(JAVA_LONG_UNALIGNED, offset + 8), MAX_TRANSFER);
            int index = plan.add(region, offset, base, bytes, extent, parameter, When.SUCCESS, input);
            plan.setMinimumResult(index, minimumResult);
        }
    }

    /**
     * What a msghdr leads to.
     *
     * @param headers copy of the headers, this one at {@code start}
     * @param region the region that is the headers in the tracee, at the same offsets
     * @param message the position of this header among those of a recvmmsg; -1 for recvmsg, whose result is a length
     */
    private static void messageParts(
            MemoryReader memory, MemorySegment headers, long start, int region, int message, OutputPlan plan) {
        long nameLength = headers.get(JAVA_INT_UNALIGNED, start + MSG_NAMELEN);
        int name = plan.add(
                region,
                start,
                headers.get(JAVA_LONG_UNALIGNED, start),
                Math.min(nameLength, SOCKADDR_STORAGE),
                Extent.LENGTH_WORD,
                OutputPlan.lengthWord(region, start + MSG_NAMELEN),
                When.SUCCESS,
                true);
        plan.setMinimumResult(name, message + 1);
        int control = plan.add(
                region,
                start + MSG_CONTROL,
                headers.get(JAVA_LONG_UNALIGNED, start + MSG_CONTROL),
                headers.get(JAVA_LONG_UNALIGNED, start + MSG_CONTROLLEN),
                Extent.LENGTH_WORD,
                OutputPlan.lengthWord(region, start + MSG_CONTROLLEN),
                When.SUCCESS,
                true);
        plan.setMinimumResult(control, message + 1);
        long vectors = headers.get(JAVA_LONG_UNALIGNED, start + MSG_IOV);
        long count = headers.get(JAVA_LONG_UNALIGNED, start + MSG_IOVLEN);
        if (vectors == 0 || count <= 0 || count > MAX_VECTORS) {
            return;
        }
        int array = vectorArray(region, start + MSG_IOV, vectors, count, plan);
        if (message < 0) {
            vectorParts(memory, vectors, count, array, Extent.RESULT, 0, false, 0, plan);
        } else {
            long word = OutputPlan.lengthWord(region, start + MSG_LEN);
            vectorParts(memory, vectors, count, array, Extent.SHARED_LENGTH_WORD, word, false, message + 1, plan);
        }
    }

    private static void messages(Argument output, CallView call, long address, OutputPlan plan) {
        long count = Math.min(count(output, call), MAX_VECTORS);
        if (address == 0 || count == 0) {
            return;
        }
        long length = count * Struct.MMSGHDR.size();
        MemorySegment headers = plan.headers();
        int region = plan.add(
                OutputPlan.IN_REGISTER,
                output.position,
                address,
                length,
                Extent.ELEMENTS,
                Struct.MMSGHDR.size(),
                When.SUCCESS,
                true);
        read(call.memory(), address, headers, length);
        for (int i = 0; i < count; i++) {
            messageParts(call.memory(), headers, (long) i * Struct.MMSGHDR.size(), region, i, plan);
        }
    }

    private static void countedTail(Argument output, CallView call, long address, OutputPlan plan) {
        if (address == 0) {
            return;
        }
        boolean isShort = (output.countOffset & Argument.SHORT_COUNT) != 0;
        long count = call.memory().readInt(address + (output.countOffset & ~Argument.SHORT_COUNT));
        count = isShort ? count & 0xffff : count;
        region(output, address, Math.min(output.struct.size() + count * output.constant, MAX_TRANSFER), plan);
    }

    private static void attributeValue(Argument output, CallView call, long address, OutputPlan plan) {
        if (address == 0) {
            return;
        }
        int region =
                plan.add(OutputPlan.IN_REGISTER, output.position, address, 16, Extent.NOTHING, 0, When.SUCCESS, true);
        long value = call.memory().readWord(address);
        long capacity = call.memory().readInt(address + 8);
        plan.add(region, 0, value, capacity, Extent.RESULT, 0, When.SUCCESS, false);
    }

    private static void pageScan(Argument output, CallView call, long address, OutputPlan plan) {
        int region = structure(OutputPlan.IN_REGISTER, output.position, address, Struct.PM_SCAN_ARG, plan);
        long elements = Math.clamp(call.memory().readWord(address + SCAN_VEC_LEN), 0, MAX_TRANSFER / PAGE_REGION);
        plan.add(
                region,
                SCAN_VEC,
                call.memory().readWord(address + SCAN_VEC),
                elements * PAGE_REGION,
                Extent.RESULT_TIMES,
                PAGE_REGION,
                When.SUCCESS,
                false);
    }

    /** The sizes become those of what was written, which is 0 where there is no name. */
    private static void mappingQuery(Argument output, CallView call, long address, OutputPlan plan) {
        int region = structure(OutputPlan.IN_REGISTER, output.position, address, Struct.PROCMAP_QUERY, plan);
        behindQuery(call, address, region, QUERY_NAME_SIZE, QUERY_NAME, plan);
        behindQuery(call, address, region, QUERY_BUILD_ID_SIZE, QUERY_BUILD_ID, plan);
    }

    private static void behindQuery(
            CallView call, long address, int region, int sizeOffset, int pointerOffset, OutputPlan plan) {
        plan.add(
                region,
                pointerOffset,
                call.memory().readWord(address + pointerOffset),
                Math.clamp(call.memory().readInt(address + sizeOffset) & 0xffff_ffffL, 0, MAX_QUERY_OUTPUT),
                Extent.LENGTH_WORD,
                OutputPlan.lengthWord(region, sizeOffset),
                When.SUCCESS,
                false);
    }

    private static void read(MemoryReader memory, long address, MemorySegment into, long length) {
        if (address == 0 || memory.read(address, into, length) != length) {
            throw new UnreadableMemoryException(address);
        }
    }
}
