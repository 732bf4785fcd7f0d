package reprise.syscall;

import static reprise.syscall.Argument.buffer;
import static reprise.syscall.Argument.out;
import static reprise.syscall.Argument.outBytes;
import static reprise.syscall.Command.answered;
import static reprise.syscall.Command.prompt;
import static reprise.syscall.Command.special;

import reprise.linux.Errno;

/** The commands of prctl, arch_prctl, seccomp and modify_ldt. */
final class ProcessCommands {
    private static final String FILTERS = "the recorder's own filter comes first";

    private ProcessCommands() {}

    static CommandTable prctl() {
        return CommandTable.by(
                0,
                prompt("PR_SET_PDEATHSIG", 1),
                prompt("PR_GET_PDEATHSIG", 2, out("signal", Struct.INT).at(1)),
                prompt("PR_GET_DUMPABLE", 3),
                special("PR_SET_DUMPABLE", 4, "a process that is not dumpable cannot be traced"),
                prompt("PR_GET_UNALIGN", 5, out("bits", Struct.INT).at(1)),
                prompt("PR_SET_UNALIGN", 6),
                prompt("PR_GET_KEEPCAPS", 7),
                prompt("PR_SET_KEEPCAPS", 8),
                prompt("PR_GET_FPEMU", 9, out("fpemu", Struct.INT).at(1)),
                prompt("PR_SET_FPEMU", 10),
                prompt("PR_GET_FPEXC", 11, out("mode", Struct.INT).at(1)),
                prompt("PR_SET_FPEXC", 12),
                prompt("PR_GET_TIMING", 13),
                prompt("PR_SET_TIMING", 14),
                prompt("PR_SET_NAME", 15),
                prompt("PR_GET_NAME", 16, outBytes("name", 16).at(1)),
                prompt("PR_GET_ENDIAN", 19, out("endianness", Struct.INT).at(1)),
                prompt("PR_SET_ENDIAN", 20),
                special("PR_GET_SECCOMP", 21, FILTERS),
                special("PR_SET_SECCOMP", 22, FILTERS),
                prompt("PR_CAPBSET_READ", 23),
                prompt("PR_CAPBSET_DROP", 24),
                special(
                        "PR_GET_TSC",
                        25,
                        "rdtsc is trapped for the recorder",
                        out("flag", Struct.INT).at(1)),
                special("PR_SET_TSC", 26, "rdtsc is trapped for the recorder"),
                prompt("PR_GET_SECUREBITS", 27),
                prompt("PR_SET_SECUREBITS", 28),
                prompt("PR_SET_TIMERSLACK", 29),
                prompt("PR_GET_TIMERSLACK", 30),
                prompt("PR_TASK_PERF_EVENTS_DISABLE", 31),
                prompt("PR_TASK_PERF_EVENTS_ENABLE", 32),
                prompt("PR_MCE_KILL", 33),
                prompt("PR_MCE_KILL_GET", 34),
                // PR_SET_MM_MAP_SIZE writes a size; for the others this is an address of which nothing is written.
                special(
                        "PR_SET_MM",
                        35,
                        "moves the limits of the address space",
                        out("size", Struct.INT).at(2)),
                prompt("PR_SET_CHILD_SUBREAPER", 36),
                prompt("PR_GET_CHILD_SUBREAPER", 37, out("flag", Struct.INT).at(1)),
                special("PR_SET_NO_NEW_PRIVS", 38, FILTERS),
                special("PR_GET_NO_NEW_PRIVS", 39, FILTERS),
                prompt("PR_GET_TID_ADDRESS", 40, out("address", Struct.LONG).at(1)),
                prompt("PR_SET_THP_DISABLE", 41),
                prompt("PR_GET_THP_DISABLE", 42),
                prompt("PR_MPX_ENABLE_MANAGEMENT", 43),
                prompt("PR_MPX_DISABLE_MANAGEMENT", 44),
                prompt("PR_SET_FP_MODE", 45),
                prompt("PR_GET_FP_MODE", 46),
                prompt("PR_CAP_AMBIENT", 47),
                prompt("PR_SVE_SET_VL", 50),
                prompt("PR_SVE_GET_VL", 51),
                prompt("PR_GET_SPECULATION_CTRL", 52),
                prompt("PR_SET_SPECULATION_CTRL", 53),
                prompt("PR_PAC_RESET_KEYS", 54),
                prompt("PR_SET_TAGGED_ADDR_CTRL", 55),
                prompt("PR_GET_TAGGED_ADDR_CTRL", 56),
                prompt("PR_SET_IO_FLUSHER", 57),
                prompt("PR_GET_IO_FLUSHER", 58),
                answered("PR_SET_SYSCALL_USER_DISPATCH", 59, Errno.EINVAL, "system calls are caught for the recorder"),
                prompt("PR_PAC_SET_ENABLED_KEYS", 60),
                prompt("PR_PAC_GET_ENABLED_KEYS", 61),
                prompt("PR_SCHED_CORE", 62, out("cookie", Struct.LONG).partly().at(4)),
                prompt("PR_SME_SET_VL", 63),
                prompt("PR_SME_GET_VL", 64),
                answered("PR_SET_MDWE", 65, Errno.EINVAL, "call sites are patched, which it forbids"),
                prompt("PR_GET_MDWE", 66),
                prompt("PR_SET_MEMORY_MERGE", 67),
                prompt("PR_GET_MEMORY_MERGE", 68),
                answered("PR_GET_SHADOW_STACK_STATUS", 74, Errno.EINVAL, "shadow stacks are not replayed"),
                answered("PR_SET_SHADOW_STACK_STATUS", 75, Errno.EINVAL, "shadow stacks are not replayed"),
                answered("PR_LOCK_SHADOW_STACK_STATUS", 76, Errno.EINVAL, "shadow stacks are not replayed"),
                prompt("PR_TIMER_CREATE_RESTORE_IDS", 77),
                prompt("PR_FUTEX_HASH", 78),
                prompt("PR_GET_AUXV", 0x41555856, buffer("auxv", 2).partly().at(1)),
                prompt("PR_SET_VMA", 0x53564d41),
                prompt("PR_SET_PTRACER", 0x59616d61));
    }

