package reprise.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How a command is used: what its help page shows, what completion offers, and how its arguments are understood.
 *
 * <p>Reprise reads its own command line because start-up time is time the recorded program waits: a library that does it
 * by reflection takes longer than the JVM takes to start.
 *
 * @param command the command's name
 * @param operands what follows the options, as the help page shows it
 * @param target what the operands are
 * @param summary one or two sentences
 * @param options in the order of the help page
 * @param footer the last line of the help page, or an empty string
 */
record Syntax(String command, String operands, Target target, String summary, List<Option> options, String footer) {
    static final Option HELP = Option.flag("help", "Show this help.");

    private static final int WIDTH = 100;
    private static final int MARGIN = 22;

    /** What the operands are: decides what completion offers, and where options end. */
    enum Target {
        NOTHING,
        TRACE,
        /** Options end where the program begins: the rest is its own. */
        PROGRAM,
        COMMAND
    }

    Syntax {
        List<Option> all = new ArrayList<>(options);
        all.add(HELP);
        options = List.copyOf(all);
    }

    /**
     * Understands the arguments that follow the command's name.
     *
     * @throws CommandFailure for an unknown option, or a value that is missing or not wanted
     */
    Arguments parse(List<String> args) {
        Arguments.Builder parsed = new Arguments.Builder();
        int next = 0;
        while (next < args.size()) {
            String arg = args.get(next++);
            if (arg.equals("--")) {
                parsed.separator();
                args.subList(next, args.size()).forEach(parsed::operand);
                break;
            } else if (arg.startsWith("--")) {
                next = word(arg, args, next, parsed);
            } else if (arg.startsWith("-") && arg.length() > 1) {
                next = letters(arg, args, next, parsed);
            } else if (target == Target.PROGRAM) {
                args.subList(next - 1, args.size()).forEach(parsed::operand);
                break;
            } else {
                parsed.operand(arg);
            }
        }
        return parsed.build();
    }

    private int word(String arg, List<String> args, int next, Arguments.Builder parsed) {
        int equals = arg.indexOf('=');
        String name = equals < 0 ? arg : arg.substring(0, equals);
        Option option = options.stream()
                .filter(each -> each.word() != null && name.substring(2).equals(each.word()))
                .findFirst()
                .orElseThrow(() -> wrongUse("unknown option " + name));
        if (equals >= 0) {
            if (option.value() == Option.Value.NONE) {
                throw wrongUse(name + " takes no value");
            }
            parsed.option(option, arg.substring(equals + 1));
        } else if (option.value() == Option.Value.REQUIRED) {
            parsed.option(option, valueAt(args, next, option));
            return next + 1;
        } else {
            parsed.option(option, "");
        }
        return next;
    }

    /** {@code -l}, {@code -lt}, {@code -o DIR} or {@code -oDIR}. */
    private int letters(String arg, List<String> args, int next, Arguments.Builder parsed) {
        for (int i = 1; i < arg.length(); i++) {
            char letter = arg.charAt(i);
            Option option = options.stream()
                    .filter(each -> each.letter() == letter)
                    .findFirst()
                    .orElseThrow(() -> wrongUse("unknown option -" + letter));
            if (option.value() != Option.Value.REQUIRED) {
                parsed.option(option, "");
            } else if (i + 1 < arg.length()) {
                parsed.option(option, arg.substring(i + 1));
                return next;
            } else {
                parsed.option(option, valueAt(args, next, option));
                return next + 1;
            }
        }
        return next;
    }

    private String valueAt(List<String> args, int index, Option option) {
        if (index >= args.size()) {
            throw wrongUse(option.name() + " needs a value: " + option.name() + " " + option.label());
        }
        return args.get(index);
    }

    /** A failure that tells how to get help. */
    CommandFailure wrongUse(String message) {
        return new CommandFailure(ExitStatus.USAGE, message, Optional.of("see 'reprise " + command + " --help'"));
    }

    /** The first sentence of the summary. */
    String brief() {
        int end = summary.indexOf(". ");
        return end < 0 ? summary : summary.substring(0, end + 1);
    }

    /** The help page, which ends in a line feed. */
    String help() {
        StringBuilder page = new StringBuilder();
        page.append("Usage: reprise ").append(command);
        page.append(options.size() == 1 ? "" : " [OPTION]...");
        page.append(operands.isEmpty() ? "" : " ").append(operands).append("\n\n");
        wrap(page, 0, summary);
        page.append("\nOptions:\n");
        for (Option option : options) {
            entry(page, option.usage(), option.help());
        }
        if (!footer.isEmpty()) {
            page.append('\n');
            wrap(page, 0, footer);
        }
        return page.toString();
    }

    /** Appends a term, and what it means beside it. */
    static void entry(StringBuilder page, String term, String meaning) {
        page.append("  ").append(term);
        if (term.length() + 4 > MARGIN) {
            page.append('\n').append(" ".repeat(MARGIN));
        } else {
            page.append(" ".repeat(MARGIN - term.length() - 2));
        }
        wrap(page, MARGIN, meaning);
    }

    /** Appends a paragraph whose first line begins at column {@code indent}, where the page already is. */
    private static void wrap(StringBuilder page, int indent, String paragraph) {
        int column = indent;
        for (String word : paragraph.split(" ")) {
            if (column > indent && column + 1 + word.length() > WIDTH) {
                page.append('\n').append(" ".repeat(indent));
                column = indent;
            }
            if (column > indent) {
                page.append(' ');
                column++;
            }
            page.append(word);
            column += word.length();
        }
        page.append('\n');
    }
}
