package reprise.debug;

import java.util.ArrayList;
import java.util.List;
import reprise.replay.Watch;

/** Answers the packets that insert and remove breakpoints and watchpoints. */
final class PointRequests {
    private final Breakpoints breakpoints;

    PointRequests(Breakpoints breakpoints) {
        this.breakpoints = breakpoints;
    }

    /** {@code Z} and {@code z}: inserts or removes one in a process. */
    void take(Packet packet, boolean insert, Reply reply, int process) {
        int type = packet.next();
        packet.expect(",");
        long address = packet.hex();
        packet.expect(",");
        long length = packet.hex();
        switch (type) {
            case '0', '1' -> {
                boolean hardware = type == '1';
                if (insert) {
                    breakpoints.insert(process, address, hardware, conditions(packet));
                } else {
                    breakpoints.remove(process, address, hardware);
                }
                reply.text("OK");
            }
            case '2' -> watch(insert, process, address, length, Watch.Access.WRITE, reply);
            case '4' -> watch(insert, process, address, length, Watch.Access.READ_OR_WRITE, reply);
            // The processor cannot watch for reads alone. gdb then watches all accesses and looks at the value.
            default -> {}
        }
    }

    private void watch(boolean insert, int process, long address, long length, Watch.Access access, Reply reply) {
        if (insert) {
            breakpoints.watch(process, address, length, access);
        } else {
            breakpoints.unwatch(process, address, length, access);
        }
        reply.text("OK");
    }

    private static List<AgentExpression> conditions(Packet packet) {
        List<AgentExpression> conditions = new ArrayList<>();
        // One semicolon is in front of all that gdb sends; some clients put one in front of each.
        while (packet.accept(";X") || !conditions.isEmpty() && packet.accept("X")) {
            int length = packet.hex(Connection.PACKET_SIZE);
            packet.expect(",");
            byte[] code = new byte[length];
            for (int i = 0; i < length; i++) {
                int high = Hex.digit(packet.next());
                int low = Hex.digit(packet.next());
                if (high < 0 || low < 0) {
                    throw new MalformedPacketException("a condition is not in hexadecimal");
                }
                code[i] = (byte) (high << 4 | low);
            }
            conditions.add(new AgentExpression(code));
        }
        return conditions;
    }
}
