package reprise.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import reprise.linux.Errno;
import reprise.linux.Files;
import reprise.linux.LinuxException;
import reprise.linux.Ptrace;
import reprise.linux.Signal;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;
import reprise.linux.Wait;
import reprise.tracee.Parked;
import reprise.tracee.Tracee;
import reprise.x86.Registers;

/**
 * Asks the kernel and the processor for what recording needs, by doing it to a process made for that. To be used by one
 * thread, which becomes that process's tracer.
 */
final class KernelChecks {
    private static final int OLDEST_MAJOR = 5;
    private static final int OLDEST_MINOR = 11;
    private static final int PR_GET_SECCOMP = 21;
    private static final int ARCH_GET_CPUID = 0x1011;
    private static final int ARCH_SET_CPUID = 0x1012;
    private static final int USER_MODE_ONLY = 1;
    private static final String CONTAINER =
            "in a container, start it with --cap-add=SYS_PTRACE, or a seccomp profile that allows ";

    private final List<Finding> findings = new ArrayList<>();

    private KernelChecks() {}

    /** All findings, in the order of importance. */
    static List<Finding> run() {
        KernelChecks checks = new KernelChecks();
        checks.kernel();
        checks.ptrace();
        checks.seccomp();
        checks.counters();
        return checks.findings;
    }

    private void kernel() {
        String release = text("/proc/sys/kernel/osrelease");
        String[] parts = release.split("[^0-9]+");
        boolean known = parts.length > 1 && !parts[0].isEmpty();
        int major = known ? Integer.parseInt(parts[0]) : 0;
        int minor = known ? Integer.parseInt(parts[1]) : 0;
        if (known && (major < OLDEST_MAJOR || major == OLDEST_MAJOR && minor < OLDEST_MINOR)) {
            findings.add(Finding.fatal(
                    "kernel",
                    release,
                    "Reprise uses system calls that came with Linux " + OLDEST_MAJOR + "." + OLDEST_MINOR,
                    "update the kernel"));
        } else {
            findings.add(Finding.ok("kernel", release + ", " + System.getProperty("os.arch")));
        }
    }

    // ---- a process to try things on ----

    private void ptrace() {
        String scope = text("/proc/sys/kernel/yama/ptrace_scope");
        String seen = scope.isEmpty() ? "" : ", yama ptrace_scope " + scope;
        Tracee tracee;
        try {
            tracee = Parked.spawn(Ptrace.O_TRACESYSGOOD | Ptrace.O_EXITKILL);
        } catch (LinuxException e) {
            String advice = scope.equals("3")
                    ? "ptrace_scope 3 cannot be changed while the system runs: set kernel.yama.ptrace_scope=1 in"
                            + " /etc/sysctl.d and start again"
                    : scope.equals("2")
                            ? "run as root, or: sysctl kernel.yama.ptrace_scope=1"
                            : CONTAINER + "ptrace and process_vm_readv";
            findings.add(Finding.fatal("ptrace", e.getMessage() + seen, "nothing can be recorded or replayed", advice));
            return;
        }
        findings.add(Finding.ok("ptrace", "processes can be traced" + seen));
        try {
            memory(tracee);
            cpuidFaulting(tracee);
            breakpoints(tracee);
            writeTracking(tracee);
        } finally {
            Syscall.call(SyscallNumber.KILL, tracee.tid(), Signal.SIGKILL, 0);
            Wait.any(tracee.tid(), 0);
        }
    }

