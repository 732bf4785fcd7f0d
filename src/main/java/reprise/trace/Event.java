package reprise.trace;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Something that happened to one task and that its own instructions do not determine.
 *
 * <p>A trace is the sequence of these in the order of their sequence numbers. Between two events of a task its
 * execution is determined by its registers and memory. Register blocks are the kernel's {@code user_regs_struct}
 * (27 words, 216 bytes); extended state blocks are what {@code PTRACE_GETREGSET NT_X86_XSTATE} returns. Segments are
 * valid until the reader moves on to another chunk, see {@link TraceReader}.
 */
public sealed interface Event {
    /** What every event has. */
    Header header();

    /**
     * Where an event stands.
     *
     * @param sequence position in the whole trace, from 1, without gaps
     * @param domain the domain (set of processes that share memory) the task belonged to
     * @param tid the task, by its thread id while recording
     * @param nanos time since the recording began
     */
    record Header(long sequence, int domain, int tid, long nanos) {}

    /** Bytes that the kernel or the tracer wrote to the memory of the process that {@code tid} belongs to. */
    record MemoryWrite(int tid, long address, MemorySegment data) {}

    /** What a mapping shows. */
    sealed interface Backing {}

    /** Zeroes, private to the process. */
    record Anonymous() implements Backing {}

    /** A private mapping of a stored file, at a byte offset. */
    record PrivateFile(int file, long offset) implements Backing {}

    /**
     * A shared mapping, or a private one (see the mapping's flags) of what others share. All mappings of one object show
     * the same bytes, as long as private ones are not written to.
     *
     * @param object number of the shared object, introduced by a {@link SharedObject} event
     * @param offset byte offset in it
     */
    record Shared(int object, long offset) implements Backing {}

    /** A mapping as it stood when it was recorded; {@code flags} are those of mmap without MAP_FIXED. */
    record Mapping(long address, long length, int protection, int flags, Backing backing, String name) {}

    /** A change of an address space, to be repeated at replay. */
    sealed interface MappingChange {}

    /** A new mapping, replacing whatever was in the range. */
    record Map(Mapping mapping) implements MappingChange {}

    /** The range is no longer mapped. */
    record Unmap(long address, long length) implements MappingChange {}

    /** The protection of a range changed (PROT_* bits). */
    record Protect(long address, long length, int protection) implements MappingChange {}

    /** mremap moved or resized a mapping; {@code flags} are those of the call. */
    record Remap(long oldAddress, long oldLength, long newAddress, long newLength, int flags)
            implements MappingChange {}

    /** The pages of the range lost their content, or will at fork: {@code advice} is one of madvise's that do that. */
    record Discard(long address, long length, int advice) implements MappingChange {}

    /** A shared object has another size in bytes; access to whole pages behind it raises SIGBUS. */
    record Resize(int object, long size) implements MappingChange {}

    /** A task that a system call created. {@code sharesMemory}: CLONE_VM was given. */
    record NewTask(int tid, int domain, long cloneFlags, boolean sharesMemory, MemorySegment registers) {}

    /** A file whose content mappings show was put in the trace's store. {@code stored} is relative to the trace. */
    record FileStored(Header header, int file, String path, String stored, long size) implements Event {}

    /**
     * A shared object came into being.
     *
     * @param file the stored file with its first content, 0 for zeroes
     * @param size in bytes; access to whole pages behind it raises SIGBUS
     */
    record SharedObject(Header header, int object, int file, long size, String name) implements Event {}

    /**
     * A program was started in a fresh address space, by execve or (first event of a trace) by the recorder.
     *
     * @param formerTid the task that called execve; differs from the header's where a non-leader thread called it
     * @param program path of the program
     * @param arguments its argv
     * @param registers at the first instruction
     * @param extendedState at the first instruction
     * @param mappings all of them
     * @param writes content of the anonymous memory
     */
    record Exec(
            Header header,
            int formerTid,
            int parentTid,
            String program,
            List<String> arguments,
            MemorySegment registers,
            MemorySegment extendedState,
            List<Mapping> mappings,
            List<MemoryWrite> writes)
            implements Event {}

    /**
     * The task entered the kernel for a system call and other tasks of its domain ran before it came out.
     *
     * @param registers at entry: orig_rax is the number, rip behind the instruction
     */
    record SyscallEnter(Header header, MemorySegment registers) implements Event {}

    /**
     * The task came out of a system call.
     *
     * @param entryRegisters at entry; null where a {@link SyscallEnter} went before
     * @param number the system call
     * @param result its result, -errno included, also the kernel's restart codes
     * @param exitRegisters all registers at exit where more changed than rax, rcx, r11 (sigreturn, arch_prctl); else
     *     null
     * @param extendedState after sigreturn; else null
     * @param output 1 or 2 where the call wrote to the recording's standard output or error; else 0
     * @param writes memory that the kernel wrote
     * @param changes of the address space, in order, before {@code writes} are applied
     * @param child the task it created, or null
     */
    record SyscallExit(
            Header header,
            MemorySegment entryRegisters,
            int number,
            long result,
            MemorySegment exitRegisters,
            MemorySegment extendedState,
            int output,
            List<MappingChange> changes,
            List<MemoryWrite> writes,
            NewTask child)
            implements Event {}

