package reprise.replay;

import reprise.linux.Errno;
import reprise.linux.Signal;
import reprise.linux.Wait;
import reprise.syscall.SyscallTable;
import reprise.trace.Event;

/** Events in a few words. */
final class EventNames {
    private EventNames() {}

    /** The kind of an event and its number. */
    static String of(Event event) {
        return describe(event.getClass(), EventLog.number(event), EventLog.result(event));
    }

    /** {@code number} and {@code result} as {@link EventLog} keeps them. */
    static String describe(Class<?> kind, int number, long result) {
        if (kind == Event.SyscallExit.class) {
            String value =
                    result < 0 && result >= -4095 ? "-" + Errno.name((int) -result) : "0x" + Long.toHexString(result);
            return "SyscallExit, " + SyscallTable.name(number) + " = " + value;
        }
        if (kind == Event.SignalDelivered.class) {
            return "SignalDelivered, " + Signal.name(number) + " " + Event.SignalPoint.values()[(int) result];
        }
        if (kind == Event.TaskExit.class) {
            return "TaskExit, " + Wait.describe((int) result);
        }
        return kind.getSimpleName();
    }
}
