package reprise.record;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import reprise.runtime.Patch;

/**
 * What the recording has learnt of the system call instructions of one file, from all processes that map it: which are used
 * by most of them, and how they are patched.
 */
final class CallSites {
    /** So many processes have to agree before anything is done ahead. */
    private static final int ENOUGH = 3;

    /** A patch as it was planned once. */
    private record Planned(long distance, long before, byte[] code, Patch patch) {}

    /** An instruction. */
    static final class Site {
        private int processes;
        private boolean frequent;
        private boolean declined;
        private Planned planned;

        /** It trapped so often in a process that it is patched at its first trap in others. */
        void setFrequent() {
            frequent = true;
        }

        boolean isFrequent() {
            return frequent;
        }

        /** It cannot be patched, or not everywhere. */
        void decline() {
            declined = true;
        }

        /** A process uses it. */
        void use() {
            processes++;
        }

        /** Remembers a plan, if it holds wherever the file is mapped. {@code code} is from {@code from} on. */
        void plan(Patch patch, long from, byte[] code) {
            if (patch.movable()) {
                planned = new Planned(patch.trampolineAddress() - patch.site(), patch.site() - from, code, patch);
            }
        }

        /**
         * The plan for a place, if it was made before for the same code and a trampoline at the same distance.
         *
         * @param code what is mapped from {@code from} on
         * @return null if there is none
         */
        Patch planned(long site, long trampoline, long from, MemorySegment code) {
            Planned known = planned;
            if (known == null
                    || known.distance != trampoline - site
                    || known.before != site - from
                    || known.code.length != code.byteSize()
                    || code.mismatch(MemorySegment.ofArray(known.code)) >= 0) {
                return null;
            }
            return known.patch.movedBy(site - known.patch.site());
        }
    }

    private final Map<Long, Site> sites = new HashMap<>();
    private int processes;

    /** The instruction at an offset in the file. */
    Site at(long offset) {
        return sites.computeIfAbsent(offset, none -> new Site());
    }

    /** One more process uses instructions of the file. */
    void use() {
        processes++;
    }

    /** By offset in the file. */
    Map<Long, Site> all() {
        return sites;
    }

    /** Whether most processes use an instruction. */
    boolean isCommon(Site site) {
        return processes >= ENOUGH && !site.declined && site.processes * 2 > processes;
    }
}
