package reprise.syscall;

import static reprise.linux.SyscallNumber.*;
import static reprise.syscall.Argument.*;
import static reprise.syscall.Vocabulary.*;

/** Clocks and timers. */
final class TimeCalls {
    private TimeCalls() {}

    static void declare(Declarations calls) {
        final Argument clock = value("clockid", CLOCKS);
        final Argument timer = integer("timerid");

        calls.neverBlocks(TIME, "time", out("tloc", Struct.LONG));
        calls.neverBlocks(GETTIMEOFDAY, "gettimeofday", out("tv", Struct.TIMEVAL), out("tz", Struct.TIMEZONE));
        calls.neverBlocks(SETTIMEOFDAY, "settimeofday", in("tv"), in("tz"));
        calls.neverBlocks(CLOCK_GETTIME, "clock_gettime", clock, out("tp", Struct.TIMESPEC));
        calls.neverBlocks(CLOCK_SETTIME, "clock_settime", clock, in("tp"));
        calls.neverBlocks(CLOCK_GETRES, "clock_getres", clock, out("res", Struct.TIMESPEC));
        calls.neverBlocks(ADJTIMEX, "adjtimex", inOut("buf", Struct.TIMEX));
        calls.neverBlocks(CLOCK_ADJTIME, "clock_adjtime", clock, inOut("buf", Struct.TIMEX));
        calls.neverBlocks(TIMES, "times", out("buf", Struct.TMS));

        // The time that is left is written when a signal interrupts the sleep, before the call is perhaps restarted.
        calls.mayBlock(
                NANOSLEEP, "nanosleep", in("req"), out("rem", Struct.TIMESPEC).always());
        calls.mayBlock(
                CLOCK_NANOSLEEP,
                "clock_nanosleep",
                clock,
                flags("flags", TIMER_FLAGS),
                in("request"),
                out("remain", Struct.TIMESPEC).always());

        calls.neverBlocks(ALARM, "alarm", unsigned("seconds"));
        calls.neverBlocks(GETITIMER, "getitimer", value("which", ITIMERS), out("curr_value", Struct.ITIMERVAL));
        calls.neverBlocks(
                SETITIMER, "setitimer", value("which", ITIMERS), in("new_value"), out("old_value", Struct.ITIMERVAL));
        // The id is written before clocks are asked that may refuse.
        calls.neverBlocks(
                TIMER_CREATE,
                "timer_create",
                clock,
                in("sevp"),
                inOut("timerid", Struct.INT).always());
        calls.neverBlocks(
                TIMER_SETTIME,
                "timer_settime",
                timer,
                flags("flags", TIMER_FLAGS),
                in("new_value"),
                out("old_value", Struct.ITIMERSPEC));
        calls.neverBlocks(TIMER_GETTIME, "timer_gettime", timer, out("curr_value", Struct.ITIMERSPEC));
        calls.neverBlocks(TIMER_GETOVERRUN, "timer_getoverrun", timer);
        calls.neverBlocks(TIMER_DELETE, "timer_delete", timer);
        calls.neverBlocks(TIMERFD_CREATE, "timerfd_create", clock, flags("flags", TIMERFD_CREATE_FLAGS));
        calls.neverBlocks(
                TIMERFD_SETTIME,
                "timerfd_settime",
                fd("fd"),
                flags("flags", Vocabulary.TIMERFD_FLAGS),
                in("new_value"),
                out("old_value", Struct.ITIMERSPEC));
        calls.neverBlocks(TIMERFD_GETTIME, "timerfd_gettime", fd("fd"), out("curr_value", Struct.ITIMERSPEC));
    }
}
