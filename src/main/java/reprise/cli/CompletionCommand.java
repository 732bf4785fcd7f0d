package reprise.cli;

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
            throw syntax().wrongUse("no operand is needed");
        }
        System.out.print(script(Commands.all().stream().map(Command::syntax).toList()));
        return ExitStatus.OK;
    }

    static String script(List<Syntax> commands) {
        StringBuilder script = new StringBuilder(
                """
                # Completion of reprise for bash and zsh: source this file.
                if [ -n "${ZSH_VERSION-}" ]; then
                    autoload -U +X compinit && compinit
                    autoload -U +X bashcompinit && bashcompinit
                fi

                _reprise() {
                    local word=${COMP_WORDS[COMP_CWORD]} options= values= target= i
                    COMPREPLY=()
                    if [ "$COMP_CWORD" -eq 1 ]; then
                        COMPREPLY=($(compgen -W "@COMMANDS@ --help --version" -- "$word"))
                        COMPREPLY+=($(compgen -d -- "$word"))
                        return
                    fi
                    case ${COMP_WORDS[1]} in
                """.replace("@COMMANDS@", commands.stream().map(Syntax::command).collect(Collectors.joining(" "))));
        for (Syntax syntax : commands) {
            script.append("    %s) options='%s' values='%s' target=%s ;;\n"
                    .formatted(syntax.command(), options(syntax), valued(syntax), syntax.target()));
        }
        script.append(
                """
                    *) target=FILE ;;
                    esac
                    if [ "$target" = PROGRAM ]; then
                        for ((i = 2; i < COMP_CWORD; i++)); do
                            case ${COMP_WORDS[i]} in
                            --) target=FILE && break ;;
                            -*) case " $values " in *" ${COMP_WORDS[i]} "*) i=$((i + 1)) ;; esac ;;
                            *) target=FILE && break ;;
                            esac
                        done
                    fi
                    case " $values " in
                    *" ${COMP_WORDS[COMP_CWORD - 1]} "*) [ "$target" = FILE ] || target=VALUE ;;
                    esac
                    if [ "$target" != FILE ] && [ "$target" != VALUE ]; then
                        case $word in -*) target=OPTION ;; esac
                    fi
                    case $target in
                    OPTION) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
                    TRACE) COMPREPLY=($(compgen -W "$(reprise ls 2>/dev/null)" -- "$word") $(compgen -d -- "$word")) ;;
                    PROGRAM) COMPREPLY=($(compgen -c -- "$word") $(compgen -f -- "$word")) ;;
                    COMMAND) COMPREPLY=($(compgen -W "@COMMANDS@" -- "$word")) ;;
                    FILE | VALUE) COMPREPLY=($(compgen -f -- "$word")) ;;
                    esac
                }
                complete -o filenames -F _reprise reprise ./reprise
                """.replace("@COMMANDS@", commands.stream().map(Syntax::command).collect(Collectors.joining(" "))));
        return script.toString();
    }

    private static String options(Syntax syntax) {
        return syntax.options().stream().flatMap(CompletionCommand::names).collect(Collectors.joining(" "));
    }

    private static String valued(Syntax syntax) {
        return syntax.options().stream()
                .filter(option -> option.value() == Option.Value.REQUIRED)
                .flatMap(CompletionCommand::names)
                .collect(Collectors.joining(" "));
    }

    private static Stream<String> names(Option option) {
        Stream<String> letter = option.letter() == 0 ? Stream.empty() : Stream.of("-" + option.letter());
        Stream<String> word = option.word() == null ? Stream.empty() : Stream.of("--" + option.word());
        return Stream.concat(letter, word);
    }
}
