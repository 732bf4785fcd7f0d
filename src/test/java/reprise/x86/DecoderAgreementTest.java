package reprise.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Our decoder and objdump agree on every instruction of real programs, and on random bytes wherever both think that
 * there is an instruction. With {@code -Dreprise.test.thorough=true} on some ten million more.
 */
class DecoderAgreementTest {
    private static final boolean THOROUGH = Boolean.getBoolean("reprise.test.thorough");
    private static final long MOST = THOROUGH ? 1L << 40 : 700_000;

    /** Prefixes and escapes, to be more frequent in random bytes than by chance. */
    private static final byte[] FREQUENT = HexFormat.of().parseHex("6667f2f3480fc4c5628f2ef041");

    private static final Pattern PREFIXES =
            Pattern.compile("^((data16|addr32|lock|repz?|repnz|rex\\S*|[c-gs]s|bnd|notrack|xacquire|xrelease) )+");
    private static final Pattern BRANCH =
            Pattern.compile("(j[a-z]+|call|loop[a-z]*|xbegin)(?:,p[nt])? (?:0x)?([0-9a-f]+)( <.*)?");

    private final InstructionDecoder decoder = new InstructionDecoder();
    private final Instruction instruction = new Instruction();
    private final List<String> differences = new ArrayList<>();
    private long count;

    @BeforeAll
    static void needsObjdump() {
        Objdump.assume();
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"libc.so.6", "ld-linux-x86-64.so.2", "libstdc++.so.6", "libjvm.so", "node"})
    @DisplayName("every instruction of a program")
    void programs(String name) throws IOException {
        Optional<Path> file = ElfCode.find(
                "/usr/lib/x86_64-linux-gnu/" + name,
                "/usr/lib64/" + name,
                "/lib64/" + name,
                System.getProperty("java.home") + "/lib/server/" + name,
                "/usr/bin/" + name);
        assumeTrue(file.isPresent(), name + " is not here");
        try (Arena arena = Arena.ofConfined()) {
            for (ElfCode.Section section : ElfCode.sections(file.get(), arena)) {
                MemorySegment code = section.bytes();
                long end = section.address() + Math.min(code.byteSize(), MOST * 4);
                Objdump.file(file.get(), section.address(), end, line -> {
                    if (line.isInstruction() && line.address() + line.length() <= end) {
                        check(
                                line,
                                decoder.decode(code, line.address() - section.address(), line.address(), instruction));
                    }
                });
            }
        }
        assertThat(differences).isEmpty();
        assertThat(count).isPositive();
        System.out.println(name + ": " + count + " instructions agree");
    }

    @Test
    @DisplayName("random bytes")
    void random() {
        byte[] code = new byte[THOROUGH ? 8_000_000 : 400_000];
        Random random = new Random(1);
        random.nextBytes(code);
        for (int i = 0; i < code.length; i++) {
            if (random.nextInt(6) == 0) {
                code[i] = FREQUENT[random.nextInt(FREQUENT.length)];
            }
        }
        int[] instructions = new int[2];
        Objdump.bytes(code, 0, line -> {
            boolean known = decoder.decode(code, (int) line.address(), code.length, line.address(), instruction);
            instructions[0] += known ? 1 : 0;
            if (line.isInstruction()) {
                instructions[1]++;
                check(line, known);
            }
        });
        assertThat(differences).isEmpty();
        // The other way round there are the aliases of x87 instructions that objdump does not name, among others.
        assertThat(instructions[0]).isGreaterThan((int) (0.97 * instructions[1]));
        System.out.println(count + " random instructions agree");
    }

    /** objdump joins fwait and the x87 instruction behind it, as assemblers' mnemonics do. The processor does not. */
    private static boolean hasLateWait(Objdump.Line line) {
        String text = PREFIXES.matcher(line.text()).replaceFirst("");
        return text.startsWith("f") && line.bytes().matches("(66|67|f[23]|[2-6][6e]|6[45]|4.)*9b.+");
    }

    /**
     * What objdump names and we do not accept: LOCK where it raises #UD; branches with prefix 66, on which Intel and AMD
     * differ; ud0; moves to and from segment registers that do not exist; a relic of the 287; VIA's PadLock; vzeroupper,
     * fxsave and their like with a mandatory prefix of others; and VEX behind a prefix that makes it #UD.
     */
    private static boolean isDeclinedOnPurpose(Objdump.Line line) {
        String text = PREFIXES.matcher(line.text()).replaceFirst("");
        boolean lock = line.bytes().matches("(66|67|f[23]|[2-6][6e]|6[45]|4.)*f0.*");
        boolean branch = line.bytes().contains("66") && text.matches("(j|call|loop|xbegin).*");
        boolean vector = line.bytes().matches("(66|67|f[23]|2e|36|26|3e|64|65|4.)+(c4|c5|62|8f).*");
        return lock
                || branch
                || vector
                || text.matches(
                        "(ud0|frstpm|mov .*\\?|mov cs,|x(crypt|store|sha)|montmul|vzero|(ld|st)mxcsr|fx(save|rstor)).*");
    }

    /** Compares what objdump says with {@link #instruction}. */
    private void check(Objdump.Line line, boolean known) {
        if (hasLateWait(line) || !known && isDeclinedOnPurpose(line)) {
            return;
        }
        count++;
        var branch = BRANCH.matcher(PREFIXES.matcher(line.text()).replaceFirst(""));
        boolean relative = branch.matches();
        boolean rip = line.text().contains("[rip") || line.text().contains("[eip");
        boolean agree = instruction.length() == line.length()
                && instruction.kind().isRelativeBranch() == relative
                && instruction.isRipRelative() == rip
                && (!relative || instruction.target() == Long.parseUnsignedLong(branch.group(2), 16));
        if (!agree && differences.size() < 20) {
            differences.add(line + " but " + instruction);
        }
    }
}
