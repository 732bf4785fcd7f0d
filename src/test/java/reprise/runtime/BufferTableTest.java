package reprise.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import reprise.linux.SyscallNumber;
import reprise.syscall.CompactOutput;
import reprise.syscall.CompactOutput.Rule;

class BufferTableTest {
    @Test
    @DisplayName("the stub and its table fit where they belong, and the fixed places hold what they should")
    void image() {
        byte[] image = SyscallStub.image();
        assertThat(image).hasSize(BufferLayout.CODE_SIZE);
        int stop = (int) (BufferLayout.STOP_INSTRUCTION - BufferLayout.CODE);
        assertThat(new byte[] {image[stop], image[stop + 1]}).containsExactly(0x0f, 0x05);
        assertThat(image[(int) (BufferLayout.ABORT - BufferLayout.CODE)]).isEqualTo((byte) 0xe9);
    }

    @Test
    @DisplayName("what calls write follows from the system call table")
    void outputs() {
        assertThat(BufferTable.outputs(SyscallNumber.READ))
                .containsExactly(new CompactOutput(Rule.RESULT, 1, 2, 1, false));
        assertThat(BufferTable.outputs(SyscallNumber.CLOCK_GETTIME))
                .containsExactly(new CompactOutput(Rule.FIXED, 1, 0, 16, false));
        assertThat(BufferTable.outputs(SyscallNumber.EPOLL_WAIT))
                .containsExactly(new CompactOutput(Rule.RESULT, 1, 2, 12, false));
        assertThat(BufferTable.outputs(SyscallNumber.WAIT4))
                .extracting(CompactOutput::ifPositive)
                .containsExactly(true, true);
        assertThat(BufferTable.outputs(SyscallNumber.EXECVE)).isEmpty();
    }

    @Test
    @DisplayName("a result never makes an output longer than the program's memory for it")
    void lengths() {
        CompactOutput output = new CompactOutput(Rule.RESULT, 1, 2, 4, false);
        assertThat(output.length(10, 3)).isEqualTo(12);
        assertThat(output.length(2, 3)).isEqualTo(8);
        assertThat(output.length(5, -1)).isEqualTo(20);
        assertThat(new CompactOutput(Rule.FIXED, 1, 0, 4, true).length(0, 0)).isZero();
    }

    @Test
    @DisplayName("records are read one after the other, damaged ones not at all")
    void records() {
        MemorySegment memory = Arena.ofAuto().allocate(200, 8);
        put(memory, 0, 48, SyscallNumber.READ, 5, new long[] {3, 0x1000, 64});
        memory.asSlice(40, 5).copyFrom(MemorySegment.ofArray("hello".getBytes()));
        put(memory, 48, 16, SyscallNumber.GETPID, 77, new long[0]);
        BufferRecord record = new BufferRecord(memory.asSlice(0, 64));
        assertThat(record.next()).isTrue();
        assertThat(record.number()).isEqualTo(SyscallNumber.READ);
        assertThat(record.argument(2)).isEqualTo(64);
        assertThat(record.written(0x1000).toArray(ValueLayout.JAVA_BYTE)).isEqualTo("hello".getBytes());
        assertThat(record.writtenLength()).isEqualTo(8);
        assertThat(record.written(0x2000)).isNull();
        assertThat(record.argument(3)).isZero();
        assertThat(record.next()).isTrue();
        assertThat(List.of(record.number(), (int) record.result())).containsExactly(SyscallNumber.GETPID, 77);
        assertThat(record.next()).isFalse();
        memory.set(ValueLayout.JAVA_INT, 48, 1000);
        record.rewind();
        assertThat(record.next()).isTrue();
        assertThat(record.next()).isFalse();
        // Too short for the arguments that the call has.
        memory.set(ValueLayout.JAVA_INT, 0, 32);
        record.rewind();
        assertThat(record.next()).isFalse();
    }

    private static void put(MemorySegment memory, long at, int length, int number, long result, long[] arguments) {
        memory.set(ValueLayout.JAVA_INT, at, length);
        memory.set(ValueLayout.JAVA_SHORT, at + 4, (short) number);
        memory.set(ValueLayout.JAVA_SHORT, at + 6, (short) number);
        memory.set(ValueLayout.JAVA_LONG, at + 8, result);
        for (int index = 0; index < arguments.length; index++) {
            memory.set(ValueLayout.JAVA_LONG, at + 16 + 8 * index, arguments[index]);
        }
    }
}
