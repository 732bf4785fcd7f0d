package reprise.syscall;

import static reprise.linux.SyscallNumber.*;
import static reprise.syscall.Argument.*;
import static reprise.syscall.Vocabulary.*;

import reprise.syscall.Argument.Kind;
import reprise.syscall.Argument.Shape;

/** Sockets. */
final class NetworkCalls {
    private static final long MSG_TRUNC = 0x20;
    private static final long MSG_DONTWAIT = 0x40;

    private NetworkCalls() {}

    static void declare(Declarations calls) {
        final Argument fd = fd("sockfd");
        final Argument address = in("addr");
        final Argument length = integer("addrlen");
        final Argument flags = flags("flags", MESSAGE_FLAGS);
        final Argument level = value("level", SOCKET_LEVELS);
        final Argument option = integer("optname");

        calls.neverBlocks(SOCKET, "socket", value("domain", DOMAINS), flags("type", SOCKET_TYPES), integer("protocol"));
        // The numbers are written before the sockets are made, which may fail.
        calls.neverBlocks(
                SOCKETPAIR,
                "socketpair",
                value("domain", DOMAINS),
                flags("type", SOCKET_TYPES),
                integer("protocol"),
                inOut("sv", Struct.INT_PAIR).always());
        calls.neverBlocks(BIND, "bind", fd, address, length);
        calls.neverBlocks(LISTEN, "listen", fd, integer("backlog"));
        calls.mayBlock(CONNECT, "connect", fd, address, length);
        calls.mayBlock(ACCEPT, "accept", fd, socketAddress("addr", 2), lengthWord("addrlen"));
        calls.mayBlock(
                ACCEPT4, "accept4", fd, socketAddress("addr", 2), lengthWord("addrlen"), flags("flags", SOCKET_FLAGS));
        calls.neverBlocks(GETSOCKNAME, "getsockname", fd, socketAddress("addr", 2), lengthWord("addrlen"));
        calls.neverBlocks(GETPEERNAME, "getpeername", fd, socketAddress("addr", 2), lengthWord("addrlen"));
        calls.neverBlocks(SHUTDOWN, "shutdown", fd, value("how", SHUTDOWN_HOW));
        calls.neverBlocks(
                        GETSOCKOPT,
                        "getsockopt",
                        fd,
                        level,
                        option,
                        shaped("optval", Kind.IN_OUT, Shape.LENGTH_POINTER, 4, 0),
                        lengthWord("optlen"))
                .with(CommandSet.GETSOCKOPT);
        calls.neverBlocks(SETSOCKOPT, "setsockopt", fd, level, option, in("optval"), integer("optlen"))
                .with(CommandSet.SETSOCKOPT);

        calls.mayBlock(SENDTO, "sendto", fd, in("buf"), size("len"), flags, in("dest_addr"), length)
                .promptIf(3, MSG_DONTWAIT);
        calls.mayBlock(SENDMSG, "sendmsg", fd, in("msg"), flags).promptIf(2, MSG_DONTWAIT);
        calls.mayBlock(
                        SENDMMSG,
                        "sendmmsg",
                        fd,
                        shaped("msgvec", Kind.IN_OUT, Shape.SENT_MESSAGES, 2, 0),
                        unsigned("vlen"),
                        flags)
                .promptIf(3, MSG_DONTWAIT);
        // With MSG_TRUNC the result is more than what was written: of a stream nothing is.
        calls.mayBlock(
                        RECVFROM,
                        "recvfrom",
                        fd,
                        buffer("buf", 2).partlyIf(3, MSG_TRUNC),
                        size("len"),
                        flags,
                        socketAddress("src_addr", 5),
                        lengthWord("addrlen"))
                .promptIf(3, MSG_DONTWAIT);
        calls.mayBlock(RECVMSG, "recvmsg", fd, shaped("msg", Kind.IN_OUT, Shape.MESSAGE, -1, 0), flags)
                .promptIf(2, MSG_DONTWAIT);
        calls.mayBlock(
                        RECVMMSG,
                        "recvmmsg",
                        fd,
                        shaped("msgvec", Kind.IN_OUT, Shape.MESSAGES, 2, 0),
                        unsigned("vlen"),
                        flags,
                        inOut("timeout", Struct.TIMESPEC).ifPositive())
                .promptIf(3, MSG_DONTWAIT);
    }

    private static Argument socketAddress(String name, int length) {
        return shaped(name, Kind.OUT, Shape.SOCKET_ADDRESS, length, 0).partly();
    }
}
