package reprise.syscall;

import static reprise.linux.SyscallNumber.*;
import static reprise.syscall.Argument.*;
import static reprise.syscall.Vocabulary.*;

import reprise.linux.Errno;
import reprise.syscall.Argument.Kind;
import reprise.syscall.Argument.Shape;

/** Tasks: their beginning and end, identity, limits and scheduling. */
final class ProcessCalls {
    private static final long WNOHANG = 1;
    private static final String TASKS = "creates a task";

    private ProcessCalls() {}

    static void declare(Declarations calls) {
        final Argument pid = integer("pid");

        calls.special(
                CLONE,
                "clone",
                TASKS,
                flags("flags", CLONE_FLAGS),
                address("stack"),
                address("parent_tid"),
                address("child_tid"),
                hex("tls"));
        calls.special(
                CLONE3,
                "clone3",
                TASKS + "; pidfd, parent_tid and child_tid are behind pointers in cl_args",
                in("cl_args"),
                size("size"));
        calls.special(FORK, "fork", TASKS);
        calls.specialBlocking(VFORK, "vfork", TASKS);
        calls.special(EXECVE, "execve", "begins an address space", path("pathname"), in("argv"), in("envp"));
        calls.special(
                EXECVEAT,
                "execveat",
                "begins an address space",
                fd("dirfd"),
                path("pathname"),
                in("argv"),
                in("envp"),
                flags("flags", AT_FLAGS));
        calls.special(EXIT, "exit", "ends the task", integer("status"));
        calls.special(EXIT_GROUP, "exit_group", "ends the process", integer("status"));
        calls.mayBlock(
                        WAIT4,
                        "wait4",
                        pid,
                        out("wstatus", Struct.INT).ifPositive(),
                        flags("options", WAIT_OPTIONS),
                        out("rusage", Struct.RUSAGE).ifPositive())
                .promptIf(2, WNOHANG);
        // With nothing to report it writes zeroes, and it does so before it fails too.
        calls.mayBlock(
                        WAITID,
                        "waitid",
                        value("idtype", WAIT_IDS),
                        integer("id"),
                        out("infop", Struct.SIGINFO).always(),
                        flags("options", WAIT_OPTIONS),
                        out("rusage", Struct.RUSAGE).partly())
                .promptIf(3, WNOHANG);
        calls.special(
                SET_TID_ADDRESS, "set_tid_address", "the kernel clears the word when the task ends", address("tidptr"));
        calls.neverBlocks(PIDFD_OPEN, "pidfd_open", pid, flags("flags", PIDFD_FLAGS));
        calls.neverBlocks(PIDFD_GETFD, "pidfd_getfd", fd("pidfd"), fd("targetfd"), hex("flags"));
        calls.neverBlocks(KCMP, "kcmp", integer("pid1"), integer("pid2"), integer("type"), hex("idx1"), hex("idx2"));
        calls.special(
                PTRACE,
                "ptrace",
                "a task has one tracer, and that is the recorder, who does what the recorded tracer asks",
                value("request", PTRACE_REQUESTS),
                pid,
                hex("addr"),
                hex("data"));
        calls.special(UNSHARE, "unshare", "CLONE_FILES parts the descriptors", flags("flags", CLONE_FLAGS));
        calls.neverBlocks(SETNS, "setns", fd("fd"), flags("nstype", CLONE_FLAGS));
        calls.neverBlocks(PRCTL, "prctl", integer("option"), hex("arg2"), hex("arg3"), hex("arg4"), hex("arg5"))
                .with(CommandSet.PRCTL);
        calls.neverBlocks(ARCH_PRCTL, "arch_prctl", hex("op"), hex("addr")).with(CommandSet.ARCH_PRCTL);
        calls.neverBlocks(SECCOMP, "seccomp", integer("operation"), hex("flags"), hex("args"))
                .with(CommandSet.SECCOMP);
        calls.neverBlocks(MODIFY_LDT, "modify_ldt", integer("func"), hex("ptr"), size("bytecount"))
                .with(CommandSet.MODIFY_LDT);
        calls.answered(SET_THREAD_AREA, "set_thread_area", Errno.ENOSYS, "only for 32-bit programs", in("u_info"));
        calls.answered(GET_THREAD_AREA, "get_thread_area", Errno.ENOSYS, "only for 32-bit programs", in("u_info"));
        calls.neverBlocks(PERSONALITY, "personality", hex("persona"));

        identity(calls, pid);
        scheduling(calls, pid);
    }

