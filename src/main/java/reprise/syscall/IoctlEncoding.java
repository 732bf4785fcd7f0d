package reprise.syscall;

import reprise.syscall.OutputPlan.Extent;
import reprise.syscall.OutputPlan.When;

/**
 * What an ioctl's number tells by itself: {@code _IOC(direction, type, number, size)}.
 *
 * <p>It is a convention that old commands do not follow (they are in {@link IoctlCommands}), and that says nothing
 * of pointers inside the structure: the types where those are the rule are known here and said not to be supported.
 */
final class IoctlEncoding {
    private static final int SIZE_SHIFT = 16;
    private static final int SIZE_MASK = 0x3fff;
    private static final int TYPE_SHIFT = 8;
    private static final int WRITE = 1 << 30;
    private static final int READ = 1 << 31;

    private IoctlEncoding() {}

    /** The region of a command that is not listed. */
    static Support plan(CallView call, OutputPlan plan) {
        int request = (int) call.argument(1);
        if ((request & READ) != 0) {
            plan.add(
                    OutputPlan.IN_REGISTER,
                    2,
                    call.argument(2),
                    request >>> SIZE_SHIFT & SIZE_MASK,
                    Extent.CAPACITY,
                    0,
                    When.SUCCESS,
                    true);
        }
        return support(request);
    }

    /** How far a command is supported that is not listed. */
    static Support support(int request) {
        if (!reason(request).isEmpty()) {
            return Support.UNSUPPORTED;
        }
        boolean sized = (request & (READ | WRITE)) != 0 && (request >>> SIZE_SHIFT & SIZE_MASK) != 0;
        return sized ? Support.SUPPORTED : Support.UNKNOWN;
    }

    /** Why a command that is not listed is not supported; empty if it may be. */
    static String reason(int request) {
        return switch (request >>> TYPE_SHIFT & 0xff) {
            case 0xae -> "KVM shares memory with the kernel";
            case 'd' -> "DRM shares memory with devices";
            case 'F' -> (request & (READ | WRITE)) == 0 ? "" : "NVIDIA's driver shares memory with devices";
            case 'V' ->
                (request & (READ | WRITE)) == 0 ? "" : "V4L2 structures hold pointers, and its buffers are shared";
            case 'A' -> "ALSA structures hold pointers, and its buffers are shared";
            case 'U' -> (request & (READ | WRITE)) == 0 ? "" : "USB transfers are written when they end";
            case 'N' -> (request & READ) == 0 ? "" : "NVMe commands hold pointers";
            case ';' -> "VFIO shares memory with devices";
            case 0x1b -> "InfiniBand shares memory with devices";
            case 0xaa -> "userfaultfd is not recorded";
            default -> "";
        };
    }
}
