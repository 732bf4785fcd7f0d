# What gdb learns for replays. 'reprise replay' loads this by itself; 'reprise gdbinit' prints it for those who start gdb
# themselves.

import re

import gdb


def _hex(text):
    return text.encode("utf-8").hex()


def _ask(command, *arguments):
    """Lets the server do a command; its answer."""
    thread = gdb.selected_thread()
    packet = ["qRRCmd", command, str(thread.ptid[1] if thread is not None else -1)]
    packet += [_hex(argument) for argument in arguments]
    answer = gdb.execute("maint packet " + ":".join(packet), to_string=True)
    received = re.search(r'received: "(.*)"', answer)
    if received is None or received.group(1) == "":
        raise gdb.GdbError("This is not connected to a replay.")
    if not re.fullmatch("([0-9a-f]{2})*", received.group(1)):
        raise gdb.GdbError("The server answered " + received.group(1))
    return bytes.fromhex(received.group(1)).decode("utf-8", "replace")


def _go(command, *arguments):
    """Lets the server move, which it does when the program is resumed."""
    refusal = _ask(command, *arguments).strip()
    if refusal:
        raise gdb.GdbError(refusal)
    gdb.execute("stepi", from_tty=True)
    _find_libraries()


def _find_libraries():
    """gdb learns of libraries where the program loads them, and that may have been on the way."""
    if not gdb.parameter("auto-solib-add"):
        return
    known = len(gdb.objfiles())
    try:
        gdb.execute("sharedlibrary", to_string=True)
        if len(gdb.objfiles()) > known:
            gdb.execute("frame")
    except gdb.error:
        pass


def _here():
    """The place that the user is looking at, in one line."""
    try:
        lines = gdb.execute("frame", to_string=True).splitlines()
        return re.sub(r"^#\d+\s+", "", lines[0]) if lines else ""
    except gdb.error:
        return ""


class _Plain(gdb.Command):
    def __init__(self, name, asked, doc):
        self.__doc__ = doc
        self.asked = asked
        super().__init__(name, gdb.COMMAND_USER, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        gdb.write(_ask(self.asked, *gdb.string_to_argv(argument)))


class _Checkpoint(_Plain):
    def invoke(self, argument, from_tty):
        gdb.write(_ask(self.asked, argument or _here()))


class _Move(_Plain):
    def invoke(self, argument, from_tty):
        self.dont_repeat()
        _go(self.asked, *gdb.string_to_argv(argument))


class _Denied(gdb.Command):
    """Not possible: a recorded execution goes where it went. Use a function call to try something out."""

    def __init__(self, name):
        super().__init__(name, gdb.COMMAND_RUNNING, gdb.COMPLETE_LOCATION)

    def invoke(self, argument, from_tty):
        raise gdb.GdbError("A recorded execution goes where it went: it cannot be made to jump.")


class _Prefix(gdb.Command):
    """Commands for replays, which also exist without the word 'reprise' in front.

Everything else is gdb as always, and works backwards too: reverse-continue (rc), reverse-step (rs), reverse-next (rn),
reverse-finish, reverse-stepi (rsi). 'run' starts again at the beginning, 'run EVENT' at an event."""

    def __init__(self):
        super().__init__("reprise", gdb.COMMAND_USER, gdb.COMPLETE_NONE, True)


_COMMANDS = [
    (_Plain, "when", "Show the number of the event at or before this moment."),
    (_Plain, "when-end", "Show the number of the recording's last event."),
    (_Plain, "when-tid", "Show the thread that runs at this moment."),
    (_Plain, "elapsed-time", "Show the seconds from the beginning of the recording to this moment."),
    (_Plain, "absolute-time", "Show the time of day at which this moment was recorded."),
    (_Plain, "info recording", "Show what is replayed, and which part of it is debugged."),
    (_Checkpoint, "checkpoint", "Remember this moment. 'restart N' returns to it.\nUsage: checkpoint [TEXT]"),
    (_Plain, "info checkpoints", "List the checkpoints."),
    (_Plain, "delete checkpoint", "Forget a checkpoint.\nUsage: delete checkpoint N"),
    (_Move, "restart", "Return to a checkpoint.\nUsage: restart N"),
    (_Move, "seek", "Go to an event, or to the start or the end.\nUsage: seek EVENT|start|end"),
    (_Move, "back", "Go to where the program stopped before it stopped here. Undoes a step, a seek, a run."),
    (_Move, "forward", "Undo 'back'."),
    (_Plain, "events", "List the events around this moment.\nUsage: events [COUNT]"),
]

_Prefix()
for _class, _name, _doc in _COMMANDS:
    _class(_name, _name, _doc)
    _class("reprise " + _name.replace(" ", "-"), _name, _doc)
_Denied("jump")


def _stopped(event):
    try:
        _ask("history-push")
    except gdb.error:
        pass


gdb.events.stop.connect(_stopped)
gdb.execute("set unwindonsignal on")
