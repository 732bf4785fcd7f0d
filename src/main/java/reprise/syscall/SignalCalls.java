package reprise.syscall;

import static reprise.linux.SyscallNumber.*;
import static reprise.syscall.Argument.*;
import static reprise.syscall.Vocabulary.*;

/** Signals. */
final class SignalCalls {
    private SignalCalls() {}

    static void declare(Declarations calls) {
        final Argument pid = integer("pid");
        final Argument tid = integer("tid");
        final Argument signal = signal("sig");
        final Argument setSize = size("sigsetsize");

        calls.neverBlocks(
                RT_SIGACTION, "rt_sigaction", signal("signum"), in("act"), out("oldact", Struct.SIGACTION), setSize);
        calls.neverBlocks(
                RT_SIGPROCMASK, "rt_sigprocmask", value("how", SIGNAL_HOW), in("set"), filled("oldset", 3), setSize);
        calls.special(RT_SIGRETURN, "rt_sigreturn", "sets all registers");
        calls.specialBlocking(RESTART_SYSCALL, "restart_syscall", "writes what the call that it continues would write");
        calls.neverBlocks(RT_SIGPENDING, "rt_sigpending", filled("set", 1), setSize);
        calls.mayBlock(
                RT_SIGTIMEDWAIT, "rt_sigtimedwait", in("set"), out("info", Struct.SIGINFO), in("timeout"), setSize);
        calls.mayBlock(RT_SIGSUSPEND, "rt_sigsuspend", in("mask"), setSize);
        calls.mayBlock(PAUSE, "pause");
        calls.neverBlocks(SIGALTSTACK, "sigaltstack", in("ss"), out("old_ss", Struct.STACK));
        calls.neverBlocks(KILL, "kill", pid, signal);
        calls.neverBlocks(TKILL, "tkill", tid, signal);
        calls.neverBlocks(TGKILL, "tgkill", integer("tgid"), tid, signal);
        calls.neverBlocks(RT_SIGQUEUEINFO, "rt_sigqueueinfo", integer("tgid"), signal, in("info"));
        calls.neverBlocks(RT_TGSIGQUEUEINFO, "rt_tgsigqueueinfo", integer("tgid"), tid, signal, in("info"));
        calls.neverBlocks(PIDFD_SEND_SIGNAL, "pidfd_send_signal", fd("pidfd"), signal, in("info"), hex("flags"));
    }
}
