package reprise.syscall;

import static reprise.syscall.Argument.countedTail;
import static reprise.syscall.Argument.inOut;
import static reprise.syscall.Argument.inOutBytes;
import static reprise.syscall.Argument.outBytes;
import static reprise.syscall.Argument.shaped;
import static reprise.syscall.Command.mayBlock;
import static reprise.syscall.Command.prompt;
import static reprise.syscall.Command.unsupported;

import java.util.ArrayList;
import java.util.List;
import reprise.syscall.Argument.Kind;
import reprise.syscall.Argument.Shape;

/**
 * The ioctl commands whose number does not say, or says wrongly, what they write; and others, for their names and
 * because they never block. What is not here goes by {@link IoctlEncoding}.
 */
final class IoctlCommands {
    private final List<Command> commands = new ArrayList<>(320);

    private IoctlCommands() {}

    static CommandTable table() {
        IoctlCommands all = new IoctlCommands();
        all.terminals();
        all.descriptors();
        all.sockets();
        all.interfaces();
        all.files();
        all.blockDevices();
        all.consoles();
        all.others();
        return CommandTable.by(1, all.commands.toArray(new Command[0]));
    }

    /** Writes nothing, never blocks. */
    private void plain(String name, long value) {
        commands.add(prompt(name, value));
    }

    /** Writes nothing, may block. */
    private void waits(String name, long value) {
        commands.add(mayBlock(name, value));
    }

    /** Writes a structure, never blocks. */
    private void get(String name, long value, Struct struct) {
        commands.add(prompt(name, value, Argument.out("argp", struct).at(2)));
    }

    /** Writes a number of bytes, never blocks. */
    private void get(String name, long value, int bytes) {
        commands.add(prompt(name, value, outBytes("argp", bytes).at(2)));
    }

    /** Reads and writes a structure, never blocks. */
    private void exchange(String name, long value, Struct struct) {
        commands.add(prompt(name, value, inOut("argp", struct).at(2)));
    }

    private void terminals() {
        get("TCGETS", 0x5401, Struct.TERMIOS);
        plain("TCSETS", 0x5402);
        waits("TCSETSW", 0x5403);
        waits("TCSETSF", 0x5404);
        get("TCGETA", 0x5405, Struct.TERMIO);
        plain("TCSETA", 0x5406);
        waits("TCSETAW", 0x5407);
        waits("TCSETAF", 0x5408);
        waits("TCSBRK", 0x5409);
        plain("TCXONC", 0x540a);
        plain("TCFLSH", 0x540b);
        plain("TIOCEXCL", 0x540c);
        plain("TIOCNXCL", 0x540d);
        plain("TIOCSCTTY", 0x540e);
        get("TIOCGPGRP", 0x540f, Struct.INT);
        plain("TIOCSPGRP", 0x5410);
        get("TIOCOUTQ", 0x5411, Struct.INT);
        plain("TIOCSTI", 0x5412);
        get("TIOCGWINSZ", 0x5413, Struct.WINSIZE);
        plain("TIOCSWINSZ", 0x5414);
        get("TIOCMGET", 0x5415, Struct.INT);
        plain("TIOCMBIS", 0x5416);
        plain("TIOCMBIC", 0x5417);
        plain("TIOCMSET", 0x5418);
        get("TIOCGSOFTCAR", 0x5419, Struct.INT);
        plain("TIOCSSOFTCAR", 0x541a);
        get("FIONREAD", 0x541b, Struct.INT);
        exchange("TIOCLINUX", 0x541c, Struct.BYTE);
        plain("TIOCCONS", 0x541d);
        get("TIOCGSERIAL", 0x541e, Struct.SERIAL);
        plain("TIOCSSERIAL", 0x541f);
        plain("TIOCPKT", 0x5420);
        plain("TIOCNOTTY", 0x5422);
        plain("TIOCSETD", 0x5423);
        get("TIOCGETD", 0x5424, Struct.INT);
        waits("TCSBRKP", 0x5425);
        plain("TIOCSBRK", 0x5427);
        plain("TIOCCBRK", 0x5428);
        get("TIOCGSID", 0x5429, Struct.INT);
        get("TCGETS2", 0x802c542aL, Struct.TERMIOS2);
        plain("TCSETS2", 0x402c542bL);
        waits("TCSETSW2", 0x402c542cL);
        waits("TCSETSF2", 0x402c542dL);
        get("TIOCGRS485", 0x542e, Struct.SERIAL_RS485);
        exchange("TIOCSRS485", 0x542f, Struct.SERIAL_RS485);
        get("TIOCGPTN", 0x80045430L, Struct.INT);
        plain("TIOCSPTLCK", 0x40045431L);
        get("TIOCGDEV", 0x80045432L, Struct.INT);
        plain("TIOCSIG", 0x40045436L);
        plain("TIOCVHANGUP", 0x5437);
        get("TIOCGPKT", 0x80045438L, Struct.INT);
        get("TIOCGPTLCK", 0x80045439L, Struct.INT);
        get("TIOCGEXCL", 0x80045440L, Struct.INT);
        plain("TIOCGPTPEER", 0x5441);
        get("TIOCGLCKTRMIOS", 0x5456, Struct.TERMIOS);
        plain("TIOCSLCKTRMIOS", 0x5457);
        get("TIOCSERGETLSR", 0x5459, Struct.INT);
        waits("TIOCMIWAIT", 0x545c);
        get("TIOCGICOUNT", 0x545d, Struct.SERIAL_ICOUNTER);
    }

