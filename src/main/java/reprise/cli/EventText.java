package reprise.cli;

import java.util.List;
import reprise.runtime.BufferRecord;
import reprise.trace.Event;
import reprise.x86.Registers;

/** Prints events for people: a line for each, much as strace would, and indented lines for what it changed. */
final class EventText implements EventPrinter {
    private static final String INDENT = "          ";
    private static final int SHOWN_CALLS = 10;
    private static final int SHOWN_ARGUMENTS = 32;
    private static final int SHOWN_CHARACTERS = 100;
    private static final long PAGE = 4096;

    private final Output output;
    private final boolean verbose;
    private final CallText calls = new CallText();

    /** {@code verbose}: with all mappings of an exec, and each piece of memory that was written. */
    EventText(Output output, boolean verbose) {
        this.output = output;
        this.verbose = verbose;
    }

    @Override
    public void accept(Event event) {
        Event.Header header = event.header();
        output.add("[").right(header.sequence(), 7).add(" ");
        appendSeconds(header.nanos());
        output.add(" ")
                .right(header.domain(), 2)
                .add(" ")
                .right(header.tid(), 7)
                .add("] ");
        switch (event) {
            case Event.SyscallExit exit -> exited(exit);
            case Event.SyscallEnter enter -> line(calls.entered(enter));
            case Event.Exec exec -> executed(exec);
            case Event.SignalDelivered signal -> {
                line(SignalText.of(signal));
                writes(signal.writes());
            }
            case Event.TaskExit exit -> {
                calls.forget(header.tid());
                line("+++ " + SignalText.end(exit.waitStatus()) + " +++");
                writes(exit.writes());
            }
            case Event.InstructionTrapped trapped -> line(instruction(trapped));
            case Event.CoreBound bound -> line("domain " + header.domain() + " runs on core " + bound.core());
            case Event.ExecutionPoint point ->
                line("interrupted at 0x" + Long.toHexString(Registers.get(point.registers(), Registers.RIP))
                        + ", named by " + point.pages().length + " pages, with " + point.probes().length + " probes");
            case Event.BufferedCalls buffered -> buffered(buffered);
            case Event.CodePatched patched -> {
                line("code patched, goes on at 0x" + Long.toHexString(patched.resumeAt()));
                for (Event.MappingChange change : patched.changes()) {
                    detail(MappingText.of(change));
                }
                writes(patched.writes());
            }
            case Event.Checksum checksum -> checksum(checksum);
            case Event.Note note -> line("note: " + Quotes.plain(note.text()));
            case Event.FileStored file ->
                line("file " + file.file() + ": " + Quotes.plain(file.path()) + ", " + Amounts.bytes(file.size())
                        + ", stored as " + Quotes.plain(file.stored()));
            case Event.SharedObject object ->
                line("object " + object.object() + ": " + Quotes.plain(object.name()) + ", "
                        + Amounts.bytes(object.size())
                        + (object.file() == 0 ? ", of zeros" : ", begins as file " + object.file()));
            case Event.End end -> line("end of the recording: " + SignalText.end(end.waitStatus()));
        }
    }

    private void appendSeconds(long nanos) {
        long micros = nanos / 1000;
        String fraction = Long.toString(1_000_000 + micros % 1_000_000);
        output.right(micros / 1_000_000, 4).add(".").add(fraction.substring(1));
    }

    private void line(String text) {
        output.add(text).line();
    }

    private void detail(String text) {
        output.add(INDENT).add(text).line();
    }

    private void exited(Event.SyscallExit exit) {
        line(calls.exited(exit));
        for (Event.MappingChange change : exit.changes()) {
            detail(MappingText.of(change));
        }
        Event.NewTask child = exit.child();
        if (child != null) {
            detail("new task " + child.tid() + " in domain " + child.domain()
                    + (child.sharesMemory() ? ", sharing memory" : ", with a copy of the memory"));
        }
        writes(exit.writes());
    }

