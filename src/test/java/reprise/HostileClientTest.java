package reprise;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Nothing that a client sends ends the server or changes the trace. {@code -Dreprise.connections=2000} makes so many fuzzed
 * connections, {@code -Dreprise.seed} says which.
 */
class HostileClientTest {
    private static final int CONNECTIONS = Integer.getInteger("reprise.connections", 60);
    private static final int MOST_PACKETS = 40;
    private static final int TIMEOUT = 2000;
    private static final String MUTATIONS = "0123456789abcdef,;:.-p#$}*\0\u00ff";

    /** Requests of every kind, some of which make sense. Not that to end the server. */
    private static final List<String> REQUESTS = List.of(
            "? ! g p10 p999 P10=00 G00 m400000,40 m0,ffffffffffffffff mffffffffffffffff,40 M400000,2:0000 X400000,2:ab",
            "Z0,400000,1 Z2,400000,8 Z2,400001,30 Z2,400001,ffffffffffffffff z0,400000,1 Z1,0,1;X3,220127 Z0,1,1;Xffff,22",
            "vCont? vCont;c vCont;s:p1.1 vCont;r0,10 vCont;C05:-1;c vRun;;3530 vRun;;6331 vKill;1 vAttach;1 vCont;x vCont",
            "vFile:open:2f70726f632f312f6d617073,0,0 vFile:open:2f6574632f706173737764,0,0 vFile:pread:3,ffffffff,0",
            "vFile:close:3 vFile:fstat:3 vFile:readlink:2f70726f632f73656c662f657865 vFile:setfs:0 vFile: v q Q b H Z R00",
            "qSupported:multiprocess+ qC qfThreadInfo qsThreadInfo qThreadExtraInfo,1 qGetTLSAddr:1,0,0 qSymbol:: qAttached",
            "qGetTLSAddr:p1.1,ffffffffffffffff,ffffffffffffffff qSymbol:41:41 qSearch:memory:0;ffffffffffffffff;ab",
            "qCRC:0,ffffffffffffffff qXfer:features:read:target.xml:0,fff qXfer:features:read:../../etc/passwd:0,fff",
            "qXfer:auxv:read::0,1000 qXfer:exec-file:read:1:0,1000 qXfer:siginfo:read::0,80 qXfer:siginfo:write::0:abc",
            "qXfer:threads:read::0,1000 qXfer:osdata:read:x:ffffffffffffffff,ffffffffffffffff qRcmd,7768656e qRcmd,zz",
            "qRRCmd:when:-1 qRRCmd:7768656e qRRCmd qRRCmd:checkpoint:1:41 qRRCmd:seek:1:2d31 qRRCmd:restart:1:39",
            "qRRCmd:seek:1:33 qRRCmd:events:1:393939393939 qRRCmd:back:1 QPassSignals:e;ff QCatchSyscalls:1;1;2 QNonStop:1",
            "qRRCmd:history-push:1 qRRCmd:forward:1 qRRCmd:delete%20checkpoint:1:31 QCatchSyscalls:1 QCatchSyscalls:0",
            "Z0,70010000,1 Z1,700100c0,1 Z0,ffffffffffffffff,1 Z2,700100b0,8 Z4,0,4 m70010000,400 M70010000,4:00000000",
            "bc bs c s Hgp1.1 Hc-1 Hg0 Tp1.1 T1 D D;1 jThreadsInfo x400000,10 qTStatus qOffsets");

    private static ReplayServer server;

    @BeforeAll
    static void prepare() throws Exception {
        assumeTrue(Programs.has("gcc"), "the fixture needs gcc");
        List<Fixture> fixtures = Fixture.in("debug").stream()
                .filter(fixture -> fixture.name().endsWith("accounts_overwritten"))
                .toList();
        Fixture.compile(fixtures);
        server = ReplayServer.start(
                fixtures.getFirst(), Path.of("target/debugger/hostile").toAbsolutePath());
    }

    @AfterAll
    static void end() {
        if (server != null) {
            server.close();
        }
    }

    private static Socket connect() throws IOException {
        int colon = server.address().lastIndexOf(':');
        Socket socket = new Socket(
                server.address().substring(0, colon),
                Integer.parseInt(server.address().substring(colon + 1)));
        socket.setSoTimeout(TIMEOUT);
        return socket;
    }