    private void descriptors() {
        plain("FIONBIO", 0x5421);
        plain("FIONCLEX", 0x5450);
        plain("FIOCLEX", 0x5451);
        plain("FIOASYNC", 0x5452);
        get("FIOQSIZE", 0x5460, Struct.LOFF);
        plain("FIOSETOWN", 0x8901);
        get("FIOGETOWN", 0x8903, Struct.INT);
        commands.add(prompt(
                "PAGEMAP_SCAN",
                0xc0606610L,
                shaped("argp", Kind.IN_OUT, Shape.PAGE_SCAN, -1, 0).at(2)));
        commands.add(prompt(
                "PROCMAP_QUERY",
                0xc0686611L,
                shaped("argp", Kind.IN_OUT, Shape.MAPPING_QUERY, -1, 0).at(2)));
        plain("NS_GET_USERNS", 0xb701);
        plain("NS_GET_PARENT", 0xb702);
        plain("NS_GET_NSTYPE", 0xb703);
        get("NS_GET_OWNER_UID", 0xb704, Struct.INT);
        for (int i = 1; i <= 10; i++) {
            plain("PIDFD_GET_NAMESPACE_" + i, 0xff00 + i);
        }
        plain("PERF_EVENT_IOC_ENABLE", 0x2400);
        plain("PERF_EVENT_IOC_DISABLE", 0x2401);
        plain("PERF_EVENT_IOC_RESET", 0x2403);
        get("RNDGETENTCNT", 0x80045200L, Struct.INT);
        plain("RNDZAPENTCNT", 0x5204);
        plain("RNDCLEARPOOL", 0x5206);
        plain("RNDRESEEDCRNG", 0x5207);
    }

    private void sockets() {
        plain("SIOCSPGRP", 0x8902);
        get("SIOCGPGRP", 0x8904, Struct.INT);
        get("SIOCATMARK", 0x8905, Struct.INT);
        get("SIOCGSTAMP", 0x8906, Struct.TIMEVAL);
        get("SIOCGSTAMPNS", 0x8907, Struct.TIMESPEC);
        plain("SIOCADDRT", 0x890b);
        plain("SIOCDELRT", 0x890c);
        get("SIOCOUTQNSD", 0x894b, Struct.INT);
        plain("SIOCGSKNS", 0x894c);
        plain("SIOCDARP", 0x8953);
        exchange("SIOCGARP", 0x8954, Struct.ARPREQ);
        plain("SIOCSARP", 0x8955);
        plain("SIOCUNIXFILE", 0x89e0);
    }

