package reprise.cli;

/**
 * An option of a command.
 *
 * @param letter its short name without the dash, or 0
 * @param word its long name without the dashes, or null
 * @param value whether a value follows
 * @param label what the help page calls the value, or null
 * @param help what the help page says of it
 */
record Option(char letter, String word, Value value, String label, String help) {
    enum Value {
        NONE,
        REQUIRED,
        /** Only as {@code --word=VALUE}. */
        OPTIONAL
    }

    static Option flag(char letter, String help) {
        return new Option(letter, null, Value.NONE, null, help);
    }

    static Option flag(char letter, String word, String help) {
        return new Option(letter, word, Value.NONE, null, help);
    }

    static Option flag(String word, String help) {
        return new Option((char) 0, word, Value.NONE, null, help);
    }

    static Option valued(char letter, String label, String help) {
        return new Option(letter, null, Value.REQUIRED, label, help);
    }

    static Option required(String word, String label, String help) {
        return new Option((char) 0, word, Value.REQUIRED, label, help);
    }

    static Option valued(char letter, String word, String label, String help) {
        return new Option(letter, word, Value.REQUIRED, label, help);
    }

    static Option optionallyValued(String word, String label, String help) {
        return new Option((char) 0, word, Value.OPTIONAL, label, help);
    }

    /** The name that messages use, with its dashes. */
    String name() {
        return letter != 0 ? "-" + letter : "--" + word;
    }

    /** The names and the value as the help page shows them. */
    String usage() {
        String names = letter == 0 ? "    --" + word : word == null ? "-" + letter : "-" + letter + ", --" + word;
        return switch (value) {
            case NONE -> names;
            case REQUIRED -> names + " " + label;
            case OPTIONAL -> names + "[=" + label + "]";
        };
    }
}
