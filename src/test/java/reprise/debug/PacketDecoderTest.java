package reprise.debug;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Bytes of a client are taken apart as the protocol says, whatever they are. */
class PacketDecoderTest {
    private final List<String> found = new ArrayList<>();
    private final PacketDecoder decoder = new PacketDecoder(100, new PacketDecoder.Listener() {
        @Override
        public void packet(byte[] content, boolean checksumIsRight) {
            found.add((checksumIsRight ? "" : "bad ") + new String(content, StandardCharsets.ISO_8859_1));
        }

        @Override
        public void resend() {
            found.add("(resend)");
        }

        @Override
        public void interrupt() {
            found.add("(interrupt)");
        }

        @Override
        public void tooLarge() {
            found.add("(too large)");
        }
    });

    private List<String> decode(String bytes) {
        byte[] all = bytes.getBytes(StandardCharsets.ISO_8859_1);
        decoder.take(all, all.length);
        return found;
    }

    private static String framed(String text) {
        return new String(new Reply().text(text).framed(), StandardCharsets.ISO_8859_1);
    }

    @Test
    @DisplayName("packets, acknowledgements and a request to stop are told apart")
    void kinds() {
        assertThat(decode("+$g#67-" + framed("m1000,4") + "\003"))
                .containsExactly("g", "(resend)", "m1000,4", "(interrupt)");
    }

    @Test
    @DisplayName("a packet may come in any pieces")
    void pieces() {
        for (byte b : framed("vCont;c").getBytes(StandardCharsets.ISO_8859_1)) {
            decoder.take(new byte[] {b}, 1);
        }
        assertThat(found).containsExactly("vCont;c");
    }

    @Test
    @DisplayName("what is not a checksum or not the right one makes the packet bad")
    void badChecksum() {
        assertThat(decode("$g#00$g#zz$g#67")).containsExactly("bad g", "bad g", "g");
    }

    @Test
    @DisplayName("escaped bytes lose their escape, and a 3 in a packet is no request to stop")
    void escapes() {
        byte[] bytes = {3, '#', '$', '}', '*', 'a'};
        Reply reply = new Reply().text("X").binary(bytes, 0, bytes.length);
        byte[] frame = reply.framed();
        decoder.take(frame, frame.length);
        assertThat(found).containsExactly("X\003#$}*a");
    }

    @Test
    @DisplayName("a packet that breaks off is forgotten when the next begins")
    void brokenOff() {
        assertThat(decode("$qSupp$?#3f")).containsExactly("?");
    }

    @Test
    @DisplayName("a packet that is too large is dropped and reported")
    void tooLarge() {
        assertThat(decode("$" + "a".repeat(200) + "#00" + framed("?"))).containsExactly("(too large)", "?");
    }

    @Test
    @DisplayName("a packet is found behind any rubbish")
    void rubbish() {
        Random random = new Random(1);
        byte[] noise = new byte[1000];
        for (int round = 0; round < 200; round++) {
            random.nextBytes(noise);
            decoder.take(noise, noise.length);
            // Ends whatever packet the rubbish began.
            decode("$#00$#00");
            found.clear();
            assertThat(decode(framed("qC"))).last().isEqualTo("qC");
        }
    }
}
