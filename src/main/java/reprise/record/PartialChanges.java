package reprise.record;

import java.util.List;
import reprise.linux.Errno;
import reprise.linux.SyscallNumber;
import reprise.trace.Event;
import reprise.tracee.ProcMaps;

/**
 * What calls did to the address space that failed on the way: mprotect and madvise go from mapping to mapping, and what they
 * did to those before the one at which they fail stays done.
 */
final class PartialChanges {
    private static final int MADV_FREE = 8;
    private static final int MADV_DONTNEED = 4;

    private PartialChanges() {}

    /** Adds the changes that a failed call made nevertheless. */
    static void find(RecordedTask task, int number, long result, List<Event.MappingChange> changes) {
        boolean protect = number == SyscallNumber.MPROTECT || number == SyscallNumber.PKEY_MPROTECT;
        boolean advise = number == SyscallNumber.MADVISE && isDiscarding((int) task.argument(2));
        boolean partial =
                protect && (result == -Errno.ENOMEM || result == -Errno.EACCES) || advise && result == -Errno.ENOMEM;
        if (!partial) {
            return;
        }
        long start = task.argument(0);
        long end = start + (task.argument(1) + 4095 & ~4095L);
        for (ProcMaps.Region region : ProcMaps.read(task.tid())) {
            long from = Math.max(start, region.start());
            long to = Math.min(end, region.end());
            if (from < to && protect) {
                // Those that were not reached get the protection that they have.
                changes.add(new Event.Protect(from, to - from, region.protection()));
            } else if (from < to) {
                int advice = (int) task.argument(2);
                changes.add(new Event.Discard(from, to - from, advice == MADV_FREE ? MADV_DONTNEED : advice));
            }
        }
    }

    /** Those which madvise goes on with behind a hole, before it answers with ENOMEM. */
    private static boolean isDiscarding(int advice) {
        return switch (advice) {
            // DONTNEED, FREE, REMOVE, DONTFORK, DOFORK, WIPEONFORK, KEEPONFORK, DONTNEED_LOCKED
            case 4, 8, 9, 10, 11, 18, 19, 24 -> true;
            default -> false;
        };
    }
}
