package reprise.cli;

/** The version that the build wrote in the jar's manifest. */
final class Version {
    private Version() {}

    /** One line, for example {@code reprise 0.1.0}. */
    static String line() {
        String version = Version.class.getPackage().getImplementationVersion();
        return "reprise " + (version == null ? "(not packaged)" : version);
    }
}
