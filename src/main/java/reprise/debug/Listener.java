package reprise.debug;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/** Waits for clients: at a TCP port, or at a Unix socket. */
public final class Listener implements AutoCloseable {
    private final ServerSocketChannel channel;

    private Listener(ServerSocketChannel channel) {
        this.channel = channel;
    }

    /**
     * Listens at a port.
     *
     * @param host a name or an address of this machine
     * @param port 0 for any that is free
     * @throws IOException if that cannot be
     */
    public static Listener atPort(String host, int port) throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open();
        try {
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            channel.bind(new InetSocketAddress(InetAddress.getByName(host), port));
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
        return new Listener(channel);
    }

    /** Listens at a new Unix socket. Who can reach the path can connect. */
    public static Listener atSocket(Path path) throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        channel.bind(UnixDomainSocketAddress.of(path));
        return new Listener(channel);
    }

    /** What gdb's {@code target extended-remote} takes. */
    public String address() throws IOException {
        if (channel.getLocalAddress() instanceof InetSocketAddress address) {
            String host = address.getAddress().getHostAddress();
            return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
        }
        return channel.getLocalAddress().toString();
    }

    /** The next client; fails with an {@link IOException} when the listener is closed. */
    SocketChannel accept() throws IOException {
        return channel.accept();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
