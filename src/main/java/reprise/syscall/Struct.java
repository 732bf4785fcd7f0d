package reprise.syscall;

/** What a pointer argument points to: the kernel's structures of x86-64 and their sizes. */
public enum Struct {
    BYTE("char", 1),
    SHORT("short", 2),
    INT("int", 4),
    LONG("long", 8),
    INT_PAIR("int[2]", 8),
    LOFF("loff_t", 8),
    TIMESPEC("struct timespec", 16),
    TIMEVAL("struct timeval", 16),
    TIMEZONE("struct timezone", 8),
    ITIMERSPEC("struct itimerspec", 32),
    ITIMERVAL("struct itimerval", 32),
    TMS("struct tms", 32),
    TIMEX("struct timex", 208),
    STAT("struct stat", 144),
    STATX("struct statx", 256),
    STATFS("struct statfs", 120),
    USTAT("struct ustat", 32),
    POLLFD("struct pollfd", 8),
    EPOLL_EVENT("struct epoll_event", 12),
    IOVEC("struct iovec", 16),
    MSGHDR("struct msghdr", 56),
    MMSGHDR("struct mmsghdr", 64),
    SIGINFO("siginfo_t", 128),
    SIGACTION("struct kernel_sigaction", 32),
    SIGSET("kernel_sigset_t", 8),
    STACK("stack_t", 24),
    RUSAGE("struct rusage", 144),
    RLIMIT("struct rlimit", 16),
    SYSINFO("struct sysinfo", 112),
    UTSNAME("struct utsname", 390),
    CAPABILITY_HEADER("struct __user_cap_header_struct", 8),
    CAPABILITY_DATA("struct __user_cap_data_struct", 12),
    FLOCK("struct flock", 32),
    F_OWNER_EX("struct f_owner_ex", 8),
    MQ_ATTR("struct mq_attr", 64),
    SHMID_DS("struct shmid_ds", 112),
    SHMINFO("struct shminfo", 72),
    SHM_INFO("struct shm_info", 48),
    SEMID_DS("struct semid_ds", 104),
    SEMINFO("struct seminfo", 40),
    MSQID_DS("struct msqid_ds", 120),
    MSGINFO("struct msginfo", 32),
    DQBLK("struct if_dqblk", 72),
    NEXTDQBLK("struct if_nextdqblk", 72),
    DQINFO("struct if_dqinfo", 24),
    XFS_DQBLK("struct fs_disk_quota", 112),
    XFS_QSTAT("struct fs_quota_stat", 80),
    XFS_QSTATV("struct fs_quota_statv", 160),
    FILE_HANDLE("struct file_handle", 8),
    SECCOMP_NOTIF_SIZES("struct seccomp_notif_sizes", 6),
    CACHESTAT("struct cachestat", 40),
    TERMIOS("struct kernel_termios", 36),
    TERMIOS2("struct kernel_termios2", 44),
    TERMIO("struct kernel_termio", 18),
    WINSIZE("struct winsize", 8),
    SERIAL("struct serial_struct", 72),
    SERIAL_ICOUNTER("struct serial_icounter_struct", 80),
    SERIAL_RS485("struct serial_rs485", 32),
    IFREQ("struct ifreq", 40),
    IFCONF("struct ifconf", 16),
    ARPREQ("struct arpreq", 68),
    RTENTRY("struct rtentry", 120),
    HWTSTAMP_CONFIG("struct hwtstamp_config", 12),
    LOOP_INFO("struct loop_info", 168),
    LOOP_INFO64("struct loop_info64", 232),
    VT_STAT("struct vt_stat", 6),
    VT_MODE("struct vt_mode", 8),
    KBENTRY("struct kbentry", 4),
    KBSENTRY("struct kbsentry", 513),
    KBDIACRS("struct kbdiacrs", 772),
    KBDIACRSUC("struct kbdiacrsuc", 3076),
    FIEMAP("struct fiemap", 32),
    FIEMAP_EXTENT("struct fiemap_extent", 56),
    FILE_DEDUPE("struct file_dedupe_range", 24),
    FILE_DEDUPE_INFO("struct file_dedupe_range_info", 32),
    FSXATTR("struct fsxattr", 28),
    FSTRIM_RANGE("struct fstrim_range", 24),
    HD_GEOMETRY("struct hd_geometry", 16),
    PM_SCAN_ARG("struct pm_scan_arg", 96),
    PROCMAP_QUERY("struct procmap_query", 104),
    PKEY_QUERY("struct keyctl_pkey_query", 56),
    PKEY_PARAMS("struct keyctl_pkey_params", 40),
    SCHED_PARAM("struct sched_param", 4);

    private final String type;
    private final int size;

    Struct(String type, int size) {
        this.type = type;
        this.size = size;
    }

    /** The type in C. The kernel's own where libc has another of the same name: {@code struct kernel_...}. */
    public String type() {
        return type;
    }

    /** Its size in bytes; of a structure with a variable end, what comes before that. */
    public int size() {
        return size;
    }
}
