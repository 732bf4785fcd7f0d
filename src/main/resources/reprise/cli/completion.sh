# Completion of reprise for bash and zsh: source this file.
if [ -n "${ZSH_VERSION-}" ]; then
    autoload -U +X compinit && compinit
    autoload -U +X bashcompinit && bashcompinit
fi

# The names of the traces, one a line.
_reprise_traces() {
    local root=${REPRISE_TRACE_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/reprise}
    if [ -d "$root" ]; then
        (cd -- "$root" && find . latest/header.json -mindepth 0 -maxdepth 2 -name header.json 2>/dev/null) |
            sed -e 's,^\./,,' -e 's,/header\.json$,,'
    fi
}

# One word a line.
_reprise_lines() {
    printf '%s\n' "$1" | tr ' ' '\n'
}

_reprise() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local flags= values= target=FILE i IFS=$'\n'
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "$(_reprise_lines '@COMMANDS@ --help --version')" -- "$word"; compgen -d -- "$word"))
        return
    fi
    case ${COMP_WORDS[1]} in
@CASES@
    esac
    # What follows the program is the program's, and what follows -- the debugger's.
    for ((i = 2; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --)
            [ "$target" = PROGRAM ] && [ $((i + 1)) -eq "$COMP_CWORD" ] || target=FILE
            flags=
            break
            ;;
        -*)
            case " $values" in
            *" ${COMP_WORDS[i]}:"*) i=$((i + 1)) ;;
            esac
            ;;
        *)
            [ "$target" = PROGRAM ] && target=FILE flags= && break
            ;;
        esac
    done
    if [ -n "$flags" ]; then
        case $word in
        -*) target=OPTION ;;
        esac
        case " $values " in
        *" $before:DIR "*) target=DIRECTORY ;;
        *" $before:FILE "*) target=FILE ;;
        *" $before:SIG "*) target=SIGNAL ;;
        *" $before:"*) target=NOTHING ;;
        esac
    fi
    case $target in
    OPTION) COMPREPLY=($(compgen -W "$(_reprise_lines "$flags")" -- "$word")) ;;
    TRACE) COMPREPLY=($(compgen -W "$(_reprise_traces)" -- "$word"; compgen -d -- "$word")) ;;
    PROGRAM) COMPREPLY=($(compgen -c -- "$word"; compgen -f -- "$word")) ;;
    COMMAND) COMPREPLY=($(compgen -W "$(_reprise_lines '@COMMANDS@')" -- "$word")) ;;
    DIRECTORY) COMPREPLY=($(compgen -d -- "$word")) ;;
    SIGNAL) COMPREPLY=($(compgen -W "$(kill -l | tr -s '\t ' '\n\n' | grep '^[A-Z]')" -- "$word")) ;;
    FILE) COMPREPLY=($(compgen -f -- "$word")) ;;
    esac
}
complete -o filenames -F _reprise reprise ./reprise
