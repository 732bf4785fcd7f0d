package reprise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code record --chaos} finds bugs that depend on the order of execution, and what it found replays. */
class ChaosTest {
    /** Measured: each bug shows in two to six of ten runs. The rarest is missed thirty times in one test of a thousand. */
    private static final int RUNS = 30;

    private static final int FOUND = 3;

    static Stream<Named<Fixture>> fixtures() throws IOException {
        return Fixture.in("chaos").stream()
                .map(fixture -> Named.of(fixture.name() + ": " + fixture.behaviour(), fixture));
    }

    /** Those in which only chaos interrupts tasks often enough where it is hard. */
    static Stream<Named<Fixture>> interrupted() throws IOException {
        return Fixture.in("spin").stream()
                .filter(fixture -> fixture.name().endsWith("while_interrupted"))
                .map(fixture -> Named.of(fixture.name() + ": " + fixture.behaviour(), fixture));
    }

    @BeforeAll
    static void compile() throws Exception {
        assumeTrue(Programs.has("gcc"), "the fixtures need gcc");
        Fixture.compile(
                Stream.concat(fixtures(), interrupted()).map(Named::getPayload).toList());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("interrupted")
    @DisplayName("a program that chaos interrupts everywhere replays exactly")
    void replaysExactly(Fixture fixture) throws Exception {
        List<String> command = List.of(fixture.binary().toString());
        Faithful.check(
                "chaos/" + fixture.name(),
                faithful -> faithful.record(List.of("--chaos", "--checksums"), command, null, fixture.status()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("fixtures")
    @DisplayName("chaos brings a seeded bug to light within thirty runs, and its replay shows it again")
    void findsBug(Fixture fixture, @TempDir Path directory) throws Exception {
        for (int run = 1; run <= RUNS; run++) {
            Path attempt = Files.createDirectory(directory.resolve("run-" + run));
            List<String> command = List.of(fixture.binary().toString());
            int status = Reprise.record(attempt, List.of("--chaos"), command, attempt, null)
                    .end(Faithful.LIMIT);
            if (status == FOUND) {
                Reprise.Run replay = Reprise.replay(attempt);
                assertThat(replay.end(Faithful.LIMIT)).as(replay.tails()).isZero();
                assertThat(replay.output()).isNotEmptyFile();
                assertThat(replay.output()).hasSameTextualContentAs(attempt.resolve("record.out"));
                return;
            }
            assertThat(status).isZero();
        }
        assertThat(RUNS).as("runs without a trace of the bug").isZero();
    }
}
