package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import reprise.linux.SyscallNumber;
import reprise.trace.Event;
import reprise.x86.Registers;

/** The names that tasks give themselves, as /proc/PID/comm would show them. */
final class TaskNames {
    private static final int PR_SET_NAME = 15;
    /** TASK_COMM_LEN, with the terminating zero. */
    private static final int LONGEST = 16;

    private TaskNames() {}

    /** Notes the name if a system call that ends set one. The registers are still those of its entry. */
    static void follow(Event.SyscallExit event, ReplayTask task) {
        if (event.number() != SyscallNumber.PRCTL || event.result() != 0) {
            return;
        }
        MemorySegment registers = task.carrier().registers(task);
        if ((int) Registers.get(registers, Registers.RDI) == PR_SET_NAME) {
            MemorySegment buffer = task.carrier().memory().buffer();
            long address = Registers.get(registers, Registers.RSI);
            int count = (int) Math.max(0, task.carrier().tracee().read(address, buffer, LONGEST - 1));
            String text = new String(buffer.asSlice(0, count).toArray(JAVA_BYTE), StandardCharsets.UTF_8);
            int end = text.indexOf(0);
            task.setName(end < 0 ? text : text.substring(0, end));
        }
    }

    /** The name of a task: its own, or what exec made of the path it was given. */
    static String of(ReplayTask task, String path) {
        if (task.name() != null) {
            return task.name();
        }
        String file = path.substring(path.lastIndexOf('/') + 1);
        return file.length() < LONGEST ? file : file.substring(0, LONGEST - 1);
    }
}
