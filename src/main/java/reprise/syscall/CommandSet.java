package reprise.syscall;

/** The calls that are many calls in one. Names a {@link CommandTable} without building it. */
enum CommandSet {
    IOCTL,
    FCNTL,
    PRCTL,
    ARCH_PRCTL,
    FUTEX,
    MADVISE,
    PROCESS_MADVISE,
    SHMCTL,
    SEMCTL,
    MSGCTL,
    KEYCTL,
    QUOTACTL,
    QUOTACTL_FD,
    SECCOMP,
    MODIFY_LDT,
    GETSOCKOPT,
    SETSOCKOPT;

    private CommandTable table;

    /** The table; built at the first use. */
    CommandTable table() {
        CommandTable known = table;
        if (known == null) {
            known = build();
            table = known;
        }
        return known;
    }

    private CommandTable build() {
        return switch (this) {
            case IOCTL -> IoctlCommands.table();
            case FCNTL -> FileCommands.fcntl();
            case QUOTACTL -> FileCommands.quotactl(0);
            case QUOTACTL_FD -> FileCommands.quotactl(1);
            case PRCTL -> ProcessCommands.prctl();
            case ARCH_PRCTL -> ProcessCommands.archPrctl();
            case SECCOMP -> ProcessCommands.seccomp();
            case MODIFY_LDT -> ProcessCommands.modifyLdt();
            case FUTEX -> MemoryCommands.futex();
            case MADVISE -> MemoryCommands.madvise();
            case PROCESS_MADVISE -> MemoryCommands.processMadvise();
            case SHMCTL -> IpcCommands.shmctl();
            case SEMCTL -> IpcCommands.semctl();
            case MSGCTL -> IpcCommands.msgctl();
            case KEYCTL -> IpcCommands.keyctl();
            case GETSOCKOPT -> SocketOptions.get();
            case SETSOCKOPT -> SocketOptions.set();
        };
    }
}