    private void executed(Event.Exec exec) {
        calls.forget(exec.formerTid());
        StringBuilder text = new StringBuilder("execve(").append(Quotes.string(exec.program(), Integer.MAX_VALUE));
        text.append(", [");
        List<String> arguments = exec.arguments();
        int shown = verbose ? arguments.size() : Math.min(arguments.size(), SHOWN_ARGUMENTS);
        for (int i = 0; i < shown; i++) {
            text.append(i == 0 ? "" : ", ");
            text.append(Quotes.string(arguments.get(i), verbose ? Integer.MAX_VALUE : SHOWN_CHARACTERS));
        }
        text.append(shown < arguments.size() ? ", ..." : "").append("]) = 0");
        line(text.toString());
        if (exec.formerTid() != exec.header().tid()) {
            detail("called by thread " + exec.formerTid() + ", which goes on as "
                    + exec.header().tid());
        }
        long bytes = 0;
        for (Event.MemoryWrite write : exec.writes()) {
            bytes += write.data().byteSize();
        }
        detail(exec.mappings().size() + " mappings, " + Amounts.bytes(bytes)
                + " of their content recorded, begins at 0x"
                + Long.toHexString(Registers.get(exec.registers(), Registers.RIP)));
        if (verbose) {
            exec.mappings().forEach(mapping -> detail(MappingText.of(mapping)));
        }
        writes(exec.writes());
    }

    private void writes(List<Event.MemoryWrite> writes) {
        if (verbose) {
            for (Event.MemoryWrite write : writes) {
                detail("write "
                        + MappingText.range(write.address(), write.data().byteSize()) + ", "
                        + write.data().byteSize() + " bytes, in " + write.tid());
            }
        }
    }

    private static String instruction(Event.InstructionTrapped trapped) {
        String at = " at 0x" + Long.toHexString(Registers.get(trapped.before(), Registers.RIP)) + " = ";
        return switch (trapped.instruction()) {
            case RDTSC -> "rdtsc" + at + (trapped.rdx() << 32 | trapped.rax());
            case RDTSCP -> "rdtscp" + at + (trapped.rdx() << 32 | trapped.rax()) + ", core " + trapped.rcx();
            case CPUID ->
                "cpuid(0x" + Long.toHexString(Registers.get(trapped.before(), Registers.RAX)) + ", 0x"
                        + Long.toHexString(Registers.get(trapped.before(), Registers.RCX)) + ")" + at
                        + "eax=0x" + Long.toHexString(trapped.rax()) + ", ebx=0x" + Long.toHexString(trapped.rbx())
                        + ", ecx=0x" + Long.toHexString(trapped.rcx()) + ", edx=0x"
                        + Long.toHexString(trapped.rdx());
            case RDRAND -> "rdrand or rdseed" + at + "0x" + Long.toHexString(trapped.rax());
        };
    }

    private void buffered(Event.BufferedCalls buffered) {
        BufferRecord record = new BufferRecord(buffered.records());
        int count = 0;
        while (record.next()) {
            count++;
        }
        line(count
                + (count == 1 ? " buffered call" : " buffered calls")
                + (buffered.stops() ? ", and a stop behind the last" : ""));
        record.rewind();
        for (int shown = 0; record.next(); shown++) {
            if (!verbose && shown == SHOWN_CALLS) {
                detail("... and " + (count - shown) + " more");
                return;
            }
            detail(calls.buffered(record));
        }
    }

    private void checksum(Event.Checksum checksum) {
        int count = checksum.pages().length;
        line("checksum of " + count + (count == 1 ? " page" : " pages")
                + (checksum.complete() ? ", which are all" : " changed since the last"));
        if (verbose) {
            for (int i = 0; i < count; i++) {
                detail(MappingText.range(checksum.pages()[i], PAGE) + " " + Long.toHexString(checksum.hashes()[i]));
            }
        }
    }
}
