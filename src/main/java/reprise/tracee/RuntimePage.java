package reprise.tracee;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import reprise.linux.ProcessMemory;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/**
 * The page of our own that every tracee has at one fixed address.
 *
 * <p>It is at the same time a complete ELF program of one page: spawned as it is, it parks itself in pause(2), which is
 * how both the recorder and the replayer get a process to work with without forking the JVM. In a recorded program it
 * is mapped after exec; its one {@code syscall} instruction at {@link #UNTRACED_SYSCALL} is the only one that the
 * recorder's seccomp filter lets pass.
 */
public final class RuntimePage {
    /** Where it is mapped, in every tracee. */
    public static final long ADDRESS = 0x7000_0000L;

    /** Its size in bytes. */
    public static final int SIZE = 4096;

    /** Address of the system call instruction that is not traced. */
    public static final long UNTRACED_SYSCALL = ADDRESS + 0x100;

    private static final int ENTRY = 0x78;

    private RuntimePage() {}

    /** Whether this process has the page: it is being recorded itself. */
    public static boolean isHere() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment here = arena.allocate(SIZE);
            int self = (int) Syscall.call(SyscallNumber.GETPID, 0);
            // Something else may be there, and be unreadable.
            return ProcessMemory.read(self, ADDRESS, here, SIZE) == SIZE
                    && here.mismatch(MemorySegment.ofArray(image())) < 0;
        }
    }

    /** The bytes of the page. */
    public static byte[] image() {
        ByteBuffer elf = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
        // e_ident: magic, 64 bits, little endian, version 1
        elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0});
        elf.putShort((short) 2).putShort((short) 62).putInt(1); // ET_EXEC, EM_X86_64
        elf.putLong(ADDRESS + ENTRY).putLong(64).putLong(0).putInt(0); // e_entry, e_phoff, e_shoff, e_flags
        elf.putShort((short) 64).putShort((short) 56).putShort((short) 1); // e_ehsize, e_phentsize, e_phnum
        elf.putShort((short) 0).putShort((short) 0).putShort((short) 0);
        elf.putInt(1).putInt(5).putLong(0).putLong(ADDRESS).putLong(ADDRESS); // PT_LOAD, R+X
        elf.putLong(SIZE).putLong(SIZE).putLong(SIZE);
        elf.position(ENTRY);
        // again: mov eax, 34 (pause); syscall; jmp again
        elf.put(new byte[] {(byte) 0xb8, 34, 0, 0, 0, 0x0f, 0x05, (byte) 0xeb, (byte) 0xf7});
        elf.position((int) (UNTRACED_SYSCALL - ADDRESS));
        elf.put(new byte[] {0x0f, 0x05, (byte) 0xc3}); // syscall; ret, for callers inside the tracee
        return elf.array();
    }
}
