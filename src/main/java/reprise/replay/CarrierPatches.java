package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import reprise.runtime.BufferLayout;
import reprise.trace.Event;
import reprise.tracee.RuntimePage;

/**
 * What the recorder changed in a program's code, and code of ours in its address space: a debugger shall see neither.
 */
final class CarrierPatches {
    /** Bytes of the program's own at an address where there are others now. */
    private record Hidden(long address, byte[] bytes) {}

    private final Carrier carrier;
    /** Where in our code what of the program's stands: see {@link Event.CodePatched#places}; 0 behind the end. */
    private final TreeMap<Long, Long> originals = new TreeMap<>();

    private final List<Hidden> hidden = new ArrayList<>();

    CarrierPatches(Carrier carrier) {
        this.carrier = carrier;
    }

    /** The memory was copied from another carrier's. */
    void inheritFrom(CarrierPatches other) {
        originals.putAll(other.originals);
        hidden.addAll(other.hidden);
    }

    /** Notes what a patch, whose changes are about to be written, replaces. */
    void add(Event.CodePatched patch) {
        long[] places = patch.places();
        long start = places[0];
        long end = places[places.length - 2];
        for (int index = 0; index + 1 < places.length; index += 2) {
            originals.put(places[index], places[index + 1]);
        }
        for (Event.MemoryWrite write : patch.writes()) {
            boolean ours = write.address() >= start && write.address() < end || isRuntime(write.address());
            long length = write.data().byteSize();
            if (!ours) {
                byte[] bytes = new byte[(int) length];
                MemorySegment buffer = carrier.memory().buffer();
                if (carrier.tracee().read(write.address(), buffer, length) == length) {
                    MemorySegment.copy(buffer, JAVA_BYTE, 0, bytes, 0, bytes.length);
                    hidden.add(new Hidden(write.address(), bytes));
                }
            }
        }
    }

    /** Whether an address is in code that is ours and not the program's: stepping goes through it as if it were not there. */
    boolean isOurs(long address) {
        return isRuntime(address) || original(address) != address;
    }

    /** Whether an address is in the code that takes system calls from the buffer. */
    static boolean isStub(long address) {
        return address >= BufferLayout.COUNTER_ENTRY && address < BufferLayout.CODE + BufferLayout.CODE_SIZE;
    }

    private static boolean isRuntime(long address) {
        return address >= RuntimePage.ADDRESS && address < Carrier.OWN_END
                || address >= BufferLayout.CODE && address < BufferLayout.END;
    }

    /** The address in the program's own code that stands for one in ours; others are their own. */
    long original(long address) {
        Map.Entry<Long, Long> entry = originals.isEmpty() ? null : originals.floorEntry(address);
        return entry == null || entry.getValue() == 0 ? address : entry.getValue();
    }

    /** Puts the program's own bytes into a copy of memory. */
    void hide(long address, MemorySegment copy, long length) {
        for (Hidden patch : hidden) {
            for (int index = 0; index < patch.bytes.length; index++) {
                long at = patch.address + index - address;
                if (at >= 0 && at < length) {
                    copy.set(JAVA_BYTE, at, patch.bytes[index]);
                }
            }
        }
    }
}
