package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.Errno;
import reprise.trace.TraceWriter;

/**
 * CPU affinity as recorded programs see it. The recorder binds them to cores itself, one for all that share memory: the
 * wishes of the one whose turn it is decide, and what they read back is what they would have read without us.
 */
final class Affinity {
    private Affinity() {}

    private static RecordedTask target(Recorder recorder, RecordedTask task) {
        int tid = (int) task.argument(0);
        return tid == 0 ? task : recorder.find(tid);
    }

    /** sched_setaffinity: 0 or an errno as the answer, -1 if the target is not recorded. */
    static int set(Recorder recorder, RecordedTask task) {
        RecordedTask target = target(recorder, task);
        if (target == null) {
            return -1;
        }
        byte[] allowed = recorder.cores().allowed();
        byte[] mask = new byte[allowed.length];
        int length = (int) Math.min(Math.max(task.argument(1), 0), mask.length);
        MemorySegment buffer = Arena.ofAuto().allocate(mask.length);
        if (task.tracee.read(task.argument(2), buffer, length) != length) {
            return Errno.EFAULT;
        }
        boolean any = false;
        for (int index = 0; index < mask.length; index++) {
            mask[index] = (byte) (buffer.get(JAVA_BYTE, index) & allowed[index]);
            any |= mask[index] != 0;
        }
        if (!any) {
            return Errno.EINVAL;
        }
        target.affinity = mask;
        if (target == task) {
            recorder.chooseCore(task);
        }
        return 0;
    }

    /** sched_getaffinity succeeded: replaces what it told. */
    static void get(Recorder recorder, RecordedTask task, long length, TraceWriter trace) {
        RecordedTask target = target(recorder, task);
        if (target == null) {
            return;
        }
        byte[] mask = target.affinity == null ? recorder.cores().allowed() : target.affinity;
        MemorySegment into = trace.write(task.tid(), task.argument(2), length);
        for (int index = 0; index < length; index++) {
            into.set(JAVA_BYTE, index, index < mask.length ? mask[index] : 0);
        }
        task.tracee.write(task.argument(2), into, length);
    }
}
