package reprise.syscall;

import static reprise.syscall.Argument.inOut;
import static reprise.syscall.Command.answered;
import static reprise.syscall.Command.mayBlock;
import static reprise.syscall.Command.prompt;
import static reprise.syscall.Command.special;

import reprise.linux.Errno;

/** The commands of futex and madvise. */
final class MemoryCommands {
    private MemoryCommands() {}

    static CommandTable futex() {
        return CommandTable.byBits(
                1,
                0,
                0x7f,
                mayBlock("FUTEX_WAIT", 0),
                prompt("FUTEX_WAKE", 1),
                prompt("FUTEX_FD", 2),
                prompt("FUTEX_REQUEUE", 3),
                prompt("FUTEX_CMP_REQUEUE", 4),
                prompt(
                        "FUTEX_WAKE_OP",
                        5,
                        inOut("uaddr2", Struct.INT).always().inPlace().at(4)),
                mayBlock("FUTEX_LOCK_PI", 6, owned("uaddr", 0)),
                prompt("FUTEX_UNLOCK_PI", 7, owned("uaddr", 0)),
                prompt("FUTEX_TRYLOCK_PI", 8, owned("uaddr", 0)),
                mayBlock("FUTEX_WAIT_BITSET", 9),
                prompt("FUTEX_WAKE_BITSET", 10),
                mayBlock("FUTEX_WAIT_REQUEUE_PI", 11, owned("uaddr2", 4)),
                prompt("FUTEX_CMP_REQUEUE_PI", 12, owned("uaddr2", 4)),
                mayBlock("FUTEX_LOCK_PI2", 13, owned("uaddr", 0)));
    }

    /** A word to which the kernel writes the id of the task that owns it, whatever the result. */
    private static Argument owned(String name, int position) {
        return inOut(name, Struct.INT).always().inPlace().at(position);
    }

    static CommandTable madvise() {
        final String discards = "the pages lose their content";
        final String fork = "changes what a fork copies";
        return CommandTable.by(
                2,
                prompt("MADV_NORMAL", 0),
                prompt("MADV_RANDOM", 1),
                prompt("MADV_SEQUENTIAL", 2),
                prompt("MADV_WILLNEED", 3),
                special("MADV_DONTNEED", 4, discards),
                special("MADV_FREE", 8, "done at once, as MADV_DONTNEED: when the kernel would do it nobody sees"),
                special("MADV_REMOVE", 9, discards),
                special("MADV_DONTFORK", 10, fork),
                special("MADV_DOFORK", 11, fork),
                prompt("MADV_MERGEABLE", 12),
                prompt("MADV_UNMERGEABLE", 13),
                prompt("MADV_HUGEPAGE", 14),
                prompt("MADV_NOHUGEPAGE", 15),
                prompt("MADV_DONTDUMP", 16),
                prompt("MADV_DODUMP", 17),
                special("MADV_WIPEONFORK", 18, fork),
                special("MADV_KEEPONFORK", 19, fork),
                prompt("MADV_COLD", 20),
                prompt("MADV_PAGEOUT", 21),
                prompt("MADV_POPULATE_READ", 22),
                prompt("MADV_POPULATE_WRITE", 23),
                special("MADV_DONTNEED_LOCKED", 24, discards),
                prompt("MADV_COLLAPSE", 25),
                answered("MADV_HWPOISON", 100, Errno.EPERM, "would take memory from the machine"),
                answered("MADV_SOFT_OFFLINE", 101, Errno.EPERM, "would take memory from the machine"),
                answered("MADV_GUARD_INSTALL", 102, Errno.EINVAL, "guard pages in a mapping are not replayed"),
                answered("MADV_GUARD_REMOVE", 103, Errno.EINVAL, "guard pages in a mapping are not replayed"));
    }

    static CommandTable processMadvise() {
        final String content = "the content of another process's pages";
        return CommandTable.by(
                3,
                prompt("MADV_WILLNEED", 3),
                answered("MADV_DONTNEED", 4, Errno.EINVAL, content),
                answered("MADV_FREE", 8, Errno.EINVAL, content),
                prompt("MADV_COLD", 20),
                prompt("MADV_PAGEOUT", 21),
                answered("MADV_DONTNEED_LOCKED", 24, Errno.EINVAL, content),
                prompt("MADV_COLLAPSE", 25),
                answered("MADV_GUARD_INSTALL", 102, Errno.EINVAL, content),
                answered("MADV_GUARD_REMOVE", 103, Errno.EINVAL, content));
    }
}
