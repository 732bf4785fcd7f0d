package reprise.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The documentation speaks of what there is. */
class TroubleshootingTest {
    @Test
    @DisplayName("every message that the troubleshooting page explains is one that the sources have")
    void messages() throws IOException {
        StringBuilder text = new StringBuilder();
        for (Path root : List.of(Path.of("src/main/java"), Path.of("bin"), Path.of("reprise"))) {
            try (Stream<Path> files = Files.walk(root)) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    text.append(Files.readString(file)).append('\n');
                }
            }
        }
        // Strings that the formatter broke over lines are one; so are those that the launcher puts its numbers into.
        String sources = text.toString().replaceAll("\"\\s*\\+ \"", "").replace("$java_needed", "25");
        List<String> messages = Files.readAllLines(Path.of("docs/troubleshooting.md")).stream()
                .filter(line -> line.startsWith("### "))
                .map(line -> line.substring(4))
                .toList();
        assertThat(messages).hasSizeGreaterThan(20);
        assertThat(messages).allSatisfy(message -> assertThat(sources).contains(message));
    }

    @Test
    @DisplayName("links between the pages of the documentation lead somewhere")
    void links() throws IOException {
        List<String> broken = new ArrayList<>();
        List<Path> pages = new ArrayList<>(List.of(Path.of("README.md"), Path.of("CONTRIBUTING.md")));
        try (Stream<Path> files = Files.list(Path.of("docs"))) {
            files.filter(file -> file.toString().endsWith(".md")).forEach(pages::add);
        }
        for (Path page : pages) {
            java.util.regex.Matcher links = java.util.regex.Pattern.compile("\\]\\(([^)#:]+)(#[^)]*)?\\)")
                    .matcher(Files.readString(page));
            while (links.find()) {
                if (!Files.exists(page.toAbsolutePath().resolveSibling(links.group(1)))) {
                    broken.add(page + ": " + links.group(1));
                }
            }
        }
        assertThat(broken).isEmpty();
    }
}
