package reprise.debug;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The content of a packet to the client, written from left to right; used again for the next one. */
final class Reply {
    private byte[] content = new byte[4096];
    private int size;

    /** Begins anew. */
    Reply clear() {
        size = 0;
        return this;
    }

    int size() {
        return size;
    }

    byte at(int index) {
        return content[index];
    }

    Reply text(String text) {
        ensure(text.length());
        for (int i = 0; i < text.length(); i++) {
            content[size++] = (byte) text.charAt(i);
        }
        return this;
    }

    /** Appends one byte in two digits. */
    Reply hexByte(int value) {
        ensure(2);
        content[size++] = Hex.of(value >> 4);
        content[size++] = Hex.of(value);
        return this;
    }

    /** Appends bytes in hexadecimal. */
    Reply hexBytes(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            hexByte(bytes[i]);
        }
        return this;
    }

    /** Appends the UTF-8 bytes of a text in hexadecimal. */
    Reply hexText(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return hexBytes(bytes, 0, bytes.length);
    }

    /** Appends a number without leading zeroes, as unsigned. */
    Reply hex(long value) {
        return text(Long.toHexString(value));
    }

    /** Appends bytes as they are, escaping those that mean something to the protocol. */
    Reply binary(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            byte b = bytes[i];
            ensure(2);
            if (b == '#' || b == '$' || b == '}' || b == '*') {
                content[size++] = '}';
                content[size++] = (byte) (b ^ 0x20);
            } else {
                content[size++] = b;
            }
        }
        return this;
    }

    private void ensure(int more) {
        if (size + more > content.length) {
            content = Arrays.copyOf(content, Math.max(content.length * 2, size + more));
        }
    }

    /** The packet as it goes over the line: with frame and checksum. */
    byte[] framed() {
        byte[] frame = new byte[size + 4];
        frame[0] = '$';
        System.arraycopy(content, 0, frame, 1, size);
        int sum = 0;
        for (int i = 0; i < size; i++) {
            sum += content[i];
        }
        frame[size + 1] = '#';
        frame[size + 2] = Hex.of(sum >> 4);
        frame[size + 3] = Hex.of(sum);
        return frame;
    }

    @Override
    public String toString() {
        return new String(content, 0, size, StandardCharsets.ISO_8859_1);
    }
}
