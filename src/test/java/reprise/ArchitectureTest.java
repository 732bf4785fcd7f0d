package reprise;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which package may know which. */
class ArchitectureTest {
    /** Lowest first: a package may use those before it. */
    private static final List<String> LAYERS =
            List.of("linux", "x86", "elf", "tracee", "syscall", "runtime", "trace", "record", "replay", "debug", "cli");

    private static JavaClasses classes;

    @BeforeAll
    static void read() {
        classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("reprise");
    }

    @Test
    @DisplayName("every class is in one of the known packages")
    void everyClassIsInAKnownPackage() {
        assertThat(classes).isNotEmpty().allSatisfy(type -> assertThat(LAYERS).contains(layer(type)));
    }

    @Test
    @DisplayName("imports point down only")
    void importsPointDown() {
        List<String> upward = classes.stream()
                .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                .filter(dependency ->
                        dependency.getTargetClass().getPackageName().startsWith("reprise."))
                .filter(ArchitectureTest::pointsUp)
                .map(Dependency::getDescription)
                .toList();
        assertThat(upward).isEmpty();
    }

    /** All but the last are implied by the order. They are here because the order could change and they may not. */
    @ParameterizedTest(name = "{0} knows nothing of {1}")
    @CsvSource({"runtime, trace", "syscall, record", "elf, tracee", "x86, tracee", "replay, record"})
    void knowsNothingOf(String user, String used) {
        ArchRule rule = noClasses()
                .that()
                .resideInAPackage("reprise." + user + "..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("reprise." + used + "..")
                .allowEmptyShould(true);
        rule.check(classes);
    }

    @Test
    @DisplayName("trace knows nothing of ptrace")
    void traceKnowsNothingOfPtrace() {
        ArchRule rule = noClasses()
                .that()
                .resideInAPackage("reprise.trace..")
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("reprise.linux.Ptrace")
                .allowEmptyShould(true);
        rule.check(classes);
    }

    private static boolean pointsUp(Dependency dependency) {
        return LAYERS.indexOf(layer(dependency.getOriginClass())) < LAYERS.indexOf(layer(dependency.getTargetClass()));
    }

    /** The part of the package's name after {@code reprise.}, without packages below it. */
    private static String layer(JavaClass type) {
        String[] parts = type.getPackageName().split("\\.");
        return parts.length < 2 ? "" : parts[1];
    }
}
