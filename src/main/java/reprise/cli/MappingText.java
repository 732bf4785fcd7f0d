package reprise.cli;

import reprise.trace.Event;

/** Mappings and their changes, one line each, much as /proc/PID/maps has them. */
final class MappingText {
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int PROT_EXEC = 4;
    private static final int MADV_DONTNEED = 4;

    private MappingText() {}

    /** {@code 7f0000000000-7f0000002000 r-xp file 3 +0x1000 /usr/lib/libc.so.6}. */
    static String of(Event.Mapping mapping) {
        String backing = switch (mapping.backing()) {
            case Event.Anonymous ignored -> "p anonymous";
            case Event.PrivateFile file -> "p file " + file.file() + offset(file.offset());
            case Event.Shared shared -> "s object " + shared.object() + offset(shared.offset());
        };
        String name = mapping.name().isEmpty() ? "" : " " + Quotes.plain(mapping.name());
        return range(mapping.address(), mapping.length()) + " " + protection(mapping.protection()) + backing + name;
    }

    static String of(Event.MappingChange change) {
        return switch (change) {
            case Event.Map map -> "map " + of(map.mapping());
            case Event.Unmap unmap -> "unmap " + range(unmap.address(), unmap.length());
            case Event.Protect protect ->
                "protect " + range(protect.address(), protect.length()) + " " + protection(protect.protection());
            case Event.Remap remap ->
                "remap " + range(remap.oldAddress(), remap.oldLength()) + " to "
                        + range(remap.newAddress(), remap.newLength());
            case Event.Resize resize -> "resize shared object " + resize.object() + " to " + resize.size();
            case Event.Discard discard ->
                "discard " + range(discard.address(), discard.length())
                        + (discard.advice() == MADV_DONTNEED ? "" : " and what it shows");
        };
    }

    static String range(long address, long length) {
        return Long.toHexString(address) + "-" + Long.toHexString(address + length);
    }

    private static String offset(long offset) {
        return offset == 0 ? "" : " +0x" + Long.toHexString(offset);
    }

    private static String protection(int protection) {
        return ((protection & PROT_READ) == 0 ? "-" : "r")
                + ((protection & PROT_WRITE) == 0 ? "-" : "w")
                + ((protection & PROT_EXEC) == 0 ? "-" : "x");
    }
}
