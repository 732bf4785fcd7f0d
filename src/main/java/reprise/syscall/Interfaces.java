package reprise.syscall;

import reprise.syscall.OutputPlan.Extent;
import reprise.syscall.OutputPlan.When;
import reprise.tracee.MemoryReader;

/** The ioctls of network interfaces that lead to memory behind a pointer in their structure. */
final class Interfaces {
    /** Offset of the data pointer in an ifreq, behind the interface's name. */
    private static final int IFR_DATA = 16;

    /** Most that is taken for a command whose structure ends in an array; what is mapped of it. */
    private static final int VARIABLE = 4096;

    /** Sizes of the ethtool structures by command. 0: varies, or not known. */
    private static final short[] ETHTOOL_SIZES = new short[0x60];

    static {
        short[] sizes = ETHTOOL_SIZES;
        sizes[0x01] = 44; // GSET
        sizes[0x03] = 196; // GDRVINFO
        sizes[0x05] = 20; // GWOL
        sizes[0x07] = 8; // GMSGLVL
        sizes[0x0a] = 8; // GLINK
        sizes[0x0e] = 92; // GCOALESCE
        sizes[0x10] = 36; // GRINGPARAM
        sizes[0x12] = 16; // GPAUSEPARAM
        sizes[0x14] = 8; // GRXCSUM
        sizes[0x16] = 8; // GTXCSUM
        sizes[0x18] = 8; // GSG
        sizes[0x1e] = 8; // GTSO
        sizes[0x20] = 40; // GPERMADDR, with a MAX_ADDR_LEN of 32
        sizes[0x21] = 8; // GUFO
        sizes[0x23] = 8; // GGSO
        sizes[0x25] = 8; // GFLAGS
        sizes[0x27] = 8; // GPFLAGS
        sizes[0x2b] = 8; // GGRO
        sizes[0x3c] = 36; // GCHANNELS
        sizes[0x41] = 44; // GET_TS_INFO
        sizes[0x42] = 44; // GMODULEINFO
        sizes[0x44] = 40; // GEEE
    }

    private Interfaces() {}

    /** SIOCGIFCONF: a length and a pointer to an array of ifreq. */
    static void addList(Argument output, CallView call, long address, OutputPlan plan) {
        if (address == 0) {
            return;
        }
        int region = plan.add(
                OutputPlan.IN_REGISTER,
                output.position,
                address,
                Struct.IFCONF.size(),
                Extent.CAPACITY,
                0,
                When.SUCCESS,
                true);
        MemoryReader memory = call.memory();
        long list = memory.readWord(address + 8);
        long capacity = (int) memory.readInt(address);
        plan.add(region, 8, list, capacity, Extent.LENGTH_WORD, OutputPlan.lengthWord(region, 0), When.SUCCESS, false);
    }

    /** An ifreq whose data pointer leads to {@code length} bytes. */
    static void addData(Argument output, CallView call, long address, int length, OutputPlan plan) {
        if (address == 0) {
            return;
        }
        int region = addRequest(output, address, plan);
        long data = call.memory().readWord(address + IFR_DATA);
        plan.add(region, IFR_DATA, data, length, Extent.CAPACITY, 0, When.SUCCESS, true);
    }

    /** SIOCETHTOOL: the structure that the data pointer leads to begins with the command. */
    static void addEthtool(Argument output, CallView call, long address, OutputPlan plan) {
        if (address == 0) {
            return;
        }
        int region = addRequest(output, address, plan);
        long data = call.memory().readWord(address + IFR_DATA);
        if (data == 0) {
            return;
        }
        long command = call.memory().readInt(data);
        int known = command < ETHTOOL_SIZES.length ? ETHTOOL_SIZES[(int) command] : 0;
        long capacity = known == 0 ? call.memory().read(data, plan.headers(), VARIABLE) : known;
        plan.add(region, IFR_DATA, data, capacity, Extent.CAPACITY, 0, When.SUCCESS, true);
    }

    private static int addRequest(Argument output, long address, OutputPlan plan) {
        return plan.add(
                OutputPlan.IN_REGISTER,
                output.position,
                address,
                Struct.IFREQ.size(),
                Extent.CAPACITY,
                0,
                When.SUCCESS,
                true);
    }
}
