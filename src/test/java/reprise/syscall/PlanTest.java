package reprise.syscall;

import static org.assertj.core.api.Assertions.assertThat;
import static reprise.linux.SyscallNumber.*;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import reprise.linux.Errno;

/** Which memory a call may write. */
class PlanTest {
    private static final long A = 0x10_000;
    private static final long B = 0x20_000;
    private static final long C = 0x30_000;
    private static final long D = 0x40_000;

    private final OutputPlan plan = new OutputPlan();

    private Support plan(int number, FakeCall call) {
        return SyscallTable.of(number).plan(call, plan);
    }

    private void plan(int number, long... arguments) {
        assertThat(plan(number, new FakeCall(arguments))).isIn(Support.SUPPORTED, Support.SPECIAL);
    }

    /** A region as text: address+capacity, extent, and what else is not the rule. */
    private String region(int index) {
        StringBuilder text = new StringBuilder(Long.toHexString(plan.address(index)));
        text.append('+').append(plan.capacity(index)).append(' ').append(plan.extent(index));
        if (plan.hasLengthWord(index)) {
            text.append(" word ").append(plan.lengthRegion(index)).append('@').append(plan.lengthOffset(index));
        } else if (plan.parameter(index) != 0) {
            text.append(' ').append(plan.parameter(index));
        }
        text.append(plan.when(index) == OutputPlan.When.ALWAYS ? " always" : "");
        text.append(plan.input(index) ? " in" : "");
        switch (plan.pointerRegion(index)) {
            case OutputPlan.IN_REGISTER -> text.append(" arg").append(plan.pointerOffset(index));
            case OutputPlan.FIXED -> text.append(" fixed");
            default ->
                text.append(" at ")
                        .append(plan.pointerRegion(index))
                        .append('@')
                        .append(plan.pointerOffset(index));
        }
        text.append(plan.minimumResult(index) == 0 ? "" : " if>=" + plan.minimumResult(index));
        return text.toString();
    }

    private void assertRegions(String... regions) {
        String[] actual = new String[plan.size()];
        for (int i = 0; i < actual.length; i++) {
            actual[i] = region(i);
        }
        assertThat(actual).containsExactly(regions);
    }

    @Nested
    class Files {
        @Test
        @DisplayName("read fills its buffer as far as the result says")
        void read() {
            plan(READ, 3, A, 100);
            assertRegions("10000+100 RESULT arg1");
            plan(READ, 3, 0, 100);
            assertRegions();
            plan(READ, 3, A, -1);
            assertRegions("10000+" + 0x7fff_f000L + " RESULT arg1");
        }

        @Test
        @DisplayName("write writes nothing")
        void write() {
            plan(WRITE, 3, A, 100);
            assertRegions();
        }

        @Test
        @DisplayName("stat and its kin write a structure")
        void stat() {
            plan(STAT, A, B);
            assertRegions("20000+144 CAPACITY arg1");
            plan(NEWFSTATAT, -100, A, B, 0);
            assertRegions("20000+144 CAPACITY arg2");
            plan(STATX, -100, A, 0, 0xfff, B);
            assertRegions("20000+256 CAPACITY arg4");
            plan(STATFS, A, B);
            assertRegions("20000+120 CAPACITY arg1");
        }

        @Test
        @DisplayName("names and directories fill as far as the result says")
        void names() {
            plan(GETCWD, A, 4096);
            assertRegions("10000+4096 RESULT arg0");
            plan(READLINKAT, -100, A, B, 0x1_0000_0040L);
            assertRegions("20000+64 RESULT arg2");
            plan(GETDENTS64, 3, A, 32768);
            assertRegions("10000+32768 RESULT arg1");
            plan(GETXATTR, A, B, C, 0);
            assertRegions();
        }

