package reprise;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each fixture ends as it should under record, and its replay is the same to the byte of memory and output. */
class FixtureTest {
    /**
     * The folders under {@code src/test/fixtures}. Not {@code chaos}, which is {@link ChaosTest}'s, nor {@code hard}, which
     * needs what cannot be trapped.
     */
    private static final List<String> FOLDERS =
            List.of(System.getProperty("reprise.folders", ".,spin").split(","));

    /**
     * What each is recorded with: every system call instruction patched when it has stopped the program once, which most
     * programs see for a few instructions only; and none at all.
     */
    private static final List<String> MODES =
            List.of(System.getProperty("reprise.modes", "--buffer-after=1,-n").split(","));

    /** Those with so much memory or so many events that checksums at each would take longer than all others. */
    private static final Set<String> TOO_HEAVY = Set.of();

    private static boolean compiled;

    static Stream<Named<Fixture>> fixtures() throws IOException {
        List<Fixture> fixtures = new ArrayList<>();
        for (String folder : FOLDERS) {
            fixtures.addAll(Fixture.in(folder));
        }
        String pattern = System.getProperty("reprise.fixture", "");
        return fixtures.stream()
                .filter(fixture -> fixture.name().contains(pattern))
                .map(fixture -> Named.of(fixture.name() + ": " + fixture.behaviour(), fixture));
    }

    static Stream<Arguments> fixturesInAllModes() throws IOException {
        return fixtures().flatMap(fixture -> MODES.stream().map(mode -> Arguments.of(fixture, mode)));
    }

    @BeforeAll
    static void compile() throws Exception {
        assumeTrue(Programs.has("gcc"), "the fixtures need gcc");
        Fixture.compile(fixtures().map(Named::getPayload).toList());
        compiled = true;
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("fixturesInAllModes")
    @Execution(ExecutionMode.CONCURRENT)
    @DisplayName("fixtures end as they should and replay exactly")
    void replaysExactly(Fixture fixture, String mode) throws Exception {
        assumeTrue(compiled);
        String checksums = TOO_HEAVY.contains(fixture.name()) ? "--checksums" : "--checksums=all";
        List<String> command = new ArrayList<>(List.of(fixture.binary().toString()));
        command.addAll(fixture.arguments());
        Faithful.check("fixture/" + fixture.name() + mode, faithful -> {
            Path input = Files.writeString(faithful.directory().resolve("input"), fixture.input());
            return faithful.record(List.of(checksums, mode), command, input, fixture.status());
        });
    }
}
