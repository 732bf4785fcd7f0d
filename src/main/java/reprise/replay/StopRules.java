package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import reprise.linux.SyscallNumber;
import reprise.runtime.BufferLayout;
import reprise.trace.Event;
import reprise.x86.Registers;

/** Decides whether a debugger wants to stop where a playback has come to. */
final class StopRules {
    private static final long CLONE_VFORK = 0x4000;
    private static final long CLONE_THREAD = 0x10000;

    private final StopPoints points;
    private final MemorySegment value = Arena.ofAuto().allocate(8, 8);
    private Catches catches = Catches.USUAL;
    private long[] valuesBefore;

    StopRules(StopPoints points) {
        this.points = points;
    }

    void setCatches(Catches catches) {
        this.catches = catches;
        points.setCalls(catches.anySyscall());
    }

    StopPoints points() {
        return points;
    }

    /** The reason to stop; null if there is none. To be asked at each halt. */
    Stop judge(Playback playback, Halt halt) {
        return switch (halt) {
            case ACCESS -> watchpoint(playback);
            case STEPPED -> playback.triggered().isEmpty() ? breakpoint(playback) : watchpoint(playback);
            case ENTERED, ADDRESS -> breakpoint(playback);
            case BEFORE_EVENT -> before(playback, playback.next());
            case APPLIED -> after(playback, playback.applied());
            case TIME, END -> null;
        };
    }

    private static Stop watchpoint(Playback playback) {
        return new Stop.Watchpoint(
                playback.running().tid(), playback.triggered().getFirst());
    }

    private Stop breakpoint(Playback playback) {
        ReplayTask task = playback.running();
        long address = playback.address();
        if (address == BufferLayout.ENTRY || address == BufferLayout.LEAVE) {
            return bufferedCall(task, address);
        }
        return points.has(task.process(), address) ? new Stop.Breakpoint(task.tid(), address) : null;
    }

    /** A system call that was recorded without a stop, of which no event tells. */
    private Stop bufferedCall(ReplayTask task, long address) {
        Carrier carrier = task.carrier();
        long value = Registers.get(carrier.registers(task), Registers.RAX);
        if (address == BufferLayout.LEAVE) {
            return leave(task.tid(), carrier.buffer().number(), value);
        }
        // With nothing left in the buffer it is made at its site, and ends in an event.
        return carrier.buffer().isEmpty() ? null : entry(task.tid(), (int) value);
    }

    private Stop leave(int tid, int number, long result) {
        return catches.syscalls().test(number) ? new Stop.SyscallReturn(tid, number, result) : null;
    }

    private Stop before(Playback playback, Event next) {
        int tid = next.header().tid();
        noteValues(playback, next);
        return switch (next) {
            case Event.SignalDelivered signal
            when signal.signal() != 0 && catches.signals().test(signal.signal()) ->
                new Stop.Signal(
                        tid,
                        signal.signal(),
                        signal.signalInfo().toArray(JAVA_BYTE),
                        signal.effect() == Event.SignalEffect.FATAL);
            case Event.SyscallEnter enter -> entry(tid, number(enter.registers()));
            case Event.SyscallExit exit when exit.entryRegisters() != null -> entry(tid, number(exit.entryRegisters()));
            case Event.Exec exec when playback.hasArrived() -> entry(exec.formerTid(), SyscallNumber.EXECVE);
            case Event.TaskExit exit when catches.exits() -> exit(playback, exit);
            default -> null;
        };
    }

    private static int number(MemorySegment registers) {
        return (int) Registers.get(registers, Registers.ORIG_RAX);
    }

    private Stop entry(int tid, int number) {
        return catches.syscalls().test(number) ? new Stop.SyscallEntry(tid, number) : null;
    }

    private static Stop exit(Playback playback, Event.TaskExit exit) {
        ReplayTask task = playback.session().task(exit.header().tid());
        if (task == null) {
            return null;
        }
        for (ReplayTask other : playback.session().tasks()) {
            if (other != task && other.process() == task.process()) {
                return null;
            }
        }
        return new Stop.Exit(task.tid(), task.process(), exit.waitStatus());
    }

    private Stop after(Playback playback, Event applied) {
        int tid = applied.header().tid();
        Stop watch = written(playback, applied);
        if (watch != null) {
            return watch;
        }
        if (applied instanceof Event.SyscallExit exit) {
            Event.NewTask child = exit.child();
            if (child != null && catches.forks() && (child.cloneFlags() & CLONE_THREAD) == 0) {
                return new Stop.Fork(tid, child.tid(), (child.cloneFlags() & CLONE_VFORK) != 0);
            }
            return leave(tid, exit.number(), exit.result());
        }
        if (applied instanceof Event.BufferedCalls buffered && buffered.stops()) {
            ReplayTask task = playback.session().task(tid);
            long result = Registers.get(task.carrier().registers(task), Registers.RAX);
            return leave(tid, task.carrier().buffer().number(), result);
        }
        return applied instanceof Event.Exec exec && catches.execs() ? new Stop.Exec(tid, exec.program()) : null;
    }

    // ---- what the kernel writes ----

    private Stop written(Playback playback, Event applied) {
        if (points.watches().isEmpty()) {
            return null;
        }
        for (Event.MemoryWrite write : writes(applied)) {
            ReplayTask task = playback.session().task(write.tid());
            for (Watch watch : points.watches()) {
                if (task != null
                        && isIn(playback, watch, task.carrier())
                        && write.address() < watch.address() + watch.length()
                        && watch.address() < write.address() + write.data().byteSize()) {
                    return new Stop.Watchpoint(applied.header().tid(), watch);
                }
            }
        }
        if (valuesBefore != null) {
            long[] before = valuesBefore;
            valuesBefore = null;
            for (int i = 0; i < before.length; i++) {
                Watch watch = points.watches().get(i);
                if (before[i] != value(playback, watch)) {
                    return new Stop.Watchpoint(applied.header().tid(), watch);
                }
            }
        }
        return null;
    }

    private static boolean isIn(Playback playback, Watch watch, Carrier carrier) {
        for (ReplayTask task : playback.session().tasks()) {
            if (task.process() == watch.process()) {
                return task.carrier() == carrier;
            }
        }
        return false;
    }

    private static List<Event.MemoryWrite> writes(Event event) {
        return switch (event) {
            case Event.SyscallExit exit -> exit.writes();
            case Event.SignalDelivered signal -> signal.writes();
            case Event.TaskExit exit -> exit.writes();
            default -> List.of();
        };
    }

    /** Changed mappings change what is seen in them without a write. */
    private void noteValues(Playback playback, Event next) {
        boolean changes = next instanceof Event.SyscallExit exit
                && !exit.changes().isEmpty()
                && !points.watches().isEmpty();
        valuesBefore = changes
                ? points.watches().stream()
                        .mapToLong(watch -> value(playback, watch))
                        .toArray()
                : null;
    }

    private long value(Playback playback, Watch watch) {
        value.fill((byte) 0);
        for (ReplayTask task : playback.session().tasks()) {
            if (task.process() == watch.process()) {
                task.carrier().tracee().read(watch.address(), value, watch.length());
                break;
            }
        }
        return value.get(ValueLayout.JAVA_LONG, 0);
    }
}
