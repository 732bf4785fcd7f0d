package reprise.debug;

import java.util.Arrays;
import reprise.replay.TaskInfo;

/** Answers the packets that read and write registers and memory. */
final class StateRequests {
    private final Present present;

    StateRequests(Present present) {
        this.present = present;
    }

    /** {@code p}: a register. */
    void register(Packet packet, Reply reply, TaskInfo task) {
        RegisterLayout.Register register = present.layout().register(packet.hex(Integer.MAX_VALUE));
        if (register == null) {
            reply.text(Session.ERROR);
        } else {
            byte[] value = present.register(task, register);
            reply.hexBytes(value, 0, value.length);
        }
    }

    /** {@code P}: sets a register. */
    void setRegister(Packet packet, Reply reply, TaskInfo task) {
        RegisterLayout.Register register = present.layout().register(packet.hex(Integer.MAX_VALUE));
        packet.expect("=");
        byte[] value = packet.hexBytes();
        if (register == null || value.length != register.size()) {
            reply.text(Session.ERROR);
        } else {
            present.setRegister(task, register, value);
            reply.text("OK");
        }
    }

    /** {@code G}: sets all registers. */
    void setRegisters(Packet packet, Reply reply, TaskInfo task) {
        byte[] values = packet.hexBytes();
        RegisterLayout layout = present.layout();
        if (values.length != layout.size()) {
            reply.text(Session.ERROR);
            return;
        }
        int at = 0;
        for (int number = 0; number < layout.count(); number++) {
            RegisterLayout.Register register = layout.register(number);
            byte[] value = Arrays.copyOfRange(values, at, at + register.size());
            at += register.size();
            if (register.kind() != RegisterLayout.Kind.ZERO) {
                present.setRegister(task, register, value);
            }
        }
        reply.text("OK");
    }

    /** {@code m}: memory, as much as there is. */
    void memory(Packet packet, Reply reply, TaskInfo task) {
        long address = packet.hex();
        packet.expect(",");
        int length = (int) Math.min(packet.hex() & Long.MAX_VALUE, (Connection.PACKET_SIZE - 16) / 2);
        byte[] bytes = present.memory(task, address, length);
        if (bytes.length == 0 && length > 0) {
            reply.text(Session.ERROR);
        } else {
            reply.hexBytes(bytes, 0, bytes.length);
        }
    }

    /** {@code M} and {@code X}: writes memory. */
    void setMemory(Packet packet, boolean inHex, Reply reply, TaskInfo task) {
        long address = packet.hex();
        packet.expect(",");
        int length = packet.hex(Connection.PACKET_SIZE);
        packet.expect(":");
        byte[] bytes = inHex ? packet.hexBytes() : packet.rest();
        if (bytes.length != length) {
            throw new MalformedPacketException("the length is wrong");
        }
        reply.text(present.setMemory(task, address, bytes) ? "OK" : Session.ERROR);
    }
}
