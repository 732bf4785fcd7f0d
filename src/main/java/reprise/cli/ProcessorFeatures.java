package reprise.cli;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import reprise.linux.Processor;
import reprise.trace.TraceHeader;

/**
 * Whether a trace can be replayed on a processor. Replay executes the recorded program's own instructions, so the processor
 * needs the instructions that the program may have chosen when it was recorded, and the registers that go with them.
 *
 * @param model vendor and model name
 * @param flags the processor's features as the kernel names them
 * @param enabledStates XCR0: the register sets that the kernel enables
 */
record ProcessorFeatures(String model, Set<String> flags, long enabledStates) {
    /** Features that are instructions; the kernel's list also has many that programs cannot see. */
    private static final Set<String> INSTRUCTIONS = Set.of(
            "cx8",
            "cmov",
            "mmx",
            "fxsr",
            "syscall",
            "lm",
            "pni",
            "pclmulqdq",
            "ssse3",
            "fma",
            "cx16",
            "movbe",
            "popcnt",
            "aes",
            "xsave",
            "f16c",
            "rdrand",
            "lahf_lm",
            "abm",
            "3dnowprefetch",
            "xop",
            "fma4",
            "tbm",
            "fsgsbase",
            "hle",
            "rtm",
            "rdseed",
            "adx",
            "clflushopt",
            "clwb",
            "sha_ni",
            "sha512",
            "sm3",
            "sm4",
            "xsaveopt",
            "xsavec",
            "xgetbv1",
            "xsaves",
            "pku",
            "ospke",
            "vaes",
            "vpclmulqdq",
            "gfni",
            "rdpid",
            "movdiri",
            "movdir64b",
            "serialize",
            "cldemote",
            "waitpkg",
            "mwaitx",
            "clzero",
            "rdpru",
            "wbnoinvd",
            "rdtscp",
            "invpcid",
            "umip",
            "shstk",
            "user_shstk");

    private static final List<String> FAMILIES = List.of("sse", "avx", "amx", "bmi", "cmpccxadd");

    /** The registers that XCR0's bits stand for; those without a name have lost their meaning. */
    private static final String[] STATES = {
        "x87",
        "sse",
        "avx",
        "bndregs",
        "bndcsr",
        "avx512-opmask",
        "avx512-upper",
        "avx512-high",
        "",
        "pkru",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "amx-tilecfg",
        "amx-tile",
        "apx"
    };

    /** Those of this machine. */
    static ProcessorFeatures ofThisMachine() {
        return new ProcessorFeatures(
                Machine.processorModel(),
                Set.copyOf(new HashSet<>(Machine.processorFlags())),
                Processor.enabledStates());
    }

    /** What the trace needs and this processor lacks, in the kernel's words. */
    List<String> missing(TraceHeader header) {
        List<String> missing = new ArrayList<>();
        for (String flag : header.cpuFeatures()) {
            if (isInstruction(flag) && !flags.contains(flag)) {
                missing.add(flag);
            }
        }
        long states = header.xcr0() & ~enabledStates;
        for (int bit = 0; bit < STATES.length; bit++) {
            if ((states & 1L << bit) != 0 && !STATES[bit].isEmpty()) {
                missing.add("registers of " + STATES[bit]);
            }
        }
        return missing;
    }

    private static boolean isInstruction(String flag) {
        return INSTRUCTIONS.contains(flag) || FAMILIES.stream().anyMatch(flag::startsWith);
    }

    /**
     * Refuses a trace that this processor cannot replay.
     *
     * @throws CommandFailure that names what is missing
     */
    void require(TraceHeader header) {
        List<String> missing = missing(header);
        if (!missing.isEmpty()) {
            throw new CommandFailure(
                    ExitStatus.FAILED,
                    "this processor lacks what the recorded program may have used: " + String.join(", ", missing),
                    Optional.of("the trace was recorded on " + Quotes.plain(header.cpuModel()) + ", this is "
                            + Quotes.plain(model) + "; dump, ps and traceinfo work anywhere"));
        }
    }

    /** What to add to the report of a divergence: empty on the processor that recorded. */
    Optional<String> note(TraceHeader header) {
        if (header.cpuModel().equals(model)) {
            return Optional.empty();
        }
        return Optional.of("The trace was recorded on another processor, " + Quotes.plain(header.cpuModel())
                + "; this is "
                + Quotes.plain(model) + ". Programs that ask the processor what it is (cpuid) can tell the difference"
                + " where cpuid cannot be made to trap: see 'reprise doctor'.");
    }
}
