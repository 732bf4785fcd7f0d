package reprise.debug;

import java.nio.charset.StandardCharsets;
import reprise.linux.Wait;

/** Writes the packets that tell the client where and why the program stands. */
final class StopReply {
    private final Reply reply;
    private final ClientFeatures client;

    StopReply(Reply reply, ClientFeatures client) {
        this.reply = reply;
        this.client = client;
    }

    /** Begins a stop; {@code signal} is the protocol's number. */
    StopReply stopped(int signal) {
        reply.clear().text("T").hexByte(signal);
        return this;
    }

    /** The thread that stopped. */
    StopReply thread(int process, int task) {
        reply.text("thread:");
        id(process, task);
        reply.text(";");
        return this;
    }

    /** Appends a thread as the client wants it named. */
    void id(int process, int task) {
        if (client.multiprocess) {
            reply.text("p").hex(process).text(".");
        }
        reply.hex(task);
    }

    /** A reason without more to say about it, such as {@code swbreak}. */
    StopReply reason(String name) {
        reply.text(name).text(":;");
        return this;
    }

    /** A reason with a number in hexadecimal. */
    StopReply reason(String name, long number) {
        reply.text(name).text(":").hex(number).text(";");
        return this;
    }

    /** Where history ends: {@code begin} or {@code end}. */
    StopReply history(String which) {
        reply.text("replaylog:").text(which).text(";");
        return this;
    }

    /** A process was forked. */
    StopReply fork(int child) {
        reply.text("fork:");
        id(child, child);
        reply.text(";");
        return this;
    }

    /** The process executes another program. */
    StopReply exec(String program) {
        byte[] path = program.getBytes(StandardCharsets.UTF_8);
        reply.text("exec:").hexBytes(path, 0, path.length).text(";");
        return this;
    }

    /** The value of a register, which saves the client from asking. */
    StopReply register(int number, byte[] value) {
        reply.hexByte(number).text(":").hexBytes(value, 0, value.length).text(";");
        return this;
    }

    /** A process has gone; {@code waitStatus} as wait(2) gives it. */
    void exited(int process, int waitStatus) {
        boolean killed = Wait.isSignaled(waitStatus);
        int code = killed ? GdbSignal.of(Wait.terminatingSignal(waitStatus)) : Wait.exitStatus(waitStatus);
        reply.clear().text(killed ? "X" : "W").hexByte(code);
        if (client.multiprocess) {
            reply.text(";process:").hex(process);
        }
    }

    /** A line for the user, in between. */
    void console(String text) {
        reply.clear().text("O").hexText(text);
    }
}
