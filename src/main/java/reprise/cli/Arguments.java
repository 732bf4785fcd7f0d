package reprise.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the user gave a command.
 *
 * @param options the options given, in their order, each with its values; a flag has an empty one
 * @param operands everything else
 * @param separated how many operands came before {@code --}, if there was one
 */
record Arguments(Map<Option, List<String>> options, List<String> operands, Optional<Integer> separated) {
    boolean has(Option option) {
        return options.containsKey(option);
    }

    /** The value that was given last. */
    Optional<String> value(Option option) {
        return Optional.ofNullable(options.get(option)).map(List::getLast);
    }

    List<String> values(Option option) {
        return options.getOrDefault(option, List.of());
    }

    List<String> beforeSeparator() {
        return operands.subList(0, separated.orElse(operands.size()));
    }

    List<String> afterSeparator() {
        return operands.subList(separated.orElse(operands.size()), operands.size());
    }

    /** Collects arguments one by one. */
    static final class Builder {
        private final Map<Option, List<String>> options = new LinkedHashMap<>();
        private final List<String> operands = new ArrayList<>();
        private Optional<Integer> separated = Optional.empty();

        void option(Option option, String value) {
            options.computeIfAbsent(option, ignored -> new ArrayList<>()).add(value);
        }

        void operand(String operand) {
            operands.add(operand);
        }

        void separator() {
            separated = Optional.of(operands.size());
        }

        Arguments build() {
            return new Arguments(options, operands, separated);
        }
    }
}
