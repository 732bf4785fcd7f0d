package reprise.syscall;

import static reprise.syscall.Argument.shaped;
import static reprise.syscall.Command.answered;
import static reprise.syscall.Command.prompt;
import static reprise.syscall.CommandTable.pair;

import reprise.linux.Errno;
import reprise.syscall.Argument.Kind;
import reprise.syscall.Argument.Shape;

/** Socket options that are not simply a value and its length. */
final class SocketOptions {
    private static final int SOL_SOCKET = 1;
    private static final int SOL_TCP = 6;
    private static final int SOL_PACKET = 263;
    private static final int SOL_NETLINK = 270;
    private static final int SOL_XDP = 283;
    private static final String RING = "memory shared with the kernel, which writes it at moments that nobody sees";

    private SocketOptions() {}

    static CommandTable get() {
        return CommandTable.byPair(
                1,
                2,
                // The length counts instructions of eight bytes, in both directions.
                prompt(
                        "SO_GET_FILTER",
                        pair(SOL_SOCKET, 26),
                        shaped("optval", Kind.OUT, Shape.READABLE, -1, 32_768).at(3)),
                answered("TCP_ZEROCOPY_RECEIVE", pair(SOL_TCP, 35), Errno.ENOPROTOOPT, "maps the pages of packets"));
    }

    static CommandTable set() {
        return CommandTable.byPair(
                1,
                2,
                answered("PACKET_RX_RING", pair(SOL_PACKET, 5), Errno.ENOPROTOOPT, RING),
                answered("PACKET_TX_RING", pair(SOL_PACKET, 13), Errno.ENOPROTOOPT, RING),
                answered("NETLINK_RX_RING", pair(SOL_NETLINK, 6), Errno.ENOPROTOOPT, RING),
                answered("NETLINK_TX_RING", pair(SOL_NETLINK, 7), Errno.ENOPROTOOPT, RING),
                answered("XDP_RX_RING", pair(SOL_XDP, 2), Errno.ENOPROTOOPT, RING),
                answered("XDP_TX_RING", pair(SOL_XDP, 3), Errno.ENOPROTOOPT, RING),
                answered("XDP_UMEM_REG", pair(SOL_XDP, 4), Errno.ENOPROTOOPT, RING),
                answered("XDP_UMEM_FILL_RING", pair(SOL_XDP, 5), Errno.ENOPROTOOPT, RING),
                answered("XDP_UMEM_COMPLETION_RING", pair(SOL_XDP, 6), Errno.ENOPROTOOPT, RING));
    }
}
