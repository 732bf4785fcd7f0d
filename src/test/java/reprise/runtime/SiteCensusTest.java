package reprise.runtime;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reprise.x86.ElfCode;
import reprise.x86.Instruction;
import reprise.x86.Instruction.Kind;
import reprise.x86.InstructionDecoder;

/**
 * Plans patches for all sites of real programs, one after the other as a recorder would, and checks against the whole
 * program that no direct branch leads into the middle of any.
 */
class SiteCensusTest {
    private static final int WINDOW = 4096;

    private final PatchPlanner planner = new PatchPlanner((trampoline, site, kind) -> trampoline.syscall());
    private final Map<String, Integer> census = new TreeMap<>();
    private final List<String> overlooked = new ArrayList<>();
    private int sites;
    private int patched;

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"libc.so.6", "ld-linux-x86-64.so.2", "libpthread.so.0", "libjvm.so", "node", "terraform"})
    @DisplayName("sites of programs")
    void programs(String name) throws IOException {
        Optional<Path> file = ElfCode.find(
                "/usr/lib/x86_64-linux-gnu/" + name,
                "/usr/lib64/" + name,
                "/lib64/" + name,
                System.getProperty("java.home") + "/lib/server/" + name,
                "/usr/bin/" + name,
                "/usr/local/bin/" + name);
        assumeTrue(file.isPresent(), name + " is not here");
        try (Arena arena = Arena.ofConfined()) {
            for (ElfCode.Section section : ElfCode.sections(file.get(), arena)) {
                patchAll(section);
            }
        }
        System.out.println(name + ": " + patched + " of " + sites + " sites: " + census);
        assertThat(overlooked).isEmpty();
        assertThat(patched).isGreaterThanOrEqualTo((int) (0.85 * sites));
    }

    private void patchAll(ElfCode.Section section) {
        byte[] code = section.bytes().toArray(JAVA_BYTE);
        List<Patch> patches = new ArrayList<>();
        Set<Long> inside = new HashSet<>();
        for (long site : sites(code, section.address())) {
            sites++;
            List<Patch> near = patches.stream()
                    .filter(patch -> Math.abs(patch.site() - site) < WINDOW + 256)
                    .toList();
            PatchPlan plan = planner.plan(window(section, site, near), site, section.address() + 0x1000_0000L);
            if (plan instanceof Patch patch) {
                patches.add(patch);
                inside.addAll(inside(patch));
                patched++;
            }
            String kind = plan instanceof Patch patch
                    ? patch.strategy() + (patch.guarded() ? "" : ", not guarded")
                    : ((PatchPlan.Decline) plan).reasons().toString();
            census.merge(kind, 1, Integer::sum);
        }
        sweep(code, section.address(), instruction -> {
            if (instruction.kind().isRelativeBranch() && inside.contains(instruction.target())) {
                overlooked.add(instruction + " to " + Long.toHexString(instruction.target()));
            }
        });
    }

    private static List<Long> sites(byte[] code, long address) {
        List<Long> sites = new ArrayList<>();
        sweep(code, address, instruction -> {
            if (instruction.kind() == Kind.SYSCALL || instruction.kind() == Kind.RDTSC) {
                sites.add(instruction.address());
            }
        });
        return sites;
    }

    private static CodeWindow window(ElfCode.Section section, long site, List<Patch> near) {
        long first = Math.max(0, site - section.address() - WINDOW);
        long last = Math.min(section.bytes().byteSize(), site - section.address() + WINDOW);
        byte[] bytes = section.bytes().asSlice(first, last - first).toArray(JAVA_BYTE);
        return new CodeWindow(section.address() + first, bytes, near);
    }

    /** The addresses at which control must not arrive any more. */
    private static List<Long> inside(Patch patch) {
        List<Long> addresses = new ArrayList<>();
        for (Patch.Edit edit : patch.edits()) {
            boolean hole = edit.address() != patch.start();
            for (int i = hole ? 0 : 1; i < edit.after().length; i++) {
                addresses.add(edit.address() + i);
            }
        }
        return addresses;
    }

    private static void sweep(byte[] code, long address, Consumer<Instruction> consumer) {
        InstructionDecoder decoder = new InstructionDecoder();
        Instruction instruction = new Instruction();
        for (int offset = 0; offset < code.length; offset += Math.max(1, instruction.length())) {
            decoder.decode(code, offset, code.length, address + offset, instruction);
            consumer.accept(instruction);
        }
    }
}
