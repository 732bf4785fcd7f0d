package reprise.tracee;

import java.nio.charset.StandardCharsets;
import reprise.linux.Files;

/**
 * What /proc/TID/status tells of a task. Reading it costs tens of microseconds, so it is for rare events.
 *
 * @param state letter: R, S, D, T, t, Z, X
 * @param pending signals that wait for it alone, as a kernel mask
 * @param sharedPending signals that wait for any task of its process
 * @param blocked signals that it blocks
 * @param ignored signals that are ignored, as a kernel mask
 * @param caught signals that have a handler
 */
public record TaskStatus(char state, long pending, long sharedPending, long blocked, long ignored, long caught) {
    private static final byte[] STATE = "State:\t".getBytes(StandardCharsets.ISO_8859_1);
    private static final byte[] PENDING = "SigPnd:\t".getBytes(StandardCharsets.ISO_8859_1);
    private static final byte[] SHARED_PENDING = "ShdPnd:\t".getBytes(StandardCharsets.ISO_8859_1);
    private static final byte[] BLOCKED = "SigBlk:\t".getBytes(StandardCharsets.ISO_8859_1);
    private static final byte[] IGNORED = "SigIgn:\t".getBytes(StandardCharsets.ISO_8859_1);
    private static final byte[] CAUGHT = "SigCgt:\t".getBytes(StandardCharsets.ISO_8859_1);
    private static final byte[] IDS = "NSpid:\t".getBytes(StandardCharsets.ISO_8859_1);
    private static final byte[] USERS = "Uid:\t".getBytes(StandardCharsets.ISO_8859_1);
    private static final byte[] GROUP_IDS = "NStgid:\t".getBytes(StandardCharsets.ISO_8859_1);

    /** Of a task; state X if it does not exist. */
    public static TaskStatus of(int tid) {
        byte[] text = Files.readAll("/proc/" + tid + "/status");
        if (text == null) {
            return new TaskStatus('X', 0, 0, 0, 0, 0);
        }
        int state = find(text, STATE);
        return new TaskStatus(
                state < 0 ? 'X' : (char) text[state],
                hex(text, find(text, PENDING)),
                hex(text, find(text, SHARED_PENDING)),
                hex(text, find(text, BLOCKED)),
                hex(text, find(text, IGNORED)),
                hex(text, find(text, CAUGHT)));
    }

    /** Whether signals wait for it, or for any task of its process, of which at least one is in a kernel mask. */
    boolean hasPending(long mask) {
        return ((pending | sharedPending) & mask) != 0;
    }

    /** Whether a signal will strike as soon as the task is about to execute an instruction. */
    public boolean isStruck() {
        return ((pending | sharedPending) & ~blocked) != 0;
    }

    /** The id of task {@code tid} in the pid namespace of task {@code viewer}. */
    public static long visibleTid(int viewer, int tid) {
        byte[] own = Files.readAll("/proc/" + viewer + "/status");
        byte[] other = Files.readAll("/proc/" + tid + "/status");
        if (own == null || other == null) {
            return tid;
        }
        int depth = count(own, find(own, GROUP_IDS));
        int at = find(other, IDS);
        long id = tid;
        for (int level = 0; level < depth && at < other.length; level++) {
            id = 0;
            while (at < other.length && other[at] >= '0' && other[at] <= '9') {
                id = id * 10 + other[at++] - '0';
            }
            at++;
        }
        return id;
    }

    /** The real user id of a task; 0 if it does not exist. */
    public static int user(int tid) {
        byte[] text = Files.readAll("/proc/" + tid + "/status");
        int at = text == null ? -1 : find(text, USERS);
        int user = 0;
        while (at >= 0 && text[at] >= '0' && text[at] <= '9') {
            user = user * 10 + text[at++] - '0';
        }
        return user;
    }

    private static int count(byte[] text, int at) {
        int count = at < 0 ? 0 : 1;
        while (at >= 0 && at < text.length && text[at] != '\n') {
            if (text[at++] == '\t') {
                count++;
            }
        }
        return count;
    }

    private static int find(byte[] text, byte[] key) {
        for (int at = 0; at + key.length < text.length; at++) {
            if (at == 0 || text[at - 1] == '\n') {
                int index = 0;
                while (index < key.length && text[at + index] == key[index]) {
                    index++;
                }
                if (index == key.length) {
                    return at + index;
                }
            }
        }
        return -1;
    }

    private static long hex(byte[] text, int at) {
        long value = 0;
        int digit;
        while (at >= 0 && at < text.length && (digit = Character.digit(text[at++], 16)) >= 0) {
            value = value << 4 | digit;
        }
        return value;
    }
}
