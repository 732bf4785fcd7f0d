# Run by gdb in a replay. Steps through a part of it once and notes each instant: registers, frame, memory. Then goes back and forth
# by every reverse command, and says where that is not where the instants say it has to be.

import os
import random
import re
import zlib

import gdb

STEPS = int(os.environ.get("STEPS", "100"))
MOVES = int(os.environ.get("MOVES", "60"))
chance = random.Random(int(os.environ.get("SEED", "1")))
wrong = []
made = {}

for setting in ("confirm off", "pagination off", "height 0", "width 0", "debuginfod enabled off"):
    gdb.execute("set " + setting)
gdb.execute("handle all nostop noprint pass", to_string=True)


def do(command):
    """Executes a command; what gdb said, its complaint included."""
    try:
        return gdb.execute(command, to_string=True)
    except gdb.error as error:
        return "error: " + str(error)


class Instant:
    """What gdb shows of the selected thread: registers, the frame, memory."""

    def __init__(self):
        self.thread = gdb.selected_thread().ptid[1]
        # orig_rax is the kernel's note of a system call that it might restart, and nothing of the program's.
        lines = gdb.execute("info all-registers", to_string=True).splitlines()
        self.registers = [line for line in lines if not line.startswith("orig_rax")]
        frame = gdb.selected_frame()
        self.pc = frame.pc()
        self.sp = int(frame.read_register("rsp")) & (1 << 64) - 1
        # Whether gdb shows what is inlined at an instruction as begun depends on how one came there.
        self.inlined = frame.type() == gdb.INLINE_FRAME
        while frame.type() == gdb.INLINE_FRAME:
            frame = frame.older()
        older = frame.older()
        self.frame = (frame.name(), older.pc() if older is not None else 0)
        self.cfa = int(older.read_register("rsp")) & (1 << 64) - 1 if older is not None else 0
        place = gdb.find_pc_line(self.pc)
        self.line = (place.symtab.filename, place.line) if place.symtab is not None else None
        self.memory = [(start, read(start, length)) for start, length in [(self.sp - 128, 4096)] + writable]

    def state(self):
        return (self.registers, self.frame, [(start, zlib.crc32(data)) for start, data in self.memory])

    def difference(self, other):
        parts = []
        if self.thread != other.thread:
            parts.append("thread %d, not %d" % (self.thread, other.thread))
        for own, its in zip(self.registers, other.registers):
            if own != its:
                parts.append(own[:60] + " | not | " + its[15:60])
        if self.frame != other.frame:
            parts.append("frame %s, not %s" % (self.frame, other.frame))
        for (start, own), (at, its) in zip(self.memory, other.memory):
            if own != its and start == at:
                first = next(i for i in range(min(len(own), len(its))) if own[i] != its[i])
                parts.append("memory at 0x%x is %x, not %x" % (start + first, own[first], its[first]))
        return "; ".join(parts) or "no difference"


def read(start, length):
    try:
        return bytes(gdb.selected_inferior().read_memory(start, length))
    except gdb.MemoryError:
        return b""


def sections():
    """The program's own writable memory, as far as it is not much."""
    found = []
    for line in gdb.execute("info files", to_string=True).splitlines():
        match = re.match(r"\s*0x([0-9a-f]+) - 0x([0-9a-f]+) is (\.data|\.bss|\.got\.plt)$", line)
        if match:
            start, end = int(match[1], 16), int(match[2], 16)
            found.append((start, min(end - start, 8192)))
    return found


def instruction(pc):
    return gdb.selected_inferior().architecture().disassemble(pc)[0]


def fail(text):
    wrong.append(text)
    gdb.write("WRONG: %s\n" % text)


def check(name, at, expected):
    """Whether the program is where it is to be; returns where it is to be."""
    made[name] = made.get(name, 0) + 1
    here = Instant()
    if here.state() != instants[expected].state():
        others = [i for i, instant in enumerate(instants) if instant.state() == here.state()]
        fail("%s from %d is at 0x%x (%s), not at %d (0x%x): %s" % (
            name, at, here.pc, others, expected, instants[expected].pc, here.difference(instants[expected])))
        go(expected)
    return expected


def go(index):
    """Goes to an instant from the first one."""
    do("delete")
    do("restart %d" % begun)
    if index:
        do("stepi %d" % index)


def last(condition, before):
    return next((i for i in range(before - 1, -1, -1) if condition(i)), None)


def first(condition, behind):
    return next((i for i in range(behind + 1, len(instants)) if condition(i)), None)


# ---- moves: each takes the index where it begins, and returns the one where it ended ----


def steps(at):
    count = chance.randint(1, 6)
    to = min(at + count, len(instants) - 1)
    if to > at:
        do("stepi %d" % (to - at))
        check("stepi", at, to)
    back = chance.randint(0, to)
    back = max(back, to - 8)
    # Back over a signal there is one instant more, at which it strikes.
    if any(struck(i) for i in range(back, to)):
        go(back)
    elif to > back:
        do("reverse-stepi %d" % (to - back))
        check("reverse-stepi", to, back)
    return back