        @Test
        @DisplayName("an iovec array is an input, its parts are filled in turn")
        void readv() {
            FakeCall call = new FakeCall(3, A, 3)
                    .word(A, B)
                    .word(A + 8, 10)
                    .word(A + 16, 0)
                    .word(A + 24, 0)
                    .word(A + 32, C)
                    .word(A + 40, 20);
            assertThat(plan(READV, call)).isEqualTo(Support.SUPPORTED);
            assertRegions("10000+48 NOTHING in arg1", "20000+10 RESULT at 0@0", "30000+20 RESULT at 0@32");
        }

        @Test
        @DisplayName("a bad iovec pointer adds nothing more")
        void badVector() {
            assertThat(plan(READV, new FakeCall(3, A, 3).word(A, B))).isEqualTo(Support.SUPPORTED);
            assertRegions("10000+48 NOTHING in arg1");
        }

        @Test
        @DisplayName("sendfile always writes its offset, copy_file_range after a success")
        void offsets() {
            plan(SENDFILE, 4, 3, A, 100);
            assertRegions("10000+8 CAPACITY always in arg2");
            plan(COPY_FILE_RANGE, 3, A, 4, B, 100, 0);
            assertRegions("10000+8 CAPACITY in arg1", "20000+8 CAPACITY in arg3");
        }

        @Test
        @DisplayName("fcntl by its command")
        void fcntl() {
            plan(FCNTL, 3, 1, 0);
            assertRegions();
            plan(FCNTL, 3, 5, A);
            assertRegions("10000+32 CAPACITY in arg2");
            plan(FCNTL, 3, 16, A);
            assertRegions("10000+8 CAPACITY arg2");
            assertThat(plan(FCNTL, new FakeCall(3, 99, A))).isEqualTo(Support.UNKNOWN);
        }

        @Test
        @DisplayName("a file handle is as large as its first word says")
        void handle() {
            plan(NAME_TO_HANDLE_AT, new FakeCall(-100, A, B, C, 0).integer(B, 128));
            assertRegions("20000+136 CAPACITY always in arg2", "30000+8 CAPACITY always in arg3");
        }
    }

    @Nested
    class Ioctl {
        @Test
        @DisplayName("a known command writes what it is known to write")
        void known() {
            plan(IOCTL, 1, 0x5413, A);
            assertRegions("10000+8 CAPACITY arg2");
            plan(IOCTL, 1, 0x5401, A);
            assertRegions("10000+36 CAPACITY arg2");
            plan(IOCTL, 1, 0xffff_ffff_8004_5430L, A);
            assertRegions("10000+4 CAPACITY arg2");
            plan(IOCTL, 1, 0x80086601L, A);
            assertRegions("10000+4 CAPACITY arg2");
            plan(IOCTL, 1, 0x5421, A);
            assertRegions();
        }

        @Test
        @DisplayName("an unknown command goes by its encoding, an old one is unknown")
        void unknown() {
            plan(IOCTL, 1, 0x80107a01L, A);
            assertRegions("10000+16 CAPACITY in arg2");
            plan(IOCTL, 1, 0x40107a01L, A);
            assertRegions();
            FakeCall old = new FakeCall(1, 0x1234, A);
            assertThat(plan(IOCTL, old)).isEqualTo(Support.UNKNOWN);
            assertThat(SyscallTable.of(IOCTL).describe(old)).isEqualTo("ioctl 0x1234");
            assertThat(SyscallTable.of(IOCTL).describe(new FakeCall(1, 0x5413))).isEqualTo("ioctl 0x5413 (TIOCGWINSZ)");
        }

        @Test
        @DisplayName("commands of devices that share memory are not supported")
        void devices() {
            FakeCall kvm = new FakeCall(1, 0xae80, 0);
            assertThat(plan(IOCTL, kvm)).isEqualTo(Support.UNSUPPORTED);
            assertThat(SyscallTable.of(IOCTL).reason(kvm)).contains("KVM");
        }