    private void interfaces() {
        commands.add(prompt(
                "SIOCGIFCONF",
                0x8912,
                shaped("argp", Kind.IN_OUT, Shape.INTERFACE_LIST, -1, 0).at(2)));
        commands.add(prompt(
                "SIOCETHTOOL",
                0x8946,
                shaped("argp", Kind.IN_OUT, Shape.ETHTOOL, -1, 0).at(2)));
        int timestamping = Struct.HWTSTAMP_CONFIG.size();
        commands.add(prompt(
                "SIOCSHWTSTAMP",
                0x89b0,
                shaped("argp", Kind.IN_OUT, Shape.INTERFACE_DATA, -1, timestamping)
                        .at(2)));
        commands.add(prompt(
                "SIOCGHWTSTAMP",
                0x89b1,
                shaped("argp", Kind.IN_OUT, Shape.INTERFACE_DATA, -1, timestamping)
                        .at(2)));
        exchange("SIOCGIFNAME", 0x8910, Struct.IFREQ);
        exchange("SIOCGIFFLAGS", 0x8913, Struct.IFREQ);
        exchange("SIOCGIFADDR", 0x8915, Struct.IFREQ);
        exchange("SIOCGIFDSTADDR", 0x8917, Struct.IFREQ);
        exchange("SIOCGIFBRDADDR", 0x8919, Struct.IFREQ);
        exchange("SIOCGIFNETMASK", 0x891b, Struct.IFREQ);
        exchange("SIOCGIFMETRIC", 0x891d, Struct.IFREQ);
        exchange("SIOCGIFMEM", 0x891f, Struct.IFREQ);
        exchange("SIOCGIFMTU", 0x8921, Struct.IFREQ);
        exchange("SIOCGIFENCAP", 0x8925, Struct.IFREQ);
        exchange("SIOCGIFHWADDR", 0x8927, Struct.IFREQ);
        exchange("SIOCGIFSLAVE", 0x8929, Struct.IFREQ);
        exchange("SIOCGIFINDEX", 0x8933, Struct.IFREQ);
        exchange("SIOCGIFPFLAGS", 0x8935, Struct.IFREQ);
        exchange("SIOCGIFCOUNT", 0x8938, Struct.IFREQ);
        exchange("SIOCGIFTXQLEN", 0x8942, Struct.IFREQ);
        exchange("SIOCGMIIPHY", 0x8947, Struct.IFREQ);
        exchange("SIOCGMIIREG", 0x8948, Struct.IFREQ);
        exchange("SIOCGIFMAP", 0x8970, Struct.IFREQ);
        exchange("SIOCGIWNAME", 0x8b01, Struct.IFREQ);
        exchange("TUNSETIFF", 0x400454caL, Struct.IFREQ);
        exchange("TUNGETIFF", 0x800454d2L, Struct.IFREQ);
        plain("SIOCSIFNAME", 0x8923);
        plain("SIOCSIFFLAGS", 0x8914);
        plain("SIOCSIFADDR", 0x8916);
        plain("SIOCSIFDSTADDR", 0x8918);
        plain("SIOCSIFBRDADDR", 0x891a);
        plain("SIOCSIFNETMASK", 0x891c);
        plain("SIOCSIFMETRIC", 0x891e);
        plain("SIOCSIFMTU", 0x8922);
        plain("SIOCSIFHWADDR", 0x8924);
        plain("SIOCADDMULTI", 0x8931);
        plain("SIOCDELMULTI", 0x8932);
        plain("SIOCDIFADDR", 0x8936);
        plain("SIOCSIFTXQLEN", 0x8943);
        plain("SIOCBRADDBR", 0x89a0);
        plain("SIOCBRDELBR", 0x89a1);
        plain("SIOCBRADDIF", 0x89a2);
        plain("SIOCBRDELIF", 0x89a3);
    }

