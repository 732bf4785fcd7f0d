package reprise.cli;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reprise.linux.Errno;
import reprise.runtime.BufferRecord;
import reprise.syscall.RecordedMemory;
import reprise.syscall.SyscallFormatter;
import reprise.syscall.SyscallTable;
import reprise.trace.Event;
import reprise.x86.Registers;

/** System calls of a trace as strace prints them. Remembers those that have not come back. */
final class CallText {
    /** More of what was written is not needed: strings and arrays are cut much earlier. */
    private static final int MOST_BYTES = 8192;

    private static final int ARGUMENTS = 6;

    /** By task. */
    private final Map<Integer, long[]> pending = new HashMap<>();

    /** A call that has not come back: {@code read(3, 0x7f00, 10 <unfinished ...>}. */
    String entered(Event.SyscallEnter enter) {
        long[] arguments = arguments(enter.registers());
        pending.put(enter.header().tid(), arguments);
        String call = SyscallFormatter.formatEntry(number(enter.registers()), arguments);
        return call.substring(0, call.length() - 1) + " <unfinished ...>";
    }

    /** A call that has come back: whole, or {@code <... read resumed>"abc", 10) = 3} if its entry went before. */
    String exited(Event.SyscallExit exit) {
        long[] entered = pending.remove(exit.header().tid());
        int number = exit.number();
        if (exit.entryRegisters() != null) {
            return format(exit, arguments(exit.entryRegisters()));
        }
        String resumed = "<... " + SyscallTable.name(number) + " resumed>";
        if (entered == null) {
            // The entry is in front of the range that is printed.
            String call = format(exit, new long[ARGUMENTS]);
            return resumed + call.substring(call.lastIndexOf(") = "));
        }
        String call = format(exit, entered);
        return resumed + call.substring(known(call, SyscallFormatter.formatEntry(number, entered)));
    }

    /** A call that was made without a stop: what it read from the program's memory is not known. */
    String buffered(BufferRecord record) {
        if (record.isCounter()) {
            return "rdtsc = " + Long.toUnsignedString(record.result());
        }
        long[] arguments = new long[ARGUMENTS];
        for (int index = 0; index < ARGUMENTS; index++) {
            arguments[index] = record.argument(index);
        }
        return SyscallFormatter.format(record.number(), arguments, record.result(), address -> {
            MemorySegment written = record.written(address);
            return written == null
                    ? null
                    : written.asSlice(0, Math.min(written.byteSize(), MOST_BYTES))
                            .toArray(JAVA_BYTE);
        });
    }

    /** The task is gone, or executes another program: its call will not come back. */
    void forget(int tid) {
        pending.remove(tid);
    }

    /** Where the first argument begins that is not as it was printed at entry; at the end of them if all are. */
    private static int known(String call, String entry) {
        int last = entry.length() - 1;
        if (call.startsWith(entry)) {
            return last;
        }
        int same = 0;
        while (same < last && call.charAt(same) == entry.charAt(same)) {
            same++;
        }
        int comma = call.lastIndexOf(", ", same);
        return comma < 0 ? call.indexOf('(') + 1 : comma + 2;
    }

    private static String format(Event.SyscallExit exit, long[] arguments) {
        String call = SyscallFormatter.format(exit.number(), arguments, exit.result(), memory(exit));
        String restart = restart(exit.result());
        return restart.isEmpty() || call.endsWith(")") ? call : call + " (" + restart + ")";
    }

    /** What the kernel is about to do with an interrupted call; empty for other results. */
    private static String restart(long result) {
        if (result < -Errno.ERESTART_RESTARTBLOCK || result > -Errno.ERESTARTSYS) {
            return "";
        }
        return switch ((int) -result) {
            case Errno.ERESTARTSYS -> "To be restarted if SA_RESTART is set";
            case Errno.ERESTARTNOINTR -> "To be restarted";
            case Errno.ERESTARTNOHAND -> "To be restarted if no handler";
            case Errno.ERESTART_RESTARTBLOCK -> "Interrupted by signal";
            default -> "";
        };
    }

    /** What the call wrote to the memory of its caller. */
    private static RecordedMemory memory(Event.SyscallExit exit) {
        List<Event.MemoryWrite> writes = exit.writes();
        int tid = exit.header().tid();
        return address -> {
            for (Event.MemoryWrite write : writes) {
                long offset = address - write.address();
                long length = write.data().byteSize() - offset;
                if (write.tid() == tid && offset >= 0 && length > 0) {
                    return write.data()
                            .asSlice(offset, Math.min(length, MOST_BYTES))
                            .toArray(JAVA_BYTE);
                }
            }
            return null;
        };
    }

    /** The number of the call that a task with these registers has entered. */
    static int number(MemorySegment registers) {
        return (int) Registers.get(registers, Registers.ORIG_RAX);
    }

    private static long[] arguments(MemorySegment registers) {
        long[] arguments = new long[ARGUMENTS];
        for (int i = 0; i < ARGUMENTS; i++) {
            arguments[i] = Registers.get(registers, Registers.argument(i));
        }
        return arguments;
    }
}
