package reprise.tracee;

/** A map from page addresses to hashes, open addressing, grows only. */
final class PageHashes {
    private static final long EMPTY = 0;

    /** Page addresses with bit 0 set. */
    private long[] keys = new long[1024];

    private long[] values = new long[1024];
    private int size;

    /** Stores a hash; whether the page was unknown or had another one. */
    boolean put(long page, long hash) {
        long key = page | 1;
        int at = find(keys, key);
        if (keys[at] == key) {
            boolean differs = values[at] != hash;
            values[at] = hash;
            return differs;
        }
        keys[at] = key;
        values[at] = hash;
        if (++size * 2 > keys.length) {
            grow();
        }
        return true;
    }

    private static int find(long[] table, long key) {
        int mask = table.length - 1;
        int at = (int) ((key >>> 12) * 0x9E3779B97F4A7C15L >>> 32) & mask;
        while (table[at] != EMPTY && table[at] != key) {
            at = at + 1 & mask;
        }
        return at;
    }

    private void grow() {
        long[] newKeys = new long[keys.length * 2];
        long[] newValues = new long[keys.length * 2];
        for (int i = 0; i < keys.length; i++) {
            if (keys[i] != EMPTY) {
                int at = find(newKeys, keys[i]);
                newKeys[at] = keys[i];
                newValues[at] = values[i];
            }
        }
        keys = newKeys;
        values = newValues;
    }
}
