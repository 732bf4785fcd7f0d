package reprise.debug;

/** Hexadecimal digits as the protocol uses them: lower case when written, any case when read. */
final class Hex {
    private static final byte[] DIGITS = "0123456789abcdef".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    private Hex() {}

    /** The value of a digit; -1 if it is none. */
    static int digit(int character) {
        if (character >= '0' && character <= '9') {
            return character - '0';
        }
        if (character >= 'a' && character <= 'f') {
            return character - 'a' + 10;
        }
        return character >= 'A' && character <= 'F' ? character - 'A' + 10 : -1;
    }

    /** The digit for a value in 0 to 15. */
    static byte of(int value) {
        return DIGITS[value & 0xf];
    }
}
