package reprise;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import reprise.linux.Errno;
import reprise.linux.LinuxException;
import reprise.linux.Syscall;
import reprise.linux.SyscallNumber;

/** A terminal of our own: what is typed into it, and what a program shows on it. */
final class Pty implements AutoCloseable {
    private static final int TIOCGPTN = 0x80045430;
    private static final int TIOCSPTLCK = 0x40045431;
    private static final int TIOCSWINSZ = 0x5414;
    private static final int O_RDWR_NOCTTY_CLOEXEC = 02000402;
    private static final int AT_FDCWD = -100;
    private static final int BUFFER_SIZE = 4096;
    private static final int ROWS = 24;
    private static final int COLUMNS = 80;

    private final long master;
    private final Path slave;
    private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
    private final Thread reader;

    /** @throws LinuxException if the machine gives no terminals */
    Pty() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocate(8, 8);
            master = Syscall.check(
                    Syscall.call(
                            SyscallNumber.OPENAT,
                            AT_FDCWD,
                            arena.allocateFrom("/dev/ptmx").address(),
                            O_RDWR_NOCTTY_CLOEXEC,
                            0),
                    "open /dev/ptmx");
            Syscall.check(Syscall.call(SyscallNumber.IOCTL, master, TIOCSPTLCK, word.address()), "unlock the terminal");
            word.set(JAVA_INT, 0, COLUMNS << 16 | ROWS);
            Syscall.check(Syscall.call(SyscallNumber.IOCTL, master, TIOCSWINSZ, word.address()), "size the terminal");
            Syscall.check(Syscall.call(SyscallNumber.IOCTL, master, TIOCGPTN, word.address()), "name the terminal");
            slave = Path.of("/dev/pts/" + word.get(JAVA_INT, 0));
        }
        reader = Thread.ofPlatform().daemon().name("reader of " + slave).start(this::read);
    }

    /** The device that a program opens. */
    Path slave() {
        return slave;
    }

    /** Reads until nobody has the other side open, which is EIO. Before the first opens it, that is so as well. */
    private void read() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(BUFFER_SIZE);
            while (!Thread.currentThread().isInterrupted()) {
                long count = Syscall.call(SyscallNumber.READ, master, buffer.address(), BUFFER_SIZE);
                if (count == -Errno.EIO) {
                    Thread.sleep(10);
                } else if (count <= 0) {
                    return;
                } else {
                    synchronized (shown) {
                        shown.write(buffer.asSlice(0, count).toArray(JAVA_BYTE), 0, (int) count);
                        shown.notifyAll();
                    }
                }
            }
        } catch (InterruptedException e) {
            // Closed.
        }
    }

    void type(String keys) {
        byte[] bytes = keys.getBytes(StandardCharsets.UTF_8);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocateFrom(JAVA_BYTE, bytes);
            Syscall.check(Syscall.call(SyscallNumber.WRITE, master, buffer.address(), bytes.length), "type");
        }
    }

    /**
     * Waits for something to be shown after a given number of bytes.
     *
     * @return the number of bytes shown by then
     */
    int await(String text, int after, Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        synchronized (shown) {
            while (true) {
                String all = shown.toString(StandardCharsets.ISO_8859_1);
                if (all.indexOf(text, after) >= 0) {
                    return all.length();
                }
                long left = (end - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    throw new AssertionError("the terminal never showed '" + text + "', but:\n" + all.substring(after));
                }
                shown.wait(left);
            }
        }
    }

    /** Waits for something to be shown, and types {@code keys} every two seconds until it is. */
    int awaitTyping(String keys, String text, Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        while (true) {
            type(keys);
            try {
                return await(text, 0, Duration.ofSeconds(2));
            } catch (AssertionError e) {
                if (System.nanoTime() > end) {
                    throw e;
                }
            }
        }
    }

    /** All that was shown, once no program has the terminal open any more. */
    byte[] shown() throws InterruptedException {
        // What was written before the last close is read before EIO is seen.
        Thread.sleep(50);
        synchronized (shown) {
            return shown.toByteArray();
        }
    }

    @Override
    public void close() {
        reader.interrupt();
        // Hangs up whoever still has it open.
        Syscall.call(SyscallNumber.CLOSE, master);
    }
}
