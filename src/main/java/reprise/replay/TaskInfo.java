package reprise.replay;

import java.util.List;

/**
 * A task that is alive at a position.
 *
 * @param tid its thread id while recording
 * @param process id of its thread group
 * @param parent id of the process that made its process; 0 for the first
 * @param program path of the program that its process executes
 * @param arguments the program's argv
 * @param inKernel whether it is inside a system call that ends with a later event: its registers are those of the entry
 * @param name as the task or its maker set it, else of the program, at most 15 bytes
 */
public record TaskInfo(
        int tid, int process, int parent, String program, List<String> arguments, boolean inKernel, String name) {}
