package reprise.record;

import java.util.ArrayList;
import java.util.List;
import reprise.tracee.AddressSpace;

/** A thread group as the recorder sees it. */
final class RecordedProcess {
    final int pid;
    /** Shared with another process after vfork or a raw clone with CLONE_VM. */
    Memory memory;
    final List<RecordedTask> threads = new ArrayList<>();
    /** Process whose recorded child this is; 0 for the first. */
    final int parent;

    RecordedProcess(int pid, int parent, Memory memory) {
        this.pid = pid;
        this.parent = parent;
        this.memory = memory;
    }

    /** An address space and what the recorder put in it. */
    static final class Memory {
        final AddressSpace<MappedFile> mappings;
        /** Scratch regions, as start and length pairs, that replay does not have. */
        final List<long[]> scratch = new ArrayList<>();
        /** Hashes of its pages for checksums; null until the first. */
        Object scanner;

        Memory(AddressSpace<MappedFile> mappings) {
            this.mappings = mappings;
        }
    }
}
