package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import reprise.trace.Event;
import reprise.tracee.Tracee;
import reprise.x86.Registers;

/**
 * What debuggers ask about a process and the replay itself does not need.
 *
 * @param parent process that made it; 0 for the first
 * @param program the file that was executed
 * @param invokedAs the path given for it, which may be that of a link or a script
 * @param auxiliaryVector as the program found it on its stack
 */
record ProcessInfo(int parent, String program, String invokedAs, List<String> arguments, byte[] auxiliaryVector) {
    private static final long AT_EXECFN = 31;
    private static final int LIMIT = 1024;
    private static final long CLONE_THREAD = 0x10000;

    /** An event is about to be applied: notes what will be gone behind it. */
    static void before(Event event, ReplaySession session, Map<Integer, ProcessInfo> processes) {
        if (event instanceof Event.SyscallExit exit && exit.child() != null) {
            ReplayTask parent = session.task(exit.header().tid());
            ProcessInfo info = parent == null ? null : processes.get(parent.process());
            if (info != null && (exit.child().cloneFlags() & CLONE_THREAD) == 0) {
                processes.put(
                        exit.child().tid(),
                        new ProcessInfo(
                                parent.process(), info.program, info.invokedAs, info.arguments, info.auxiliaryVector));
            }
        }
    }

    /** An event was applied. */
    static void after(Event event, ReplaySession session, Map<Integer, ProcessInfo> processes) {
        if (event instanceof Event.Exec exec) {
            int process = exec.header().tid();
            ProcessInfo former = processes.get(process);
            int parent = former == null ? 0 : former.parent;
            Tracee tracee = session.task(process).carrier().tracee();
            byte[] vector = auxiliaryVector(tracee, Registers.get(exec.registers(), Registers.RSP));
            processes.put(
                    process,
                    new ProcessInfo(
                            parent,
                            exec.program(),
                            invokedAs(tracee, vector, exec.program()),
                            List.copyOf(exec.arguments()),
                            vector));
        }
    }

    private static String invokedAs(Tracee tracee, byte[] vector, String program) {
        MemorySegment words = MemorySegment.ofArray(vector);
        for (long at = 0; at + 16 <= vector.length; at += 16) {
            if (words.get(JAVA_LONG_UNALIGNED, at) == AT_EXECFN) {
                String path = tracee.readString(words.get(JAVA_LONG_UNALIGNED, at + 8));
                return path.isEmpty() ? program : path;
            }
        }
        return program;
    }

    /** Behind argc, the arguments, a zero, the environment and another zero, up to and with AT_NULL. */
    private static byte[] auxiliaryVector(Tracee tracee, long stack) {
        try (Arena arena = Arena.ofConfined()) {
            long at = stack + 8 + 8 * (tracee.readWord(stack) + 1);
            while (tracee.readWord(at) != 0) {
                at += 8;
            }
            at += 8;
            int length = 0;
            while (length < LIMIT && tracee.readWord(at + length) != 0) {
                length += 16;
            }
            MemorySegment vector = arena.allocate(length + 16, 8);
            vector.set(JAVA_LONG, length, 0);
            tracee.read(at, vector, length + 16);
            return vector.toArray(JAVA_BYTE);
        }
    }
}