    private static void identity(Declarations calls, Argument pid) {
        final Argument id = integer("id");
        calls.neverBlocks(GETPID, "getpid");
        calls.neverBlocks(GETTID, "gettid");
        calls.neverBlocks(GETPPID, "getppid");
        calls.neverBlocks(GETPGRP, "getpgrp");
        calls.neverBlocks(GETPGID, "getpgid", pid);
        calls.neverBlocks(SETPGID, "setpgid", pid, integer("pgid"));
        calls.neverBlocks(GETSID, "getsid", pid);
        calls.neverBlocks(SETSID, "setsid");
        calls.neverBlocks(GETUID, "getuid");
        calls.neverBlocks(GETGID, "getgid");
        calls.neverBlocks(GETEUID, "geteuid");
        calls.neverBlocks(GETEGID, "getegid");
        calls.neverBlocks(SETUID, "setuid", id);
        calls.neverBlocks(SETGID, "setgid", id);
        calls.neverBlocks(SETREUID, "setreuid", integer("ruid"), integer("euid"));
        calls.neverBlocks(SETREGID, "setregid", integer("rgid"), integer("egid"));
        calls.neverBlocks(SETRESUID, "setresuid", integer("ruid"), integer("euid"), integer("suid"));
        calls.neverBlocks(SETRESGID, "setresgid", integer("rgid"), integer("egid"), integer("sgid"));
        calls.neverBlocks(
                GETRESUID, "getresuid", out("ruid", Struct.INT), out("euid", Struct.INT), out("suid", Struct.INT));
        calls.neverBlocks(
                GETRESGID, "getresgid", out("rgid", Struct.INT), out("egid", Struct.INT), out("sgid", Struct.INT));
        calls.neverBlocks(SETFSUID, "setfsuid", id);
        calls.neverBlocks(SETFSGID, "setfsgid", id);
        calls.neverBlocks(GETGROUPS, "getgroups", integer("size"), array("list", Struct.INT, 0));
        calls.neverBlocks(SETGROUPS, "setgroups", integer("size"), in("list"));
        // A wrong version is answered with the right one, and EINVAL.
        calls.neverBlocks(
                CAPGET,
                "capget",
                inOut("hdrp", Struct.CAPABILITY_HEADER).always(),
                shaped("datap", Kind.OUT, Shape.CAPABILITIES, 0, 0));
        calls.neverBlocks(
                CAPSET, "capset", inOut("hdrp", Struct.CAPABILITY_HEADER).always(), in("datap"));
        calls.neverBlocks(GETRLIMIT, "getrlimit", value("resource", RESOURCES), out("rlim", Struct.RLIMIT));
        calls.neverBlocks(SETRLIMIT, "setrlimit", value("resource", RESOURCES), in("rlim"));
        calls.neverBlocks(
                PRLIMIT64,
                "prlimit64",
                pid,
                value("resource", RESOURCES),
                in("new_limit"),
                out("old_limit", Struct.RLIMIT));
        calls.neverBlocks(GETRUSAGE, "getrusage", value("who", USAGE_WHO), out("usage", Struct.RUSAGE));
    }

    private static void scheduling(Declarations calls, Argument pid) {
        final String core = "tasks are bound to one core while they are recorded";
        calls.special(SCHED_YIELD, "sched_yield", "asks for another task to run");
        calls.special(SCHED_SETAFFINITY, "sched_setaffinity", core, pid, size("cpusetsize"), in("mask"));
        calls.special(SCHED_GETAFFINITY, "sched_getaffinity", core, pid, size("cpusetsize"), buffer("mask", 1));
        calls.special(GETCPU, "getcpu", core, out("cpu", Struct.INT), out("node", Struct.INT), address("tcache"));
        calls.neverBlocks(GETPRIORITY, "getpriority", value("which", PRIORITY_WHICH), integer("who"));
        calls.neverBlocks(SETPRIORITY, "setpriority", value("which", PRIORITY_WHICH), integer("who"), integer("prio"));
        calls.neverBlocks(SCHED_SETPARAM, "sched_setparam", pid, in("param"));
        calls.neverBlocks(SCHED_GETPARAM, "sched_getparam", pid, out("param", Struct.SCHED_PARAM));
        calls.neverBlocks(SCHED_SETSCHEDULER, "sched_setscheduler", pid, value("policy", SCHEDULERS), in("param"));
        calls.neverBlocks(SCHED_GETSCHEDULER, "sched_getscheduler", pid);
        calls.neverBlocks(SCHED_GET_PRIORITY_MAX, "sched_get_priority_max", value("policy", SCHEDULERS));
        calls.neverBlocks(SCHED_GET_PRIORITY_MIN, "sched_get_priority_min", value("policy", SCHEDULERS));
        calls.neverBlocks(SCHED_RR_GET_INTERVAL, "sched_rr_get_interval", pid, out("tp", Struct.TIMESPEC));
        // The size that the kernel knows is written to the first word if the one given is too large.
        calls.neverBlocks(
                SCHED_SETATTR, "sched_setattr", pid, inOut("attr", Struct.INT).always(), hex("flags"));
        calls.neverBlocks(
                SCHED_GETATTR, "sched_getattr", pid, filled("attr", 2).partly(), unsigned("size"), hex("flags"));
        calls.neverBlocks(IOPRIO_SET, "ioprio_set", integer("which"), integer("who"), hex("ioprio"));
        calls.neverBlocks(IOPRIO_GET, "ioprio_get", integer("which"), integer("who"));
    }
}
