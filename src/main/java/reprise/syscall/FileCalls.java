package reprise.syscall;

import static reprise.linux.SyscallNumber.*;
import static reprise.syscall.Argument.*;
import static reprise.syscall.Vocabulary.*;

import reprise.linux.Errno;
import reprise.syscall.Argument.Kind;
import reprise.syscall.Argument.Shape;

/** Files, directories and their metadata. */
final class FileCalls {
    private FileCalls() {}

    static void declare(Declarations calls) {
        final Argument fd = fd("fd");
        final Argument dir = fd("dirfd");
        final Argument path = path("path");
        final Argument mode = mode("mode");
        final Argument at = flags("flags", AT_FLAGS);

        calls.mayBlock(OPEN, "open", path, flags("flags", OPEN_FLAGS), mode);
        calls.mayBlock(OPENAT, "openat", dir, path, flags("flags", OPEN_FLAGS), mode);
        calls.mayBlock(OPENAT2, "openat2", dir, path, in("how"), size("size"));
        calls.mayBlock(CREAT, "creat", path, mode);
        calls.mayBlock(CLOSE, "close", fd);
        calls.mayBlock(
                CLOSE_RANGE, "close_range", unsigned("first"), unsigned("last"), flags("flags", CLOSE_RANGE_FLAGS));
        calls.neverBlocks(DUP, "dup", fd);
        calls.mayBlock(DUP2, "dup2", fd("oldfd"), fd("newfd"));
        calls.mayBlock(DUP3, "dup3", fd("oldfd"), fd("newfd"), flags("flags", OPEN_FLAGS));
        calls.mayBlock(FCNTL, "fcntl", fd, hex("cmd"), hex("arg")).with(CommandSet.FCNTL);
        calls.mayBlock(IOCTL, "ioctl", fd, hex("request"), hex("argp")).with(CommandSet.IOCTL);

        calls.neverBlocks(STAT, "stat", path, out("statbuf", Struct.STAT));
        calls.neverBlocks(FSTAT, "fstat", fd, out("statbuf", Struct.STAT));
        calls.neverBlocks(LSTAT, "lstat", path, out("statbuf", Struct.STAT));
        calls.neverBlocks(NEWFSTATAT, "newfstatat", dir, path, out("statbuf", Struct.STAT), at);
        calls.neverBlocks(STATX, "statx", dir, path, at, flags("mask", STATX_MASK), out("statxbuf", Struct.STATX));
        calls.neverBlocks(STATFS, "statfs", path, out("buf", Struct.STATFS));
        calls.neverBlocks(FSTATFS, "fstatfs", fd, out("buf", Struct.STATFS));
        calls.neverBlocks(USTAT, "ustat", hex("dev"), out("ubuf", Struct.USTAT));
        calls.neverBlocks(ACCESS, "access", path, flags("mode", ACCESS_MODES));
        calls.neverBlocks(FACCESSAT, "faccessat", dir, path, flags("mode", ACCESS_MODES));
        calls.neverBlocks(
                FACCESSAT2, "faccessat2", dir, path, flags("mode", ACCESS_MODES), flags("flags", ACCESS_AT_FLAGS));
        calls.neverBlocks(READLINK, "readlink", path, buffer("buf", 2), integer("bufsiz"));
        calls.neverBlocks(READLINKAT, "readlinkat", dir, path, buffer("buf", 3), integer("bufsiz"));
        calls.neverBlocks(GETCWD, "getcwd", buffer("buf", 1), size("size"));
        calls.neverBlocks(GETDENTS, "getdents", fd, buffer("dirp", 2), unsigned("count"));
        calls.neverBlocks(GETDENTS64, "getdents64", fd, buffer("dirp", 2), unsigned("count"));
        calls.neverBlocks(CACHESTAT, "cachestat", fd, in("range"), out("cstat", Struct.CACHESTAT), hex("flags"));
        calls.neverBlocks(
                FILE_GETATTR, "file_getattr", dir, path, filled("attr", 3).partly(), size("size"), at);
        calls.neverBlocks(FILE_SETATTR, "file_setattr", dir, path, in("attr"), size("size"), at);

        calls.neverBlocks(LSEEK, "lseek", fd, offset("offset"), value("whence", WHENCE));
        calls.mayBlock(TRUNCATE, "truncate", path, offset("length"));
        calls.mayBlock(FTRUNCATE, "ftruncate", fd, offset("length"));
        calls.mayBlock(FALLOCATE, "fallocate", fd, flags("mode", FALLOCATE_MODES), offset("offset"), offset("len"));
        calls.neverBlocks(FADVISE64, "fadvise64", fd, offset("offset"), offset("len"), value("advice", FILE_ADVICE));
        calls.neverBlocks(READAHEAD, "readahead", fd, offset("offset"), size("count"));
        calls.mayBlock(FLOCK, "flock", fd, flags("operation", LOCK_OPERATIONS)).promptIf(1, 4 | 8);
        calls.mayBlock(FSYNC, "fsync", fd);
        calls.mayBlock(FDATASYNC, "fdatasync", fd);
        calls.mayBlock(SYNC, "sync");
        calls.mayBlock(SYNCFS, "syncfs", fd);
        calls.mayBlock(
                SYNC_FILE_RANGE,
                "sync_file_range",
                fd,
                offset("offset"),
                offset("nbytes"),
                flags("flags", SYNC_RANGE_FLAGS));

        calls.neverBlocks(CHDIR, "chdir", path);
        calls.neverBlocks(FCHDIR, "fchdir", fd);
        calls.neverBlocks(CHROOT, "chroot", path);
        calls.neverBlocks(PIVOT_ROOT, "pivot_root", path("new_root"), path("put_old"));
        calls.neverBlocks(RENAME, "rename", path("oldpath"), path("newpath"));
        calls.neverBlocks(RENAMEAT, "renameat", fd("olddirfd"), path("oldpath"), fd("newdirfd"), path("newpath"));
        calls.neverBlocks(
                RENAMEAT2,
                "renameat2",
                fd("olddirfd"),
                path("oldpath"),
                fd("newdirfd"),
                path("newpath"),
                flags("flags", RENAME_FLAGS));
        calls.neverBlocks(MKDIR, "mkdir", path, mode);
        calls.neverBlocks(MKDIRAT, "mkdirat", dir, path, mode);
        calls.neverBlocks(RMDIR, "rmdir", path);
        calls.neverBlocks(LINK, "link", path("oldpath"), path("newpath"));
        calls.neverBlocks(LINKAT, "linkat", fd("olddirfd"), path("oldpath"), fd("newdirfd"), path("newpath"), at);
        calls.neverBlocks(UNLINK, "unlink", path);
        calls.neverBlocks(UNLINKAT, "unlinkat", dir, path, at);
        calls.neverBlocks(SYMLINK, "symlink", path("target"), path("linkpath"));
        calls.neverBlocks(SYMLINKAT, "symlinkat", path("target"), fd("newdirfd"), path("linkpath"));
        calls.neverBlocks(MKNOD, "mknod", path, mode, hex("dev"));
        calls.neverBlocks(MKNODAT, "mknodat", dir, path, mode, hex("dev"));
        calls.neverBlocks(CHMOD, "chmod", path, mode);
        calls.neverBlocks(FCHMOD, "fchmod", fd, mode);
        calls.neverBlocks(FCHMODAT, "fchmodat", dir, path, mode);
        calls.neverBlocks(FCHMODAT2, "fchmodat2", dir, path, mode, at);
        final Argument owner = integer("owner");
        final Argument group = integer("group");
        calls.neverBlocks(CHOWN, "chown", path, owner, group);
        calls.neverBlocks(FCHOWN, "fchown", fd, owner, group);
        calls.neverBlocks(LCHOWN, "lchown", path, owner, group);
        calls.neverBlocks(FCHOWNAT, "fchownat", dir, path, owner, group, at);
        calls.neverBlocks(UMASK, "umask", mode);
        calls.neverBlocks(UTIME, "utime", path, in("times"));
        calls.neverBlocks(UTIMES, "utimes", path, in("times"));
        calls.neverBlocks(FUTIMESAT, "futimesat", dir, path, in("times"));
        calls.neverBlocks(UTIMENSAT, "utimensat", dir, path, in("times"), at);

        extendedAttributes(calls);
        handlesAndQuotas(calls);
        mounts(calls);
    }

