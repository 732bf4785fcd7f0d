package reprise.debug;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import reprise.replay.Diversion;
import reprise.replay.TaskInfo;
import reprise.replay.Timeline;
import reprise.x86.Registers;

/**
 * The registers and the memory that the client sees: those of the replay, or while it calls a function in the program those
 * of the {@link Diversion} in which the function runs.
 *
 * <p>The replay itself is never changed. The protocol does not say that a function is called, but gdb reads the thread's siginfo
 * before it prepares the call, to write it back behind it, nested as the calls are; a change that comes outside such a
 * pair is refused. When the registers are again what they were, the copy is dropped.
 */
final class Present {
    private static final int LARGEST_STATE = 65536;

    private final Timeline timeline;
    private final Breakpoints breakpoints;
    private final MemorySegment general = Arena.ofAuto().allocate(Registers.SIZE, 16);
    private final MemorySegment original = Arena.ofAuto().allocate(Registers.SIZE, 16);
    private final MemorySegment state = Arena.ofAuto().allocate(LARGEST_STATE, 64);
    private final RegisterLayout layout;
    private MemorySegment buffer = Arena.ofAuto().allocate(4096, 16);
    private Diversion diversion;
    private int calls;

    Present(Timeline timeline, Breakpoints breakpoints, RegisterLayout layout) {
        this.timeline = timeline;
        this.breakpoints = breakpoints;
        this.layout = layout;
    }

    /** The registers that tasks have on this machine. At least one must be alive at the present. */
    static RegisterLayout layout(Timeline timeline) {
        MemorySegment state = Arena.ofAuto().allocate(LARGEST_STATE, 64);
        long size = timeline.extendedState(timeline.tasks().getFirst().tid(), state);
        return RegisterLayout.of(state.asSlice(0, size));
    }

    RegisterLayout layout() {
        return layout;
    }

    /** Where a function runs that the client calls; null if none does. */
    Diversion diversion() {
        return diversion;
    }

    private boolean isDiverted(TaskInfo task) {
        return diversion != null && diversion.tid() == task.tid();
    }

    // ---- reading ----

    private void load(TaskInfo task) {
        if (isDiverted(task)) {
            diversion.registers(general);
        } else {
            timeline.registers(task.tid(), general);
        }
    }

    private MemorySegment loadExtended(TaskInfo task) {
        long size = isDiverted(task) ? diversion.extendedState(state) : timeline.extendedState(task.tid(), state);
        return state.asSlice(0, size);
    }

    /** The bytes of a register. */
    byte[] register(TaskInfo task, RegisterLayout.Register register) {
        load(task);
        boolean inGeneral = register.kind() == RegisterLayout.Kind.GENERAL;
        return layout.read(register, general, inGeneral ? general : loadExtended(task));
    }

    /** Appends all registers in hexadecimal. */
    void registers(TaskInfo task, Reply reply) {
        load(task);
        MemorySegment extended = loadExtended(task);
        for (int number = 0; number < layout.count(); number++) {
            byte[] value = layout.read(layout.register(number), general, extended);
            reply.hexBytes(value, 0, value.length);
        }
    }

    /** A general register, by its offset in {@link Registers}. */
    long general(TaskInfo task, int register) {
        load(task);
        return Registers.get(general, register);
    }

    /**
     * Memory of a task's process.
     *
     * @return as much as can be read, at most {@code length} bytes
     */
    byte[] memory(TaskInfo task, long address, int length) {
        if (length > buffer.byteSize()) {
            buffer = Arena.ofAuto().allocate(length, 16);
        }
        long count = isDiverted(task)
                ? diversion.readMemory(address, buffer, length)
                : timeline.readMemory(task.tid(), address, buffer, length);
        return buffer.asSlice(0, Math.max(0, count)).toArray(JAVA_BYTE);
    }

    /**
     * A word of memory.
     *
     * @throws RefusedException if it cannot be read
     */
    long word(TaskInfo task, long address, int size) {
        byte[] bytes = memory(task, address, size);
        if (bytes.length < size) {
            throw new RefusedException("no memory at 0x" + Long.toHexString(address));
        }
        long value = 0;
        for (int i = size - 1; i >= 0; i--) {
            value = value << 8 | bytes[i] & 0xff;
        }
        return value;
    }

    /** What the condition of a breakpoint looks at. */
    AgentExpression.Machine machine(TaskInfo task) {
        return new AgentExpression.Machine() {
            @Override
            public long register(int number) {
                byte[] bytes = Present.this.register(task, layout.register(number));
                long value = 0;
                for (int i = Math.min(8, bytes.length) - 1; i >= 0; i--) {
                    value = value << 8 | bytes[i] & 0xff;
                }
                return value;
            }

            @Override
            public long memory(long address, int size) {
                return word(task, address, size);
            }
        };
    }

    // ---- changing ----

    /**
     * Sets a register.
     *
     * @throws RefusedException if no function is being called
     */
    void setRegister(TaskInfo task, RegisterLayout.Register register, byte[] value) {
        if (Arrays.equals(register(task, register), value)) {
            return;
        }
        divert(task);
        load(task);
        if (register.kind() == RegisterLayout.Kind.GENERAL) {
            layout.write(register, value, general, general);
            diversion.setRegisters(general);
        } else {
            MemorySegment extended = loadExtended(task);
            layout.write(register, value, general, extended);
            diversion.setExtendedState(extended);
        }
        dropWhenDone();
    }

    /**
     * Writes memory; whether there is memory to write to.
     *
     * @throws RefusedException if no function is being called
     */
    boolean setMemory(TaskInfo task, long address, byte[] bytes) {
        byte[] present = memory(task, address, bytes.length);
        if (Arrays.equals(present, bytes)) {
            return true;
        }
        if (present.length < bytes.length) {
            return false;
        }
        divert(task);
        MemorySegment.copy(bytes, 0, buffer, JAVA_BYTE, 0, bytes.length);
        return diversion.writeMemory(address, buffer, bytes.length);
    }

    /** The client reads a siginfo: perhaps it is about to call a function. */
    void callMayFollow() {
        calls++;
    }

    /** The client writes a siginfo back: a function was called. */
    void callIsOver() {
        calls = Math.max(0, calls - 1);
        dropWhenDone();
    }

    private void divert(TaskInfo task) {
        if (diversion == null) {
            if (calls == 0) {
                throw new RefusedException("a recording cannot be changed; functions can be called, and change a copy");
            }
            timeline.registers(task.tid(), original);
            diversion = timeline.divert(task.tid());
            breakpoints.follow(diversion);
        } else if (diversion.tid() != task.tid()) {
            throw new RefusedException("a function is being called in another thread");
        }
    }

    private void dropWhenDone() {
        if (diversion != null && calls == 0 && isAsItWas()) {
            drop();
        }
    }

    private boolean isAsItWas() {
        diversion.registers(general);
        for (int register = 0; register < Registers.SIZE; register += 8) {
            if (register != Registers.ORIG_RAX
                    && general.get(JAVA_LONG, register) != original.get(JAVA_LONG, register)) {
                return false;
            }
        }
        return true;
    }

    /**
     * To be called before the program is resumed.
     *
     * @return the copy to resume, or null if the replay itself goes on
     */
    Diversion beforeResuming() {
        if (diversion == null || isAsItWas()) {
            // A siginfo that was read only to be shown announced no call.
            calls = 0;
            drop();
        }
        return diversion;
    }

    /** Drops the copy, if there is one: back to the replay. */
    void drop() {
        if (diversion != null) {
            breakpoints.follow(null);
            diversion.close();
            diversion = null;
        }
        calls = 0;
    }
}
