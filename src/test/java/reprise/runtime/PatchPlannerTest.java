package reprise.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import reprise.runtime.PatchPlan.Decline;
import reprise.runtime.PatchPlan.Reason;
import reprise.runtime.PatchPlan.Strategy;
import reprise.x86.Objdump;

/** How sites in small pieces of code are patched. In the code {@code |} stands before the site. */
class PatchPlannerTest {
    private static final long CODE = 0x40_0000L;
    private static final long TRAMPOLINE = 0x1000_0000L;

    /** Code without holes that gives decoding room to settle: {@code mov rax, rax}. */
    private static final String SOLID = "4889c0 ".repeat(30);

    private final PatchPlanner planner = new PatchPlanner((trampoline, site, kind) -> trampoline.ud2());

    @Test
    @DisplayName("padding behind a return is a hole")
    void hole() {
        Patch patch = (Patch) plan("b827000000 | 0f05 c3 0f1f4000 90 4889c0");
        assertThat(patch.strategy()).isEqualTo(Strategy.HOLE);
        assertThat(patch.guarded()).isTrue();
        assertThat(edits(patch)).containsExactly("400008 0f1f400090 e9f3ffbf0f", "400005 0f05 eb01");
        assertThat(patch.end()).isEqualTo(patch.start() + 2);
        assertThat(trampoline(patch)).containsExactly("ud2", "jmp 0x400007");
    }