def breakpoints(at):
    pcs = {chance.choice(instants).pc for _ in range(chance.randint(1, 6))}
    hit = last(lambda i: instants[i].pc in pcs and is_executed(i), at)
    if hit is None:
        return at
    for pc in pcs:
        do("break *0x%x thread %d" % (pc, gdb.selected_thread().num))
    do("reverse-continue")
    check("reverse-continue to a breakpoint", at, hit)
    on = first(lambda i: instants[i].pc in pcs and is_executed(i), hit)
    if on is not None:
        do("continue")
        hit = check("continue to a breakpoint", hit, on)
    do("delete")
    return hit


def is_executed(i):
    """Whether the instruction at an instant is begun there: not where a signal strikes first, and with it restarts a system call."""
    call = instruction(instants[i].pc)["asm"].startswith("syscall")
    return not struck(i) and not (call and i > 0 and instants[i].pc == instants[i - 1].pc)


def struck(i):
    """Whether what comes behind an instant is a signal's handler."""
    if i + 1 >= len(instants):
        return False
    text = instruction(instants[i].pc)["asm"]
    return instants[i].sp - instants[i + 1].sp > 512 and not text.startswith(("sub", "lea", "mov", "xchg", "leave", "pop"))


def watchpoints(at):
    """A word of memory that some instruction behind the first changes."""
    candidates = []
    for i in range(len(instants) - 1):
        own, its = dict(instants[i].memory), dict(instants[i + 1].memory)
        for start, data in own.items():
            if start in its and its[start] != data:
                word = next(j for j in range(len(data)) if data[j] != its[start][j]) // 8 * 8
                candidates.append(start + word & -8)
    if not candidates:
        return at
    address = chance.choice(candidates)

    def value(i):
        for start, data in instants[i].memory:
            if start <= address and address + 8 <= start + len(data):
                return data[address - start:address - start + 8]
        return None

    values = [value(i) for i in range(len(instants))]
    if None in values:
        return at
    hit = last(lambda i: values[i] != values[i + 1], at)
    if hit is None:
        return at
    do("watch *(long *) 0x%x" % address)
    do("reverse-continue")
    if buffered(hit):
        # Behind a system call that was made without a stop, also backwards.
        do("delete")
        go(hit)
        return hit
    check("reverse-continue to a watchpoint", at, hit)
    do("continue")
    check("continue to a watchpoint", hit, hit + 1)
    do("delete")
    return hit + 1


def buffered(i):
    text = instruction(instants[i].pc)
    return text["asm"].startswith("syscall") or instants[i + 1].pc not in (
        instants[i].pc + text["length"], instants[i].pc) and not re.match(r"(bnd )?(notrack )?(call|ret|j)", text["asm"])


def catchpoints(at):
    if len(gdb.selected_inferior().threads()) > 1:
        return at
    call = last(lambda i: instruction(instants[i].pc)["asm"].startswith("syscall"), at)
    if call is None or call + 1 >= len(instants) or instants[call + 1].pc != instants[call].pc + 2:
        return at
    do("catch syscall")
    number = int(re.search(r"^rax\s+0x([0-9a-f]+)", "\n".join(instants[call].registers), re.M)[1], 16)
    if call + 1 < at:
        do("reverse-continue")
        check("reverse-continue to the return of a system call", at, call + 1)
    do("reverse-continue")
    made["reverse-continue to a system call"] = made.get("reverse-continue to a system call", 0) + 1
    frame = gdb.selected_frame()
    shown = frame.pc(), int(frame.read_register("orig_rax")), int(frame.read_register("rsp")) & (1 << 64) - 1
    if shown != (instants[call].pc + 2, number, instants[call].sp) or int(frame.read_register("rax")) != -38:
        fail("reverse-continue to a system call from %d: %s" % (at, shown))
    do("continue")
    check("continue to the return of a system call", call, call + 1)
    do("delete")
    return call + 1


def nexti(at):
    """The instruction before, or the call that returned here. gdb goes over the dynamic linker in ways of its own."""
    if at == 0 or linking(at) or linking(at - 1):
        return at
    expected = at - 1
    if instants[at - 1].sp < instants[at].sp and re.match(r"(bnd )?ret", instruction(instants[at - 1].pc)["asm"]):
        expected = last(lambda i: instants[i].sp == instants[at].sp and is_call_to(i, instants[at].pc), at)
    elif instants[at - 1].frame[0] != instants[at].frame[0]:
        expected = None
    if expected is None:
        return at
    do("reverse-nexti")
    check("reverse-nexti", at, expected)
    do("nexti")
    return check("nexti", expected, at)


def linking(i):
    pc = instants[i].pc
    name = instants[i].frame[0]
    return name is None or name.endswith("@plt") or "ld-linux" in (gdb.solib_name(pc) or "")


def is_call_to(i, behind):
    text = instruction(instants[i].pc)
    return text["asm"].startswith("call") and instants[i].pc + text["length"] == behind