    /** Where a signal struck. */
    enum SignalPoint {
        /** Right after the task's last event, before another instruction. */
        AFTER_EVENT,
        /** On the syscall instruction that the task came to next; the call itself has not happened. */
        AT_SYSCALL,
        /** At the instruction that raises it. */
        FAULT
    }

    /** What a signal did. */
    enum SignalEffect {
        /** A handler's frame was pushed. */
        HANDLER,
        /** The process dies of it. */
        FATAL,
        /** The task's tracer, another one of the recording, got it, or changed the task's state (signal 0: there was none). */
        TRACER
    }

    /**
     * A signal was delivered.
     *
     * @param before registers at the point, as the tracer saw them
     * @param signalInfo the kernel's siginfo, 128 bytes
     * @param after registers at the handler's first instruction, or as the tracer set them; null if fatal, or not changed
     * @param extendedState likewise
     * @param writes the frame, or code that the recorder restored for the tracer
     */
    record SignalDelivered(
            Header header,
            int signal,
            SignalPoint point,
            SignalEffect effect,
            MemorySegment before,
            MemorySegment signalInfo,
            MemorySegment after,
            MemorySegment extendedState,
            List<MemoryWrite> writes)
            implements Event {}

    /** An instruction whose result the recorder supplied. */
    enum TrappedInstruction {
        RDTSC,
        RDTSCP,
        CPUID,
        /** Or rdseed: {@code rax} is the value, {@code rbx} the destination's number, {@code rcx} the length. */
        RDRAND
    }

    /** A trapped instruction was emulated: registers before it, and the values it got. */
    record InstructionTrapped(
            Header header, TrappedInstruction instruction, MemorySegment before, long rax, long rbx, long rcx, long rdx)
            implements Event {}

    /**
     * The task was interrupted in the midst of its computation, at an instant named by its state: it is the first moment
     * since the task's last event at which it is about to execute the instruction at {@code rip} with exactly these
     * registers and this memory. What follows (a signal, another task's turn) happens there.
     *
     * @param registers at the instant
     * @param vectorHash of all other registers, see {@code reprise.x86.VectorState}
     * @param complete all pages are listed, not only those written since the last list or checksum
     * @param pages addresses
     * @param hashes of the pages, in the same order
     * @param probes where words are that tell this instant from others that look alike, for whoever wants to know quickly
     *     that it is not yet reached: addresses divisible by 8, or numbers from 0 to 15 of xmm registers, of which the lower
     *     half is meant. They add nothing to the other parts of the name
     * @param values of these words at the instant, in the same order
     * @param registersChanging which general registers were seen to change from one execution of the instruction to the next
     *     just before: bit n is the one of number n in instructions
     * @param probesChanging how many of the probes were, those first in the list
     */
    record ExecutionPoint(
            Header header,
            MemorySegment registers,
            long vectorHash,
            boolean complete,
            long[] pages,
            long[] hashes,
            long[] probes,
            long[] values,
            int registersChanging,
            int probesChanging)
            implements Event {}

    /**
     * System calls that the task made since its last event without stopping: the code injected in its process took the
     * results from the kernel, and takes them from here at replay. Comes before the event up to which they were made.
     *
     * @param stops whether the task stopped right behind the last of them, which then is an instant of its own
     * @param records one behind the other, see {@code reprise.runtime.BufferRecord}
     */
    record BufferedCalls(Header header, boolean stops, MemorySegment records) implements Event {}

    /**
     * System call instructions in the task's address space were replaced by jumps to injected code.
     *
     * @param resumeAt where the task goes on: where it was, unless that has moved
     * @param places what stands where in the new code: pairs of an address and the original address that it stands for,
     *     ascending; the last pair's address is the end of the code
     * @param changes new mappings for the code
     * @param writes the code, then what leads to it
     */
    record CodePatched(
            Header header, long resumeAt, long[] places, List<MappingChange> changes, List<MemoryWrite> writes)
            implements Event {}

    /** The task ended. {@code waitStatus} as wait(2) gives it. {@code writes}: the kernel's last writes on its behalf. */
    record TaskExit(Header header, int waitStatus, List<MemoryWrite> writes) implements Event {}

    /** The processes of the header's domain run on this core from now on. */
    record CoreBound(Header header, int core) implements Event {}

    /**
     * The pages of the task's address space that changed since its last checksum.
     *
     * @param complete all pages are listed, not only changed ones
     * @param pages addresses
     * @param hashes of the pages, in the same order
     */
    record Checksum(Header header, boolean complete, long[] pages, long[] hashes) implements Event {}

    /** Something the user should know, for example a system call that the table does not describe. */
    record Note(Header header, String text) implements Event {}

    /** The recording ended regularly; {@code waitStatus} of its first process. */
    record End(Header header, int waitStatus) implements Event {}
}
