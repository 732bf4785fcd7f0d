package reprise.debug;

/**
 * The XML that tells the client which registers there are, in the order of {@link RegisterLayout}.
 *
 * <p>The top document includes one for each feature, because Delve looks for registers only in included ones.
 */
final class TargetDescription {
    static final String TOP = "target.xml";

    private static final String HEAD = "<?xml version=\"1.0\"?>\n";
    private static final String VECTOR_TYPES = """
              <vector id="v8bf16" type="bfloat16" count="8"/>
              <vector id="v8h" type="ieee_half" count="8"/>
              <vector id="v4f" type="ieee_single" count="4"/>
              <vector id="v2d" type="ieee_double" count="2"/>
              <vector id="v16i8" type="int8" count="16"/>
              <vector id="v8i16" type="int16" count="8"/>
              <vector id="v4i32" type="int32" count="4"/>
              <vector id="v2i64" type="int64" count="2"/>
              <union id="vec128">
                <field name="v8_bfloat16" type="v8bf16"/>
                <field name="v8_half" type="v8h"/>
                <field name="v4_float" type="v4f"/>
                <field name="v2_double" type="v2d"/>
                <field name="v16_int8" type="v16i8"/>
                <field name="v8_int16" type="v8i16"/>
                <field name="v4_int32" type="v4i32"/>
                <field name="v2_int64" type="v2i64"/>
                <field name="uint128" type="uint128"/>
              </union>
            """;

    private final RegisterLayout layout;

    TargetDescription(RegisterLayout layout) {
        this.layout = layout;
    }

    /** A document; null if there is none of that name. */
    String document(String name) {
        return switch (name) {
            case TOP -> top();
            case "core.xml" -> core();
            case "sse.xml" -> sse();
            case "linux.xml" -> feature("linux", "", register("orig_rax", 64, "int"));
            case "segments.xml" ->
                feature("segments", "", register("fs_base", 64, "int") + register("gs_base", 64, "int"));
            case "avx.xml" -> layout.hasAvx() ? feature("avx", "", array("ymm%dh", 0, 16, 128, "uint128")) : null;
            case "avx512.xml" -> layout.hasAvx512() ? avx512() : null;
            case "pkeys.xml" ->
                layout.hasProtectionKeys() ? feature("pkeys", "", register("pkru", 32, "uint32")) : null;
            default -> null;
        };
    }

    private String top() {
        StringBuilder xml = new StringBuilder(HEAD).append("<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target>\n");
        xml.append("  <architecture>i386:x86-64</architecture>\n  <osabi>GNU/Linux</osabi>\n");
        for (String part : new String[] {"core", "sse", "linux", "segments", "avx", "avx512", "pkeys"}) {
            if (document(part + ".xml") != null) {
                xml.append("  <xi:include href=\"").append(part).append(".xml\"/>\n");
            }
        }
        return xml.append("</target>\n").toString();
    }

    private static String feature(String name, String types, String registers) {
        return HEAD + "<!DOCTYPE feature SYSTEM \"gdb-target.dtd\">\n<feature name=\"org.gnu.gdb.i386." + name + "\">\n"
                + types + registers + "</feature>\n";
    }

    private static String register(String name, int bits, String type) {
        return "  <reg name=\"" + name + "\" bitsize=\"" + bits + "\" type=\"" + type + "\"/>\n";
    }

    private static String grouped(String name, String type, String group) {
        return "  <reg name=\"" + name + "\" bitsize=\"32\" type=\"" + type + "\" group=\"" + group + "\"/>\n";
    }

    private static String array(String pattern, int from, int to, int bits, String type) {
        StringBuilder xml = new StringBuilder();
        for (int i = from; i < to; i++) {
            xml.append(register(String.format(pattern, i), bits, type));
        }
        return xml.toString();
    }

    private static String flags(String id, String... fields) {
        StringBuilder xml = new StringBuilder("  <flags id=\"").append(id).append("\" size=\"4\">\n");
        for (String field : fields) {
            String[] parts = field.split(" ");
            xml.append("    <field name=\"").append(parts[0]);
            xml.append("\" start=\"").append(parts[1]).append("\" end=\"").append(parts[1]);
            xml.append("\"/>\n");
        }
        return xml.append("  </flags>\n").toString();
    }

    private String core() {
        StringBuilder registers = new StringBuilder();
        for (String name : "rax rbx rcx rdx rsi rdi".split(" ")) {
            registers.append(register(name, 64, "int64"));
        }
        registers.append(register("rbp", 64, "data_ptr")).append(register("rsp", 64, "data_ptr"));
        registers.append(array("r%d", 8, 16, 64, "int64"));
        registers.append(register("rip", 64, "code_ptr")).append(register("eflags", 32, "i386_eflags"));
        for (String name : "cs ss ds es fs gs".split(" ")) {
            registers.append(register(name, 32, "int32"));
        }
        registers.append(array("st%d", 0, 8, 80, "i387_ext"));
        for (String name : "fctrl fstat ftag fiseg fioff foseg fooff fop".split(" ")) {
            registers.append(grouped(name, "int", "float"));
        }
        String types = flags(
                "i386_eflags",
                "CF 0",
                "PF 2",
                "AF 4",
                "ZF 6",
                "SF 7",
                "TF 8",
                "IF 9",
                "DF 10",
                "OF 11",
                "NT 14",
                "RF 16",
                "VM 17",
                "AC 18",
                "VIF 19",
                "VIP 20",
                "ID 21");
        return feature("core", types, registers.toString());
    }

    private String sse() {
        String types = VECTOR_TYPES
                + flags(
                        "i386_mxcsr",
                        "IE 0",
                        "DE 1",
                        "ZE 2",
                        "OE 3",
                        "UE 4",
                        "PE 5",
                        "DAZ 6",
                        "IM 7",
                        "DM 8",
                        "ZM 9",
                        "OM 10",
                        "UM 11",
                        "PM 12",
                        "FZ 15");
        return feature("sse", types, array("xmm%d", 0, 16, 128, "vec128") + grouped("mxcsr", "i386_mxcsr", "vector"));
    }

    private String avx512() {
        String registers = array("xmm%d", 16, 32, 128, "vec128")
                + array("ymm%dh", 16, 32, 128, "uint128")
                + array("k%d", 0, 8, 64, "uint64")
                + array("zmm%dh", 0, 16, 256, "v2ui128")
                + array("zmm%dh", 16, 32, 256, "v2ui128");
        String types = VECTOR_TYPES + "  <vector id=\"v2ui128\" type=\"uint128\" count=\"2\"/>\n";
        return feature("avx512", types, registers);
    }
}
