package reprise.debug;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/**
 * Answers {@code vFile} packets: lets the client read programs and libraries as they were when they were recorded, also
 * where they have changed since.
 *
 * <p>Nothing can be written, and nothing is shown but what the {@link Source} knows: who can reach the port need not be
 * the user.
 */
final class FileService implements AutoCloseable {
    private static final int EBADF = 9;
    private static final int ENOENT = 2;
    private static final int EACCES = 13;
    private static final int EINVAL = 22;
    private static final int EMFILE = 24;
    private static final int EROFS = 30;
    private static final int MOST_OPEN = 64;
    private static final int ACCESS_MODE = 3;
    private static final int STAT_SIZE = 64;

    /** The files that there are, by the names under which the recorded programs knew them. */
    interface Source {
        /** The file on this machine that has the content; null if there is none. */
        Path file(String path);

        /** The content of a file that exists nowhere, such as those of /proc; null if it is no such file. */
        byte[] content(String path);

        /** What a symbolic link says; null if there is none. */
        String link(String path);
    }

    private final Source source;
    private final Map<Integer, Content> open = new HashMap<>();
    private int next = 3;

    /** An open file: one of this machine, or bytes. */
    private record Content(FileChannel file, byte[] bytes) {
        long size() throws IOException {
            return file == null ? bytes.length : file.size();
        }

        int read(ByteBuffer into, long offset) throws IOException {
            if (file != null) {
                return Math.max(0, file.read(into, offset));
            }
            int count = Math.clamp(bytes.length - offset, 0, into.remaining());
            into.put(bytes, count == 0 ? 0 : (int) offset, count);
            return count;
        }

        void close() throws IOException {
            if (file != null) {
                file.close();
            }
        }
    }

    /** A service with nothing open. */
    FileService(Source source) {
        this.source = source;
    }

    /** Answers the part of a packet behind {@code vFile:}. An unknown request gets an empty answer. */
    void answer(Packet packet, Reply reply) {
        try {
            switch (packet.until(":")) {
                case "setfs" -> result(reply, 0);
                case "open" -> {
                    packet.expect(":");
                    open(packet, reply);
                }
                case "close" -> {
                    packet.expect(":");
                    Content file = open.remove(packet.hex(Integer.MAX_VALUE));
                    if (file == null) {
                        failure(reply, EBADF);
                    } else {
                        file.close();
                        result(reply, 0);
                    }
                }
                case "pread" -> {
                    packet.expect(":");
                    read(packet, reply);
                }
                case "fstat" -> {
                    packet.expect(":");
                    status(open.get(packet.hex(Integer.MAX_VALUE)), reply);
                }
                case "readlink" -> {
                    packet.expect(":");
                    link(source.link(packet.hexText()), reply);
                }
                case "pwrite", "unlink" -> failure(reply, EROFS);
                default -> {}
            }
        } catch (IOException e) {
            failure(reply.clear(), EINVAL);
        } catch (InvalidPathException e) {
            failure(reply.clear(), ENOENT);
        }
    }

    private void open(Packet packet, Reply reply) throws IOException {
        String path = packet.hexText();
        packet.expect(",");
        int flags = packet.hex(Integer.MAX_VALUE);
        if ((flags & ACCESS_MODE) != 0) {
            failure(reply, EROFS);
            return;
        }
        if (open.size() >= MOST_OPEN) {
            failure(reply, EMFILE);
            return;
        }
        byte[] content = source.content(path);
        Path file = content == null ? source.file(path) : null;
        if (content != null) {
            open.put(next, new Content(null, content));
        } else if (file == null || !Files.isRegularFile(file)) {
            failure(reply, ENOENT);
            return;
        } else if (!Files.isReadable(file)) {
            failure(reply, EACCES);
            return;
        } else {
            open.put(next, new Content(FileChannel.open(file, StandardOpenOption.READ), null));
        }
        result(reply, next++);
    }

    private static void link(String target, Reply reply) {
        if (target == null) {
            failure(reply, ENOENT);
        } else {
            byte[] bytes = target.getBytes(StandardCharsets.UTF_8);
            result(reply, bytes.length).text(";").binary(bytes, 0, bytes.length);
        }
    }

    private void read(Packet packet, Reply reply) throws IOException {
        Content file = open.get(packet.hex(Integer.MAX_VALUE));
        packet.expect(",");
        // Half a packet: each byte may have to be escaped.
        int count = (int) Math.min(packet.hex() & Long.MAX_VALUE, Connection.PACKET_SIZE / 2 - 32);
        packet.expect(",");
        long offset = packet.hex();
        if (file == null || offset < 0) {
            failure(reply, file == null ? EBADF : EINVAL);
            return;
        }
        ByteBuffer buffer = ByteBuffer.allocate(count);
        int length = file.read(buffer, offset);
        result(reply, length).text(";").binary(buffer.array(), 0, length);
    }

    /** The protocol's own {@code struct stat}: 4-byte words but for size, blksize and blocks, most significant byte first. */
    private static void status(Content file, Reply reply) throws IOException {
        if (file == null) {
            failure(reply, EBADF);
            return;
        }
        final int regularReadable = 0100444;
        ByteBuffer stat = ByteBuffer.allocate(STAT_SIZE);
        stat.putInt(0)
                .putInt(0)
                .putInt(regularReadable)
                .putInt(1)
                .putInt(0)
                .putInt(0)
                .putInt(0);
        stat.putLong(file.size()).putLong(4096).putLong((file.size() + 511) / 512);
        result(reply, STAT_SIZE).text(";").binary(stat.array(), 0, STAT_SIZE);
    }

    private static Reply result(Reply reply, int value) {
        return reply.text("F").hex(value);
    }

    private static void failure(Reply reply, int error) {
        reply.text("F-1,").hex(error);
    }

    @Override
    public void close() {
        for (Content file : open.values()) {
            try {
                file.close();
            } catch (IOException e) {
                // It was only read.
            }
        }
        open.clear();
    }
}
