package reprise.cli;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reprise.trace.Event;

/** The processes of a trace, gathered from its events in their order. */
final class ProcessTree {
    private static final long CLONE_PARENT = 0x8000;
    private static final long CLONE_THREAD = 0x10000;

    private final List<Member> processes = new ArrayList<>();
    /** The process of each task that is alive. */
    private final Map<Integer, Member> owners = new HashMap<>();

    private int tasks;

    /** A process. */
    static final class Member {
        private final int pid;
        private final Member parent;
        /** What runs in it. */
        private List<String> current;
        /** What its first exec started. */
        private List<String> first;

        private int threads = 1;
        private Integer waitStatus;

        private Member(int pid, Member parent) {
            this.pid = pid;
            this.parent = parent;
            this.current = parent == null ? List.of() : parent.current;
        }

        int pid() {
            return pid;
        }

        /** Its parent's pid; 0 for the first process. */
        int parentPid() {
            return parent == null ? 0 : parent.pid;
        }

        /** Whether it is a copy of its parent that never executed a program. */
        boolean onlyForked() {
            return first == null;
        }

        /** The program it started first and its arguments; those of its parent if it started none. */
        List<String> command() {
            return first == null ? current : first;
        }

        /** Its wait status; null if it was still there when the trace ended. */
        Integer waitStatus() {
            return threads == 0 ? waitStatus : null;
        }
    }

    /** Takes the next event into account. */
    void accept(Event event) {
        switch (event) {
            case Event.Exec exec -> executed(exec);
            case Event.SyscallExit exit
            when exit.child() != null -> born(exit.header().tid(), exit.child());
            case Event.TaskExit exit -> ended(exit.header().tid(), exit.waitStatus());
            case Event.End end
            when !processes.isEmpty() -> {
                processes.getFirst().threads = 0;
                processes.getFirst().waitStatus = end.waitStatus();
            }
            default -> {}
        }
    }

    private void executed(Event.Exec exec) {
        int tid = exec.header().tid();
        Member process = owners.get(exec.formerTid());
        if (process == null) {
            process = owners.get(tid);
        }
        if (process == null) {
            process = add(new Member(tid, owners.get(exec.parentTid())));
        }
        // All its other threads are gone, and the one that called has the leader's number now.
        owners.values().removeAll(Collections.singleton(process));
        owners.put(tid, process);
        process.threads = 1;
        process.current = exec.arguments().isEmpty() ? List.of(exec.program()) : List.copyOf(exec.arguments());
        if (process.first == null) {
            process.first = process.current;
        }
    }

    private void born(int creator, Event.NewTask child) {
        Member process = owners.get(creator);
        if ((child.cloneFlags() & CLONE_THREAD) != 0 && process != null) {
            process.threads++;
            tasks++;
            owners.put(child.tid(), process);
        } else if ((child.cloneFlags() & CLONE_PARENT) != 0 && process != null && process.parent != null) {
            Member sibling = new Member(child.tid(), process.parent);
            sibling.current = process.current;
            add(sibling);
        } else {
            add(new Member(child.tid(), process));
        }
    }

    private Member add(Member process) {
        processes.add(process);
        owners.put(process.pid, process);
        tasks++;
        return process;
    }

    private void ended(int tid, int waitStatus) {
        Member process = owners.remove(tid);
        if (process != null) {
            process.threads--;
            process.waitStatus = waitStatus;
        }
    }

    /** All of them, in the order in which they came into being. */
    List<Member> processes() {
        return Collections.unmodifiableList(processes);
    }

    /** Number of all tasks there ever were. */
    int tasks() {
        return tasks;
    }
}
