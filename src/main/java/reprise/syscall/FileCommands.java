package reprise.syscall;

import static reprise.syscall.Argument.inOut;
import static reprise.syscall.Argument.out;
import static reprise.syscall.Command.mayBlock;
import static reprise.syscall.Command.prompt;

/** The commands of fcntl and quotactl. */
final class FileCommands {
    private FileCommands() {}

    static CommandTable fcntl() {
        return CommandTable.by(
                1,
                prompt("F_DUPFD", 0),
                prompt("F_GETFD", 1),
                prompt("F_SETFD", 2),
                prompt("F_GETFL", 3),
                prompt("F_SETFL", 4),
                prompt("F_GETLK", 5, inOut("lock", Struct.FLOCK).at(2)),
                prompt("F_SETLK", 6),
                mayBlock("F_SETLKW", 7),
                prompt("F_SETOWN", 8),
                prompt("F_GETOWN", 9),
                prompt("F_SETSIG", 10),
                prompt("F_GETSIG", 11),
                prompt("F_SETOWN_EX", 15),
                prompt("F_GETOWN_EX", 16, out("owner", Struct.F_OWNER_EX).at(2)),
                prompt("F_GETOWNER_UIDS", 17, out("uids", Struct.INT_PAIR).at(2)),
                prompt("F_OFD_GETLK", 36, inOut("lock", Struct.FLOCK).at(2)),
                prompt("F_OFD_SETLK", 37),
                mayBlock("F_OFD_SETLKW", 38),
                mayBlock("F_SETLEASE", 1024),
                prompt("F_GETLEASE", 1025),
                prompt("F_NOTIFY", 1026),
                prompt("F_DUPFD_QUERY", 1027),
                prompt("F_CREATED_QUERY", 1028),
                prompt("F_CANCELLK", 1029),
                prompt("F_DUPFD_CLOEXEC", 1030),
                prompt("F_SETPIPE_SZ", 1031),
                prompt("F_GETPIPE_SZ", 1032),
                prompt("F_ADD_SEALS", 1033),
                prompt("F_GET_SEALS", 1034),
                prompt("F_GET_RW_HINT", 1035, out("hint", Struct.LONG).at(2)),
                prompt("F_SET_RW_HINT", 1036),
                prompt("F_GET_FILE_RW_HINT", 1037, out("hint", Struct.LONG).at(2)),
                prompt("F_SET_FILE_RW_HINT", 1038));
    }

    /** {@code argument}: the one with the command, whose low byte says user, group or project. */
    static CommandTable quotactl(int argument) {
        return CommandTable.byBits(
                argument,
                8,
                0xff_ffff,
                prompt("Q_SYNC", 0x800001),
                prompt("Q_QUOTAON", 0x800002),
                prompt("Q_QUOTAOFF", 0x800003),
                prompt("Q_GETFMT", 0x800004, out("format", Struct.INT).at(3)),
                prompt("Q_GETINFO", 0x800005, out("info", Struct.DQINFO).at(3)),
                prompt("Q_SETINFO", 0x800006),
                prompt("Q_GETQUOTA", 0x800007, out("quota", Struct.DQBLK).at(3)),
                prompt("Q_SETQUOTA", 0x800008),
                prompt(
                        "Q_GETNEXTQUOTA",
                        0x800009,
                        out("quota", Struct.NEXTDQBLK).at(3)),
                prompt("Q_XQUOTAON", 0x5801),
                prompt("Q_XQUOTAOFF", 0x5802),
                prompt("Q_XGETQUOTA", 0x5803, out("quota", Struct.XFS_DQBLK).at(3)),
                prompt("Q_XSETQLIM", 0x5804),
                prompt("Q_XGETQSTAT", 0x5805, out("status", Struct.XFS_QSTAT).at(3)),
                prompt("Q_XQUOTARM", 0x5806),
                prompt("Q_XQUOTASYNC", 0x5807),
                prompt(
                        "Q_XGETQSTATV",
                        0x5808,
                        inOut("status", Struct.XFS_QSTATV).at(3)),
                prompt("Q_XGETNEXTQUOTA", 0x5809, out("quota", Struct.XFS_DQBLK).at(3)));
    }
}
