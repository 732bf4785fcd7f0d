package reprise.syscall;

import reprise.syscall.OutputPlan.When;

/**
 * One argument of a system call, as declared in the table.
 *
 * <p>Built by the static methods below, which are meant to be read in a declaration:
 * {@code mayBlock(READ, "read", fd("fd"), buffer("buf", 2), size("count"))}. An argument that points to memory
 * which the kernel writes carries the rule for how much.
 */
public final class Argument {
    /** How a value is to be read. */
    public enum Kind {
        INT,
        UNSIGNED,
        LONG,
        HEX,
        OCTAL,
        FD,
        SIZE,
        OFFSET,
        SIGNAL,
        /** One of the values of a {@link Vocabulary}. */
        VALUE,
        /** Some of the bits of a {@link Vocabulary}. */
        FLAGS,
        /** An address that the kernel does not look at through the pointer (mmap, brk). */
        ADDRESS,
        /** Pointer to a path. */
        PATH,
        /** Pointer to another zero-terminated string. */
        STRING,
        /** Pointer to memory that the kernel reads. */
        IN,
        /** Pointer to memory that the kernel writes. */
        OUT,
        /** Pointer to memory that the kernel reads and writes. */
        IN_OUT
    }

    /** What is at the end of an output pointer. */
    enum Shape {
        /** No output. */
        NONE,
        /** One region of {@link Argument#constant} bytes. */
        FIXED_SIZE,
        /** One region, its capacity another argument times {@link Argument#constant}. */
        SIZE_ARGUMENT,
        /** A message of System V: a word for its type, then as many bytes as another argument says. */
        TYPED_MESSAGE,
        /** A bit set of as many descriptors as another argument says, in whole words. */
        FD_SET,
        /** A byte for each page of the range whose length is another argument. */
        PAGE_BYTES,
        /** A set of one bit less than another argument says, in whole words. */
        NODE_SET,
        /** A structure that says at byte 0 how much of it was written; capacity is another argument. */
        SELF_SIZED,
        /** A socket address; another argument points to the word with its length. Both only if this is not null. */
        SOCKET_ADDRESS,
        /** As the socket address, but the length is written even if this is null. */
        LENGTH_POINTER,
        /** An iovec array; another argument is the count. */
        IOVECS,
        /** As {@link #IOVECS} where the kernel may only read the memory. */
        IOVECS_PARTLY,
        /** A msghdr. */
        MESSAGE,
        /** An array of mmsghdr that are received. */
        MESSAGES,
        /** An array of mmsghdr that are sent: their lengths are written. */
        SENT_MESSAGES,
        /** A header, then elements of {@link Argument#constant} bytes, as many as a field of the header says. */
        COUNTED_TAIL,
        /** The data of capget: one or two elements, as the version in the header says. */
        CAPABILITIES,
        /** The array of an ifconf. */
        INTERFACE_LIST,
        /** At most {@link Argument#constant} bytes; how many cannot be told, so all of them that are mapped. */
        READABLE,
        /** An ifreq whose data pointer leads to an ethtool command. */
        ETHTOOL,
        /** An ifreq whose data pointer leads to {@link Argument#constant} bytes. */
        INTERFACE_DATA,
        /** The output buffer of a key operation; its capacity is in the parameters that argument 1 points to. */
        KEY_OUTPUT,
        /** A value behind the pointer in a xattr_args. */
        ATTRIBUTE_VALUE,
        /** A pm_scan_arg, which points to an array of page_region. */
        PAGE_SCAN,
        /** A procmap_query, which points to a name and a build id. */
        MAPPING_QUERY,
    }

    /** Marks a {@link #countOffset} of a 16-bit count. */
    static final int SHORT_COUNT = 1 << 16;

    private final String name;
    private final Kind kind;
    Vocabulary vocabulary;
    Struct struct;
    Shape shape = Shape.NONE;
    int position = -1;
    int constant;
    int sizeArgument = -1;
    Kind sizeKind = Kind.SIZE;
    int countOffset;
    OutputPlan.Extent extent = OutputPlan.Extent.CAPACITY;
    When when = When.SUCCESS;
    int minimumResult;
    boolean input;
    int inputArgument = -1;
    long inputMask;
    boolean fixed;

    private Argument(String name, Kind kind) {
        this.name = name;
        this.kind = kind;
        this.input = kind == Kind.IN_OUT;
    }

    /** Its name in the manual page. */
    public String name() {
        return name;
    }

    /** How to read its value. */
    public Kind kind() {
        return kind;
    }

    /** Names for its values or bits, or null. */
    public Vocabulary vocabulary() {
        return vocabulary;
    }

    /** What it points to, or null where that is not one of the known structures. */
    public Struct struct() {
        return struct;
    }

    /** Whether the kernel may write memory through it. */
    public boolean isOutput() {
        return shape != Shape.NONE;
    }

    static Argument integer(String name) {
        return new Argument(name, Kind.INT);
    }

    static Argument unsigned(String name) {
        return new Argument(name, Kind.UNSIGNED);
    }

    static Argument number(String name) {
        return new Argument(name, Kind.LONG);
    }

    static Argument hex(String name) {
        return new Argument(name, Kind.HEX);
    }

    static Argument mode(String name) {
        return new Argument(name, Kind.OCTAL);
    }

    static Argument fd(String name) {
        return new Argument(name, Kind.FD);
    }

