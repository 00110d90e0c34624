"""Follows operations on a stack of symbols. What an operation *means* is left to a subclass.

The lifter's symbols are expressions, the proof's are numbers of events; both share what is
written here, so it is kept to moving values, to displays and calls.
"""

# ruff: noqa: D102 - a method for each operation of the same name; what it does is the name

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.lambdas import fold
from secure_serial.lambdas.code import Slice
from secure_serial.lambdas.displays import (
    in_order,
    is_literal,
    is_plain,
    keywords_of,
    searched,
    spread_of,
    truth_of,
)
from secure_serial.lambdas.errors import CannotLift, TooMuch
from secure_serial.lambdas.formats import split_format
from secure_serial.lambdas.values import (
    BLOCK,
    NULL,
    Block,
    Build,
    Cell,
    Const,
    Function,
    Iter,
    Member,
    Module,
    Not,
    Null,
    Saved,
)

if TYPE_CHECKING:
    from secure_serial.lambdas.bounds import Bounds
    from secure_serial.lambdas.simple import Op

#: What a tree of Python 2 calls for `/`; whoever runs the tree supplies it.
DIVIDE = "python2_divide"


class Helper:
    """Stands for `python2_divide` on the stack."""


HELPER = Helper()
CONVERSIONS = {1: "s", 2: "r", 3: "a"}


