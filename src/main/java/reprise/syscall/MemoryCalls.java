package reprise.syscall;

import static reprise.linux.SyscallNumber.*;
import static reprise.syscall.Argument.*;
import static reprise.syscall.Vocabulary.*;

import reprise.linux.Errno;
import reprise.syscall.Argument.Kind;
import reprise.syscall.Argument.Shape;

/** Address spaces, and waiting on words in them. */
final class MemoryCalls {
    private static final String MAPPINGS = "changes mappings";

    private MemoryCalls() {}

    static void declare(Declarations calls) {
        final Argument address = address("addr");
        final Argument length = size("len");
        final Argument protection = flags("prot", PROTECTION);
        final Argument flags = hex("flags");

        calls.special(
                MMAP,
                "mmap",
                MAPPINGS,
                address,
                length,
                protection,
                flags("flags", MAP_FLAGS),
                fd("fd"),
                offset("offset"));
        calls.special(MUNMAP, "munmap", MAPPINGS, address, length);
        calls.special(MPROTECT, "mprotect", MAPPINGS, address, length, protection);
        calls.special(PKEY_MPROTECT, "pkey_mprotect", MAPPINGS, address, length, protection, integer("pkey"));
        calls.special(
                MREMAP,
                "mremap",
                MAPPINGS,
                address("old_address"),
                size("old_size"),
                size("new_size"),
                flags("flags", REMAP_FLAGS),
                address("new_address"));
        calls.special(BRK, "brk", MAPPINGS, address);
        calls.neverBlocks(MADVISE, "madvise", address, length, hex("advice")).with(CommandSet.MADVISE);
        calls.special(SHMAT, "shmat", MAPPINGS, integer("shmid"), address("shmaddr"), flags("shmflg", SHM_FLAGS));
        calls.special(SHMDT, "shmdt", MAPPINGS, address("shmaddr"));
        calls.answered(
                REMAP_FILE_PAGES,
                "remap_file_pages",
                Errno.ENOSYS,
                "would need one mapping for each page; deprecated since 3.16",
                address,
                length,
                protection,
                size("pgoff"),
                hex("flags"));
        calls.answered(
                PKEY_ALLOC,
                "pkey_alloc",
                Errno.ENOSPC,
                "protection keys are not replayed; the answer of a CPU without them",
                hex("flags"),
                hex("rights"));
        calls.answered(PKEY_FREE, "pkey_free", Errno.EINVAL, "no key was ever given out", integer("pkey"));
        calls.answered(
                MAP_SHADOW_STACK,
                "map_shadow_stack",
                Errno.ENOSYS,
                "shadow stacks are not replayed",
                address,
                length,
                flags);
        calls.answered(
                USERFAULTFD,
                "userfaultfd",
                Errno.ENOSYS,
                "page faults served by another task are not recorded",
                hex("flags"));
        calls.answered(MEMFD_SECRET, "memfd_secret", Errno.ENOSYS, "its memory cannot be read by the recorder", flags);
        calls.neverBlocks(MEMFD_CREATE, "memfd_create", string("name"), flags("flags", MEMFD_FLAGS));

        calls.mayBlock(MSYNC, "msync", address, length, flags("flags", SYNC_FLAGS));
        calls.neverBlocks(MINCORE, "mincore", address, length, shaped("vec", Kind.OUT, Shape.PAGE_BYTES, 1, 1));
        calls.neverBlocks(MLOCK, "mlock", address, length);
        calls.neverBlocks(MLOCK2, "mlock2", address, length, flags);
        calls.neverBlocks(MUNLOCK, "munlock", address, length);
        calls.neverBlocks(MLOCKALL, "mlockall", flags("flags", MLOCKALL_FLAGS));
        calls.neverBlocks(MUNLOCKALL, "munlockall");
        calls.neverBlocks(MSEAL, "mseal", address, length, flags);
        calls.neverBlocks(MEMBARRIER, "membarrier", value("cmd", MEMBARRIER_COMMANDS), flags, integer("cpu_id"));
        calls.neverBlocks(
                        PROCESS_MADVISE,
                        "process_madvise",
                        fd("pidfd"),
                        in("iov"),
                        size("vlen"),
                        hex("advice"),
                        hex("flags"))
                .with(CommandSet.PROCESS_MADVISE);
        calls.neverBlocks(PROCESS_MRELEASE, "process_mrelease", fd("pidfd"), flags);
        calls.neverBlocks(
                PROCESS_VM_READV,
                "process_vm_readv",
                integer("pid"),
                shaped("local_iov", Kind.OUT, Shape.IOVECS, 2, 0),
                size("liovcnt"),
                in("remote_iov"),
                size("riovcnt"),
                flags);
        calls.special(
                PROCESS_VM_WRITEV,
                "process_vm_writev",
                "writes the memory of another process, which may be recorded too",
                integer("pid"),
                in("local_iov"),
                size("liovcnt"),
                in("remote_iov"),
                size("riovcnt"),
                flags);

        calls.neverBlocks(
                MBIND, "mbind", address, length, value("mode", POLICIES), in("nodemask"), number("maxnode"), flags);
        calls.neverBlocks(SET_MEMPOLICY, "set_mempolicy", value("mode", POLICIES), in("nodemask"), number("maxnode"));
        calls.neverBlocks(
                GET_MEMPOLICY,
                "get_mempolicy",
                out("mode", Struct.INT),
                shaped("nodemask", Kind.OUT, Shape.NODE_SET, 2, 0).partly(),
                number("maxnode"),
                address,
                flags);
        calls.neverBlocks(SET_MEMPOLICY_HOME_NODE, "set_mempolicy_home_node", address, length, number("node"), flags);
        calls.neverBlocks(MIGRATE_PAGES, "migrate_pages", integer("pid"), number("maxnode"), in("old"), in("new"));
        calls.neverBlocks(
                MOVE_PAGES,
                "move_pages",
                integer("pid"),
                size("count"),
                in("pages"),
                in("nodes"),
                filledArray("status", Struct.INT, 1).always(),
                flags);

        futexes(calls);
    }