    static Argument size(String name) {
        return new Argument(name, Kind.SIZE);
    }

    static Argument offset(String name) {
        return new Argument(name, Kind.OFFSET);
    }

    static Argument signal(String name) {
        return new Argument(name, Kind.SIGNAL);
    }

    static Argument address(String name) {
        return new Argument(name, Kind.ADDRESS);
    }

    static Argument path(String name) {
        return new Argument(name, Kind.PATH);
    }

    static Argument string(String name) {
        return new Argument(name, Kind.STRING);
    }

    static Argument value(String name, Vocabulary vocabulary) {
        Argument argument = new Argument(name, Kind.VALUE);
        argument.vocabulary = vocabulary;
        return argument;
    }

    static Argument flags(String name, Vocabulary vocabulary) {
        Argument argument = new Argument(name, Kind.FLAGS);
        argument.vocabulary = vocabulary;
        return argument;
    }

    /** Memory that the kernel only reads. */
    static Argument in(String name) {
        return new Argument(name, Kind.IN);
    }

    /** A structure that the kernel writes as a whole. */
    static Argument out(String name, Struct struct) {
        return sized(new Argument(name, Kind.OUT), struct);
    }

    /** A structure that the kernel reads and writes. */
    static Argument inOut(String name, Struct struct) {
        return sized(new Argument(name, Kind.IN_OUT), struct);
    }

    private static Argument sized(Argument argument, Struct struct) {
        argument.struct = struct;
        argument.shape = Shape.FIXED_SIZE;
        argument.constant = struct.size();
        return argument;
    }

    /** {@code bytes} bytes that the kernel writes. */
    static Argument outBytes(String name, int bytes) {
        Argument argument = new Argument(name, Kind.OUT);
        argument.shape = Shape.FIXED_SIZE;
        argument.constant = bytes;
        return argument;
    }

    /** {@code bytes} bytes that the kernel reads and writes. */
    static Argument inOutBytes(String name, int bytes) {
        Argument argument = new Argument(name, Kind.IN_OUT);
        argument.shape = Shape.FIXED_SIZE;
        argument.constant = bytes;
        return argument;
    }

    /** A buffer of as many bytes as argument {@code size} says; the result is how many were written. */
    static Argument buffer(String name, int size) {
        Argument argument = filled(name, size);
        argument.extent = OutputPlan.Extent.RESULT;
        return argument;
    }

    /** A buffer of as many bytes as argument {@code size} says, written as a whole. */
    static Argument filled(String name, int size) {
        return by(new Argument(name, Kind.OUT), Shape.SIZE_ARGUMENT, size, 1);
    }

    /**
     * An array with room for as many elements as argument {@code count} says; the result is how many were written.
     */
    static Argument array(String name, Struct element, int count) {
        Argument argument = filledArray(name, element, count);
        argument.extent = OutputPlan.Extent.RESULT_TIMES;
        return argument;
    }

    /** An array of as many elements as argument {@code count} says, written as a whole. */
    static Argument filledArray(String name, Struct element, int count) {
        Argument argument = by(new Argument(name, Kind.OUT), Shape.SIZE_ARGUMENT, count, element.size());
        argument.struct = element;
        return argument;
    }

    /**
     * An output of another shape; {@code size} is the argument that says how large, {@code constant} what the shape
     * wants.
     */
    static Argument shaped(String name, Kind kind, Shape shape, int size, int constant) {
        return by(new Argument(name, kind), shape, size, constant);
    }

    /** A header and a counted array behind it, read and written. {@code countOffset}: of the count in the header. */
    static Argument countedTail(String name, Struct header, int countOffset, int elementSize) {
        Argument argument = by(new Argument(name, Kind.IN_OUT), Shape.COUNTED_TAIL, -1, elementSize);
        argument.struct = header;
        argument.countOffset = countOffset;
        return argument;
    }

    /**
     * The word with a length that another argument ({@link Shape#SOCKET_ADDRESS}, {@link Shape#LENGTH_POINTER})
     * points out.
     */
    static Argument lengthWord(String name) {
        Argument argument = new Argument(name, Kind.IN_OUT);
        argument.struct = Struct.INT;
        return argument;
    }

    private static Argument by(Argument argument, Shape shape, int size, int constant) {
        argument.shape = shape;
        argument.sizeArgument = size;
        argument.constant = constant;
        return argument;
    }

    /** Written whatever the result is. What was there before is kept where it is not. */
    Argument always() {
        when = When.ALWAYS;
        input = true;
        return this;
    }

    /** Written only if the result is greater than zero. */
    Argument ifPositive() {
        minimumResult = 1;
        input = true;
        return this;
    }

    /** The kernel may leave parts of it as they were. */
    Argument partly() {
        input = true;
        return this;
    }

    /** The kernel may leave parts of it as they were if another argument has one of some bits. */
    Argument partlyIf(int argument, long bits) {
        inputArgument = argument;
        inputMask = bits;
        return this;
    }

    /** As much of it is written as the result times {@link #constant}. */
    Argument times() {
        extent = OutputPlan.Extent.RESULT_TIMES;
        return this;
    }

    /** The address has a meaning of its own and must not be redirected (a futex word). */
    Argument inPlace() {
        fixed = true;
        return this;
    }

    /** The position of the argument, for an output of a {@link Command}. */
    Argument at(int index) {
        position = index;
        return this;
    }
}