    private static void extendedAttributes(Declarations calls) {
        final Argument fd = fd("fd");
        final Argument path = path("path");
        final Argument name = string("name");
        final Argument value = in("value");
        final Argument size = size("size");
        final Argument flags = flags("flags", XATTR_FLAGS);
        final Argument at = flags("at_flags", AT_FLAGS);
        calls.neverBlocks(SETXATTR, "setxattr", path, name, value, size, flags);
        calls.neverBlocks(LSETXATTR, "lsetxattr", path, name, value, size, flags);
        calls.neverBlocks(FSETXATTR, "fsetxattr", fd, name, value, size, flags);
        calls.neverBlocks(SETXATTRAT, "setxattrat", fd("dirfd"), path, at, name, in("args"), size);
        calls.neverBlocks(GETXATTR, "getxattr", path, name, buffer("value", 3), size);
        calls.neverBlocks(LGETXATTR, "lgetxattr", path, name, buffer("value", 3), size);
        calls.neverBlocks(FGETXATTR, "fgetxattr", fd, name, buffer("value", 3), size);
        calls.neverBlocks(
                GETXATTRAT,
                "getxattrat",
                fd("dirfd"),
                path,
                at,
                name,
                shaped("args", Kind.IN_OUT, Shape.ATTRIBUTE_VALUE, -1, 0),
                size);
        calls.neverBlocks(LISTXATTR, "listxattr", path, buffer("list", 2), size);
        calls.neverBlocks(LLISTXATTR, "llistxattr", path, buffer("list", 2), size);
        calls.neverBlocks(FLISTXATTR, "flistxattr", fd, buffer("list", 2), size);
        calls.neverBlocks(LISTXATTRAT, "listxattrat", fd("dirfd"), path, at, buffer("list", 4), size);
        calls.neverBlocks(REMOVEXATTR, "removexattr", path, name);
        calls.neverBlocks(LREMOVEXATTR, "lremovexattr", path, name);
        calls.neverBlocks(FREMOVEXATTR, "fremovexattr", fd, name);
        calls.neverBlocks(REMOVEXATTRAT, "removexattrat", fd("dirfd"), path, at, name);
    }