class Machine:
    """One stack, and one method for each operation that only moves values."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.stack: list[Any] = []

    # What a subclass says.

    def emit(self, kind: str, *operands: object) -> Any:
        """What happens, in order: the value that comes of it."""
        raise NotImplementedError

    # The stack.

    def push(self, value: object) -> None:
        if len(self.stack) >= self.bounds.stack:
            raise TooMuch(f"more than {self.bounds.stack} values on the stack")
        self.stack.append(value)

    def pop(self) -> Any:
        if not self.stack:
            raise CannotLift("a stack that runs empty")
        value = self.stack.pop()
        if value is BLOCK:
            raise CannotLift("a loop that takes what was there before it")
        return value

    def popn(self, count: int) -> list[Any]:
        if count > len(self.stack):
            raise CannotLift("a stack that runs empty")
        values = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        self.within(values)
        return values

    def within(self, values: list[Any]) -> None:
        """No operation reaches below the beginning of a loop."""
        if any(value is BLOCK for value in values):
            raise CannotLift("a loop that takes what was there before it")

    def at(self, depth: int) -> int:
        """The index of the value that is `depth` from the top."""
        if not 1 <= depth <= len(self.stack):
            raise CannotLift("a stack that runs empty")
        self.within(self.stack[-depth:])
        return len(self.stack) - depth

    def operand(self) -> Any:
        """The top value, as something that has a meaning of its own."""
        return self.use(self.pop())

    def use(self, value: Any) -> Any:
        """A value that an event may take: displays are built now, at their first use."""
        if isinstance(value, Build):
            if value.kind == "keywords":
                raise CannotLift("names and values of a call that no call takes")
            made = self.emit("display", value.kind, *self.used(in_order(value)))
            self.replace(value, made)
            return made
        if isinstance(value, Not):
            made = self.emit("unary", "not", self.use(value.of))
            self.replace(value, made)
            return made
        if isinstance(value, Function):
            made = self.emit("function", value)
            self.replace(value, made)
            return made
        if isinstance(value, (Null, Cell, Saved, Iter, Module, Member, Block)):
            raise CannotLift("a value that is none")
        return value

    def used(self, parts: tuple[tuple[object, ...], ...]) -> list[tuple[object, ...]]:
        return [(part[0], *(self.use(value) for value in part[1:])) for part in parts]

    def replace(self, old: object, new: object) -> None:
        """Put the finished value wherever the unfinished one stands."""
        self.stack[:] = [new if value is old else value for value in self.stack]

    def execute(self, op: Op) -> None:
        """One operation that is no jump."""
        method = getattr(self, "do_" + op[0], None)
        if method is None:
            raise CannotLift(f"the operation {op[0]}")
        method(*op[1:])

    def do_push(self, value: object) -> None:
        self.push(value)

    def do_pop(self) -> None:
        self.pop()

    def do_copy(self, depth: int) -> None:
        self.push(self.stack[self.at(depth)])

    def do_swap(self, depth: int) -> None:
        place = self.at(depth)
        self.stack[place], self.stack[-1] = self.stack[-1], self.stack[place]

    def do_rot(self, depth: int) -> None:
        place = self.at(depth)
        self.stack.insert(place, self.stack.pop())

    def do_block(self) -> None:
        self.push(BLOCK)

    def do_unblock(self) -> None:
        if not self.stack or self.stack[-1] is not BLOCK:
            raise CannotLift("a loop that leaves values behind")
        self.stack.pop()

    def do_bool(self) -> None:
        """`bool` of the top value, as source writes it without a name: `not not x`."""
        self.push(Not(Not(self.pop())))

    def do_closure(self, name: str) -> None:
        self.push(Cell(name))

    def do_iter(self, width: int) -> None:
        value = self.pop()
        self.push(value if isinstance(value, Iter) else Iter(self.use(searched(value))))
        if width > 1:
            self.push(NULL)

    # Operators.

    def do_not(self) -> None:
        value = self.pop()
        known = truth_of(value)
        self.push(Not(value) if known is None else Const(not known))

    def do_unary(self, sign: str) -> None:
        value = self.operand()
        if isinstance(value, Const):
            for result in fold.unary(sign, value.value):
                self.push(Const(result))
                return
        self.push(self.emit("unary", sign, value))

    def do_binary(self, sign: str) -> None:
        right, left = self.pop(), self.use(self.pop())
        if sign == "%" and isinstance(left, Const) and isinstance(right, Build):
            pieces = split_format(left.value, len(right.parts))
            if pieces is not None and right.kind == "tuple" and is_plain(right):
                self.format_all(pieces, [part[1] for part in right.parts])
                return
        right = self.use(right)
        if sign.startswith("python2 /"):
            self.divide(left, right, sign.removeprefix("python2 "))
            return
        if isinstance(left, Const) and isinstance(right, Const):
            for result in fold.binary(sign, left.value, right.value):
                self.push(Const(result))
                return
        self.push(self.emit("binary", sign, left, right))

    def divide(self, left: Any, right: Any, sign: str) -> None:
        """Python 2's `/`, which is today's unless both sides are integers."""
        floats = [
            isinstance(side, Const) and isinstance(side.value, float) for side in (left, right)
        ]
        if any(floats):
            self.push(self.emit("binary", sign, left, right))
        elif sign == "/=":
            raise CannotLift("`/=` of Python 2, of which only the values say what it is")
        else:
            self.push(self.emit("call", HELPER, [("item", left), ("item", right)], []))

    def format_all(self, pieces: list[str | int], values: list[Any]) -> None:
        """`"%s" % (x,)` as the f-string that newer compilers make of it."""
        waiting = iter(values)
        parts: list[tuple[object, ...]] = []
        for piece in pieces:
            if isinstance(piece, str):
                parts.append(("item", Const(piece)))
            else:
                value = self.emit("format", self.use(next(waiting)), Const(piece), None)
                parts.append(("item", value))
        self.push(self.string(parts))

    def string(self, parts: list[tuple[object, ...]]) -> Any:
        # 3.12 leaves empty texts between the parts.
        full = [part for part in parts if not (isinstance(part[1], Const) and part[1].value == "")]
        if len(full) == 1:
            return full[0][1]
        parts = full or parts[:1]
        if not parts:
            return Const("")
        return self.emit("string", *self.used(tuple(parts)))

    def is_text(self, value: Any) -> bool:
        """Whether a value is a constant text, or what a format gave."""
        return isinstance(value, Const) and isinstance(value.value, str)

    def do_compare(self, sign: str) -> None:
        right, left = self.pop(), self.operand()
        right = self.use(searched(right) if sign in {"in", "not in"} else right)
        if sign.startswith("is") and (is_literal(left) or is_literal(right)):
            raise CannotLift("`is` with a literal")
        made = self.emit("compare", sign.removeprefix("not ").removesuffix(" not"), left, right)
        self.push(Not(made) if sign in {"not in", "is not"} else made)

    def do_attr(self, name: str) -> None:
        self.push(self.emit("attr", name, self.operand()))

    def do_subscript(self) -> None:
        index, value = self.operand(), self.operand()
        if isinstance(index, Const) and isinstance(value, Const):
            for result in fold.subscript(value.value, index.value):
                self.push(Const(result))
                return
        self.push(self.emit("subscript", value, index))

    def do_slice(self, count: int) -> None:
        values = [self.use(value) for value in self.popn(count)]
        if count == 2:  # noqa: PLR2004 - a slice has two parts or three
            values.append(Const(None))
        if all(isinstance(value, Const) for value in values):
            self.push(Const(Slice(*(value.value for value in values))))
        else:
            self.push(Build("slice", tuple(("item", value) for value in values)))

    # Displays.

    def do_build(self, kind: str, count: int) -> None:
        if kind == "dict":
            flat = self.popn(2 * count)
            pairs = zip(flat[::2], flat[1::2], strict=True)
            self.push(Build(kind, tuple(("pair", key, value) for key, value in pairs)))
            return
        values = self.popn(count)
        if kind == "str":
            if not all(self.is_text(value) for value in values):
                raise CannotLift("a text joined of what is no text")
            self.push(self.string([("item", self.use(value)) for value in values]))
        elif kind == "tuple" and all(isinstance(value, Const) for value in values):
            self.push(Const(tuple(value.value for value in values)))
        else:
            self.push(Build(kind, tuple(("item", value) for value in values)))

    def do_const_map(self, count: int) -> None:
        names = self.pop()
        values = self.popn(count)
        if not isinstance(names, Const) or not isinstance(names.value, tuple):
            raise CannotLift("keys that are no constants")
        if len(names.value) != count:
            raise CannotLift("not as many keys as values")
        pairs = zip(names.value, values, strict=True)
        self.push(Build("dict", tuple(("pair", Const(key), value) for key, value in pairs)))

    def grow(self, place: int, kind: str, parts: tuple[tuple[object, ...], ...]) -> None:
        old = self.stack[place]
        if not isinstance(old, Build) or old.kind != kind:
            raise CannotLift("a display that grows where none is")
        if sum(value is old for value in self.stack) > 1:
            raise CannotLift("a display that grows in two places")
        if len(old.parts) + len(parts) > self.bounds.objects:
            raise TooMuch("a display of too many parts")
        self.stack[place] = Build(kind, old.parts + parts)

    def do_append(self, kind: str, depth: int) -> None:
        if kind == "dict":
            value, key = self.pop(), self.pop()
            self.grow(self.at(depth), kind, (("pair", key, value),))
        else:
            value = self.pop()
            self.grow(self.at(depth), kind, (("item", value),))

    def do_extend(self, kind: str, depth: int) -> None:
        parts = spread_of(self.pop(), kind)
        self.grow(self.at(depth), kind, parts)

    def do_join(self, kind: str, count: int) -> None:
        parts: tuple[tuple[object, ...], ...] = ()
        for value in self.popn(count):
            parts += keywords_of(value) if kind == "keywords" else spread_of(value, kind)
        self.push(Build(kind, parts))

    def do_merge(self, depth: int) -> None:
        parts = keywords_of(self.pop())
        place = self.at(depth)
        old = self.stack[place]
        if isinstance(old, Build) and old.kind == "dict":
            self.replace(old, Build("keywords", keywords_of(old)))
        self.grow(place, "keywords", parts)

    def do_to_tuple(self) -> None:
        value = self.pop()
        if not isinstance(value, Build) or value.kind != "list":
            raise CannotLift("a tuple made of what is no display")
        self.push(Build("tuple", value.parts))

    # Formatting.

    def do_convert(self, which: int) -> None:
        self.push(("converted", self.operand(), which))

    def do_format(self, which: int, with_spec: bool) -> None:  # noqa: FBT001 - an operand
        spec = self.operand() if with_spec else None
        value = self.pop()
        if isinstance(value, tuple):
            _, value, which = value
        self.push(self.emit("format", self.use(value), Const(which), spec))
