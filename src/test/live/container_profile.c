/* Executes a command under what Docker's default seccomp profile refuses to a container without capabilities. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEW_NAMESPACES \
    (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP)

static const int refused[] = {
    SYS_acct, SYS_add_key, SYS_bpf, SYS_clock_settime, SYS_delete_module, SYS_fanotify_init, SYS_finit_module,
    SYS_fsconfig, SYS_fsmount, SYS_fsopen, SYS_fspick, SYS_get_mempolicy, SYS_init_module, SYS_io_uring_enter,
    SYS_io_uring_register, SYS_io_uring_setup, SYS_ioperm, SYS_iopl, SYS_kcmp, SYS_kexec_file_load, SYS_kexec_load,
    SYS_keyctl, SYS_lookup_dcookie, SYS_mbind, SYS_mount, SYS_mount_setattr, SYS_move_mount, SYS_move_pages,
    SYS_open_by_handle_at, SYS_open_tree, SYS_perf_event_open, SYS_pivot_root, SYS_quotactl, SYS_quotactl_fd, SYS_reboot,
    SYS_request_key, SYS_set_mempolicy, SYS_setdomainname, SYS_sethostname, SYS_setns, SYS_settimeofday, SYS_swapoff,
    SYS_swapon, SYS_syslog, SYS_sysfs, SYS_umount2, SYS_unshare, SYS_uselib, SYS_userfaultfd, SYS_ustat, SYS_vhangup,
};

static struct sock_filter filter[256];
static int length;

static void add(int code, unsigned operand, int if_true, int if_false) {
    filter[length++] = (struct sock_filter){ code, if_true, if_false, operand };
}

static void refuse(int error) { add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error, 0, 0); }

static void load(int offset) { add(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0); }

int main(int argc, char **argv) {
    load(offsetof(struct seccomp_data, nr));
    for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++) {
        add(BPF_JMP | BPF_JEQ | BPF_K, refused[i], 0, 1);
        refuse(EPERM);
    }
    /* So that the C library takes clone, whose flags a filter can see. */
    add(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
    refuse(ENOSYS);
    add(BPF_JMP | BPF_JGE | BPF_K, 480, 0, 1);
    refuse(ENOSYS);
    add(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4);
    load(offsetof(struct seccomp_data, args[0]));
    add(BPF_JMP | BPF_JSET | BPF_K, NEW_NAMESPACES, 0, 1);
    refuse(EPERM);
    load(offsetof(struct seccomp_data, nr));
    add(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 4);
    load(offsetof(struct seccomp_data, args[0]));
    add(BPF_JMP | BPF_JEQ | BPF_K, AF_VSOCK, 0, 1);
    refuse(EPERM);
    load(offsetof(struct seccomp_data, nr));
    add(BPF_JMP | BPF_JEQ | BPF_K, SYS_personality, 0, 7);
    load(offsetof(struct seccomp_data, args[0]));
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 5, 0);
    add(BPF_JMP | BPF_JEQ | BPF_K, 8, 4, 0);
    add(BPF_JMP | BPF_JEQ | BPF_K, 0x20000, 3, 0);
    add(BPF_JMP | BPF_JEQ | BPF_K, 0x20008, 2, 0);
    add(BPF_JMP | BPF_JEQ | BPF_K, 0xffffffff, 1, 0);
    refuse(EPERM);
    add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    struct sock_fprog program = { length, filter };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return perror("seccomp"), 1;
    execvp(argv[1], argv + 1);
    return perror(argv[1]), 127;
}
