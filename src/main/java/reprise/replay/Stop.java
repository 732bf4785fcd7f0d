package reprise.replay;

/** Why a move ended. The timeline's {@link Timeline#position} tells where. */
public sealed interface Stop {
    /** The task that it is about; 0 where it is about none. */
    int tid();

    /** The task is about to execute the instruction at a breakpoint. */
    record Breakpoint(int tid, long address) implements Stop {}

    /**
     * A watchpoint was triggered by an instruction, or by what the kernel wrote. Forwards, the task has just executed the
     * instruction; backwards, it is about to. A repeated string instruction is one.
     */
    record Watchpoint(int tid, Watch watch) implements Stop {}

    /** The task that was to be stepped was stepped. */
    record Stepped(int tid) implements Stop {}

    /**
     * A signal is about to be delivered.
     *
     * @param info the kernel's siginfo, 128 bytes
     * @param fatal whether the process dies of it; otherwise its handler comes next
     */
    record Signal(int tid, int signal, byte[] info, boolean fatal) implements Stop {}

    /** The task is inside a system call, which has not had an effect yet: rip is behind the instruction. */
    record SyscallEntry(int tid, int number) implements Stop {}

    /** The task came out of a system call. */
    record SyscallReturn(int tid, int number, long result) implements Stop {}

    /** A new process was made. */
    record Fork(int tid, int child, boolean vfork) implements Stop {}

    /** The process started another program; all its other tasks are gone. */
    record Exec(int tid, String program) implements Stop {}

    /** The last task of a process is about to disappear; {@code waitStatus} as wait(2) gives it. */
    record Exit(int tid, int process, int waitStatus) implements Stop {}

    /** Another thread asked for an {@linkplain Timeline#interrupt interruption}. */
    record Interrupted(int tid) implements Stop {}

    /** There is nothing before. For a step: the task does not exist earlier. */
    record Start(int tid) implements Stop {}

    /** There is nothing behind. For a step: the task came to its end. */
    record End(int tid) implements Stop {}
}
