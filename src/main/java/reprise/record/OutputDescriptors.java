package reprise.record;

import reprise.linux.Files;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/** Tells which descriptors of tracees are the recording's standard output and error. */
final class OutputDescriptors {
    private static final int KCMP_FILE = 0;

    private final int open;
    private final int ownPid = (int) Syscall.call(SyscallNumber.GETPID, 0);

    /** {@code open}: bit 1 if descriptor 1 was open when the recorder was started, bit 2 if 2 was. */
    OutputDescriptors(int open) {
        this.open = open;
    }

    /** 1 or 2 if the task's descriptor is the same open file as ours of that number, else 0. */
    int which(RecordedTask task, int descriptor) {
        if ((open & 1) != 0 && same(task, descriptor, 1)) {
            return 1;
        }
        return (open & 2) != 0 && same(task, descriptor, 2) ? 2 : 0;
    }

    private boolean same(RecordedTask task, int descriptor, int own) {
        if (descriptor < 0) {
            return false;
        }
        long order = Syscall.call(SyscallNumber.KCMP, ownPid, task.tid(), KCMP_FILE, own, descriptor, 0);
        return order == 0 || order < 0 && isSameFile(task, descriptor, own);
    }

    /** Containers refuse kcmp. Another open file of the same pipe or terminal is as good. */
    private static boolean isSameFile(RecordedTask task, int descriptor, int own) {
        Files.Status theirs = Files.status(TaskPaths.ofDescriptor(task, descriptor));
        Files.Status ours = theirs == null ? null : Files.status(own);
        return ours != null && ours.device() == theirs.device() && ours.inode() == theirs.inode();
    }

    /** As {@link #which}, for a call that may write; 0 for all others. */
    int writtenBy(RecordedTask task, int number) {
        return switch (number) {
            case SyscallNumber.WRITE,
                    SyscallNumber.WRITEV,
                    SyscallNumber.PWRITE64,
                    SyscallNumber.PWRITEV,
                    SyscallNumber.PWRITEV2,
                    SyscallNumber.SENDTO,
                    SyscallNumber.SENDMSG -> which(task, (int) task.argument(0));
            default -> 0;
        };
    }
}
