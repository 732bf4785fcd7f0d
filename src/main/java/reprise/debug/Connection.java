package reprise.debug;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * The line to one client. A thread of its own reads it, so that a request to stop is noticed while the program runs;
 * packets wait in a queue for the thread that serves them, which alone may {@link #receive} and {@link #send}.
 */
final class Connection implements PacketDecoder.Listener, AutoCloseable {
    /** Largest packet in bytes that the client is told it may send, and the largest answer. */
    static final int PACKET_SIZE = 0x40000;

    private static final int QUEUE = 64;

    /** What is in the queue when nothing more comes. */
    private static final Packet END = new Packet(new byte[0]);

    private final SocketChannel channel;
    private final Object writing = new Object();
    private final BlockingQueue<Packet> packets = new ArrayBlockingQueue<>(QUEUE);
    private final Runnable onInterrupt;
    private volatile boolean acknowledged = true;
    private volatile boolean lost;
    private byte[] last = new byte[0];

    /**
     * Begins to read.
     *
     * @param onInterrupt called by the reading thread when the client wants the program to stop, and when it has gone
     */
    Connection(SocketChannel channel, Runnable onInterrupt) throws IOException {
        this.channel = channel;
        this.onInterrupt = onInterrupt;
        if (channel.supportedOptions().contains(StandardSocketOptions.TCP_NODELAY)) {
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
        }
        Thread reader = new Thread(this::read, "gdb client");
        reader.setDaemon(true);
        reader.start();
    }

    /** Whether the client has gone. */
    boolean isLost() {
        return lost;
    }

    /** From now on packets are not acknowledged. */
    void stopAcknowledging() {
        acknowledged = false;
    }

    /** The next packet; null when the client has gone. */
    Packet receive() throws InterruptedException {
        Packet packet = packets.take();
        return packet == END ? null : packet;
    }

    /** Sends a packet. A client that has gone is noticed when the next is {@linkplain #receive received}. */
    void send(Reply reply) {
        write(reply.framed(), true);
    }

    private void write(byte[] bytes, boolean keep) {
        synchronized (writing) {
            try {
                ByteBuffer buffer = ByteBuffer.wrap(bytes);
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
            } catch (IOException e) {
                lost = true;
            }
            if (keep) {
                last = bytes;
            }
        }
    }

    // ---- the reading thread ----

    private void read() {
        PacketDecoder decoder = new PacketDecoder(PACKET_SIZE + 64, this);
        ByteBuffer buffer = ByteBuffer.allocate(65536);
        try {
            while (!lost && channel.read(buffer) > 0) {
                decoder.take(buffer.array(), buffer.position());
                buffer.clear();
            }
        } catch (IOException e) {
            // The client has gone, one way or the other.
        }
        lost = true;
        onInterrupt.run();
        offer(END);
    }

    private void offer(Packet packet) {
        try {
            packets.put(packet);
        } catch (InterruptedException e) {
            lost = true;
        }
    }

    @Override
    public void packet(byte[] content, boolean checksumIsRight) {
        if (acknowledged) {
            write(new byte[] {(byte) (checksumIsRight ? '+' : '-')}, false);
        }
        if (checksumIsRight || !acknowledged) {
            offer(new Packet(content));
        }
    }

    @Override
    public void resend() {
        if (acknowledged) {
            byte[] again;
            synchronized (writing) {
                again = last;
            }
            write(again, true);
        }
    }

    @Override
    public void interrupt() {
        onInterrupt.run();
    }

    @Override
    public void tooLarge() {
        // There is no way to tell where its next packet begins: its bytes may contain anything.
        lost = true;
    }

    @Override
    public void close() {
        lost = true;
        try {
            channel.close();
        } catch (IOException e) {
            // Nothing is lost with a line that could not be closed.
        }
        // Lets the reader go on if the queue was full, and the server if it waits.
        packets.clear();
        packets.offer(END);
    }
}
