package reprise.syscall;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import reprise.linux.Signal;

/** Prints what the kernel wrote for a program, as strace does. */
final class StructFormatter {
    private static final int MAX_STRING = 32;
    private static final int MAX_ELEMENTS = 16;

    private StructFormatter() {}

    /** A string with its escapes, at most 32 bytes of it. */
    static String string(byte[] bytes, int length) {
        StringBuilder text = new StringBuilder("\"");
        int shown = Math.min(length, MAX_STRING);
        for (int i = 0; i < shown; i++) {
            int c = bytes[i] & 0xff;
            switch (c) {
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                case '\f' -> text.append("\\f");
                case 0x0b -> text.append("\\v");
                case '"' -> text.append("\\\"");
                case '\\' -> text.append("\\\\");
                default -> {
                    if (c >= ' ' && c < 0x7f) {
                        text.append((char) c);
                    } else {
                        boolean digitFollows = i + 1 < shown && bytes[i + 1] >= '0' && bytes[i + 1] <= '7';
                        text.append('\\').append(digitFollows ? "%03o".formatted(c) : Integer.toOctalString(c));
                    }
                }
            }
        }
        return text.append(length > shown ? "\"..." : "\"").toString();
    }

    /** One structure, or null if it is not one that is printed. */
    static String structure(Struct struct, byte[] bytes) {
        if (bytes.length < struct.size()) {
            return null;
        }
        return element(struct, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN), 0);
    }

    /** An array of as many structures as there are bytes, or null if it is not one that is printed. */
    static String array(Struct struct, byte[] bytes) {
        ByteBuffer data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        StringBuilder text = new StringBuilder("[");
        int count = bytes.length / struct.size();
        for (int i = 0; i < Math.min(count, MAX_ELEMENTS); i++) {
            String element = struct == Struct.INT
                    ? Integer.toString(data.getInt(i * 4))
                    : element(struct, data, i * struct.size());
            if (element == null) {
                return null;
            }
            text.append(i == 0 ? "" : ", ").append(element);
        }
        return text.append(count > MAX_ELEMENTS ? ", ...]" : "]").toString();
    }

    private static String element(Struct struct, ByteBuffer data, int at) {
        return switch (struct) {
            case BYTE -> "[" + data.get(at) + "]";
            case SHORT -> "[" + data.getShort(at) + "]";
            case INT -> "[" + data.getInt(at) + "]";
            case LONG, SIGSET -> "[0x" + Long.toHexString(data.getLong(at)) + "]";
            case LOFF -> "[" + data.getLong(at) + "]";
            case INT_PAIR -> "[" + data.getInt(at) + ", " + data.getInt(at + 4) + "]";
            case TIMESPEC -> "{tv_sec=" + data.getLong(at) + ", tv_nsec=" + data.getLong(at + 8) + "}";
            case TIMEVAL -> "{tv_sec=" + data.getLong(at) + ", tv_usec=" + data.getLong(at + 8) + "}";
            case ITIMERSPEC -> interval(Struct.TIMESPEC, data, at);
            case ITIMERVAL -> interval(Struct.TIMEVAL, data, at);
            case RLIMIT -> "{rlim_cur=" + limit(data.getLong(at)) + ", rlim_max=" + limit(data.getLong(at + 8)) + "}";
            case STAT -> "{st_mode=" + mode(data.getInt(at + 24)) + ", st_size=" + data.getLong(at + 48) + ", ...}";
            case STATX ->
                "{stx_mode=" + mode(data.getShort(at + 28)) + ", stx_size=" + data.getLong(at + 40) + ", ...}";
            case WINSIZE ->
                "{ws_row=" + data.getShort(at) + ", ws_col=" + data.getShort(at + 2) + ", ws_xpixel="
                        + data.getShort(at + 4) + ", ws_ypixel=" + data.getShort(at + 6) + "}";
            case POLLFD ->
                "{fd=" + data.getInt(at) + ", events=0x" + Integer.toHexString(data.getShort(at + 4)) + ", revents=0x"
                        + Integer.toHexString(data.getShort(at + 6) & 0xffff) + "}";
            case EPOLL_EVENT ->
                "{events=0x" + Integer.toHexString(data.getInt(at)) + ", data=0x"
                        + Long.toHexString(data.getLong(at + 4)) + "}";
            case UTSNAME -> "{sysname=" + field(data, at) + ", nodename=" + field(data, at + 65) + ", ...}";
            case SIGINFO -> "{si_signo=" + Signal.name(data.getInt(at)) + ", si_code=" + data.getInt(at + 8) + ", ...}";
            case SCHED_PARAM -> "[" + data.getInt(at) + "]";
            default -> null;
        };
    }

    /** What wait4 wrote. */
    static String waitStatus(byte[] bytes) {
        if (bytes.length < 4) {
            return null;
        }
        int status = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt();
        int signal = status & 0x7f;
        if (status == 0xffff) {
            return "[{WIFCONTINUED(s)}]";
        }
        if (signal == 0) {
            return "[{WIFEXITED(s) && WEXITSTATUS(s) == " + (status >> 8 & 0xff) + "}]";
        }
        if (signal == 0x7f) {
            return "[{WIFSTOPPED(s) && WSTOPSIG(s) == " + Signal.name(status >> 8 & 0xff) + "}]";
        }
        String core = (status & 0x80) == 0 ? "" : " && WCOREDUMP(s)";
        return "[{WIFSIGNALED(s) && WTERMSIG(s) == " + Signal.name(signal) + core + "}]";
    }

    private static String interval(Struct part, ByteBuffer data, int at) {
        return "{it_interval=" + element(part, data, at) + ", it_value=" + element(part, data, at + 16) + "}";
    }

    private static String limit(long value) {
        return value == -1 ? "RLIM64_INFINITY" : Long.toUnsignedString(value);
    }

    private static String mode(int mode) {
        int permissions = mode & 0xfff;
        return Names.of(Vocabulary.FILE_TYPES).flags(mode & 0xf000) + "|0" + Integer.toOctalString(permissions);
    }

    private static String field(ByteBuffer data, int at) {
        int end = at;
        while (end < data.capacity() && data.get(end) != 0) {
            end++;
        }
        return "\"" + new String(data.array(), at, end - at, StandardCharsets.ISO_8859_1) + "\"";
    }
}