    static CommandTable archPrctl() {
        final String base = "changes a segment register";
        final String shadowStack = "shadow stacks are not replayed";
        return CommandTable.by(
                0,
                special("ARCH_SET_GS", 0x1001, base),
                special("ARCH_SET_FS", 0x1002, base),
                prompt("ARCH_GET_FS", 0x1003, out("base", Struct.LONG).at(1)),
                prompt("ARCH_GET_GS", 0x1004, out("base", Struct.LONG).at(1)),
                special("ARCH_GET_CPUID", 0x1011, "cpuid is trapped for the recorder"),
                special("ARCH_SET_CPUID", 0x1012, "cpuid is trapped for the recorder"),
                prompt(
                        "ARCH_GET_XCOMP_SUPP",
                        0x1021,
                        out("features", Struct.LONG).at(1)),
                prompt(
                        "ARCH_GET_XCOMP_PERM",
                        0x1022,
                        out("features", Struct.LONG).at(1)),
                special("ARCH_REQ_XCOMP_PERM", 0x1023, "enlarges the extended state"),
                prompt(
                        "ARCH_GET_XCOMP_GUEST_PERM",
                        0x1024,
                        out("features", Struct.LONG).at(1)),
                prompt("ARCH_REQ_XCOMP_GUEST_PERM", 0x1025),
                answered("ARCH_MAP_VDSO_X32", 0x2001, Errno.EINVAL, "the vdso is hidden"),
                answered("ARCH_MAP_VDSO_32", 0x2002, Errno.EINVAL, "the vdso is hidden"),
                answered("ARCH_MAP_VDSO_64", 0x2003, Errno.EINVAL, "the vdso is hidden"),
                answered("ARCH_CET_STATUS", 0x3001, Errno.EINVAL, shadowStack),
                prompt("ARCH_GET_UNTAG_MASK", 0x4001, out("mask", Struct.LONG).at(1)),
                answered("ARCH_ENABLE_TAGGED_ADDR", 0x4002, Errno.EINVAL, "tagged addresses are not replayed"),
                prompt("ARCH_GET_MAX_TAG_BITS", 0x4003, out("bits", Struct.LONG).at(1)),
                answered("ARCH_FORCE_TAGGED_SVA", 0x4004, Errno.EINVAL, "tagged addresses are not replayed"),
                answered("ARCH_SHSTK_ENABLE", 0x5001, Errno.EINVAL, shadowStack),
                answered("ARCH_SHSTK_DISABLE", 0x5002, Errno.EINVAL, shadowStack),
                answered("ARCH_SHSTK_LOCK", 0x5003, Errno.EINVAL, shadowStack),
                answered("ARCH_SHSTK_UNLOCK", 0x5004, Errno.EINVAL, shadowStack),
                answered("ARCH_SHSTK_STATUS", 0x5005, Errno.EINVAL, shadowStack));
    }

    static CommandTable seccomp() {
        return CommandTable.by(
                0,
                special("SECCOMP_SET_MODE_STRICT", 0, FILTERS),
                special("SECCOMP_SET_MODE_FILTER", 1, FILTERS),
                prompt("SECCOMP_GET_ACTION_AVAIL", 2),
                prompt(
                        "SECCOMP_GET_NOTIF_SIZES",
                        3,
                        out("sizes", Struct.SECCOMP_NOTIF_SIZES).at(2)));
    }

    static CommandTable modifyLdt() {
        final String descriptors = "segment descriptors are not replayed";
        return CommandTable.by(
                0,
                prompt("read_ldt", 0, buffer("ptr", 2).at(1)),
                answered("write_ldt", 1, Errno.ENOSYS, descriptors),
                prompt("read_default_ldt", 2, buffer("ptr", 2).at(1)),
                answered("write_new_ldt", 0x11, Errno.ENOSYS, descriptors));
    }
}