    private static byte[] framed(byte[] content) {
        int sum = 0;
        ByteArrayOutputStream packet = new ByteArrayOutputStream();
        packet.write('$');
        for (byte b : content) {
            packet.write(b);
            sum += b;
        }
        packet.writeBytes(String.format("#%02x", sum & 0xff).getBytes(ISO_8859_1));
        return packet.toByteArray();
    }

    private static String ask(Socket socket, String request) throws IOException {
        socket.getOutputStream().write(framed(request.getBytes(ISO_8859_1)));
        InputStream input = socket.getInputStream();
        StringBuilder answer = new StringBuilder();
        int b;
        while ((b = input.read()) >= 0 && b != '#') {
            answer.append((char) b);
        }
        input.readNBytes(2);
        return answer.substring(answer.indexOf("$") + 1);
    }

    private static TreeMap<String, Long> trace() throws IOException {
        TreeMap<String, Long> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(server.trace())) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                java.util.zip.CRC32C checksum = new java.util.zip.CRC32C();
                checksum.update(Files.readAllBytes(file));
                files.put(file.toString(), checksum.getValue());
            }
        }
        return files;
    }

    @Test
    @DisplayName("rubbish, broken packets, half connections and huge requests do no harm")
    void fuzzed() throws Exception {
        TreeMap<String, Long> before = trace();
        Random random = new Random(Long.getLong("reprise.seed", 3));
        for (int round = 0; round < CONNECTIONS; round++) {
            try (Socket socket = connect()) {
                switch (random.nextInt(14)) {
                    case 0 -> {}
                    case 1 -> {
                        byte[] rubbish = new byte[random.nextInt(2000)];
                        random.nextBytes(rubbish);
                        socket.getOutputStream().write(rubbish);
                    }
                    case 2 -> socket.getOutputStream().write(("$m" + "a".repeat(400_000)).getBytes(ISO_8859_1));
                    case 3 -> socket.getOutputStream().write(half(random));
                    case 4 -> doesNotRead(socket, random);
                    case 5 -> socket.getOutputStream().write("-".repeat(5000).getBytes(ISO_8859_1));
                    case 6 -> interrupts(socket, random);
                    default -> talk(socket, random);
                }
            } catch (SocketException expected) {
                // The server may well have had enough.
            }
            assertThat(server.process().isAlive()).as(server::said).isTrue();
        }
        try (Socket socket = connect()) {
            assertThat(ask(socket, "vRun;;7374617274")).startsWith("T05");
            assertThat(ask(socket, "g").length()).isGreaterThan(1000);
        }
        assertThat(trace()).isEqualTo(before);
        assertThat(server.said()).doesNotContain("internal fault");
    }

    /** A packet that is cut off somewhere; the connection ends, in order or by a reset. */
    private static byte[] half(Random random) {
        byte[] whole = framed(any(random).getBytes(ISO_8859_1));
        return java.util.Arrays.copyOf(whole, random.nextInt(whole.length));
    }

    /** Asks for more than fits into the sockets, and goes. */
    private static void doesNotRead(Socket socket, Random random) throws IOException {
        socket.getOutputStream().write(framed("QStartNoAckMode".getBytes(ISO_8859_1)));
        for (int i = 0; i < 60; i++) {
            socket.getOutputStream().write(framed("g".getBytes(ISO_8859_1)));
        }
        if (random.nextBoolean()) {
            socket.setSoLinger(true, 0);
        }
    }

    /** Lets the program run and asks it to stop again, many times. */
    private static void interrupts(Socket socket, Random random) throws IOException {
        byte[] run = framed((random.nextBoolean() ? "vCont;c" : "bc").getBytes(ISO_8859_1));
        for (int i = 0; i < 30; i++) {
            socket.getOutputStream().write(run);
            socket.getOutputStream().write(new byte[random.nextInt(20)]);
            socket.getOutputStream().write(new byte[] {3, 3, 3});
        }
    }

    private static String any(Random random) {
        String[] requests = String.join(" ", REQUESTS).split(" ");
        return requests[random.nextInt(requests.length)];
    }

    private static void talk(Socket socket, Random random) throws IOException {
        socket.getOutputStream().write(framed("QStartNoAckMode".getBytes(ISO_8859_1)));
        byte[] buffer = new byte[65536];
        for (int i = random.nextInt(MOST_PACKETS); i >= 0; i--) {
            String request = any(random);
            if (random.nextBoolean()) {
                request = mutated(request, random);
            }
            if (!request.startsWith("k")) {
                socket.getOutputStream().write(framed(request.getBytes(ISO_8859_1)));
            }
            try {
                if (socket.getInputStream().read(buffer) < 0) {
                    return;
                }
            } catch (SocketTimeoutException e) {
                socket.getOutputStream().write(3);
            }
        }
    }

    private static String mutated(String request, Random random) {
        StringBuilder text = new StringBuilder(request);
        for (int i = random.nextInt(3); i >= 0 && text.length() > 1; i--) {
            int at = 1 + random.nextInt(text.length() - 1);
            char replacement = MUTATIONS.charAt(random.nextInt(MUTATIONS.length()));
            switch (random.nextInt(3)) {
                case 0 -> text.setCharAt(at, replacement);
                case 1 -> text.insert(at, replacement);
                default -> text.deleteCharAt(at);
            }
        }
        return text.toString();
    }

    @Test
    @DisplayName("breakpoints without number, conditions without end and checkpoints without number are borne")
    void tooMuch() throws Exception {
        try (Socket socket = connect()) {
            socket.setSoTimeout(60_000);
            assertThat(ask(socket, "vRun;;7374617274")).startsWith("T05");
            for (int i = 0; i < 5000; i++) {
                assertThat(ask(socket, "Z0," + Integer.toHexString(0x10000 + i * 16) + ",1"))
                        .isEqualTo("OK");
            }
            // goto 0, for ever; and one that takes more from the stack than there is.
            assertThat(ask(socket, "Z0,401000,1;X3,210000;X1,29")).isEqualTo("OK");
            for (int i = 0; i < 300; i++) {
                assertThat(ask(socket, "qRRCmd:checkpoint:1:41")).isNotEmpty();
            }
            assertThat(server.process().descendants().count()).isLessThan(400);
            assertThat(ask(socket, "vCont;s")).startsWith("T");
            assertThat(ask(socket, "qRRCmd:restart:1:333030")).isNotEmpty();
            assertThat(ask(socket, "vCont;c" + ";s:1.1".repeat(5000))).isNotEmpty();
            assertThat(ask(socket, "QPassSignals:" + "e;".repeat(50_000) + "e")).isEqualTo("OK");
            assertThat(ask(socket, "m0," + "f".repeat(100_000))).startsWith("E");
        }
        assertThat(server.process().isAlive()).as(server::said).isTrue();
        assertThat(server.said()).doesNotContain("internal fault");
    }

    @Test
    @DisplayName("who is connected and says nothing, or half of something, keeps nobody out for ever")
    void halfConnections() throws Exception {
        List<Socket> silent = new java.util.ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Socket socket = connect();
            if (i % 2 == 1) {
                socket.getOutputStream().write("$g".getBytes(ISO_8859_1));
            }
            silent.add(socket);
        }
        for (Socket socket : silent) {
            socket.close();
        }
        try (Socket socket = connect()) {
            socket.setSoTimeout(20_000);
            assertThat(ask(socket, "?")).startsWith("T05");
        }
    }

    @Test
    @DisplayName("files outside the recording are not shown")
    void files() throws Exception {
        try (Socket socket = connect()) {
            assertThat(ask(socket, "vFile:open:" + hex("/etc/passwd") + ",0,0")).isEqualTo("F-1,2");
            assertThat(ask(socket, "vFile:open:" + hex("/proc/1/environ") + ",0,0"))
                    .isEqualTo("F-1,2");
            assertThat(ask(socket, "vFile:open:" + hex("/usr/lib/debug/../../../etc/passwd") + ",0,0"))
                    .isEqualTo("F-1,2");
            assertThat(ask(socket, "vFile:open:" + hex("/tmp/new") + ",601,1b6"))
                    .startsWith("F-1");
        }
    }

    @Test
    @DisplayName("the position outlives a connection that breaks")
    void brokenConnection() throws Exception {
        try (Socket socket = connect()) {
            assertThat(ask(socket, "vRun;;" + hex("20"))).startsWith("T05");
            socket.setSoLinger(true, 0);
        }
        try (Socket socket = connect()) {
            assertThat(ask(socket, "?")).startsWith("T05");
            assertThat(ask(socket, "qRRCmd:when:-1")).isEqualTo(hex("Current event: 20\n"));
        }
    }

    private static String hex(String text) {
        return java.util.HexFormat.of().formatHex(text.getBytes(ISO_8859_1));
    }
}