    @Test
    @DisplayName("a hole before the site needs code before it that settles")
    void holeBefore() {
        Patch patch = (Patch) plan(SOLID + "c3 cccccccccccc 31c0 | 0f05 4889c0 4889c0");
        assertThat(patch.strategy()).isEqualTo(Strategy.HOLE);
        assertThat(edits(patch)).last().isEqualTo("400063 0f05 ebf7");
        assertThat(strategyOf("c3 cccccccccccc 31c0 | 0f05 4889c0")).isEqualTo(Strategy.FOLLOWING);
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(
            strings = {
                "0f05 0f1f440000 4889c0", // control comes there
                "0f05 c3 90909090 4889c0", // too short
            })
    @DisplayName("not each padding is a hole")
    void noHole(String code) {
        assertThat(strategyOf("| " + code)).isNotEqualTo(Strategy.HOLE);
    }

    @Test
    @DisplayName("padding that something jumps to is none")
    void referredHole() {
        assertThat(strategyOf("| 0f05 7402 48c3 9090909090 4889c0")).isNotEqualTo(Strategy.HOLE);
        assertThat(strategyOf("7406 | 0f05 4889c0 c3 9090909090 4889c0")).isNotEqualTo(Strategy.HOLE);
    }

    @Test
    @DisplayName("a number moved to eax directly before makes room, and leaves int3 at the site")
    void precedingGuarded() {
        Patch patch = (Patch) plan(SOLID + "b827000000 | 0f05 7500 4889c0");
        assertThat(patch.strategy()).isEqualTo(Strategy.PRECEDING);
        assertThat(patch.guarded()).isTrue();
        assertThat(edits(patch)).containsExactly("40005a b8270000000f05 e9a1ffbf0fcccc");
        assertThat(trampoline(patch)).containsExactly("mov eax,0x27", "ud2", "jmp 0x400061");
        assertThat(patch.movedAddress(patch.site())).isEqualTo(TRAMPOLINE + 5);
        assertThat(patch.movedAddress(patch.site() + 2)).isEqualTo(patch.end());
        assertThat(patch.originalAddress(TRAMPOLINE)).isEqualTo(patch.start());
        assertThat(patch.originalAddress(TRAMPOLINE + 5)).isEqualTo(patch.site());
        assertThat(patch.originalAddress(TRAMPOLINE + 7)).isEqualTo(patch.end());
    }

    @Test
    @DisplayName("the test of the result behind the site makes room when nothing safer does")
    void following() {
        Patch patch = (Patch) plan("| 0f05 483d01f0ffff 7302 4889c0");
        assertThat(patch.strategy()).isEqualTo(Strategy.FOLLOWING);
        assertThat(patch.guarded()).isFalse();
        assertThat(edits(patch)).containsExactly("400000 0f05483d01f0ffff e9fbffbf0fcccccc");
        assertThat(trampoline(patch)).containsExactly("ud2", "cmp rax,0xfffffffffffff001", "jmp 0x400008");
        assertThat(patch.movedAddress(CODE)).isEqualTo(CODE);
        assertThat(patch.movedAddress(CODE + 2)).isEqualTo(TRAMPOLINE + 2);
        assertThat(patch.movedAddress(CODE + 3)).isEqualTo(Patch.NONE);
        assertThat(patch.movedAddress(CODE + 8)).isEqualTo(CODE + 8);
        assertThat(patch.originalAddress(TRAMPOLINE + 2)).isEqualTo(CODE + 2);
        assertThat(patch.originalAddress(TRAMPOLINE + 8)).isEqualTo(CODE + 8);
    }

    @ParameterizedTest(name = "{0} becomes {1}")
    @CsvSource(
            delimiter = '=',
            value = {
                "8b0d10000000 = mov ecx,DWORD PTR [rip+0xfffffffff0400010]",
                "85c0 7810 = test eax,eax; js 0x400016",
                "85c0 e310 = test eax,eax; jrcxz 0x10000008; jmp 0x1000000d; jmp 0x400016",
                "e810000000 = push QWORD PTR [rip+0x5]; jmp 0x400017; .quad 0x400007",
                "ff1510000000 = push QWORD PTR [rip+0x6]; jmp QWORD PTR [rip+0xfffffffff040000a]; .quad 0x400008",
                "e9f9ffffff = jmp 0x400000",
                "85c0 c3 = test eax,eax; ret",
            })
    @DisplayName("moved instructions do what they did")
    void moved(String code, String expected) {
        Patch patch = (Patch) plan("| 0f05 " + code + " 4889c0");
        assertThat(patch.strategy()).isEqualTo(Strategy.FOLLOWING);
        List<String> wanted = new ArrayList<>(List.of(expected.split("; ")));
        List<String> lines = trampoline(patch);
        if (wanted.removeIf(line -> line.startsWith(".quad"))) {
            assertThat(HexFormat.of().formatHex(patch.trampoline())).endsWith(quad(expected));
            lines = lines.subList(0, wanted.size() + 1);
        }
        assertThat(lines.getFirst()).isEqualTo("ud2");
        assertThat(lines.subList(1, wanted.size() + 1)).isEqualTo(wanted);
    }

    private static String quad(String expected) {
        long value = Long.decode(expected.substring(expected.indexOf(".quad ") + 6));
        return HexFormat.of().toHexDigits(Long.reverseBytes(value));
    }

    @ParameterizedTest(name = "{1}: {0}")
    @CsvSource({
        "7400 | 0f05 4889c0, none", // a jump to the site itself does no harm
        "7402 | 0f05 4889c0, BRANCH_TARGET",
        "eb00 | 0f05 4889c0 74fb, BRANCH_TARGET",
        "488d0502000000 | 0f05 4889c0, BRANCH_TARGET", // takes the address behind the site
        "| 0f05 0f31 4889c0, UNMOVABLE",
        "| 0f05 cc 4889c0, UNMOVABLE",
        "| 0f05 06 4889c0, UNMOVABLE",
        "| 0f05 ffd0 4889c0, UNMOVABLE",
        "| 0f05 678b0500000000, UNMOVABLE",
        "| 0f05 c3 4889c0, NO_ROOM",
        "| 0f05 4889, WINDOW_TOO_SMALL",
        "| 0f05, WINDOW_TOO_SMALL",
        "b80f000000 | 0f05 4889c0, SIGNAL_RETURN",
        "| 0f06 4889c0, NOT_A_SITE",
        "| 0f05 8b058080807f 4889c0, none",
        "| 0f05 8b058080ff80 4889c0, OUT_OF_REACH",
    })
    @DisplayName("reasons to decline")
    void reasons(String code, String reason) {
        PatchPlan plan = plan(code);
        String actual = plan instanceof Decline decline ? decline.reason().name() : "none";
        assertThat(actual).isEqualTo(reason);
    }

    @Test
    @DisplayName("a trampoline more than 2 GB away is out of reach")
    void outOfReach() {
        CodeWindow window = new CodeWindow(CODE, HexFormat.of().parseHex("0f054889c0"), List.of());
        PatchPlan plan = planner.plan(window, CODE, CODE + (1L << 31));
        assertThat(((Decline) plan).reason()).isEqualTo(Reason.OUT_OF_REACH);
    }

    @Test
    @DisplayName("a branch from far away is seen")
    void farBranch() {
        String far = "4889c0 ".repeat(1000);
        assertThat(plan("| 0f05 4889c0 " + far + "0f843ff4ffff")).isInstanceOf(Decline.class);
        assertThat(plan("| 0f05 4889c0 " + far + "0f8442f4ffff")).isInstanceOf(Patch.class);
    }

    @Test
    @DisplayName("a hole is used once, and what a patch changed is left alone")
    void twice() {
        byte[] code = HexFormat.of().parseHex("0f0531c00f05c39090909090" + "4889c0");
        Patch first = (Patch) planner.plan(CodeWindow.of(CODE, code, List.of()), CODE, TRAMPOLINE);
        assertThat(first.strategy()).isEqualTo(Strategy.HOLE);
        for (Patch.Edit edit : first.edits()) {
            System.arraycopy(edit.after(), 0, code, (int) (edit.address() - CODE), edit.after().length);
        }
        CodeWindow now = CodeWindow.of(CODE, code, List.of(first));
        assertThat(((Decline) planner.plan(now, CODE, TRAMPOLINE)).reason()).isEqualTo(Reason.PATCHED);
        PatchPlan second = planner.plan(now, CODE + 4, TRAMPOLINE + 64);
        assertThat(((Decline) second).reasons().get(Strategy.HOLE)).isEqualTo(Reason.NO_HOLE);
        assertThat(((Decline) second).reason()).isEqualTo(Reason.PATCHED);
    }

    private Strategy strategyOf(String code) {
        return plan(code) instanceof Patch patch ? patch.strategy() : null;
    }

    private PatchPlan plan(String code) {
        int site = code.substring(0, code.indexOf('|')).replace(" ", "").length() / 2;
        byte[] bytes = HexFormat.of().parseHex(code.replace(" ", "").replace("|", ""));
        return planner.plan(new CodeWindow(CODE, bytes, List.of()), CODE + site, TRAMPOLINE);
    }

    private static List<String> edits(Patch patch) {
        HexFormat hex = HexFormat.of();
        return patch.edits().stream()
                .map(edit -> Long.toHexString(edit.address())
                        + ' '
                        + hex.formatHex(edit.before())
                        + ' '
                        + hex.formatHex(edit.after()))
                .toList();
    }

    private static List<String> trampoline(Patch patch) {
        Objdump.assume();
        return Objdump.disassemble(patch.trampoline(), patch.trampolineAddress());
    }
}