        @Test
        @DisplayName("structures that lead on")
        void nested() {
            plan(IOCTL, new FakeCall(1, 0x8912, A).integer(A, 400).word(A + 8, B));
            assertRegions("10000+16 CAPACITY in arg2", "20000+400 LENGTH_WORD word 0@0 at 0@8");
            plan(IOCTL, new FakeCall(1, 0x8946, A).word(A + 16, B).integer(B, 3));
            assertRegions("10000+40 CAPACITY in arg2", "20000+196 CAPACITY in at 0@16");
            plan(
                    IOCTL,
                    new FakeCall(1, 0x8946, A).word(A + 16, B).integer(B, 0x1b).mapped(B, 300));
            assertRegions("10000+40 CAPACITY in arg2", "20000+300 CAPACITY in at 0@16");
            plan(IOCTL, new FakeCall(1, 0xc020660bL, A).integer(A + 24, 3));
            assertRegions("10000+200 CAPACITY in arg2");
        }
    }

    @Nested
    class Sockets {
        @Test
        @DisplayName("an address is as long as its length word, which is written too")
        void accept() {
            plan(ACCEPT, new FakeCall(3, A, B).integer(B, 16));
            assertRegions("20000+4 CAPACITY in arg2", "10000+16 LENGTH_WORD word 0@0 in arg1");
            plan(ACCEPT4, 3, 0, B, 0);
            assertRegions();
            plan(GETSOCKNAME, new FakeCall(3, A, B).integer(B, 1000));
            assertRegions("20000+4 CAPACITY in arg2", "10000+128 LENGTH_WORD word 0@0 in arg1");
            plan(GETSOCKNAME, new FakeCall(3, A, B));
            assertRegions();
        }

        @Test
        @DisplayName("recvfrom has data and address")
        void recvfrom() {
            plan(RECVFROM, new FakeCall(3, A, 50, 0, B, C).integer(C, 28));
            assertRegions("10000+50 RESULT arg1", "30000+4 CAPACITY in arg5", "20000+28 LENGTH_WORD word 1@0 in arg4");
            plan(RECVFROM, 3, A, 50, 0x20, 0, 0);
            assertRegions("10000+50 RESULT in arg1");
        }

        @Test
        @DisplayName("getsockopt is as long as its length word, which is always written")
        void getsockopt() {
            plan(GETSOCKOPT, new FakeCall(3, 1, 4, A, B).integer(B, 4));
            assertRegions("20000+4 CAPACITY always in arg4", "10000+4 LENGTH_WORD word 0@0 in arg3");
            FakeCall zeroCopy = new FakeCall(3, 6, 35, A, B).integer(B, 64);
            assertThat(plan(GETSOCKOPT, zeroCopy)).isEqualTo(Support.ANSWERED);
            assertThat(SyscallTable.of(GETSOCKOPT).errno(zeroCopy)).isEqualTo(Errno.ENOPROTOOPT);
            assertRegions();
        }

        @Test
        @DisplayName("recvmsg has a header with a name, control data and parts")
        void recvmsg() {
            FakeCall call = new FakeCall(3, A, 0);
            header(call, A);
            plan(RECVMSG, call);
            assertRegions(
                    "10000+56 CAPACITY in arg1",
                    "20000+16 LENGTH_WORD word 0@8 in at 0@0",
                    "40000+64 LENGTH_WORD word 0@40 in at 0@32",
                    "30000+16 NOTHING in at 0@16",
                    "50000+100 RESULT at 3@0");
        }

        @Test
        @DisplayName("recvmmsg has them for each message that the result counts")
        void recvmmsg() {
            FakeCall call = new FakeCall(3, A, 2, 0, 0);
            header(call, A);
            header(call, A + 64);
            plan(RECVMMSG, call);
            assertThat(plan.size()).isEqualTo(9);
            assertThat(region(0)).isEqualTo("10000+128 ELEMENTS 64 in arg1");
            assertThat(region(4)).isEqualTo("50000+100 SHARED_LENGTH_WORD word 0@56 at 3@0 if>=1");
            assertThat(region(5)).isEqualTo("20000+16 LENGTH_WORD word 0@72 in at 0@64 if>=2");
            assertThat(region(8)).isEqualTo("50000+100 SHARED_LENGTH_WORD word 0@120 at 7@0 if>=2");
            plan(SENDMMSG, 3, A, 2, 0);
            assertRegions("10000+128 ELEMENTS 64 in arg1");
        }

