"""What each operation does in a code that a proof follows: the events, and the values."""

# ruff: noqa: D102 - a method for each operation of the same name; what it does is the name

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from secure_serial.lambdas.calls import Caller
from secure_serial.lambdas.displays import is_plain, searched, truth_of
from secure_serial.lambdas.errors import CannotLift, TooMuch
from secure_serial.lambdas.machine import DIVIDE, HELPER, Helper
from secure_serial.lambdas.micro import Program, Reading, kind_of
from secure_serial.lambdas.states import MAYBE, Event, Started
from secure_serial.lambdas.values import NULL, Build, Const, Function, Not, Saved

if TYPE_CHECKING:
    from secure_serial.lambdas.code import Code

#: Events that give True or False itself, of which `not` is nothing that a program can notice.
_TRUTHS = {("compare", "is"), ("compare", "in"), ("unary", "not")}


@dataclass(slots=True)
class Frame:
    """A function's body, or that of a comprehension that is a function of its own."""

    program: Program
    at: int
    stack: list[Any] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)


class Effects(Caller):
    """The part of a side that works on values."""

    frames: list[Frame]
    events: list[tuple[Any, ...]]
    count: int
    #: What was begun and shows no event yet: texts formatted, stars walked, keys and items hashed.
    begun: int
    #: How much of that there was at each event.
    marks: list[int]
    #: Values whose `bool` is known: of those in `asked` until something happens, else for good.
    truths: dict[int, bool]
    asked: set[int]
    shared: frozenset[str]
    reading: Reading
    steps_of: dict[int, list[str]]

    def program(self, code: Code) -> Program:
        return self.reading(code)

    # Events.

    def emit(self, kind: str, *operands: object) -> Any:
        if kind == "format":
            # Formatted when the text is put together: `"%s" % (x, y())` and its f-string differ.
            self.begun += 1
            return Build("format", tuple(("item", value or Const(None)) for value in operands))
        self.events.append((kind, operands))
        self.marks.append(self.begun)
        if self.asked:
            # What happens may change what is true: an emptied list is not.
            self.truths = {key: self.truths[key] for key in self.truths.keys() - self.asked}
            self.asked = set()
        self.count += 1
        if len(self.events) > self.bounds.proof_steps:
            raise TooMuch("more steps than can be proved")
        return Event(self.count, (kind, operands[0]) in _TRUTHS)

    def is_text(self, value: Any) -> bool:
        return super().is_text(value) or (isinstance(value, Build) and value.kind == "format")

    def do_copy(self, depth: int) -> None:
        """Who copies a display has two names for one object: it is made now, and once."""
        value = self.stack[self.at(depth)]
        if isinstance(value, Build):
            self.use(value)
        super().do_copy(depth)

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
        value = self.use(value) if isinstance(value, Build) else value
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

    def do_assertion(self) -> None:
        self.push(self.emit("assertion", "AssertionError"))

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

    def do_store_item(self) -> None:
        index, owner, value = self.operand(), self.operand(), self.operand()
        self.emit("store item", owner, index, value)

    # Displays, comprehensions and unpacking.

    def do_build(self, kind: str, count: int) -> None:
        super().do_build(kind, count)
        made = self.stack[-1]
        if isinstance(made, Build) and kind in {"set", "dict"}:
            self.begun += sum(not isinstance(part[1], Const) for part in made.parts)

    def do_join(self, kind: str, count: int) -> None:
        super().do_join(kind, count)
        self.begin(self.stack[-1].parts)

    def grow(self, place: int, kind: str, parts: tuple[tuple[object, ...], ...]) -> None:
        super().grow(place, kind, parts)
        self.begin(parts)

    def begin(self, parts: tuple[tuple[object, ...], ...]) -> None:
        self.begun += sum(part[0] == "star" for part in parts)

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
            if not isinstance(source, Started):
                # 3.15 asks for the iterator within the call, others right before it.
                source = Started(self.emit("iter", self.use(searched(source))))
            self.push(self.emit("generator", callee, source.of))
            return
        if not isinstance(source, Started) or len(self.frames) > self.bounds.depth:
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

    def do_iter(self, width: int) -> None:
        value = self.pop()
        if not isinstance(value, Started):
            value = Started(self.emit("iter", self.use(searched(value))))
        self.push(value)
        if width > 1:
            self.push(NULL)

    def do_yield(self) -> None:
        self.emit("yield", self.operand())
        self.push(Const(None))

    def do_unpack(self, count: int) -> None:
        value = self.pop()
        if isinstance(value, Const) and isinstance(value.value, tuple):
            value = Build("tuple", tuple(("item", Const(item)) for item in value.value))
        if isinstance(value, Build) and value.kind == "tuple" and is_plain(value):
            # `a, b = (c, d)`: some versions leave the tuple out.
            parts = [self.use(part[1]) for part in value.parts]
            if len(parts) == count:
                for part in reversed(parts):
                    self.push(part)
                return
        self.spread("unpack", self.use(value), count)

    def do_unpack_ex(self, before: int, after: int) -> None:
        value = self.operand()
        self.spread(f"unpack around {before}", value, before + 1 + after)

    def spread(self, kind: str, value: Any, count: int) -> None:
        made = self.emit(kind, value, count)
        for place in range(count - 1, -1, -1):
            self.push(self.emit("part", made, place))

    def do_pop(self) -> None:
        value = self.pop()
        if isinstance(value, Build):
            # Whoever makes a display and drops it has asked for what that does.
            self.use(value)

    # Imports.

    def do_import(self, name: str) -> None:
        names, level = self.operand(), self.operand()
        old = self.reading.table.number < (3, 0)
        if not isinstance(level, Const) or level.value not in ({0, -1} if old else {0}):
            raise CannotLift("a relative import")
        made = self.emit("import", name, names)
        self.steps_of[made.number] = name.split(".")[1:]
        self.push(made)

    def do_import_from(self, name: str) -> None:
        module = self.stack[self.at(1)]
        made = self.emit("import from", name, self.use(module))
        path = self.steps_of.get(getattr(module, "number", -1), [])
        self.steps_of[made.number] = path[1:] if path[:1] == [name] else []
        self.push(made)

    def do_attr(self, name: str) -> None:
        # Before 3.7, `import a.b as c` looks up the attribute, which the import has just set.
        value = self.stack[self.at(1)]
        if self.steps_of.get(getattr(value, "number", -1), [])[:1] == [name]:
            self.do_import_from(name)
            del self.stack[-2]
        else:
            super().do_attr(name)

    def do_pop_iter(self) -> None:
        if self.stack and self.stack[-1] is NULL:
            self.pop()
        if not isinstance(self.pop(), Started):
            raise CannotLift("a loop that leaves values behind")