    private static void futexes(Declarations calls) {
        calls.mayBlock(
                        FUTEX,
                        "futex",
                        address("uaddr"),
                        flags("futex_op", FUTEX_OPERATIONS),
                        integer("val"),
                        in("timeout"),
                        address("uaddr2"),
                        hex("val3"))
                .with(CommandSet.FUTEX);
        calls.mayBlock(
                FUTEX_WAITV,
                "futex_waitv",
                in("waiters"),
                unsigned("nr_futexes"),
                hex("flags"),
                in("timeout"),
                value("clockid", CLOCKS));
        calls.neverBlocks(FUTEX_WAKE, "futex_wake", address("uaddr"), hex("mask"), integer("nr"), hex("flags"));
        calls.mayBlock(
                FUTEX_WAIT,
                "futex_wait",
                address("uaddr"),
                hex("val"),
                hex("mask"),
                hex("flags"),
                in("timeout"),
                value("clockid", CLOCKS));
        calls.neverBlocks(
                FUTEX_REQUEUE, "futex_requeue", in("waiters"), hex("flags"), integer("nr_wake"), integer("nr_requeue"));
        calls.special(
                SET_ROBUST_LIST,
                "set_robust_list",
                "the kernel writes to the futexes in the list when the task ends",
                address("head"),
                size("len"));
        calls.neverBlocks(
                GET_ROBUST_LIST,
                "get_robust_list",
                integer("pid"),
                out("head_ptr", Struct.LONG),
                out("len_ptr", Struct.LONG));
        calls.answered(
                RSEQ,
                "rseq",
                Errno.ENOSYS,
                "the kernel would write the core's number and change the flow of execution behind the recorder's back",
                address("rseq"),
                unsigned("rseq_len"),
                hex("flags"),
                hex("sig"));
    }
}
