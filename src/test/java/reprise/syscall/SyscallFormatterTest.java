package reprise.syscall;

import static org.assertj.core.api.Assertions.assertThat;
import static reprise.linux.SyscallNumber.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** System calls as they are printed. */
class SyscallFormatterTest {
    private static String format(int number, long result, long... arguments) {
        return SyscallFormatter.format(number, six(arguments), result);
    }

    private static long[] six(long... arguments) {
        long[] six = new long[6];
        System.arraycopy(arguments, 0, six, 0, arguments.length);
        return six;
    }

    @Test
    @DisplayName("flags, descriptors and pointers by their kind")
    void kinds() {
        assertThat(format(OPENAT, 3, -100, 0x7f00, 0x80000))
                .isEqualTo("openat(AT_FDCWD, 0x7f00, O_RDONLY|O_CLOEXEC) = 3");
        assertThat(format(OPENAT, 3, 5, 0x7f00, 0x241, 0644))
                .isEqualTo("openat(5, 0x7f00, O_WRONLY|O_CREAT|O_TRUNC, 0644) = 3");
        assertThat(format(MMAP, 0x7f0000000000L, 0, 4096, 3, 0x22, -1, 0))
                .isEqualTo("mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000");
        assertThat(format(MPROTECT, 0, 0x1000, 4096, 0)).isEqualTo("mprotect(0x1000, 4096, PROT_NONE) = 0");
        assertThat(format(SOCKET, 4, 2, 0x80801, 0))
                .isEqualTo("socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0) = 4");
        assertThat(format(KILL, 0, 12, 15)).isEqualTo("kill(12, SIGTERM) = 0");
        assertThat(format(LSEEK, 10, 3, -5, 1)).isEqualTo("lseek(3, -5, SEEK_CUR) = 10");
        assertThat(format(CLONE, 77, 0x3d0f00, 0x10, 0x20, 0x30, 0x40))
                .startsWith("clone(CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|");
        assertThat(format(CLONE, 77, 0x1200011, 0, 0, 0x30, 0))
                .isEqualTo("clone(CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, NULL, NULL, 0x30, 0) = 77");
        assertThat(format(SETSOCKOPT, 0, 3, 1, 2, 0x10, 4))
                .isEqualTo("setsockopt(3, SOL_SOCKET, SO_REUSEADDR, 0x10, 4) = 0");
    }

    @Test
    @DisplayName("commands by name, unknown ones by number")
    void commands() {
        assertThat(format(IOCTL, -25, 1, 0x5413, 0x7ffe)).isEqualTo("ioctl(1, TIOCGWINSZ, 0x7ffe) = -1 ENOTTY");
        assertThat(format(IOCTL, 0, 1, 0x1234, 0)).isEqualTo("ioctl(1, 0x1234, 0) = 0");
        assertThat(format(FCNTL, 0, 3, 4, 0x802)).isEqualTo("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0");
        assertThat(format(FCNTL, 1, 3, 1)).isEqualTo("fcntl(3, F_GETFD) = 1");
        assertThat(format(FUTEX, 1, 0x1000, 129, 1)).isEqualTo("futex(0x1000, FUTEX_WAKE|FUTEX_PRIVATE_FLAG, 1) = 1");
    }

    @Test
    @DisplayName("errors and restarts")
    void results() {
        assertThat(format(READ, -9, 3, 0x10, 5)).isEqualTo("read(3, 0x10, 5) = -1 EBADF");
        assertThat(format(READ, -512, 3, 0x10, 5)).isEqualTo("read(3, 0x10, 5) = ? ERESTARTSYS");
        assertThat(format(EXIT_GROUP, 0, 0)).isEqualTo("exit_group(0) = ?");
        assertThat(format(400, -38, 1, 2, 3)).isEqualTo("syscall_400(0x1, 0x2, 0x3, 0, 0, 0) = -1 ENOSYS");
        assertThat(SyscallFormatter.formatEntry(READ, six(3, 16, 5))).isEqualTo("read(3, 0x10, 5)");
    }

    @Test
    @DisplayName("what a read brought, with escapes and cut at 32 bytes")
    void text() {
        byte[] data = "a\n\"\u0001".getBytes(StandardCharsets.US_ASCII);
        assertThat(SyscallFormatter.format(READ, six(3, 0x10, 100), 4, address -> address == 0x10 ? data : null))
                .isEqualTo("read(3, \"a\\n\\\"\\1\", 100) = 4");
        byte[] many = "x".repeat(40).getBytes(StandardCharsets.US_ASCII);
        assertThat(SyscallFormatter.format(READ, six(3, 0x10, 100), 40, address -> many))
                .isEqualTo("read(3, \"" + "x".repeat(32) + "\"..., 100) = 40");
    }

    @Test
    @DisplayName("structures that the kernel wrote")
    void structures() {
        byte[] pair = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(3)
                .putInt(4)
                .array();
        assertThat(SyscallFormatter.format(PIPE2, six(0x10, 0x80000), 0, address -> pair))
                .isEqualTo("pipe2([3, 4], O_RDONLY|O_CLOEXEC) = 0");
        byte[] time = ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(7)
                .putLong(9)
                .array();
        assertThat(SyscallFormatter.format(CLOCK_GETTIME, six(1, 0x10), 0, address -> time))
                .isEqualTo("clock_gettime(CLOCK_MONOTONIC, {tv_sec=7, tv_nsec=9}) = 0");
        byte[] status = {0, 3, 0, 0};
        assertThat(SyscallFormatter.format(WAIT4, six(-1, 0x10, 1, 0), 9, address -> status))
                .isEqualTo("wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], WNOHANG, NULL) = 9");
        byte[] size = {24, 0, 80, 0, 0, 0, 0, 0};
        assertThat(SyscallFormatter.format(IOCTL, six(1, 0x5413, 0x10), 0, address -> size))
                .isEqualTo("ioctl(1, TIOCGWINSZ, {ws_row=24, ws_col=80, ws_xpixel=0, ws_ypixel=0}) = 0");
    }
}
