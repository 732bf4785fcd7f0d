package reprise.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** {@code reprise generate-completion}: a script that lets a shell complete Reprise's commands and options. */
final class CompletionCommand implements Command {
    @Override
    public Syntax syntax() {
        return new Syntax(
                "generate-completion",
                "",
                Syntax.Target.NOTHING,
                "Print a completion script for bash and zsh.",
                List.of(),
                "Use it with: source <(reprise generate-completion)");
    }

    @Override
    public int run(Arguments arguments) {
        if (!arguments.operands().isEmpty()) {
            throw syntax().wrongUse("takes no operand");
        }
        System.out.print(script(Commands.all().stream().map(Command::syntax).toList()));
        return ExitStatus.OK;
    }

    static String script(List<Syntax> commands) {
        StringBuilder cases = new StringBuilder();
        for (Syntax syntax : commands) {
            cases.append("    %s)\n        flags='%s'\n".formatted(syntax.command(), options(syntax)));
            cases.append("        values='%s' target=%s ;;\n".formatted(valued(syntax), syntax.target()));
        }
        String names = commands.stream().map(Syntax::command).collect(Collectors.joining(" "));
        return template().replace("@CASES@", cases.toString().stripTrailing()).replace("@COMMANDS@", names);
    }

    private static String template() {
        try (InputStream in = CompletionCommand.class.getResourceAsStream("completion.sh")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String options(Syntax syntax) {
        return syntax.options().stream().flatMap(CompletionCommand::names).collect(Collectors.joining(" "));
    }

    /** The options that take a value, each with what that is: {@code -o:DIR}. */
    private static String valued(Syntax syntax) {
        return syntax.options().stream()
                .filter(option -> option.value() == Option.Value.REQUIRED)
                .flatMap(option -> names(option).map(name -> name + ":" + option.label()))
                .collect(Collectors.joining(" "));
    }

    private static Stream<String> names(Option option) {
        Stream<String> letter = option.letter() == 0 ? Stream.empty() : Stream.of("-" + option.letter());
        Stream<String> word = option.word() == null ? Stream.empty() : Stream.of("--" + option.word());
        return Stream.concat(letter, word);
    }
}