    private static void handlesAndQuotas(Declarations calls) {
        final Argument handle = countedTail("handle", Struct.FILE_HANDLE, 0, 1).always();
        calls.neverBlocks(
                NAME_TO_HANDLE_AT,
                "name_to_handle_at",
                fd("dirfd"),
                path("path"),
                handle,
                inOutBytes("mount_id", 8).always(),
                flags("flags", AT_FLAGS));
        calls.mayBlock(
                OPEN_BY_HANDLE_AT, "open_by_handle_at", fd("mount_fd"), in("handle"), flags("flags", OPEN_FLAGS));
        calls.neverBlocks(QUOTACTL, "quotactl", hex("cmd"), path("special"), integer("id"), hex("addr"))
                .with(CommandSet.QUOTACTL);
        calls.neverBlocks(QUOTACTL_FD, "quotactl_fd", fd("fd"), hex("cmd"), integer("id"), hex("addr"))
                .with(CommandSet.QUOTACTL_FD);
        calls.neverBlocks(INOTIFY_INIT, "inotify_init");
        calls.neverBlocks(INOTIFY_INIT1, "inotify_init1", flags("flags", INOTIFY_FLAGS));
        calls.neverBlocks(INOTIFY_ADD_WATCH, "inotify_add_watch", fd("fd"), path("path"), flags("mask", INOTIFY_MASK));
        calls.neverBlocks(INOTIFY_RM_WATCH, "inotify_rm_watch", fd("fd"), integer("wd"));
        calls.neverBlocks(FANOTIFY_INIT, "fanotify_init", hex("flags"), flags("event_f_flags", OPEN_FLAGS));
        calls.neverBlocks(
                FANOTIFY_MARK, "fanotify_mark", fd("fd"), hex("flags"), hex("mask"), fd("dirfd"), path("path"));
        calls.neverBlocks(LANDLOCK_CREATE_RULESET, "landlock_create_ruleset", in("attr"), size("size"), hex("flags"));
        calls.neverBlocks(LANDLOCK_ADD_RULE, "landlock_add_rule", fd("fd"), integer("type"), in("attr"), hex("flags"));
        calls.neverBlocks(LANDLOCK_RESTRICT_SELF, "landlock_restrict_self", fd("fd"), hex("flags"));
        calls.answered(
                SYSFS,
                "sysfs",
                Errno.ENOSYS,
                "obsolete; /proc/filesystems tells the same",
                integer("option"),
                hex("arg1"),
                hex("arg2"));
    }

    private static void mounts(Declarations calls) {
        final Argument flags = hex("flags");
        calls.mayBlock(
                MOUNT,
                "mount",
                path("source"),
                path("target"),
                string("type"),
                flags("flags", MOUNT_FLAGS),
                in("data"));
        calls.mayBlock(UMOUNT2, "umount2", path("target"), flags("flags", UMOUNT_FLAGS));
        calls.mayBlock(OPEN_TREE, "open_tree", fd("dirfd"), path("path"), flags);
        calls.mayBlock(OPEN_TREE_ATTR, "open_tree_attr", fd("dirfd"), path("path"), flags, in("attr"), size("size"));
        calls.mayBlock(MOVE_MOUNT, "move_mount", fd("from_fd"), path("from"), fd("to_fd"), path("to"), flags);
        calls.mayBlock(FSOPEN, "fsopen", string("fsname"), flags);
        calls.mayBlock(FSCONFIG, "fsconfig", fd("fd"), unsigned("cmd"), string("key"), in("value"), integer("aux"));
        calls.mayBlock(FSMOUNT, "fsmount", fd("fd"), flags, hex("attr_flags"));
        calls.mayBlock(FSPICK, "fspick", fd("dirfd"), path("path"), flags);
        calls.mayBlock(MOUNT_SETATTR, "mount_setattr", fd("dirfd"), path("path"), flags, in("attr"), size("size"));
        calls.neverBlocks(
                STATMOUNT,
                "statmount",
                in("req"),
                shaped("buf", Kind.OUT, Shape.SELF_SIZED, 2, 1),
                size("bufsize"),
                flags);
        calls.neverBlocks(LISTMOUNT, "listmount", in("req"), array("ids", Struct.LONG, 2), size("nr_ids"), flags);
    }
}