    private void files() {
        // The kernel writes an int, whatever the number says.
        get("FS_IOC_GETFLAGS", 0x80086601L, Struct.INT);
        plain("FS_IOC_SETFLAGS", 0x40086602L);
        get("FS_IOC_GETVERSION", 0x80087601L, Struct.INT);
        plain("FS_IOC_SETVERSION", 0x40087602L);
        get("FS_IOC_FSGETXATTR", 0x801c581fL, Struct.FSXATTR);
        plain("FS_IOC_FSSETXATTR", 0x401c5820L);
        commands.add(prompt(
                "FS_IOC_FIEMAP",
                0xc020660bL,
                countedTail("argp", Struct.FIEMAP, 24, Struct.FIEMAP_EXTENT.size())
                        .at(2)));
        commands.add(mayBlock("FICLONE", 0x40049409L));
        commands.add(mayBlock("FICLONERANGE", 0x4020940dL));
        commands.add(mayBlock(
                "FIDEDUPERANGE",
                0xc0189436L,
                countedTail("argp", Struct.FILE_DEDUPE, 16 | Argument.SHORT_COUNT, Struct.FILE_DEDUPE_INFO.size())
                        .at(2)));
        commands.add(mayBlock(
                "FITRIM", 0xc0185879L, inOut("argp", Struct.FSTRIM_RANGE).at(2)));
        waits("FIFREEZE", 0xc0045877L);
        plain("FITHAW", 0xc0045878L);
        exchange("FIBMAP", 0x1, Struct.INT);
        get("FIGETBSZ", 0x2, Struct.INT);
        commands.add(prompt(
                "FS_IOC_MEASURE_VERITY", 0xc0046686L, inOutBytes("argp", 4 + 64).at(2)));
    }

    private void blockDevices() {
        get("HDIO_GETGEO", 0x301, Struct.HD_GEOMETRY);
        get("HDIO_GET_IDENTITY", 0x30d, 512);
        plain("BLKROSET", 0x125d);
        get("BLKROGET", 0x125e, Struct.INT);
        waits("BLKRRPART", 0x125f);
        get("BLKGETSIZE", 0x1260, Struct.LONG);
        waits("BLKFLSBUF", 0x1261);
        plain("BLKRASET", 0x1262);
        get("BLKRAGET", 0x1263, Struct.LONG);
        plain("BLKFRASET", 0x1264);
        get("BLKFRAGET", 0x1265, Struct.LONG);
        get("BLKSECTGET", 0x1267, Struct.SHORT);
        get("BLKSSZGET", 0x1268, Struct.INT);
        plain("BLKPG", 0x1269);
        get("BLKBSZGET", 0x80081270L, Struct.INT);
        plain("BLKBSZSET", 0x40081271L);
        get("BLKGETSIZE64", 0x80081272L, Struct.LONG);
        waits("BLKDISCARD", 0x1277);
        get("BLKIOMIN", 0x1278, Struct.INT);
        get("BLKIOOPT", 0x1279, Struct.INT);
        get("BLKALIGNOFF", 0x127a, Struct.INT);
        get("BLKPBSZGET", 0x127b, Struct.INT);
        get("BLKDISCARDZEROES", 0x127c, Struct.INT);
        waits("BLKSECDISCARD", 0x127d);
        get("BLKROTATIONAL", 0x127e, Struct.SHORT);
        waits("BLKZEROOUT", 0x127f);
        commands.add(unsupported("SG_IO", 0x2285, "its buffers are behind pointers"));
        commands.add(prompt("BLKREPORTZONE", 0xc0101282L, blockZones()));
        plain("LOOP_SET_FD", 0x4c00);
        plain("LOOP_CLR_FD", 0x4c01);
        plain("LOOP_SET_STATUS", 0x4c02);
        get("LOOP_GET_STATUS", 0x4c03, Struct.LOOP_INFO);
        plain("LOOP_SET_STATUS64", 0x4c04);
        get("LOOP_GET_STATUS64", 0x4c05, Struct.LOOP_INFO64);
        plain("LOOP_CHANGE_FD", 0x4c06);
        plain("LOOP_SET_CAPACITY", 0x4c07);
        plain("LOOP_SET_DIRECT_IO", 0x4c08);
        plain("LOOP_SET_BLOCK_SIZE", 0x4c09);
        plain("LOOP_CONFIGURE", 0x4c0a);
        plain("LOOP_CTL_ADD", 0x4c80);
        plain("LOOP_CTL_REMOVE", 0x4c81);
        plain("LOOP_CTL_GET_FREE", 0x4c82);
    }

