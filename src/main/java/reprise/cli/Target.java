package reprise.cli;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The program to be recorded, as the user's shell would have started it.
 *
 * @param program as the user named it
 * @param candidates the files to try, in the order of PATH
 * @param arguments its argv, to the byte
 * @param environment its NAME=VALUE strings, to the byte
 */
record Target(
        String program,
        List<byte[]> candidates,
        List<byte[]> arguments,
        List<byte[]> environment,
        Inherited inherited) {

    /** The target that a command line names. */
    static Target of(Arguments arguments, Inherited inherited) {
        List<String> operands = arguments.operands();
        List<byte[]> all = inherited.arguments();
        // The operands are the last of the arguments, and those are exact.
        List<byte[]> argv = new ArrayList<>();
        for (int index = 0; index < operands.size(); index++) {
            int at = all.size() - operands.size() + index;
            byte[] decoded = operands.get(index).getBytes(StandardCharsets.UTF_8);
            argv.add(at >= 0 && decode(all.get(at)).equals(operands.get(index)) ? all.get(at) : decoded);
        }
        List<byte[]> environment = new ArrayList<>(inherited.environment());
        for (String name : arguments.values(RecordCommand.SCRUBBED)) {
            scrub(environment, name);
        }
        for (String variable : arguments.values(RecordCommand.VARIABLE)) {
            set(environment, variable);
        }
        String program = operands.get(0);
        String path = variable(inherited.environment(), "PATH=");
        return new Target(
                program,
                candidates(argv.get(0), path == null ? "/usr/local/bin:/bin:/usr/bin" : path),
                argv,
                environment,
                inherited);
    }

    /** The program's file name. */
    String name() {
        return program.substring(program.lastIndexOf('/') + 1);
    }

    private static String decode(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static List<byte[]> candidates(byte[] program, String path) {
        for (byte each : program) {
            if (each == '/') {
                return List.of(program);
            }
        }
        List<byte[]> candidates = new ArrayList<>();
        for (String directory : path.split(":", -1)) {
            byte[] prefix = ((directory.isEmpty() ? "." : directory) + "/").getBytes(StandardCharsets.UTF_8);
            byte[] candidate = new byte[prefix.length + program.length];
            System.arraycopy(prefix, 0, candidate, 0, prefix.length);
            System.arraycopy(program, 0, candidate, prefix.length, program.length);
            candidates.add(candidate);
        }
        return candidates;
    }

    private static String variable(List<byte[]> environment, String prefix) {
        for (byte[] each : environment) {
            String text = decode(each);
            if (text.startsWith(prefix)) {
                return text.substring(prefix.length());
            }
        }
        return null;
    }

    /** Takes a variable out, or with {@code NAME*} all whose names begin so. */
    private static void scrub(List<byte[]> environment, String name) {
        boolean family = name.endsWith("*");
        String prefix = family ? name.substring(0, name.length() - 1) : name + "=";
        environment.removeIf(each -> decode(each).startsWith(prefix));
    }

    private static void set(List<byte[]> environment, String variable) {
        String prefix = variable.substring(0, variable.indexOf('=') + 1);
        environment.removeIf(each -> decode(each).startsWith(prefix));
        environment.add(variable.getBytes(StandardCharsets.UTF_8));
    }
}
