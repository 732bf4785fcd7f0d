package reprise.debug;

import java.io.ByteArrayOutputStream;

/**
 * Takes the client's bytes apart: packets, acknowledgements, requests to stop. Whatever comes between is skipped, so that
 * a client that sends rubbish is in step again with its next packet.
 */
final class PacketDecoder {
    private static final int INTERRUPT = 3;

    /** Told what was found. */
    interface Listener {
        /** A packet; its escapes are undone. */
        void packet(byte[] content, boolean checksumIsRight);

        /** The client did not get our last packet right. */
        void resend();

        /** The client wants the program to stop. */
        void interrupt();

        /** A packet is larger than {@code limit}; it is dropped. */
        void tooLarge();
    }

    private enum State {
        BETWEEN,
        CONTENT,
        ESCAPED,
        FIRST_DIGIT,
        SECOND_DIGIT
    }

    private final int limit;
    private final Listener listener;
    private final ByteArrayOutputStream content = new ByteArrayOutputStream();
    private State state = State.BETWEEN;
    private int sum;
    private int expected;

    /**
     * A decoder at the beginning of a connection.
     *
     * @param limit largest content in bytes
     */
    PacketDecoder(int limit, Listener listener) {
        this.limit = limit;
        this.listener = listener;
    }

    /** Takes the next bytes of the connection. */
    void take(byte[] bytes, int count) {
        for (int i = 0; i < count; i++) {
            take(bytes[i] & 0xff);
        }
    }

    private void take(int b) {
        switch (state) {
            case BETWEEN -> between(b);
            case CONTENT -> content(b);
            case ESCAPED -> {
                sum += b;
                append(b ^ 0x20);
                if (state == State.ESCAPED) {
                    state = State.CONTENT;
                }
            }
            case FIRST_DIGIT -> {
                expected = Hex.digit(b) << 4;
                state = State.SECOND_DIGIT;
            }
            case SECOND_DIGIT -> {
                state = State.BETWEEN;
                expected |= Hex.digit(b);
                listener.packet(content.toByteArray(), expected == (sum & 0xff));
            }
        }
    }

    private void between(int b) {
        switch (b) {
            case '$' -> begin();
            case '-' -> listener.resend();
            case INTERRUPT -> listener.interrupt();
            default -> {}
        }
    }

    private void begin() {
        content.reset();
        sum = 0;
        state = State.CONTENT;
    }

    private void content(int b) {
        switch (b) {
            case '#' -> state = State.FIRST_DIGIT;
            // It never stands in a packet: the client began anew.
            case '$' -> begin();
            case '}' -> {
                sum += b;
                state = State.ESCAPED;
            }
            default -> {
                sum += b;
                append(b);
            }
        }
    }

    private void append(int b) {
        if (content.size() >= limit) {
            state = State.BETWEEN;
            listener.tooLarge();
        } else {
            content.write(b);
        }
    }
}
