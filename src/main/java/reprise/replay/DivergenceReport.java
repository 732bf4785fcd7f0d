package reprise.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import reprise.linux.LinuxException;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Wait;
import reprise.syscall.SyscallTable;
import reprise.trace.Event;
import reprise.tracee.TraceeGoneException;
import reprise.x86.Registers;

/** Puts together what is known when a replay goes astray. Slow and thorough: it is made once. */
final class DivergenceReport {
    private static final int CODE_BYTES = 16;
    private static final int SIGINFO_ADDRESS = 16;

    private final StoredFiles files;
    private final EventLog log;

    DivergenceReport(StoredFiles files, EventLog log) {
        this.files = files;
        this.log = log;
    }

    /**
     * The exception to throw.
     *
     * @param event the event that was to be replayed
     * @param task its task; null if there is none
     */
    DivergenceException exception(Event event, ReplayTask task, RuntimeException cause) {
        Event.Header header = event.header();
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                "Replay diverged from the recording at event %d (%s) of task %d.%n",
                header.sequence(), EventNames.of(event), header.tid()));
        text.append(cause.getMessage());
        if (text.charAt(text.length() - 1) != '\n') {
            text.append('\n');
        }
        if (task != null) {
            appendPlace(text, event, task);
        }
        text.append("The events before it:\n");
        log.appendTo(text);
        return new DivergenceException(header.sequence(), text.toString(), cause instanceof Mismatch ? null : cause);
    }

    private void appendPlace(StringBuilder text, Event event, ReplayTask task) {
        try {
            Carrier carrier = task.carrier();
            Places places = new Places(carrier, files);
            MemorySegment seen = carrier.registers(task);
            appendCode(text, "The replay is", carrier, places, Registers.get(seen, Registers.RIP));
            MemorySegment recorded = recordedRegisters(event);
            if (recorded != null && Registers.get(recorded, Registers.RIP) != Registers.get(seen, Registers.RIP)) {
                appendCode(text, "The recording was", carrier, places, Registers.get(recorded, Registers.RIP));
            }
        } catch (TraceeGoneException | LinuxException e) {
            text.append("The process that ran the replay is gone: ")
                    .append(e.getMessage())
                    .append('\n');
        }
    }

    private static MemorySegment recordedRegisters(Event event) {
        return switch (event) {
            case Event.SyscallExit exit -> exit.entryRegisters();
            case Event.SyscallEnter enter -> enter.registers();
            case Event.SignalDelivered signal -> signal.before();
            case Event.InstructionTrapped trapped -> trapped.before();
            default -> null;
        };
    }

    private static void appendCode(StringBuilder text, String who, Carrier carrier, Places places, long address) {
        text.append(String.format("%s at 0x%x, %s:", who, address, places.describe(address)));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment code = arena.allocate(CODE_BYTES, 8);
            long count = carrier.tracee().read(address, code, CODE_BYTES);
            for (long i = 0; i < count; i++) {
                text.append(String.format(" %02x", code.get(JAVA_BYTE, i)));
            }
        }
        text.append('\n');
    }

    /** What a wait status means, with the address of a fault. */
    static String describeStop(Carrier carrier, int status, StoredFiles files) {
        if (Wait.isSyscallStop(status)) {
            long number = carrier.tracee().get(Registers.ORIG_RAX);
            return "made system call " + SyscallTable.name((int) number);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(Ptrace.SIGINFO_SIZE, 8);
            Ptrace.getSignalInfo(carrier.tid(), info);
            long address = info.get(JAVA_LONG, SIGINFO_ADDRESS);
            return String.format(
                    "raised %s (code %d) for address 0x%x in %s",
                    Signal.name(Wait.stopSignal(status)),
                    Ptrace.codeOf(info),
                    address,
                    new Places(carrier, files).describe(address));
        }
    }
}
