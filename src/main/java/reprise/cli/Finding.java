package reprise.cli;

/**
 * What {@code reprise doctor} found out about one thing.
 *
 * @param verdict how it stands
 * @param subject what was looked at, in a word or two
 * @param seen what was seen
 * @param meaning what a lack means for the user; empty where nothing is lacking
 * @param advice what to do about it; empty where there is nothing to do
 */
record Finding(Verdict verdict, String subject, String seen, String meaning, String advice) {
    /** How a thing stands. */
    enum Verdict {
        OK("ok"),
        /** Reprise works without it, but not as well. */
        LACKING("lacking"),
        /** Nothing can be recorded or replayed. */
        FATAL("FATAL");

        private final String word;

        Verdict(String word) {
            this.word = word;
        }

        String word() {
            return word;
        }
    }

    static Finding ok(String subject, String seen) {
        return new Finding(Verdict.OK, subject, seen, "", "");
    }

    static Finding lacking(String subject, String seen, String meaning, String advice) {
        return new Finding(Verdict.LACKING, subject, seen, meaning, advice);
    }

    static Finding fatal(String subject, String seen, String meaning, String advice) {
        return new Finding(Verdict.FATAL, subject, seen, meaning, advice);
    }
}
