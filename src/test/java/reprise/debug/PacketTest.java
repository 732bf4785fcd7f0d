package reprise.debug;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Packets are read strictly: what is not as it should be is malformed. */
class PacketTest {
    @Test
    @DisplayName("numbers are hexadecimal, unsigned, and of up to 64 bits")
    void numbers() {
        Packet packet = Packet.of("7fff0123ABCD,ffffffffffffffff;0");
        assertThat(packet.hex()).isEqualTo(0x7fff0123abcdL);
        packet.expect(",");
        assertThat(packet.hex()).isEqualTo(-1);
        packet.expect(";");
        assertThat(packet.hex()).isZero();
        packet.expectEnd();
    }

    @ParameterizedTest(name = "\"{0}\" is no number")
    @ValueSource(strings = {"", "x", "-1", "11112222333344445"})
    void notNumbers(String text) {
        assertThatThrownBy(() -> Packet.of(text).hex()).isInstanceOf(MalformedPacketException.class);
    }

    @Test
    @DisplayName("a number that is limited may not be larger, nor wrap around")
    void limited() {
        assertThat(Packet.of("ff").hex(255)).isEqualTo(255);
        assertThatThrownBy(() -> Packet.of("100").hex(255)).isInstanceOf(MalformedPacketException.class);
        assertThatThrownBy(() -> Packet.of("ffffffffffffffff").hex(255)).isInstanceOf(MalformedPacketException.class);
    }

    @ParameterizedTest(name = "{0} names process {1}, thread {2}")
    @CsvSource({"p1a.2b, 26, 43", "p-1.-1, -1, -1", "p5, 5, -1", "0, 0, 0", "-1, 0, -1", "2b, 0, 43", "p0.0, 0, 0"})
    void threads(String text, int process, int task) {
        assertThat(ThreadId.parse(Packet.of(text))).isEqualTo(new ThreadId(process, task));
    }

    @Test
    @DisplayName("half a byte in hexadecimal is malformed")
    void halfByte() {
        assertThat(Packet.of("68c3bc").hexText()).isEqualTo("h\u00fc");
        assertThatThrownBy(() -> Packet.of("123").hexBytes()).isInstanceOf(MalformedPacketException.class);
    }

    @ParameterizedTest(name = "Linux signal {0} is gdb's {1}")
    @CsvSource({"1, 1", "5, 5", "7, 10", "10, 30", "11, 11", "17, 20", "31, 12", "32, 77", "33, 45", "63, 75", "64, 78"
    })
    void signals(int linux, int gdb) {
        assertThat(GdbSignal.of(linux)).isEqualTo(gdb);
        assertThat(GdbSignal.toLinux(gdb)).isEqualTo(linux);
    }
}
