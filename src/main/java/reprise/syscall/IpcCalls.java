package reprise.syscall;

import static reprise.linux.SyscallNumber.*;
import static reprise.syscall.Argument.*;
import static reprise.syscall.Vocabulary.*;

import reprise.linux.Errno;
import reprise.syscall.Argument.Kind;
import reprise.syscall.Argument.Shape;

/** Message queues, semaphores, shared segments, and keys. */
final class IpcCalls {
    private static final long IPC_NOWAIT = 0x800;

    private IpcCalls() {}

    static void declare(Declarations calls) {
        final Argument key = hex("key");
        final Argument create = flags("flags", IPC_FLAGS);
        calls.neverBlocks(SHMGET, "shmget", key, size("size"), create);
        calls.neverBlocks(SHMCTL, "shmctl", integer("shmid"), integer("cmd"), hex("buf"))
                .with(CommandSet.SHMCTL);
        calls.neverBlocks(SEMGET, "semget", key, integer("nsems"), create);
        calls.mayBlock(SEMOP, "semop", integer("semid"), in("sops"), size("nsops"));
        calls.mayBlock(SEMTIMEDOP, "semtimedop", integer("semid"), in("sops"), size("nsops"), in("timeout"));
        calls.neverBlocks(SEMCTL, "semctl", integer("semid"), integer("semnum"), integer("cmd"), hex("arg"))
                .with(CommandSet.SEMCTL);
        calls.neverBlocks(MSGGET, "msgget", key, create);
        calls.mayBlock(MSGSND, "msgsnd", integer("msqid"), in("msgp"), size("msgsz"), flags("flags", MSG_FLAGS))
                .promptIf(3, IPC_NOWAIT);
        calls.mayBlock(
                        MSGRCV,
                        "msgrcv",
                        integer("msqid"),
                        shaped("msgp", Kind.OUT, Shape.TYPED_MESSAGE, 2, 8),
                        size("msgsz"),
                        number("msgtyp"),
                        flags("flags", MSG_FLAGS))
                .promptIf(4, IPC_NOWAIT);
        calls.neverBlocks(MSGCTL, "msgctl", integer("msqid"), integer("cmd"), hex("buf"))
                .with(CommandSet.MSGCTL);

        final Argument queue = fd("mqdes");
        calls.neverBlocks(MQ_OPEN, "mq_open", string("name"), flags("oflag", OPEN_FLAGS), mode("mode"), in("attr"));
        calls.neverBlocks(MQ_UNLINK, "mq_unlink", string("name"));
        calls.mayBlock(
                MQ_TIMEDSEND,
                "mq_timedsend",
                queue,
                in("msg_ptr"),
                size("msg_len"),
                unsigned("msg_prio"),
                in("abs_timeout"));
        calls.mayBlock(
                MQ_TIMEDRECEIVE,
                "mq_timedreceive",
                queue,
                buffer("msg_ptr", 2),
                size("msg_len"),
                out("msg_prio", Struct.INT),
                in("abs_timeout"));
        calls.neverBlocks(MQ_NOTIFY, "mq_notify", queue, in("sevp"));
        calls.neverBlocks(MQ_GETSETATTR, "mq_getsetattr", queue, in("newattr"), out("oldattr", Struct.MQ_ATTR));

        calls.neverBlocks(
                ADD_KEY,
                "add_key",
                string("type"),
                string("description"),
                in("payload"),
                size("plen"),
                integer("keyring"));
        calls.mayBlock(
                REQUEST_KEY,
                "request_key",
                string("type"),
                string("description"),
                string("callout_info"),
                integer("keyring"));
        calls.mayBlock(KEYCTL, "keyctl", integer("operation"), hex("arg2"), hex("arg3"), hex("arg4"), hex("arg5"))
                .with(CommandSet.KEYCTL);

        final String ring = "memory shared with the kernel, which writes it at moments that nobody sees";
        final Argument context = hex("ctx_id");
        calls.answered(IO_SETUP, "io_setup", Errno.ENOSYS, ring, unsigned("nr_events"), address("ctx_idp"));
        calls.answered(IO_DESTROY, "io_destroy", Errno.ENOSYS, ring, context);
        calls.answered(
                IO_GETEVENTS,
                "io_getevents",
                Errno.ENOSYS,
                ring,
                context,
                number("min_nr"),
                number("nr"),
                address("events"),
                address("timeout"));
        calls.answered(
                IO_PGETEVENTS,
                "io_pgetevents",
                Errno.ENOSYS,
                ring,
                context,
                number("min_nr"),
                number("nr"),
                address("events"),
                address("timeout"),
                address("sig"));
        calls.answered(IO_SUBMIT, "io_submit", Errno.ENOSYS, ring, context, number("nr"), address("iocbpp"));
        calls.answered(IO_CANCEL, "io_cancel", Errno.ENOSYS, ring, context, address("iocb"), address("result"));
        calls.answered(IO_URING_SETUP, "io_uring_setup", Errno.ENOSYS, ring, unsigned("entries"), address("params"));
        calls.answered(
                IO_URING_ENTER,
                "io_uring_enter",
                Errno.ENOSYS,
                ring,
                fd("fd"),
                unsigned("to_submit"),
                unsigned("min_complete"),
                hex("flags"),
                address("arg"),
                size("argsz"));
        calls.answered(
                IO_URING_REGISTER,
                "io_uring_register",
                Errno.ENOSYS,
                ring,
                fd("fd"),
                unsigned("opcode"),
                address("arg"),
                unsigned("nr_args"));
    }
}
