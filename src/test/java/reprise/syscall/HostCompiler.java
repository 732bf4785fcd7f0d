package reprise.syscall;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Asks the C compiler of this machine, and with it the kernel's headers. */
final class HostCompiler {
    /** Everything that declares what the table speaks of; those that are not installed are left out. */
    private static final List<String> HEADERS = List.of(
            "stdio.h",
            "stddef.h",
            "fcntl.h",
            "poll.h",
            "sched.h",
            "signal.h",
            "unistd.h",
            "mqueue.h",
            "ustat.h",
            "sys/types.h",
            "sys/stat.h",
            "sys/statfs.h",
            "sys/epoll.h",
            "sys/socket.h",
            "sys/uio.h",
            "sys/resource.h",
            "sys/sysinfo.h",
            "sys/utsname.h",
            "sys/time.h",
            "sys/times.h",
            "sys/timex.h",
            "sys/timerfd.h",
            "sys/signalfd.h",
            "sys/eventfd.h",
            "sys/inotify.h",
            "sys/file.h",
            "sys/mman.h",
            "sys/wait.h",
            "sys/prctl.h",
            "sys/ipc.h",
            "sys/shm.h",
            "sys/sem.h",
            "sys/msg.h",
            "sys/random.h",
            "sys/ioctl.h",
            "sys/ptrace.h",
            "sys/xattr.h",
            "asm/prctl.h",
            "asm/termbits.h",
            "net/if.h",
            "net/if_arp.h",
            "net/route.h",
            "netinet/in.h",
            "netinet/tcp.h",
            "linux/capability.h",
            "linux/quota.h",
            "linux/dqblk_xfs.h",
            "linux/keyctl.h",
            "linux/fs.h",
            "linux/fiemap.h",
            "linux/loop.h",
            "linux/kd.h",
            "linux/vt.h",
            "linux/serial.h",
            "linux/hdreg.h",
            "linux/sockios.h",
            "linux/random.h",
            "linux/if_tun.h",
            "linux/net_tstamp.h",
            "linux/nsfs.h",
            "linux/seccomp.h",
            "linux/perf_event.h",
            "linux/futex.h",
            "linux/membarrier.h",
            "linux/memfd.h",
            "linux/mempolicy.h",
            "linux/mount.h",
            "linux/fsverity.h",
            "linux/blkzoned.h",
            "linux/i2c-dev.h",
            "linux/btrfs.h",
            "linux/close_range.h",
            "linux/falloc.h",
            "scsi/sg.h");

    private HostCompiler() {}

    /**
     * What a program prints.
     *
     * @param declarations before main
     * @param statements of main
     */
    static List<String> run(Path folder, String declarations, String statements) throws Exception {
        StringBuilder program = new StringBuilder("#define _GNU_SOURCE\n");
        for (String header : HEADERS) {
            program.append("#if __has_include(<%s>)\n#include <%s>\n#endif\n".formatted(header, header));
        }
        program.append(declarations)
                .append("int main(void) {\n")
                .append(statements)
                .append("return 0;\n}\n");
        Path source = Files.writeString(folder.resolve("question.c"), program);
        Path binary = folder.resolve("question");
        Process compiler = start("gcc", "-w", "-o", binary.toString(), source.toString());
        String complaint = new String(compiler.getInputStream().readAllBytes());
        assumeTrue(compiler.waitFor() == 0, () -> "gcc cannot compile against this machine's headers: " + complaint);
        Process answer = start(binary.toString());
        return new String(answer.getInputStream().readAllBytes()).lines().toList();
    }

    private static Process start(String... command) {
        try {
            return new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            assumeTrue(false, "needs gcc: " + e.getMessage());
            throw new AssertionError(e);
        }
    }
}
