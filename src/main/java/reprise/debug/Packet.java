package reprise.debug;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The content of one packet of the client's, read from left to right. Escapes are undone already.
 *
 * <p>What does not have the form that is asked for throws {@link MalformedPacketException}, whatever the client sent.
 */
final class Packet {
    private final byte[] content;
    private int at;

    Packet(byte[] content) {
        this.content = content;
    }

    static Packet of(String text) {
        return new Packet(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    boolean atEnd() {
        return at == content.length;
    }

    /** The next byte without taking it; -1 at the end. */
    int peek() {
        return atEnd() ? -1 : content[at] & 0xff;
    }

    /** Takes a text if it comes next. */
    boolean accept(String text) {
        if (content.length - at < text.length()) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (content[at + i] != text.charAt(i)) {
                return false;
            }
        }
        at += text.length();
        return true;
    }

    /** Takes a text that must come next. */
    void expect(String text) {
        if (!accept(text)) {
            throw new MalformedPacketException("'" + text + "' expected in " + this);
        }
    }

    /** Nothing may follow. */
    void expectEnd() {
        if (!atEnd()) {
            throw new MalformedPacketException("unexpected end of " + this);
        }
    }

    /** Takes one byte. */
    int next() {
        if (atEnd()) {
            throw new MalformedPacketException(this + " is too short");
        }
        return content[at++] & 0xff;
    }

    /** Takes a hexadecimal number of up to 64 bits. */
    long hex() {
        long value = 0;
        int digits = 0;
        int digit;
        while (!atEnd() && (digit = Hex.digit(content[at])) >= 0) {
            if (++digits > 16) {
                throw new MalformedPacketException("a number of more than 64 bits in " + this);
            }
            value = value << 4 | digit;
            at++;
        }
        if (digits == 0) {
            throw new MalformedPacketException("a number expected in " + this);
        }
        return value;
    }

    /** Takes a hexadecimal number that must be in 0 to {@code largest}. */
    int hex(int largest) {
        long value = hex();
        if (value < 0 || value > largest) {
            throw new MalformedPacketException("a number is too large in " + this);
        }
        return (int) value;
    }

    /** Takes all up to one of the given characters, or to the end. */
    String until(String ends) {
        int start = at;
        while (!atEnd() && ends.indexOf(content[at]) < 0) {
            at++;
        }
        return new String(content, start, at - start, StandardCharsets.ISO_8859_1);
    }

    /** Takes bytes in hexadecimal as long as there are. */
    byte[] hexBytes() {
        int start = at;
        while (!atEnd() && Hex.digit(content[at]) >= 0) {
            at++;
        }
        int length = at - start;
        if (length % 2 != 0) {
            throw new MalformedPacketException("half a byte in " + this);
        }
        byte[] bytes = new byte[length / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (Hex.digit(content[start + 2 * i]) << 4 | Hex.digit(content[start + 2 * i + 1]));
        }
        return bytes;
    }

    /** Takes text whose UTF-8 bytes are in hexadecimal. */
    String hexText() {
        return new String(hexBytes(), StandardCharsets.UTF_8);
    }

    /** Takes the rest. */
    byte[] rest() {
        byte[] bytes = Arrays.copyOfRange(content, at, content.length);
        at = content.length;
        return bytes;
    }

    /** Takes the rest as text. */
    String restText() {
        return new String(rest(), StandardCharsets.ISO_8859_1);
    }

    /** Its beginning, for messages. */
    @Override
    public String toString() {
        final int shown = 60;
        String text = new String(content, 0, Math.min(content.length, shown), StandardCharsets.ISO_8859_1);
        return "packet '" + text.replaceAll("[^ -~]", "?") + (content.length > shown ? "...'" : "'");
    }
}
