"""One of the two codes that a proof follows: runs to its next branch and notes the events."""

# ruff: noqa: D102 - a method for each operation of the same name; what it does is the name

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from secure_serial.lambdas.calls import Caller
from secure_serial.lambdas.errors import CannotLift, TooMuch
from secure_serial.lambdas.machine import DIVIDE, HELPER, Helper, is_plain, searched, truth_of
from secure_serial.lambdas.micro import Program, kind_of, translate
from secure_serial.lambdas.states import MAYBE, Event, Snapshot, Started, restore
from secure_serial.lambdas.values import NULL, Build, Const, Function, Iter, Not, Saved

if TYPE_CHECKING:
    from secure_serial.lambdas.bounds import Bounds
    from secure_serial.lambdas.code import Code
    from secure_serial.lambdas.tables import Table

#: Events that give True or False itself, of which `not` is nothing that a program can notice.
_TRUTHS = {("compare", "is"), ("compare", "in"), ("unary", "not")}


@dataclass(slots=True)
class Frame:
    """A function's body, or that of a comprehension that is a function of its own."""

    program: Program
    at: int
    stack: list[Any] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)


def shared_names(code: Code) -> frozenset[str]:
    """The variables of a function that functions inside it share; comprehensions are part of it."""
    names: set[str] = set()
    todo = list(code.nested)
    while todo:
        inner = todo.pop()
        if kind_of(inner) in {"list", "set", "dict"}:
            todo += inner.nested
        else:
            names |= set(inner.freevars)
    return frozenset(names)


