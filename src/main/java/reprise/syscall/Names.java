package reprise.syscall;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A {@link Vocabulary}, taken apart for printing. */
final class Names {
    private static final Names[] KNOWN = new Names[Vocabulary.values().length];

    private record Name(String text, long value, long mask) {}

    private final List<Name> names = new ArrayList<>();

    private Names(String text) {
        long next = 0;
        long mask = 0;
        for (String word : text.split(" ")) {
            int equals = word.indexOf('=');
            if (word.startsWith("/")) {
                mask = Long.decode(word.substring(1));
            } else if (equals < 0) {
                names.add(new Name(word, next++, mask));
            } else {
                long value = Long.decode(word.substring(equals + 1));
                names.add(new Name(word.substring(0, equals), value, mask));
                next = value + 1;
            }
        }
    }

    static Names of(Vocabulary vocabulary) {
        Names known = KNOWN[vocabulary.ordinal()];
        if (known == null) {
            known = new Names(vocabulary.text());
            KNOWN[vocabulary.ordinal()] = known;
        }
        return known;
    }

    /** All of them, for the test that compares them with the kernel's headers. */
    Map<String, Long> all() {
        Map<String, Long> all = new TreeMap<>();
        for (Name name : names) {
            all.put(name.text, name.value);
        }
        return all;
    }

    /** The name of a 32-bit value, or its number. */
    String value(long value) {
        int wanted = (int) value;
        for (Name name : names) {
            if ((int) name.value == wanted) {
                return name.text;
            }
        }
        return Integer.toString(wanted);
    }

    /** The names of the bits set, joined by {@code |}, and those that have no name as a hexadecimal number. */
    String flags(long value) {
        StringBuilder text = new StringBuilder();
        long rest = value;
        for (Name name : names) {
            boolean matches;
            if (name.mask != 0) {
                matches = (value & name.mask) == name.value;
            } else {
                matches = name.value == 0 ? value == 0 : (rest & name.value) == name.value;
            }
            if (matches) {
                text.append(text.isEmpty() ? "" : "|").append(name.text);
                rest &= ~(name.mask != 0 ? name.mask : name.value);
            }
        }
        if (rest != 0 || text.isEmpty()) {
            text.append(text.isEmpty() ? "" : "|");
            text.append(rest == 0 ? "0" : "0x" + Long.toHexString(rest));
        }
        return text.toString();
    }
}
