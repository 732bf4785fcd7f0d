package reprise.syscall;

import static reprise.syscall.Argument.buffer;
import static reprise.syscall.Argument.filled;
import static reprise.syscall.Argument.out;
import static reprise.syscall.Argument.shaped;
import static reprise.syscall.Command.mayBlock;
import static reprise.syscall.Command.prompt;

import reprise.syscall.Argument.Kind;
import reprise.syscall.Argument.Shape;

/** The commands of shmctl, semctl, msgctl and keyctl. */
final class IpcCommands {
    /** Two bytes for each semaphore of a set, of which there are at most 32,000 (SEMMSL). */
    private static final int ALL_SEMAPHORES = 2 * 32_000;

    private IpcCommands() {}

    static CommandTable shmctl() {
        return CommandTable.by(
                1,
                prompt("IPC_RMID", 0),
                prompt("IPC_SET", 1),
                prompt("IPC_STAT", 2, out("buf", Struct.SHMID_DS).at(2)),
                prompt("IPC_INFO", 3, out("buf", Struct.SHMINFO).at(2)),
                prompt("SHM_LOCK", 11),
                prompt("SHM_UNLOCK", 12),
                prompt("SHM_STAT", 13, out("buf", Struct.SHMID_DS).at(2)),
                prompt("SHM_INFO", 14, out("buf", Struct.SHM_INFO).at(2)),
                prompt("SHM_STAT_ANY", 15, out("buf", Struct.SHMID_DS).at(2)));
    }

    static CommandTable semctl() {
        return CommandTable.by(
                2,
                prompt("IPC_RMID", 0),
                prompt("IPC_SET", 1),
                prompt("IPC_STAT", 2, out("buf", Struct.SEMID_DS).at(3)),
                prompt("IPC_INFO", 3, out("buf", Struct.SEMINFO).at(3)),
                prompt("GETPID", 11),
                prompt("GETVAL", 12),
                // How many semaphores there are only the kernel knows: whatever could be written is recorded.
                prompt(
                        "GETALL",
                        13,
                        shaped("array", Kind.OUT, Shape.READABLE, -1, ALL_SEMAPHORES)
                                .at(3)),
                prompt("GETNCNT", 14),
                prompt("GETZCNT", 15),
                prompt("SETVAL", 16),
                prompt("SETALL", 17),
                prompt("SEM_STAT", 18, out("buf", Struct.SEMID_DS).at(3)),
                prompt("SEM_INFO", 19, out("buf", Struct.SEMINFO).at(3)),
                prompt("SEM_STAT_ANY", 20, out("buf", Struct.SEMID_DS).at(3)));
    }

    static CommandTable msgctl() {
        return CommandTable.by(
                1,
                prompt("IPC_RMID", 0),
                prompt("IPC_SET", 1),
                prompt("IPC_STAT", 2, out("buf", Struct.MSQID_DS).at(2)),
                prompt("IPC_INFO", 3, out("buf", Struct.MSGINFO).at(2)),
                prompt("MSG_STAT", 11, out("buf", Struct.MSQID_DS).at(2)),
                prompt("MSG_INFO", 12, out("buf", Struct.MSGINFO).at(2)),
                prompt("MSG_STAT_ANY", 13, out("buf", Struct.MSQID_DS).at(2)));
    }

    static CommandTable keyctl() {
        // The result of those that read is the length there is, not the length that was written.
        return CommandTable.by(
                0,
                prompt("KEYCTL_GET_KEYRING_ID", 0),
                prompt("KEYCTL_JOIN_SESSION_KEYRING", 1),
                prompt("KEYCTL_UPDATE", 2),
                prompt("KEYCTL_REVOKE", 3),
                prompt("KEYCTL_CHOWN", 4),
                prompt("KEYCTL_SETPERM", 5),
                prompt("KEYCTL_DESCRIBE", 6, buffer("buffer", 3).partly().at(2)),
                prompt("KEYCTL_CLEAR", 7),
                prompt("KEYCTL_LINK", 8),
                prompt("KEYCTL_UNLINK", 9),
                prompt("KEYCTL_SEARCH", 10),
                prompt("KEYCTL_READ", 11, buffer("buffer", 3).partly().at(2)),
                prompt("KEYCTL_INSTANTIATE", 12),
                prompt("KEYCTL_NEGATE", 13),
                prompt("KEYCTL_SET_REQKEY_KEYRING", 14),
                prompt("KEYCTL_SET_TIMEOUT", 15),
                prompt("KEYCTL_ASSUME_AUTHORITY", 16),
                prompt("KEYCTL_GET_SECURITY", 17, buffer("buffer", 3).partly().at(2)),
                prompt("KEYCTL_SESSION_TO_PARENT", 18),
                prompt("KEYCTL_REJECT", 19),
                prompt("KEYCTL_INSTANTIATE_IOV", 20),
                prompt("KEYCTL_INVALIDATE", 21),
                prompt("KEYCTL_GET_PERSISTENT", 22),
                mayBlock("KEYCTL_DH_COMPUTE", 23, buffer("buffer", 3).partly().at(2)),
                prompt("KEYCTL_PKEY_QUERY", 24, out("info", Struct.PKEY_QUERY).at(4)),
                mayBlock("KEYCTL_PKEY_ENCRYPT", 25, keyOutput()),
                mayBlock("KEYCTL_PKEY_DECRYPT", 26, keyOutput()),
                mayBlock("KEYCTL_PKEY_SIGN", 27, keyOutput()),
                mayBlock("KEYCTL_PKEY_VERIFY", 28),
                prompt("KEYCTL_RESTRICT_KEYRING", 29),
                prompt("KEYCTL_MOVE", 30),
                // What is beyond the capabilities that the kernel knows is cleared.
                prompt("KEYCTL_CAPABILITIES", 31, filled("buffer", 2).at(1)),
                mayBlock("KEYCTL_WATCH_KEY", 32));
    }

    private static Argument keyOutput() {
        return shaped("out", Kind.OUT, Shape.KEY_OUTPUT, 1, 0).at(4);
    }
}
