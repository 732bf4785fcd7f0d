package reprise.record;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import reprise.runtime.BufferLayout;
import reprise.tracee.AddressSpace;
import reprise.tracee.MemoryScanner;
import reprise.tracee.RuntimePage;
import reprise.tracee.Tracee;

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
        /** How often writes are forgotten after an instant was named, so that the next can be named cheaply. */
        private static final int FORGETTINGS = 10;

        final AddressSpace<MappedFile> mappings;
        /** Where its code was patched. */
        PatchedCode code = new PatchedCode();
        /** Whether the stub is there, and system calls may be performed without a stop. */
        boolean buffered;
        /** Whether that may be so. */
        boolean bufferable = true;
        /** Where the stub may change protections. */
        PlainRanges plain = new PlainRanges();
        /** Whether the stub was asked to stop. */
        boolean stopRequested;
        /** Scratch regions, as start and length pairs, that replay does not have. */
        final List<long[]> scratch = new ArrayList<>();
        /** Finds its changed pages for checksums; null until the first. */
        MemoryScanner scanner;
        /** TracerClock.nanoTime before which writes are not forgotten again. */
        long nextForgetting;
        /** How many more times they will be. */
        int forgettings;
        /** TracerClock.nanoTime before which no checksum is taken, where their spacing adapts. */
        long nextChecksum;

        /**
         * Whether a task was killed in the midst of its computation: what it did since its last event is in this memory, and
         * replay does not do it, because nobody but tasks that die with it can look.
         */
        boolean abandoned;
        /** Where the main thread's stack can be, as replay knows it; 0 if there is none. */
        long stackStart;

        long stackEnd;
        /** Files mapped privately that another process stores to since this one's last call: its next one tells replay. */
        final Set<MappedFile> laterViews = new LinkedHashSet<>();

        private int tasks;

        Memory(AddressSpace<MappedFile> mappings) {
            this.mappings = mappings;
        }

        /** A copy, as fork makes it. */
        Memory fork() {
            Memory copy = new Memory(mappings.copy());
            copy.scratch.addAll(scratch);
            copy.stackStart = stackStart;
            copy.stackEnd = stackEnd;
            copy.code = code.copy();
            copy.plain = plain.copy();
            copy.buffered = buffered;
            copy.bufferable = bufferable;
            copy.laterViews.addAll(laterViews);
            return copy;
        }

        /**
         * The pages that changed since the last call.
         *
         * @param tracee a stopped task that uses this memory and can make remote calls
         * @param incremental whether the kernel may keep track of writes, which takes system calls of the task
         */
        MemoryScanner.Changes changes(Tracee tracee, boolean incremental) {
            return scanner(tracee, incremental).changedPages(tracee, excluded());
        }

        /** The pages that were written since the last call, even if they are as they were; else as {@link #changes}. */
        MemoryScanner.Changes written(Tracee tracee, boolean incremental) {
            forgettings = FORGETTINGS;
            return scanner(tracee, incremental).writtenPages(tracee, excluded());
        }

        /** From here on {@link #written} tells only what is written later, where the kernel keeps track. */
        void forgetWrites(Tracee tracee, boolean incremental) {
            scanner(tracee, incremental).forgetWrites(tracee);
        }

        /** A call is about to move or resize mappings in a range: the kernel's own tracking must not keep them apart. */
        void untrack(long start, long length) {
            if (scanner != null) {
                scanner.untrack(start, length);
            }
        }

        private MemoryScanner scanner(Tracee tracee, boolean incremental) {
            if (scanner == null) {
                scanner = new MemoryScanner(tracee, incremental);
            }
            return scanner;
        }

        /** What replay does not have, or has otherwise: start and length pairs. */
        List<long[]> excluded() {
            List<long[]> excluded = new ArrayList<>(scratch);
            excluded.add(new long[] {RuntimePage.ADDRESS, RuntimePage.SIZE});
            if (buffered) {
                excluded.add(new long[] {BufferLayout.DATA, BufferLayout.END - BufferLayout.DATA});
            }
            return excluded;
        }

        /** A task begins to use it. */
        void enter() {
            tasks++;
        }

        /** A task is done with it. */
        void leave() {
            if (--tasks == 0 && scanner != null) {
                scanner.close();
                scanner = null;
            }
        }
    }
}