        private void header(FakeCall call, long address) {
            call.word(address, B).integer(address + 8, 16).integer(address + 12, 0);
            call.word(address + 16, C)
                    .word(address + 24, 1)
                    .word(address + 32, D)
                    .word(address + 40, 64);
            call.word(address + 48, 0).word(address + 56, 0);
            call.word(C, 0x50_000).word(C + 8, 100);
        }
    }

    @Nested
    class Waiting {
        @Test
        @DisplayName("poll always writes its array, ppoll its timeout too")
        void poll() {
            plan(POLL, A, 3, -1);
            assertRegions("10000+24 CAPACITY always in arg0");
            plan(PPOLL, A, 1, B, 0, 8);
            assertRegions("10000+8 CAPACITY always in arg0", "20000+16 CAPACITY always in arg2");
        }

        @Test
        @DisplayName("select writes sets of whole words, and always the timeout")
        void select() {
            plan(SELECT, 65, A, 0, B, C);
            assertRegions("10000+16 CAPACITY in arg1", "20000+16 CAPACITY in arg3", "30000+16 CAPACITY always in arg4");
            plan(PSELECT6, -1, A, 0, 0, 0, 0);
            assertRegions();
        }

        @Test
        @DisplayName("epoll_wait writes as many events as the result says")
        void epoll() {
            plan(EPOLL_WAIT, 3, A, 10, -1);
            assertRegions("10000+120 RESULT_TIMES 12 arg1");
        }

        @Test
        @DisplayName("wait4 writes only for a child, waitid always")
        void children() {
            plan(WAIT4, -1, A, 0, B);
            assertRegions("10000+4 CAPACITY in arg1 if>=1", "20000+144 CAPACITY in arg3 if>=1");
            plan(WAITID, 0, 0, A, 4, B);
            assertRegions("10000+128 CAPACITY always in arg2", "20000+144 CAPACITY in arg4");
        }

        @Test
        @DisplayName("a sleep that is interrupted writes the rest")
        void sleep() {
            plan(NANOSLEEP, A, B);
            assertRegions("20000+16 CAPACITY always in arg1");
            plan(CLOCK_NANOSLEEP, 1, 0, A, B);
            assertRegions("20000+16 CAPACITY always in arg3");
        }

        @Test
        @DisplayName("futex by its operation")
        void futex() {
            plan(FUTEX, A, 128, 1, B);
            assertRegions();
            plan(FUTEX, A, 5 | 128, 1, 1, B, 0);
            assertRegions("20000+4 CAPACITY always in fixed");
            FakeCall priority = new FakeCall(A, 6 | 128);
            assertThat(plan(FUTEX, priority)).isEqualTo(Support.SUPPORTED);
            assertRegions("10000+4 CAPACITY always in fixed");
            assertThat(SyscallTable.of(FUTEX).describe(priority)).isEqualTo("futex 6 (FUTEX_LOCK_PI)");
        }
    }

    @Nested
    class Others {
        @Test
        @DisplayName("signals")
        void signals() {
            plan(RT_SIGACTION, 2, A, B, 8);
            assertRegions("20000+32 CAPACITY arg2");
            plan(RT_SIGPROCMASK, 0, A, B, 8);
            assertRegions("20000+8 CAPACITY arg2");
            plan(SIGALTSTACK, A, B);
            assertRegions("20000+24 CAPACITY arg1");
        }

        @Test
        @DisplayName("messages of System V have a word before their text")
        void message() {
            plan(MSGRCV, 1, A, 100, 0, 0);
            assertRegions("10000+108 RESULT 8 arg1");
        }

        @Test
        @DisplayName("semctl GETALL takes what is mapped")
        void semaphores() {
            plan(SEMCTL, new FakeCall(1, 0, 13, A).mapped(A, 40));
            assertRegions("10000+40 CAPACITY in fixed");
            plan(SEMCTL, 1, 0, 2, A);
            assertRegions("10000+104 CAPACITY arg3");
        }