def finish(at):
    """The call that the present function was called by. Out of an inlined one there is none."""
    if instants[at].inlined or linking(at):
        return at
    behind, stack = instants[at].frame[1], instants[at].cfa
    call = last(lambda i: instants[i].sp == stack and is_call_to(i, behind), at)
    # gdb looks for the function's beginning, where not all calls of hand-written code begin.
    if call is not None and "+" in do("info symbol 0x%x" % instants[call + 1].pc):
        return at
    if call is None or any(instants[i].sp >= stack for i in range(call + 1, at)) or instants[at].frame[0] is None:
        return at
    said = do("reverse-finish")
    if "error" in said:
        fail("reverse-finish from %d: %s" % (at, said))
        go(at)
        return at
    return check("reverse-finish", at, call)


def lines(at):
    """To the beginning of a line that was executed before, and nowhere between two instructions."""
    if instants[at].line is None or at < 2 or not instants[at].frame[0]:
        return at
    lowest = last(lambda i: instants[i].frame[0] == instants[0].frame[0], at)
    if lowest is None:
        return at
    command = chance.choice(["reverse-step", "reverse-next"])
    # If the beginning of the line lies before the first instant, this is where it ends.
    do("break *0x%x thread %d" % (instants[0].pc, gdb.selected_thread().num))
    do(command)
    do("delete")
    here = Instant()
    made[command] = made.get(command, 0) + 1
    # Out of what is inlined gdb can step without moving.
    found = [i for i in range(at + instants[at].inlined) if instants[i].state() == here.state()]
    if not found:
        fail("%s from %d came to 0x%x in thread %d of %d, which is none of the instants before" % (
            command, at, here.pc, here.thread, instants[0].thread))
        go(at)
        return at
    to = found[-1]
    starts = gdb.find_pc_line(here.pc)
    own = instants[at].line[0] == here.line[0] == program if here.line is not None else False
    if own and starts.pc != here.pc and here.pc != instants[0].pc and not any(struck(i) for i in range(to, at)):
        fail("%s from %d came to 0x%x, in the midst of line %s" % (command, at, here.pc, starts.line))
    if (command, at) in seen and seen[command, at] != to:
        fail("%s from %d came to %d, and before to %d" % (command, at, to, seen[command, at]))
    seen[command, at] = to
    if command == "reverse-next" and instants[to].frame[0] == instants[at].frame[0] and instants[to].sp != instants[at].sp:
        return to
    if at > to:
        do("stepi %d" % (at - to))
    return check("stepi behind " + command, to, at)


# ---- the session ----


def session(begin):
    global instants, writable, seen, begun
    writable = sections()
    seen = {}
    do("delete")
    instants = [Instant()]
    begun = int(re.search(r"Checkpoint (\d+)", do("checkpoint"))[1])
    for _ in range(STEPS):
        said = do("stepi")
        if "error" in said or "No more" in said or "exited" in said or "ends here" in said:
            break
        here = Instant()
        if here.thread != instants[0].thread:
            break
        instants.append(here)
    gdb.write("%s: %d instants from 0x%x\n" % (begin, len(instants), instants[0].pc))
    go(len(instants) - 1)
    check("stepi all the way", 0, len(instants) - 1)
    for i in range(len(instants) - 1, 0, -1):
        do("reverse-stepi")
        if struck(i - 1) and Instant().state() != instants[i - 1].state():
            # The instant at which the signal is delivered: a string instruction has done a part of its work.
            do("reverse-stepi")
        check("reverse-stepi all the way", i, i - 1)
        if len(wrong) > 5:
            return
    at = 0
    moves = [steps, breakpoints, breakpoints, watchpoints, watchpoints, catchpoints, nexti, nexti, finish, lines, lines]
    for _ in range(MOVES):
        if at < 3 or chance.random() < 0.2:
            at = chance.randrange(len(instants))
            go(at)
        at = chance.choice(moves)(at)
        if len(wrong) > 5:
            return
    do("delete checkpoint %d" % begun)


def run():
    global program
    program = None
    if "error" not in do("tbreak main"):
        do("continue")
        begin = "main"
        if gdb.selected_frame().name() != "main":
            # A program without one ran to its end.
            do("reverse-continue")
            begin = "begin"
        symtab = gdb.selected_frame().find_sal().symtab
        program = symtab.filename if symtab is not None else None
        session(begin)
    if not wrong and os.environ.get("ALSO_LATER"):
        events = int(re.search(r"\d+", do("when-end"))[0])
        do("reprise seek %d" % max(1, events * 6 // 10))
        do("sharedlibrary")
        # Not inside of a system call, where a step back leads to before it.
        do("stepi 3")
        session("later")


try:
    run()
except BaseException as error:
    import traceback
    fail(traceback.format_exc())
gdb.write("moves: %s\n" % ", ".join("%s %d" % (name, count) for name, count in sorted(made.items())))
gdb.write("ALL RIGHT\n" if not wrong else "%d WRONG\n" % len(wrong))
