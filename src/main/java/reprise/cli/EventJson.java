package reprise.cli;

import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import reprise.linux.Signal;
import reprise.runtime.BufferRecord;
import reprise.syscall.SyscallTable;
import reprise.trace.Event;
import reprise.x86.Registers;

/**
 * Prints events for programs: one JSON object a line, with everything that was recorded. Addresses, registers and bytes are
 * hexadecimal strings; of a checksum's pages and of bytes there may be many, so nothing is gathered first.
 */
final class EventJson implements EventPrinter {
    private static final String DIGITS = "0123456789abcdef";
    private static final int PIECE = 4096;

    private final Output output;
    private final JsonGenerator json;
    private final CallText calls = new CallText();
    private final char[] digits = new char[2 * PIECE];

    EventJson(Output output) {
        this.output = output;
        json = generator(output);
    }

    /** A generator that leaves line ends and closing to its user. */
    static JsonGenerator generator(Output output) {
        try {
            JsonGenerator json = new JsonFactoryBuilder()
                    .rootValueSeparator((String) null)
                    .build()
                    .createGenerator(output);
            // The output knows when to flush.
            return json.disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM)
                    .disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void accept(Event event) {
        try {
            json.writeStartObject();
            json.writeNumberField("event", event.header().sequence());
            json.writeStringField("kind", event.getClass().getSimpleName());
            json.writeNumberField("domain", event.header().domain());
            json.writeNumberField("tid", event.header().tid());
            json.writeNumberField("nanos", event.header().nanos());
            body(event);
            json.writeEndObject();
            json.flush();
            output.line();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void body(Event event) throws IOException {
        switch (event) {
            case Event.SyscallExit exit -> exited(exit);
            case Event.SyscallEnter enter -> {
                int number = CallText.number(enter.registers());
                json.writeNumberField("number", number);
                json.writeStringField("name", SyscallTable.name(number));
                json.writeStringField("text", calls.entered(enter));
                registers("registers", enter.registers());
            }
            case Event.Exec exec -> executed(exec);
            case Event.SignalDelivered signal -> delivered(signal);
            case Event.TaskExit exit -> {
                calls.forget(exit.header().tid());
                end(exit.waitStatus());
                writes(exit.writes());
            }
            case Event.InstructionTrapped trapped -> {
                json.writeStringField("instruction", trapped.instruction().name());
                hex("rax", trapped.rax());
                hex("rbx", trapped.rbx());
                hex("rcx", trapped.rcx());
                hex("rdx", trapped.rdx());
                registers("before", trapped.before());
            }
            case Event.CoreBound bound -> json.writeNumberField("core", bound.core());
            case Event.ExecutionPoint point -> {
                registers("registers", point.registers());
                hex("vectorHash", point.vectorHash());
                json.writeNumberField("pages", point.pages().length);
                json.writeNumberField("probes", point.probes().length);
            }
            case Event.BufferedCalls buffered -> buffered(buffered);
            case Event.CodePatched patched -> {
                hex("resumeAt", patched.resumeAt());
                json.writeArrayFieldStart("changes");
                for (Event.MappingChange change : patched.changes()) {
                    change(change);
                }
                json.writeEndArray();
                writes(patched.writes());
            }
            case Event.Checksum checksum -> checksum(checksum);
            case Event.Note note -> json.writeStringField("text", note.text());
            case Event.FileStored file -> {
                json.writeNumberField("file", file.file());
                json.writeStringField("path", file.path());
                json.writeStringField("stored", file.stored());
                json.writeNumberField("size", file.size());
            }
            case Event.SharedObject object -> {
                json.writeNumberField("object", object.object());
                json.writeNumberField("file", object.file());
                json.writeNumberField("size", object.size());
                json.writeStringField("name", object.name());
            }
            case Event.End end -> end(end.waitStatus());
        }
    }

    private void buffered(Event.BufferedCalls buffered) throws IOException {
        json.writeBooleanField("stops", buffered.stops());
        json.writeArrayFieldStart("calls");
        BufferRecord record = new BufferRecord(buffered.records());
        while (record.next()) {
            json.writeStartObject();
            json.writeNumberField("number", record.number());
            json.writeStringField("name", BufferRecord.name(record.number()));
            json.writeStringField("text", calls.buffered(record));
            json.writeNumberField("result", record.result());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void exited(Event.SyscallExit exit) throws IOException {
        json.writeNumberField("number", exit.number());
        json.writeStringField("name", SyscallTable.name(exit.number()));
        json.writeStringField("text", calls.exited(exit));
        json.writeNumberField("result", exit.result());
        registers("entryRegisters", exit.entryRegisters());
        registers("exitRegisters", exit.exitRegisters());
        bytes("extendedState", exit.extendedState());
        json.writeNumberField("output", exit.output());
        json.writeArrayFieldStart("changes");
        for (Event.MappingChange change : exit.changes()) {
            change(change);
        }
        json.writeEndArray();
        writes(exit.writes());
        Event.NewTask child = exit.child();
        if (child == null) {
            json.writeNullField("child");
            return;
        }
        json.writeObjectFieldStart("child");
        json.writeNumberField("tid", child.tid());
        json.writeNumberField("domain", child.domain());
        hex("cloneFlags", child.cloneFlags());
        json.writeBooleanField("sharesMemory", child.sharesMemory());
        registers("registers", child.registers());
        json.writeEndObject();
    }

    private void executed(Event.Exec exec) throws IOException {
        calls.forget(exec.formerTid());
        json.writeNumberField("formerTid", exec.formerTid());
        json.writeNumberField("parentTid", exec.parentTid());
        json.writeStringField("program", exec.program());
        json.writeArrayFieldStart("arguments");
        for (String argument : exec.arguments()) {
            json.writeString(argument);
        }
        json.writeEndArray();
        registers("registers", exec.registers());
        bytes("extendedState", exec.extendedState());
        json.writeArrayFieldStart("mappings");
        for (Event.Mapping mapping : exec.mappings()) {
            json.writeStartObject();
            mapping(mapping);
            json.writeEndObject();
        }
        json.writeEndArray();
        writes(exec.writes());
    }

    private void delivered(Event.SignalDelivered signal) throws IOException {
        json.writeNumberField("signal", signal.signal());
        json.writeStringField("name", Signal.name(signal.signal()));
        json.writeStringField("text", SignalText.of(signal));
        json.writeStringField("point", signal.point().name());
        json.writeStringField("effect", signal.effect().name());
        registers("before", signal.before());
        bytes("signalInfo", signal.signalInfo());
        registers("after", signal.after());
        bytes("extendedState", signal.extendedState());
        writes(signal.writes());
    }

    private void end(int waitStatus) throws IOException {
        json.writeNumberField("waitStatus", waitStatus);
        json.writeStringField("text", SignalText.end(waitStatus));
    }

    private void checksum(Event.Checksum checksum) throws IOException {
        json.writeBooleanField("complete", checksum.complete());
        json.writeArrayFieldStart("pages");
        for (long page : checksum.pages()) {
            json.writeString(hex(page));
        }
        json.writeEndArray();
        json.writeArrayFieldStart("hashes");
        for (long hash : checksum.hashes()) {
            json.writeString(hex(hash));
        }
        json.writeEndArray();
    }

    private void change(Event.MappingChange change) throws IOException {
        json.writeStartObject();
        json.writeStringField("kind", change.getClass().getSimpleName());
        switch (change) {
            case Event.Map map -> mapping(map.mapping());
            case Event.Unmap unmap -> range(unmap.address(), unmap.length());
            case Event.Protect protect -> {
                range(protect.address(), protect.length());
                json.writeNumberField("protection", protect.protection());
            }
            case Event.Remap remap -> {
                hex("oldAddress", remap.oldAddress());
                json.writeNumberField("oldLength", remap.oldLength());
                hex("newAddress", remap.newAddress());
                json.writeNumberField("newLength", remap.newLength());
                json.writeNumberField("flags", remap.flags());
            }
            case Event.Resize resize -> {
                json.writeNumberField("object", resize.object());
                json.writeNumberField("size", resize.size());
            }
            case Event.Discard discard -> {
                range(discard.address(), discard.length());
                json.writeNumberField("advice", discard.advice());
            }
        }
        json.writeEndObject();
    }

    private void range(long address, long length) throws IOException {
        hex("address", address);
        json.writeNumberField("length", length);
    }

    private void mapping(Event.Mapping mapping) throws IOException {
        range(mapping.address(), mapping.length());
        json.writeNumberField("protection", mapping.protection());
        json.writeNumberField("flags", mapping.flags());
        switch (mapping.backing()) {
            case Event.Anonymous ignored -> json.writeStringField("backing", "anonymous");
            case Event.PrivateFile file -> {
                json.writeStringField("backing", "file");
                json.writeNumberField("file", file.file());
                json.writeNumberField("offset", file.offset());
            }
            case Event.Shared shared -> {
                json.writeStringField("backing", "shared");
                json.writeNumberField("object", shared.object());
                json.writeNumberField("offset", shared.offset());
            }
        }
        json.writeStringField("name", mapping.name());
    }

    private void writes(List<Event.MemoryWrite> writes) throws IOException {
        json.writeArrayFieldStart("writes");
        for (Event.MemoryWrite write : writes) {
            json.writeStartObject();
            json.writeNumberField("tid", write.tid());
            hex("address", write.address());
            bytes("data", write.data());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void registers(String name, MemorySegment block) throws IOException {
        if (block == null) {
            json.writeNullField(name);
            return;
        }
        json.writeObjectFieldStart(name);
        for (int register = 0; register < Registers.SIZE; register += 8) {
            hex(Registers.name(register), Registers.get(block, register));
        }
        json.writeEndObject();
    }

    private void bytes(String name, MemorySegment bytes) throws IOException {
        json.writeFieldName(name);
        if (bytes == null) {
            json.writeNull();
            return;
        }
        // In pieces: a single read(2) can bring two gigabytes.
        json.writeRawValue("\"");
        for (long start = 0; start < bytes.byteSize(); start += PIECE) {
            int length = (int) Math.min(PIECE, bytes.byteSize() - start);
            for (int i = 0; i < length; i++) {
                int value = bytes.get(ValueLayout.JAVA_BYTE, start + i);
                digits[2 * i] = DIGITS.charAt(value >> 4 & 15);
                digits[2 * i + 1] = DIGITS.charAt(value & 15);
            }
            json.writeRaw(digits, 0, 2 * length);
        }
        json.writeRaw('"');
    }

    private void hex(String name, long value) throws IOException {
        json.writeStringField(name, hex(value));
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