class Side(Caller):
    """Follows one code."""

    def __init__(self, code: Code, table: Table, bounds: Bounds, steps: list[int]) -> None:
        super().__init__(bounds)
        self.table = table
        self.code = code
        self.steps = steps
        self.programs: dict[int, Program] = {}
        self.shared = shared_names(code) & self.stored(code)
        self.frames: list[Frame] = []
        self.events: list[tuple[Any, ...]] = []
        self.count = 0
        self.truths: dict[int, bool] = {}
        self.saved: Any = None

    def program(self, code: Code) -> Program:
        if id(code) not in self.programs:
            self.programs[id(code)] = translate(code, self.table, self.bounds)
        return self.programs[id(code)]

    def stored(self, code: Code) -> frozenset[str]:
        """The variables that a function, or one inside it, ever binds again."""
        names: set[str] = set()
        todo = [code]
        while todo:
            inner = todo.pop()
            todo += inner.nested
            ops = self.program(inner).ops
            names |= {op[1] for op in ops if op[0] in {"store", "store_deref"}}
        return frozenset(names)

    def start(self) -> None:
        """Stand at the beginning, with arguments that are only known to be given."""
        names: dict[str, Any] = {}
        for number, name in enumerate(self.code.varnames[: self.code.arguments]):
            names[name] = Iter(Event(number)) if name == ".0" else Event(number)
        self.frames = [Frame(self.program(self.code), 0, [], names)]
        self.stack = self.frames[0].stack
        self.truths = {}

    # States.

    def snapshot(self) -> Any:
        place = tuple((id(frame.program), frame.at) for frame in self.frames)
        frames = [(list(frame.stack), dict(frame.names)) for frame in self.frames]
        return place, frames, dict(self.truths)

    def resume(self, snapshot: Snapshot) -> None:
        """Go on from a state."""
        programs = {id(program): program for program in self.programs.values()}
        self.frames = [
            Frame(
                programs[place[0]],
                place[1],
                [restore(value) for value in stack],
                {name: restore(value) for name, value in names},
            )
            for place, (stack, names) in zip(snapshot.place, snapshot.frames, strict=True)
        ]
        self.stack = self.frames[-1].stack
        self.events = []
        # Numbers of events go on above all that are in the state.
        self.count = 1 << 30
        self.truths = dict(snapshot.truths)

    def keep(self) -> None:
        """Remember the state at a branch, for its second leg."""
        self.saved = (self.snapshot(), self.count)

    def rewind(self) -> None:
        (place, frames, truths), self.count = self.saved
        programs = {id(program): program for program in self.programs.values()}
        self.frames = [
            Frame(programs[which], at, list(stack), dict(names))
            for (which, at), (stack, names) in zip(place, frames, strict=True)
        ]
        self.stack = self.frames[-1].stack
        self.truths = dict(truths)

    # Events.

    def emit(self, kind: str, *operands: object) -> Any:
        if kind == "format":
            # Formatted when the text is put together: `"%s" % (x, y())` and its f-string differ.
            return Build("format", tuple(("item", value or Const(None)) for value in operands))
        self.events.append((kind, operands))
        self.count += 1
        if len(self.events) > self.bounds.proof_steps:
            raise TooMuch("more steps than can be proved")
        return Event(self.count, (kind, operands[0]) in _TRUTHS)

    def replace(self, old: object, new: object) -> None:
        for frame in self.frames:
            frame.stack[:] = [new if value is old else value for value in frame.stack]
            for name, value in frame.names.items():
                if value is old:
                    frame.names[name] = new

    def use(self, value: Any) -> Any:
        if isinstance(value, Started):
            raise CannotLift("a value that is none")
        if isinstance(value, Not):
            return self.opposite(value.of)
        return value if isinstance(value, Helper) else super().use(value)

    def opposite(self, value: Any) -> Any:
        """`not value`: an event, unless the value is True or False already."""
        value = self.use(value)
        if isinstance(value, Not):
            return value.of
        if isinstance(value, Event) and value.truth:
            return Not(value)
        known = truth_of(value)
        return self.emit("unary", "not", value) if known is None else Const(not known)

    def do_not(self) -> None:
        value = self.pop()
        frame = self.frames[-1]
        words = [op[0] for op in frame.program.ops[frame.at : frame.at + 2]]
        # A test that follows looks at the value itself, the other way round.
        tested = words[:1] == ["test"] or words == ["copy", "test"]
        self.push(Not(value) if tested else self.opposite(value))

    def do_bool(self) -> None:
        self.push(self.opposite(self.opposite(self.pop())))

    # Variables.

    def owner(self, name: str) -> Frame | None:
        """The frame whose variable it is: a comprehension's own, or one of those around it."""
        for frame in reversed(self.frames):
            if name not in frame.program.code.freevars or name in frame.names:
                return frame
        return None

    def do_fast(self, name: str) -> None:
        if name in self.shared and name != ".0":
            self.push(self.emit("shared", name))
            return
        value = self.frames[-1].names.get(name, MAYBE)
        if value is MAYBE:
            raise CannotLift(f"the variable {name} may be unbound")
        self.push(value)

    def do_deref(self, name: str) -> None:
        if name in self.shared:
            self.push(self.emit("shared", name))
            return
        frame = self.owner(name)
        if frame is None:
            self.push(self.emit("free", name))
            return
        value = frame.names.get(name, MAYBE)
        if value is MAYBE:
            raise CannotLift(f"the variable {name} may be unbound")
        self.push(value)

    def do_global(self, name: str) -> None:
        if name == DIVIDE:
            self.push(HELPER)
        else:
            self.push(self.emit("global", name))

    def do_save(self, name: str) -> None:
        names = self.frames[-1].names
        self.push(Saved(name, names.pop(name, MAYBE) if name not in self.shared else MAYBE))

    def do_store(self, name: str) -> None:
        value = self.pop()
        if isinstance(value, Saved):
            if value.name != name:
                raise CannotLift("a hidden variable put back under another name")
            self.frames[-1].names[name] = value.value
            return
        self.bind(self.frames[-1], name, value)

    def do_store_deref(self, name: str) -> None:
        self.bind(self.owner(name), name, self.pop())

    def bind(self, frame: Frame | None, name: str, value: Any) -> None:
        value = self.use(value)
        if name in self.shared:
            self.emit("share", name, value)
        elif frame is None:
            self.emit("store free", name, value)
        else:
            frame.names[name] = value

    # Displays, comprehensions and unpacking.

    def do_subscript(self) -> None:
        """`(a, b)[1]` is `b`, once `a` is made."""
        value, index = self.stack[self.at(2)], self.stack[-1]
        picked = isinstance(index, Const) and type(index.value) is int
        if not picked or not isinstance(value, Build) or value.kind != "tuple":
            super().do_subscript()
            return
        if not is_plain(value) or not -len(value.parts) <= index.value < len(value.parts):
            super().do_subscript()
            return
        self.popn(2)
        wanted = index.value % len(value.parts)
        for place, part in enumerate(value.parts):
            if place != wanted:
                self.use(part[1])
        self.push(value.parts[wanted][1])

    def do_append(self, kind: str, depth: int) -> None:
        count = 2 if kind == "dict" else 1
        values = [self.use(value) for value in self.popn(count)]
        place = self.at(depth)
        if isinstance(self.stack[place], Build):
            word = "pair" if kind == "dict" else "item"
            self.grow(place, kind, ((word, *values),))
        else:
            self.emit("append", kind, self.use(self.stack[place]), *values)

    def invoke(self, callee: Any, positional: Any, keywords: Any) -> None:
        kind = kind_of(callee.code) if isinstance(callee, Function) else ""
        if not kind:
            super().invoke(callee, positional, keywords)
            return
        if len(positional) != 1 or positional[0][0] != "item" or keywords:
            raise CannotLift("a comprehension called with anything but its source")
        source = positional[0][1]
        if kind == "gen":
            source = self.use(source.of if isinstance(source, Iter) else searched(source))
            self.push(self.emit("generator", callee, source))
            return
        if not isinstance(source, (Iter, Started)) or len(self.frames) > self.bounds.depth:
            raise CannotLift("a comprehension over what is no iterator")
        frame = Frame(self.program(callee.code), 0, [], {".0": source})
        self.frames.append(frame)
        self.stack = frame.stack

    def do_make(self, with_name: bool, flags: int) -> None:  # noqa: FBT001 - an operand
        super().do_make(with_name, flags)
        self.made()

    def do_make_old(self, with_name: bool, count: int, closure: bool) -> None:  # noqa: FBT001
        super().do_make_old(with_name, count, closure)
        self.made()

    def do_set_function(self, flag: int) -> None:
        super().do_set_function(flag)
        self.made()

    def made(self) -> None:
        """A function is one value from when it is whole; a comprehension's body is none."""
        frame, function = self.frames[-1], self.stack[-1]
        following = frame.program.ops[frame.at : frame.at + 1]
        if not (following and following[0][0] == "set_function") and not kind_of(function.code):
            self.use(function)

    def do_yield(self) -> None:
        self.emit("yield", self.operand())
        self.push(Const(None))

    def do_unpack(self, count: int) -> None:
        value = self.operand()
        self.spread("unpack", value, count)

    def do_unpack_ex(self, before: int, after: int) -> None:
        value = self.operand()
        self.spread(f"unpack around {before}", value, before + 1 + after)

    def spread(self, kind: str, value: Any, count: int) -> None:
        made = self.emit(kind, value, count)
        for place in range(count - 1, -1, -1):
            self.push(self.emit("part", made, place))

    def do_pop_iter(self) -> None:
        if self.stack and self.stack[-1] is NULL:
            self.pop()
        self.pop()

    # Paths.

    def run(self) -> tuple[Any, ...]:
        """Go to the next branch: its kind, its operand, and where its legs lead."""
        while True:
            self.steps[0] += 1
            if self.steps[0] > self.bounds.proof_steps:
                raise TooMuch("more steps than can be proved")
            frame = self.frames[-1]
            if frame.at >= len(frame.program.ops):
                raise CannotLift("code that runs over its end")
            op = frame.program.ops[frame.at]
            if op[0] == "jump":
                frame.at = op[1]
            elif op[0] in {"test", "test_none"}:
                stop = self.test(op, frame)
                if stop:
                    self.keep()
                    return stop
            elif op[0] == "for":
                stop = self.loop(op, frame)
                self.keep()
                return stop
            elif op[0] == "return":
                value = self.operand() if len(self.frames) == 1 else self.pop()
                if len(self.frames) == 1:
                    return "return", value, 0, 0
                self.frames.pop()
                self.stack = self.frames[-1].stack
                self.push(value)
            else:
                frame.at += 1
                self.execute(op)

    def test(self, op: tuple[Any, ...], frame: Frame) -> tuple[Any, ...]:
        """A branch, or nothing if it is known where it leads."""
        sense = op[1]
        if op[0] == "test_none":
            value = self.emit("compare", "is", self.operand(), Const(None))
        else:
            value = self.pop()
            while isinstance(value, Not):
                value, sense = value.of, not sense
            value = self.use(value)
        legs = {sense: op[2], not sense: frame.at + 1}
        known = self.truths.get(value.number) if isinstance(value, Event) else None
        if known is None:
            known = truth_of(value)
        if known is not None:
            self.settle(value, known)
            frame.at = legs[known]
            return ()
        return "test", value, legs[True], legs[False]

    def settle(self, value: Any, truth: bool) -> None:  # noqa: FBT001
        """What was tested is known now: `not` of it, and the value if it is no more than that."""
        known: list[tuple[Any, Any]] = [(Not(value), Const(not truth))]
        if isinstance(value, Event) and value.truth:
            known.append((value, Const(truth)))
        for old, new in known:
            self.stack[:] = [new if each == old else each for each in self.stack]

    def loop(self, op: tuple[Any, ...], frame: Frame) -> tuple[Any, ...]:
        width = 2 if self.stack and self.stack[-1] is NULL else 1
        below = self.stack[-width - 1] if len(self.stack) > width else None
        if isinstance(below, Build) and not below.parts:
            # What a comprehension fills, wherever its version begins it.
            self.use(below)
        iterator = self.stack[self.at(width)]
        if isinstance(iterator, Iter):
            started = Started(self.emit("iter", self.use(iterator.of)))
            self.replace(iterator, started)
            iterator = started
        if not isinstance(iterator, Started):
            raise CannotLift("a loop over what is no iterator")
        return "for", iterator.of, frame.at + 1, op[1]

    def take(self, stop: tuple[Any, ...], leg: int) -> None:
        """Go on by one leg of a branch."""
        self.frames[-1].at = stop[2 + leg]
        if stop[0] == "test":
            if isinstance(stop[1], Event):
                self.truths[stop[1].number] = leg == 0
            self.settle(stop[1], leg == 0)
        elif leg == 0:
            self.count += 1
            self.push(Event(self.count))
        else:
            self.do_pop_iter()
