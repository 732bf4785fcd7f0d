package reprise.syscall;

import static reprise.linux.SyscallNumber.*;
import static reprise.syscall.Argument.*;
import static reprise.syscall.Vocabulary.*;

import reprise.syscall.Argument.Kind;
import reprise.syscall.Argument.Shape;

/** Reading, writing, moving data between descriptors, and waiting for descriptors. */
final class TransferCalls {
    private static final long RWF_NOWAIT = 8;
    private static final long SPLICE_F_NONBLOCK = 2;

    private TransferCalls() {}

    static void declare(Declarations calls) {
        final Argument fd = fd("fd");
        final Argument count = size("count");
        final Argument vectors = in("iov");
        final Argument vectorCount = integer("iovcnt");
        final Argument low = hex("pos_l");
        final Argument high = hex("pos_h");
        final Argument rwf = flags("flags", RWF_FLAGS);

        calls.mayBlock(READ, "read", fd, buffer("buf", 2), count);
        calls.mayBlock(PREAD64, "pread64", fd, buffer("buf", 2), count, offset("offset"));
        calls.mayBlock(READV, "readv", fd, received("iov", 2), vectorCount);
        calls.mayBlock(PREADV, "preadv", fd, received("iov", 2), vectorCount, low, high);
        calls.mayBlock(PREADV2, "preadv2", fd, received("iov", 2), vectorCount, low, high, rwf)
                .promptIf(5, RWF_NOWAIT);
        calls.mayBlock(WRITE, "write", fd, in("buf"), count);
        calls.mayBlock(PWRITE64, "pwrite64", fd, in("buf"), count, offset("offset"));
        calls.mayBlock(WRITEV, "writev", fd, vectors, vectorCount);
        calls.mayBlock(PWRITEV, "pwritev", fd, vectors, vectorCount, low, high);
        calls.mayBlock(PWRITEV2, "pwritev2", fd, vectors, vectorCount, low, high, rwf)
                .promptIf(5, RWF_NOWAIT);
        calls.neverBlocks(PIPE, "pipe", out("pipefd", Struct.INT_PAIR));
        calls.neverBlocks(PIPE2, "pipe2", out("pipefd", Struct.INT_PAIR), flags("flags", OPEN_FLAGS));

        calls.mayBlock(
                SENDFILE,
                "sendfile",
                fd("out_fd"),
                fd("in_fd"),
                inOut("offset", Struct.LOFF).always(),
                count);
        calls.mayBlock(
                COPY_FILE_RANGE,
                "copy_file_range",
                fd("fd_in"),
                inOut("off_in", Struct.LOFF),
                fd("fd_out"),
                inOut("off_out", Struct.LOFF),
                size("len"),
                hex("flags"));
        calls.mayBlock(
                        SPLICE,
                        "splice",
                        fd("fd_in"),
                        inOut("off_in", Struct.LOFF),
                        fd("fd_out"),
                        inOut("off_out", Struct.LOFF),
                        size("len"),
                        flags("flags", SPLICE_FLAGS))
                .promptIf(5, SPLICE_F_NONBLOCK);
        calls.mayBlock(TEE, "tee", fd("fd_in"), fd("fd_out"), size("len"), flags("flags", SPLICE_FLAGS))
                .promptIf(3, SPLICE_F_NONBLOCK);
        // From the reading end of a pipe it fills the memory, to the writing end it takes it.
        calls.mayBlock(
                        VMSPLICE,
                        "vmsplice",
                        fd,
                        shaped("iov", Kind.IN_OUT, Shape.IOVECS_PARTLY, 2, 0),
                        size("nr_segs"),
                        flags("flags", SPLICE_FLAGS))
                .promptIf(3, SPLICE_F_NONBLOCK);

        // The revents are written even if a signal interrupts the wait, and so is the time that is left.
        calls.mayBlock(POLL, "poll", polled(), unsigned("nfds"), integer("timeout"))
                .promptIfZero(2);
        calls.mayBlock(
                PPOLL,
                "ppoll",
                polled(),
                unsigned("nfds"),
                inOut("timeout", Struct.TIMESPEC).always(),
                in("sigmask"),
                size("sigsetsize"));
        calls.mayBlock(
                SELECT,
                "select",
                integer("nfds"),
                descriptorSet("readfds"),
                descriptorSet("writefds"),
                descriptorSet("exceptfds"),
                inOut("timeout", Struct.TIMEVAL).always());
        calls.mayBlock(
                PSELECT6,
                "pselect6",
                integer("nfds"),
                descriptorSet("readfds"),
                descriptorSet("writefds"),
                descriptorSet("exceptfds"),
                inOut("timeout", Struct.TIMESPEC).always(),
                in("sigmask"));
        calls.neverBlocks(EPOLL_CREATE, "epoll_create", integer("size"));
        calls.neverBlocks(EPOLL_CREATE1, "epoll_create1", flags("flags", EPOLL_FLAGS));
        calls.neverBlocks(EPOLL_CTL, "epoll_ctl", fd("epfd"), value("op", EPOLL_OPERATIONS), fd, in("event"));
        calls.mayBlock(
                        EPOLL_WAIT,
                        "epoll_wait",
                        fd("epfd"),
                        array("events", Struct.EPOLL_EVENT, 2),
                        integer("maxevents"),
                        integer("timeout"))
                .promptIfZero(3);
        calls.mayBlock(
                        EPOLL_PWAIT,
                        "epoll_pwait",
                        fd("epfd"),
                        array("events", Struct.EPOLL_EVENT, 2),
                        integer("maxevents"),
                        integer("timeout"),
                        in("sigmask"),
                        size("sigsetsize"))
                .promptIfZero(3);
        calls.mayBlock(
                EPOLL_PWAIT2,
                "epoll_pwait2",
                fd("epfd"),
                array("events", Struct.EPOLL_EVENT, 2),
                integer("maxevents"),
                in("timeout"),
                in("sigmask"),
                size("sigsetsize"));
        calls.neverBlocks(EVENTFD, "eventfd", unsigned("initval"));
        calls.neverBlocks(EVENTFD2, "eventfd2", unsigned("initval"), flags("flags", EVENTFD_FLAGS));
        calls.neverBlocks(SIGNALFD, "signalfd", fd, in("mask"), size("sizemask"));
        calls.neverBlocks(SIGNALFD4, "signalfd4", fd, in("mask"), size("sizemask"), flags("flags", SIGNALFD_FLAGS));
        calls.mayBlock(GETRANDOM, "getrandom", buffer("buf", 1), size("buflen"), flags("flags", GETRANDOM_FLAGS))
                .promptIf(2, 1 | 4);
    }

    private static Argument received(String name, int count) {
        return shaped(name, Kind.OUT, Shape.IOVECS, count, 0);
    }

    private static Argument polled() {
        return filledArray("fds", Struct.POLLFD, 1).always();
    }

    private static Argument descriptorSet(String name) {
        return shaped(name, Kind.IN_OUT, Shape.FD_SET, 0, 0);
    }
}
