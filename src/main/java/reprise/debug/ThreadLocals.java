package reprise.debug;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reprise.replay.TaskInfo;
import reprise.x86.Registers;

/**
 * Finds thread-local variables, as libthread_db would: from the layout that the recorded C library describes in variables
 * of its own, whose addresses the client tells.
 */
final class ThreadLocals {
    private static final String MODULE = "_thread_db_link_map_l_tls_modid";
    private static final String STATIC_OFFSET = "_thread_db_link_map_l_tls_offset";
    private static final String VECTOR = "_thread_db_pthread_dtvp";
    private static final String POINTER = "_thread_db_dtv_t_pointer_val";
    private static final String ENTRIES = "_thread_db_dtv_dtv";

    /** Each is three words: size in bits, count, offset in bytes. */
    private static final List<String> WANTED = List.of(MODULE, STATIC_OFFSET, VECTOR, POINTER, ENTRIES);

    private static final int OFFSET = 8;

    /** What is assumed where the library does not say: how glibc 2.4 to 2.40 is laid out for this processor. */
    private static final int VECTOR_IN_THREAD = 8;

    private static final int ENTRY_SIZE = 16;

    private final Present present;
    private final Map<String, Long> symbols = new HashMap<>();

    ThreadLocals(Present present) {
        this.present = present;
    }

    /** A program was loaded: what was known is of another. */
    void forget() {
        symbols.clear();
    }

    /** The client knows the address of a symbol. */
    void found(String name, long address) {
        symbols.put(name, address);
    }

    /** The symbol to ask for after {@code last}, or first if that is none; null if that was all. */
    String nextWanted(String last) {
        int next = WANTED.indexOf(last) + 1;
        return next < WANTED.size() ? WANTED.get(next) : null;
    }

    /**
     * The address of a thread-local variable.
     *
     * @param offset in the module's thread-local storage
     * @param linkMap address of the module's {@code struct link_map}; 0 in a program that is not dynamically linked
     * @throws RefusedException if the thread has not got that storage yet
     */
    long address(TaskInfo task, long offset, long linkMap) {
        long thread = present.general(task, Registers.FS_BASE);
        long module = linkMap == 0 ? 1 : field(task, linkMap, MODULE);
        long vector = present.word(task, thread + described(task, VECTOR, VECTOR_IN_THREAD), 8);
        long entry = vector + described(task, ENTRIES, 0) + ENTRY_SIZE * module;
        long storage = present.word(task, entry + described(task, POINTER, 0), 8);
        if (storage != -1 && storage != 0) {
            return storage + offset;
        }
        long fixed = linkMap == 0 ? 0 : field(task, linkMap, STATIC_OFFSET);
        // 0 and -1 (NO_TLS_OFFSET, FORCED_DYNAMIC_TLS_OFFSET): not in the block that each thread has from the start.
        if (fixed == 0 || fixed == -1) {
            throw new RefusedException("the thread has not used this library's thread-local variables yet");
        }
        return thread - fixed + offset;
    }

    private long field(TaskInfo task, long structure, String symbol) {
        Long description = symbols.get(symbol);
        if (description == null) {
            throw new RefusedException("the C library does not tell where thread-local variables are");
        }
        return present.word(task, structure + present.word(task, description + OFFSET, 4), 8);
    }

    private long described(TaskInfo task, String symbol, long otherwise) {
        Long description = symbols.get(symbol);
        return description == null ? otherwise : present.word(task, description + OFFSET, 4);
    }
}
