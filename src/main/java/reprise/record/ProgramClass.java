package reprise.record;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.Files;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/** Whether a program is one for 32-bit processors, which cannot be recorded, before anybody executes it. */
final class ProgramClass {
    /** The first four bytes of an ELF file, as a little-endian number. */
    private static final int ELF = 0x464c457f;
    /** Offset of e_ident[EI_CLASS]. */
    private static final int CLASS = 4;

    private static final byte CLASS_32 = 1;
    private static final int HEADER = 16;

    private ProgramClass() {}

    /** Whether the file that a path of the recorder's own leads to is such a program; false if it cannot be read. */
    static boolean is32Bit(String path) {
        long descriptor = Files.open(path, Files.O_RDONLY | Files.O_NONBLOCK, 0);
        if (descriptor < 0) {
            return false;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment header = arena.allocate(HEADER, 8);
            long length = Syscall.call(SyscallNumber.READ, descriptor, header.address(), HEADER);
            return length == HEADER && header.get(JAVA_INT, 0) == ELF && header.get(JAVA_BYTE, CLASS) == CLASS_32;
        } finally {
            Files.close(descriptor);
        }
    }

    /** Whether the program that a task is about to execute is such a program. */
    static boolean is32Bit(RecordedTask task, int number) {
        boolean at = number == SyscallNumber.EXECVEAT;
        String path = task.tracee.readString(task.argument(at ? 1 : 0));
        String file = at ? TaskPaths.resolve(task, task.argument(0), path) : TaskPaths.resolve(task, path);
        return file != null && is32Bit(file);
    }
}