    private void memory(Tracee tracee) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment registers = arena.allocate(Registers.SIZE, 8);
            Ptrace.getRegisters(tracee.tid(), registers);
            long instruction = Registers.get(registers, Registers.RIP);
            MemorySegment vectors = arena.allocate(32, 8);
            MemorySegment bytes = arena.allocate(8);
            vectors.set(ValueLayout.JAVA_LONG, 0, bytes.address());
            vectors.set(ValueLayout.JAVA_LONG, 8, 1);
            vectors.set(ValueLayout.JAVA_LONG, 16, instruction & ~4095L);
            vectors.set(ValueLayout.JAVA_LONG, 24, 1);
            long result = Syscall.call(
                    SyscallNumber.PROCESS_VM_READV, tracee.tid(), vectors.address(), 1, vectors.address() + 16, 1, 0);
            findings.add(
                    result == 1
                            ? Finding.ok("tracee memory", "process_vm_readv works")
                            : Finding.fatal(
                                    "tracee memory",
                                    "process_vm_readv: " + Errno.name((int) -result),
                                    "what the kernel writes for a program cannot be recorded",
                                    CONTAINER + "process_vm_readv and process_vm_writev"));
        }
    }

    private void cpuidFaulting(Tracee tracee) {
        long result = tracee.remote(SyscallNumber.ARCH_PRCTL, ARCH_SET_CPUID, 0, 0, 0, 0, 0);
        if (result == 0) {
            tracee.remote(SyscallNumber.ARCH_PRCTL, ARCH_SET_CPUID, 1, 0, 0, 0, 0);
            findings.add(Finding.ok("cpuid faulting", "the processor can be asked to trap cpuid"));
            return;
        }
        long enabled = Syscall.call(SyscallNumber.ARCH_PRCTL, ARCH_GET_CPUID, 0, 0);
        findings.add(Finding.lacking(
                "cpuid faulting",
                "ARCH_SET_CPUID: " + Errno.name((int) -result) + (enabled == 1 ? ", cpuid always answers" : ""),
                "a trace may not replay on another model of processor, where programs see another cpuid",
                "Intel since Ivy Bridge and AMD since Zen 5 have it; virtual machines may hide it"));
    }

    private void breakpoints(Tracee tracee) {
        try {
            Ptrace.setDebugRegister(tracee.tid(), 0, 0x1000);
            Ptrace.setDebugRegister(tracee.tid(), 7, 1);
            Ptrace.setDebugRegister(tracee.tid(), 7, 0);
            findings.add(Finding.ok("breakpoints", "hardware breakpoints can be set"));
        } catch (LinuxException e) {
            findings.add(Finding.fatal(
                    "breakpoints",
                    e.getMessage(),
                    "recordings in which a computation was interrupted cannot be replayed",
                    "the kernel needs CONFIG_HAVE_HW_BREAKPOINT; another tracer may have taken all of them"));
        }
    }

    private void writeTracking(Tracee tracee) {
        int flags = Files.O_CLOEXEC | USER_MODE_ONLY;
        long descriptor = tracee.remote(SyscallNumber.USERFAULTFD, flags, 0, 0, 0, 0, 0);
        boolean scans = isAtLeast(text("/proc/sys/kernel/osrelease"), 6, 7);
        if (descriptor >= 0 && scans) {
            tracee.remote(SyscallNumber.CLOSE, descriptor, 0, 0, 0, 0, 0);
            findings.add(Finding.ok("changed pages", "userfaultfd and PAGEMAP_SCAN"));
            return;
        }
        findings.add(Finding.lacking(
                "changed pages",
                descriptor < 0 ? "userfaultfd: " + Errno.name((int) -descriptor) : "no PAGEMAP_SCAN before Linux 6.7",
                "checksums and interrupted computations have to look at all memory: recording large programs is slower",
                descriptor < 0 ? CONTAINER + "userfaultfd" : "update the kernel to 6.7 or newer"));
    }

    private static boolean isAtLeast(String release, int major, int minor) {
        String[] parts = release.split("[^0-9]+");
        if (parts.length < 2 || parts[0].isEmpty()) {
            return false;
        }
        int found = Integer.parseInt(parts[0]);
        return found > major || found == major && Integer.parseInt(parts[1]) >= minor;
    }

    // ---- this process ----

    private void seccomp() {
        String actions = text("/proc/sys/kernel/seccomp/actions_avail");
        long own = Syscall.call(SyscallNumber.PRCTL, PR_GET_SECCOMP, 0, 0);
        if (!(" " + actions + " ").contains(" trace ")) {
            findings.add(Finding.fatal(
                    "seccomp",
                    actions.isEmpty() ? "not in this kernel" : "actions: " + actions,
                    "system calls cannot be intercepted",
                    "the kernel needs CONFIG_SECCOMP_FILTER"));
        } else {
            findings.add(Finding.ok(
                    "seccomp",
                    "filters can trace"
                            + (own == 2 ? "; the one around this process, as containers have, may stay" : "")));
        }
    }

    /** Retired conditional branches or instructions: whether the kernel counts at all. */
    private void counters() {
        String paranoid = text("/proc/sys/kernel/perf_event_paranoid");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(128, 8);
            attributes.set(ValueLayout.JAVA_INT, 4, 128);
            attributes.set(ValueLayout.JAVA_LONG, 8, 1); // PERF_COUNT_HW_INSTRUCTIONS
            attributes.set(ValueLayout.JAVA_LONG, 40, 1 | 1 << 5 | 1 << 6); // disabled, exclude_kernel, exclude_hv
            long result = Syscall.call(SyscallNumber.PERF_EVENT_OPEN, attributes.address(), 0, -1, -1, 0, 0);
            if (result >= 0) {
                Files.close(result);
                findings.add(Finding.ok("PMU counters", "there; Reprise does not need them"));
            } else {
                findings.add(Finding.ok(
                        "PMU counters",
                        "none (" + Errno.name((int) -result) + ", perf_event_paranoid " + paranoid
                                + "); Reprise does not need them"));
            }
        }
    }

    private static String text(String path) {
        String text = Files.readText(path);
        return text == null ? "" : text.strip();
    }
}
