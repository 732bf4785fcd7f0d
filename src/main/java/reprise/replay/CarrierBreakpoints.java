package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reprise.linux.Ptrace;

/**
 * The breakpoints and watchpoints that are planted in a carrier.
 *
 * <p>The processor's four are used first, for they leave memory as it is; only what they have no room for becomes an
 * {@code int3}, which has to be taken away before memory is compared or anything is written over it.
 */
final class CarrierBreakpoints {
    /** How many the processor has. */
    static final int SLOTS = 4;

    /** End of what a process can map, in bytes: a page less than 47 bits can name. */
    private static final long ADDRESS_SPACE = (1L << 47) - 4096;

    private static final byte INT3 = (byte) 0xcc;
    private static final int STATUS = 6;
    private static final int CONTROL = 7;
    private static final long[] LENGTH_BITS = {0, 0, 1, 0, 3, 0, 0, 0, 2};
    /** The bits of the status register that tell which slots matched. */
    private static final long ALL_SLOTS = 0xf;

    private static final int WRITE = 1;
    private static final int ACCESS = 3;

    private final Carrier carrier;
    private final Watch[] watched = new Watch[SLOTS];
    private final Map<Long, Byte> software = new HashMap<>();
    private Armed planted = Armed.NOTHING;
    private boolean softwareComplete = true;
    private boolean processorUsed;
    /** Whether all addresses are in memory, and none in the processor. */
    private boolean inMemory;

    CarrierBreakpoints(Carrier carrier) {
        this.carrier = carrier;
    }

    /** The memory was copied from another carrier's. Debug registers are not inherited. */
    void inheritFrom(CarrierBreakpoints other) {
        software.putAll(other.software);
        softwareComplete = software.isEmpty();
    }

    /** Plants exactly these. */
    void plant(Armed armed) {
        if (armed == planted && softwareComplete && !inMemory) {
            return;
        }
        if (armed != planted || inMemory) {
            plantInProcessor(armed);
            planted = armed;
            inMemory = false;
        }
        // Where no memory is yet, there may be some the next time.
        softwareComplete = plantInMemory(
                armed.forMemory(Math.max(0, SLOTS - armed.watches().size())));
    }

    /**
     * As {@link #plant}, for long computations: processors of AMD execute code at half their speed, or less, while one of their
     * breakpoints is set. What is in memory has to be taken away at each event. Without watchpoints and guesses only.
     */
    void plantForLong(Armed armed) {
        if (armed == planted && softwareComplete && inMemory) {
            return;
        }
        if (processorUsed) {
            plantInProcessor(Armed.NOTHING);
        }
        planted = armed;
        inMemory = true;
        softwareComplete = plantInMemory(armed.addresses());
        if (!softwareComplete) {
            // The processor stops also where there is no memory yet.
            plant(armed);
        }
    }

    /** Plants exactly these in memory; whether there was memory for all. */
    private boolean plantInMemory(long[] addresses) {
        for (Long address : software.keySet().toArray(new Long[0])) {
            if (Arrays.binarySearch(addresses, address) < 0) {
                removeSoftware(address);
            }
        }
        boolean complete = true;
        for (long address : addresses) {
            complete &= insertSoftware(address);
        }
        return complete;
    }

    /** Takes all away. */
    void clear() {
        plant(Armed.NOTHING);
    }

    private void plantInProcessor(Armed armed) {
        int tid = carrier.tid();
        Arrays.fill(watched, null);
        if (processorUsed) {
            Ptrace.setDebugRegister(tid, CONTROL, 0);
            processorUsed = false;
        }
        long control = 0;
        int slot = 0;
        for (Watch watch : armed.watches()) {
            if (slot < SLOTS) {
                watched[slot] = watch;
                if (isOfProgram(watch.address())) {
                    Ptrace.setDebugRegister(tid, slot, watch.address());
                    long kind = watch.access() == Watch.Access.WRITE ? WRITE : ACCESS;
                    control |= 1L << 2 * slot | (kind | LENGTH_BITS[watch.length()] << 2) << 16 + 4 * slot;
                }
                slot++;
            }
        }
        for (long address : armed.forProcessor(SLOTS - slot)) {
            if (isOfProgram(address)) {
                Ptrace.setDebugRegister(tid, slot, address);
                control |= 1L << 2 * slot;
            }
            slot++;
        }
        if (control != 0) {
            Ptrace.setDebugRegister(tid, CONTROL, control);
            processorUsed = true;
        }
    }

    /** The kernel refuses others. A program never comes there. */
    private static boolean isOfProgram(long address) {
        return address >= 0 && address < ADDRESS_SPACE;
    }

    private boolean insertSoftware(long address) {
        if (!software.containsKey(address)) {
            int original = exchange(address, INT3, -1);
            if (original < 0) {
                return false;
            }
            software.put(address, (byte) original);
        }
        return true;
    }

    private void removeSoftware(long address) {
        // What the program has written there meanwhile is to stay.
        exchange(address, software.remove(address), INT3 & 0xff);
    }

    /**
     * Replaces a byte, if it is {@code expected} or that is -1.
     *
     * @return the byte that was there; -1 if there is no memory
     */
    private int exchange(long address, byte octet, int expected) {
        MemorySegment word = carrier.memory().buffer().asSlice(0, 8);
        long aligned = address & -8;
        if (carrier.tracee().read(aligned, word, 8) != 8) {
            return -1;
        }
        int original = word.get(JAVA_BYTE, address - aligned) & 0xff;
        if (expected < 0 || original == expected) {
            word.set(JAVA_BYTE, address - aligned, octet);
            Ptrace.poke(carrier.tid(), aligned, word.get(JAVA_LONG, 0));
        }
        return original;
    }

    /** Leaves memory as the program knows it, until the next {@link #plant}. */
    void removeSoftware() {
        if (!software.isEmpty()) {
            for (Long address : software.keySet().toArray(new Long[0])) {
                removeSoftware(address);
            }
            softwareComplete = false;
        }
    }

    /** Leaves the instruction at one address as the program knows it, until the next {@link #plant}. */
    void lift(long address) {
        if (software.containsKey(address)) {
            removeSoftware(address);
            softwareComplete = false;
        }
    }

    /** Whether there is an {@code int3} of ours. */
    boolean hasSoftware(long address) {
        return software.containsKey(address);
    }

    /** Whether there is any {@code int3} of ours. */
    boolean hasSoftware() {
        return !software.isEmpty();
    }

    /** Undoes, in bytes read from an address, what was planted in memory. */
    void hide(long address, MemorySegment bytes, long length) {
        software.forEach((at, original) -> {
            if (at >= address && at < address + length && bytes.get(JAVA_BYTE, at - address) == INT3) {
                bytes.set(JAVA_BYTE, at - address, original);
            }
        });
    }

    /**
     * The watchpoints that the last stop was for: several, where an instruction accesses what more than one watch. To be asked
     * at stops of the processor's debug exception only; others leave what the one before them left.
     */
    List<Watch> triggered() {
        if (planted.watches().isEmpty()) {
            return List.of();
        }
        long status = Ptrace.debugRegister(carrier.tid(), STATUS);
        if ((status & ALL_SLOTS) == 0) {
            return List.of();
        }
        List<Watch> triggered = new ArrayList<>(SLOTS);
        for (int slot = 0; slot < SLOTS; slot++) {
            if ((status >>> slot & 1) != 0 && watched[slot] != null) {
                triggered.add(watched[slot]);
            }
        }
        return triggered;
    }
}
