package reprise.syscall;

import static reprise.linux.SyscallNumber.*;
import static reprise.syscall.Argument.*;

import reprise.linux.Errno;
import reprise.syscall.Argument.Kind;
import reprise.syscall.Argument.Shape;

/** The system as a whole: information, administration, security modules, and numbers that lead nowhere. */
final class SystemCalls {
    private SystemCalls() {}

    static void declare(Declarations calls) {
        calls.neverBlocks(UNAME, "uname", out("buf", Struct.UTSNAME));
        calls.neverBlocks(SYSINFO, "sysinfo", out("info", Struct.SYSINFO));
        calls.mayBlock(SYSLOG, "syslog", integer("type"), buffer("bufp", 2).partly(), integer("len"));
        calls.neverBlocks(SETHOSTNAME, "sethostname", in("name"), size("len"));
        calls.neverBlocks(SETDOMAINNAME, "setdomainname", in("name"), size("len"));
        calls.neverBlocks(ACCT, "acct", path("filename"));
        calls.mayBlock(VHANGUP, "vhangup");

        final Argument flags = hex("flags");
        calls.neverBlocks(
                LSM_GET_SELF_ATTR,
                "lsm_get_self_attr",
                unsigned("attr"),
                shaped("ctx", Kind.OUT, Shape.LENGTH_POINTER, 2, 0).partly(),
                lengthWord("size"),
                flags);
        calls.neverBlocks(LSM_SET_SELF_ATTR, "lsm_set_self_attr", unsigned("attr"), in("ctx"), unsigned("size"), flags);
        calls.neverBlocks(
                LSM_LIST_MODULES,
                "lsm_list_modules",
                shaped("ids", Kind.OUT, Shape.LENGTH_POINTER, 1, 8).times().partly(),
                lengthWord("size"),
                flags);

        final String kernel = "would change the machine under the recorder";
        final Argument path = path("path");
        calls.answered(REBOOT, "reboot", Errno.EPERM, kernel, hex("magic"), hex("magic2"), hex("cmd"), address("arg"));
        calls.answered(SWAPON, "swapon", Errno.EPERM, kernel, path, hex("swapflags"));
        calls.answered(SWAPOFF, "swapoff", Errno.EPERM, kernel, path);
        calls.answered(INIT_MODULE, "init_module", Errno.EPERM, kernel, in("image"), size("len"), string("params"));
        calls.answered(FINIT_MODULE, "finit_module", Errno.EPERM, kernel, fd("fd"), string("params"), flags);
        calls.answered(DELETE_MODULE, "delete_module", Errno.EPERM, kernel, string("name"), flags);
        calls.answered(
                KEXEC_LOAD,
                "kexec_load",
                Errno.EPERM,
                kernel,
                address("entry"),
                size("nr_segments"),
                in("segments"),
                flags);
        calls.answered(
                KEXEC_FILE_LOAD,
                "kexec_file_load",
                Errno.EPERM,
                kernel,
                fd("kernel_fd"),
                fd("initrd_fd"),
                size("cmdline_len"),
                string("cmdline"),
                flags);
        final String ports = "what port instructions read cannot be recorded";
        calls.answered(IOPL, "iopl", Errno.EPERM, ports, integer("level"));
        calls.answered(IOPERM, "ioperm", Errno.EPERM, ports, size("from"), size("num"), integer("turn_on"));
        calls.answered(
                BPF,
                "bpf",
                Errno.EPERM,
                "its maps are shared with programs that the kernel runs; the answer to the unprivileged",
                integer("cmd"),
                in("attr"),
                unsigned("size"));
        calls.answered(
                PERF_EVENT_OPEN,
                "perf_event_open",
                Errno.EACCES,
                "its buffers are written by the kernel at moments that nobody sees; the answer to the unprivileged",
                in("attr"),
                integer("pid"),
                integer("cpu"),
                fd("group_fd"),
                flags);

        withoutKernelCode(calls);
    }

    /** Numbers that are reserved, or whose call was removed. */
    private static void withoutKernelCode(Declarations calls) {
        final String never = "Linux has never had such a call on x86-64";
        final String removed = "was removed from Linux";
        gone(calls, GETPMSG, "getpmsg", never);
        gone(calls, PUTPMSG, "putpmsg", never);
        gone(calls, AFS_SYSCALL, "afs_syscall", never);
        gone(calls, TUXCALL, "tuxcall", never);
        gone(calls, SECURITY, "security", never);
        gone(calls, VSERVER, "vserver", never);
        gone(calls, EPOLL_CTL_OLD, "epoll_ctl_old", never);
        gone(calls, EPOLL_WAIT_OLD, "epoll_wait_old", never);
        gone(calls, USELIB, "uselib", removed);
        gone(calls, CREATE_MODULE, "create_module", removed);
        gone(calls, GET_KERNEL_SYMS, "get_kernel_syms", removed);
        gone(calls, QUERY_MODULE, "query_module", removed);
        gone(calls, NFSSERVCTL, "nfsservctl", removed);
        gone(calls, _SYSCTL, "_sysctl", removed);
        gone(calls, LOOKUP_DCOOKIE, "lookup_dcookie", removed);
    }

    private static void gone(Declarations calls, int number, String name, String reason) {
        calls.answered(number, name, Errno.ENOSYS, reason);
    }
}
