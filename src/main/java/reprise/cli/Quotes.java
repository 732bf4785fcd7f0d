package reprise.cli;

import java.util.List;

/** Text from recorded programs, made safe for a line of output. */
final class Quotes {
    private static final String PLAIN = "%+,-./:=@_^";

    private Quotes() {}

    /** Arguments as one would type them into a shell. */
    static String command(List<String> arguments) {
        StringBuilder line = new StringBuilder();
        for (String argument : arguments) {
            line.append(line.isEmpty() ? "" : " ").append(word(argument));
        }
        return line.toString();
    }

    private static String word(String argument) {
        if (argument.isEmpty()) {
            return "''";
        }
        if (argument.chars().allMatch(c -> Character.isLetterOrDigit(c) || PLAIN.indexOf(c) >= 0)) {
            return argument;
        }
        if (argument.chars().noneMatch(Character::isISOControl)) {
            return "'" + argument.replace("'", "'\\''") + "'";
        }
        StringBuilder text = new StringBuilder("$'");
        argument.chars().forEach(c -> {
            if (c == '\'') {
                text.append('\\');
            }
            append(text, c);
        });
        return text.append('\'').toString();
    }

    /** A C string in double quotes, cut to {@code limit} characters. */
    static String string(String value, int limit) {
        StringBuilder text = new StringBuilder("\"");
        value.chars().limit(limit).forEach(c -> {
            if (c == '"') {
                text.append('\\');
            }
            append(text, c);
        });
        return text.append(value.length() > limit ? "\"..." : "\"").toString();
    }

    /** A path or note: as it is, but for characters that would break the line or drive the terminal. */
    static String plain(String value) {
        if (value.chars().noneMatch(Character::isISOControl)) {
            return value;
        }
        StringBuilder text = new StringBuilder();
        value.chars().forEach(c -> append(text, c));
        return text.toString();
    }

    private static void append(StringBuilder text, int c) {
        switch (c) {
            case '\n' -> text.append("\\n");
            case '\t' -> text.append("\\t");
            case '\r' -> text.append("\\r");
            case '\\' -> text.append("\\\\");
            default -> {
                if (Character.isISOControl(c)) {
                    text.append(String.format("\\%03o", c));
                } else {
                    text.append((char) c);
                }
            }
        }
    }
}