    /** A header of 16 bytes with the count at 8, then zones of 64 bytes. */
    private static Argument blockZones() {
        return countedTail("argp", Struct.TIMESPEC, 8, 64).at(2);
    }

    private void consoles() {
        plain("KIOCSOUND", 0x4b2f);
        plain("KDMKTONE", 0x4b30);
        get("KDGETLED", 0x4b31, Struct.BYTE);
        plain("KDSETLED", 0x4b32);
        get("KDGKBTYPE", 0x4b33, Struct.BYTE);
        plain("KDSETMODE", 0x4b3a);
        get("KDGETMODE", 0x4b3b, Struct.INT);
        get("GIO_SCRNMAP", 0x4b40, 256);
        get("KDGKBMODE", 0x4b44, Struct.INT);
        plain("KDSKBMODE", 0x4b45);
        exchange("KDGKBENT", 0x4b46, Struct.KBENTRY);
        plain("KDSKBENT", 0x4b47);
        exchange("KDGKBSENT", 0x4b48, Struct.KBSENTRY);
        plain("KDSKBSENT", 0x4b49);
        get("KDGKBDIACR", 0x4b4a, Struct.KBDIACRS);
        exchange("KDGETKEYCODE", 0x4b4c, Struct.INT_PAIR);
        plain("KDSIGACCEPT", 0x4b4e);
        exchange("KDKBDREP", 0x4b52, Struct.INT_PAIR);
        get("KDGKBMETA", 0x4b62, Struct.INT);
        plain("KDSKBMETA", 0x4b63);
        get("KDGKBLED", 0x4b64, Struct.BYTE);
        plain("KDSKBLED", 0x4b65);
        get("GIO_UNISCRNMAP", 0x4b69, 512);
        get("GIO_CMAP", 0x4b70, 48);
        get("KDGKBDIACRUC", 0x4bfa, Struct.KBDIACRSUC);
        final String font = "fonts are behind pointers";
        commands.add(unsupported("GIO_FONT", 0x4b60, font));
        commands.add(unsupported("GIO_FONTX", 0x4b6b, font));
        commands.add(unsupported("GIO_UNIMAP", 0x4b66, font));
        commands.add(unsupported("KDFONTOP", 0x4b72, font));
        get("VT_OPENQRY", 0x5600, Struct.INT);
        get("VT_GETMODE", 0x5601, Struct.VT_MODE);
        plain("VT_SETMODE", 0x5602);
        get("VT_GETSTATE", 0x5603, Struct.VT_STAT);
        plain("VT_SENDSIG", 0x5604);
        plain("VT_RELDISP", 0x5605);
        plain("VT_ACTIVATE", 0x5606);
        waits("VT_WAITACTIVE", 0x5607);
        plain("VT_DISALLOCATE", 0x5608);
        plain("VT_RESIZE", 0x5609);
        plain("VT_RESIZEX", 0x560a);
        plain("VT_LOCKSWITCH", 0x560b);
        plain("VT_UNLOCKSWITCH", 0x560c);
        get("VT_GETHIFONTMASK", 0x560d, Struct.SHORT);
        commands.add(mayBlock("VT_WAITEVENT", 0x560e, inOutBytes("argp", 28).at(2)));
        plain("VT_SETACTIVATE", 0x560f);
    }

    private void others() {
        commands.add(unsupported("I2C_RDWR", 0x707, "its buffers are behind pointers"));
        commands.add(unsupported("BTRFS_IOC_TREE_SEARCH_V2", 0xc0709411L, "its buffer follows the structure"));
        commands.add(unsupported("BTRFS_IOC_INO_PATHS", 0xc0389423L, "its buffer is behind a pointer"));
        commands.add(unsupported("BTRFS_IOC_LOGICAL_INO", 0xc0389424L, "its buffer is behind a pointer"));
        commands.add(unsupported("FS_IOC_READ_VERITY_METADATA", 0xc0286687L, "its buffer is behind a pointer"));
    }
}
