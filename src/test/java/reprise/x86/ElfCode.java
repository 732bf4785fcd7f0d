package reprise.x86;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The machine code in an ELF file. */
public final class ElfCode {
    private static final int SHT_PROGBITS = 1;
    private static final int SHF_EXECINSTR = 4;

    /** A section with code. {@code bytes} is native memory. */
    public record Section(String file, long address, MemorySegment bytes) {}

    private ElfCode() {}

    /** The executable sections of a file, longest first. They stay mapped until the arena is closed. */
    public static List<Section> sections(Path file, Arena arena) throws IOException {
        List<Section> sections = new ArrayList<>();
        try (FileChannel channel = FileChannel.open(file)) {
            MemorySegment elf = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            long headers = elf.get(JAVA_LONG_UNALIGNED, 40);
            int headerSize = elf.get(JAVA_SHORT_UNALIGNED, 58);
            int count = elf.get(JAVA_SHORT_UNALIGNED, 60);
            for (int i = 0; i < count; i++) {
                MemorySegment header = elf.asSlice(headers + (long) i * headerSize, headerSize);
                int type = header.get(JAVA_INT_UNALIGNED, 4);
                long flags = header.get(JAVA_LONG_UNALIGNED, 8);
                if (type == SHT_PROGBITS && (flags & SHF_EXECINSTR) != 0) {
                    long offset = header.get(JAVA_LONG_UNALIGNED, 24);
                    long size = header.get(JAVA_LONG_UNALIGNED, 32);
                    MemorySegment bytes = elf.asSlice(offset, size);
                    sections.add(
                            new Section(file.getFileName().toString(), header.get(JAVA_LONG_UNALIGNED, 16), bytes));
                }
            }
        }
        sections.sort((a, b) -> Long.compare(b.bytes.byteSize(), a.bytes.byteSize()));
        return sections;
    }

    /** The first of these paths that is a file. */
    public static Optional<Path> find(String... paths) {
        return Stream.of(paths).map(Path::of).filter(Files::isRegularFile).findFirst();
    }
}