        @Test
        @DisplayName("sizes worked out from other arguments")
        void sizes() {
            plan(MINCORE, A, 4097, B);
            assertRegions("20000+2 CAPACITY arg2");
            plan(GETGROUPS, 4, A);
            assertRegions("10000+16 RESULT_TIMES 4 arg1");
            plan(SCHED_GETAFFINITY, 0, 128, A);
            assertRegions("10000+128 RESULT arg2");
            plan(CAPGET, new FakeCall(A, B).integer(A, 0x20080522));
            assertRegions("10000+8 CAPACITY always in arg0", "20000+24 CAPACITY arg1");
            plan(MOVE_PAGES, 0, 3, A, B, C, 0);
            assertRegions("30000+12 CAPACITY always in arg4");
            plan(STATMOUNT, A, B, 512, 0);
            assertRegions("20000+512 LENGTH_WORD word 0@0 in arg1");
        }

        @Test
        @DisplayName("prctl and arch_prctl by their command")
        void prctl() {
            plan(PRCTL, 16, A);
            assertRegions("10000+16 CAPACITY arg1");
            plan(ARCH_PRCTL, 0x1003, A);
            assertRegions("10000+8 CAPACITY arg1");
            assertThat(plan(PRCTL, new FakeCall(26, 1))).isEqualTo(Support.SPECIAL);
            assertThat(plan(PRCTL, new FakeCall(12345))).isEqualTo(Support.UNKNOWN);
        }

        @Test
        @DisplayName("keyctl reads into a buffer or an output named in its parameters")
        void keyctl() {
            plan(KEYCTL, 11, 1, A, 100);
            assertRegions("10000+100 RESULT in arg2");
            plan(KEYCTL, new FakeCall(27, A, 0, B, C).integer(A + 8, 256));
            assertRegions("30000+256 RESULT in arg4");
        }

        @Test
        @DisplayName("what is answered writes nothing")
        void answered() {
            assertThat(plan(IO_URING_SETUP, new FakeCall(8, A))).isEqualTo(Support.ANSWERED);
            assertThat(SyscallTable.of(IO_URING_SETUP).errno(new FakeCall(8, A)))
                    .isEqualTo(Errno.ENOSYS);
            assertRegions();
        }
    }

    @Nested
    class Blocking {
        private boolean mayBlock(int number, long... arguments) {
            return SyscallTable.of(number).mayBlock(new FakeCall(arguments));
        }

        @Test
        @DisplayName("calls that never wait for another task")
        void never() {
            assertThat(mayBlock(STAT)).isFalse();
            assertThat(mayBlock(CLOCK_GETTIME)).isFalse();
            assertThat(mayBlock(MMAP)).isFalse();
            assertThat(mayBlock(GETPID)).isFalse();
        }

        @Test
        @DisplayName("calls that wait unless an argument forbids it")
        void unless() {
            assertThat(mayBlock(READ)).isTrue();
            assertThat(mayBlock(POLL, A, 1, -1)).isTrue();
            assertThat(mayBlock(POLL, A, 1, 0)).isFalse();
            assertThat(mayBlock(RECVMSG, 3, A, 0)).isTrue();
            assertThat(mayBlock(RECVMSG, 3, A, 0x40)).isFalse();
            assertThat(mayBlock(WAIT4, -1, A, 1)).isFalse();
        }

        @Test
        @DisplayName("commands have their own answer")
        void commands() {
            assertThat(mayBlock(FUTEX, A, 128)).isTrue();
            assertThat(mayBlock(FUTEX, A, 129)).isFalse();
            assertThat(mayBlock(FCNTL, 3, 7)).isTrue();
            assertThat(mayBlock(FCNTL, 3, 3)).isFalse();
            assertThat(mayBlock(IOCTL, 3, 0x5413)).isFalse();
            assertThat(mayBlock(IOCTL, 3, 0x1234)).isTrue();
        }
    }
}
