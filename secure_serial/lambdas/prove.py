"""Proves that two codes do the same, step by step: the one that was stored and the one of the tree.

Both are followed at once. What a program can notice is an event: an operator, a call, a look-up,
a test, a round of a loop. Both must show the same events on the same values in the same order,
at every branch. A value is known only by the event it came from. Where a place is reached twice
with different values, what differs is forgotten, so that this ends.

Left out of account: how much sooner a display's `*x` is walked, or a text formatted, between other
events (never later), and whether `bool` of one object is asked once or twice in a row, which differ
between versions of CPython for one source.
"""

# ruff: noqa: D102 - small methods that are read with their class

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.lambdas import code as c
from secure_serial.lambdas.errors import CannotLift, TooMuch
from secure_serial.lambdas.side import Side
from secure_serial.lambdas.states import State, canonical, joined, where
from secure_serial.lambdas.values import Const, Function, key_of

if TYPE_CHECKING:
    from secure_serial.lambdas.bounds import Bounds
    from secure_serial.lambdas.micro import Reading


class Differs(CannotLift):
    """The tree that was made does not do what the bytecode does."""

    def __init__(self, what: str) -> None:
        super().__init__(f"a shape that is not understood ({what})")


class Prover:
    """All that has to be proved, nested functions included."""

    def __init__(self, bounds: Bounds, stored: Reading, own: Reading) -> None:
        self.bounds = bounds
        self.readings = (stored, own)
        self.todo: list[tuple[c.Code, c.Code]] = []
        self.done: set[tuple[int, int]] = set()
        self.kept: list[c.Code] = []
        self.steps = stored.spent

    def prove(self, stored: c.Code, own: c.Code) -> None:
        """Return if the two do the same; raise `CannotLift` if that cannot be shown."""
        tables = [reading.table for reading in self.readings]
        self.todo.append(
            (stored, stored if tables[0] is tables[1] and _twins(stored, own) else own)
        )
        while self.todo:
            one, two = self.todo.pop()
            if (id(one), id(two)) in self.done:
                continue
            self.done.add((id(one), id(two)))
            self.kept += [one, two]
            self.function(one, two)

    def function(self, one: c.Code, two: c.Code) -> None:
        if _signature(one) != _signature(two):
            raise Differs("other arguments")
        # What is one code is followed once: both sides would be in one state all the time. It is
        # still followed, since a code that cannot be is refused.
        codes = (one,) if one is two else (one, two)
        sides = [
            Side(code, reading, self.bounds, self.steps)
            for code, reading in zip(codes, self.readings, strict=False)
        ]
        shared = sides[0].shared | sides[-1].shared
        for side in sides:
            side.shared = shared
            side.start()
        first = canonical([side.snapshot() for side in sides])
        known: dict[Any, State] = {where(first): first}
        todo = [where(first)]
        while todo:
            # In the order of the code: what joins at a place has come there before it is left.
            place = min(todo, key=_order)
            todo.remove(place)
            for state in self.legs(sides, known[place]):
                key = where(state)
                old = known.get(key)
                new = state if old is None else joined(old, state)
                if old is None or new != old:
                    known[key] = new
                    self.steps[0] += self.bounds.state_steps
                    if len(known) > self.bounds.states:
                        raise TooMuch(f"more than {self.bounds.states} states of the stack")
                    if key not in todo:
                        todo.append(key)

    def legs(self, sides: list[Side], state: State) -> list[State]:
        """Follow both sides to their next branch, compare, and give the states behind it."""
        stops = []
        for side, snapshot in zip(sides, state, strict=True):
            side.resume(snapshot)
            stops.append(side.run())
        one, two = sides[0], sides[-1]
        if len(one.events) != len(two.events):
            raise Differs("more or fewer steps")
        for mine, other in zip(one.events, two.events, strict=True):
            self.same(mine, other)
        self.same(stops[0][:2], stops[-1][:2])
        begun = zip([*one.marks, one.begun], [*two.marks, two.begun], strict=True)
        if any(mine > other for mine, other in begun):
            raise Differs("a display or a text that is made later")
        if stops[0][0] in {"return", "raise"}:
            return []
        states = []
        for leg in (0, 1):
            for side, stop in zip(sides, stops, strict=True):
                side.rewind()
                side.take(stop, leg)
            states.append(canonical([side.snapshot() for side in sides]))
        return states

    def same(self, one: Any, two: Any) -> None:
        """Whether two operands are the same value; nested functions are proved later."""
        self.steps[0] += 1
        if self.steps[0] > self.bounds.proof_steps:
            raise TooMuch("more steps than can be proved")
        if isinstance(one, Function) and isinstance(two, Function):
            self.same(one.defaults, two.defaults)
            self.same(sorted(one.kwdefaults), sorted(two.kwdefaults))
            # A closure may hold what only dead code used: look-ups by name are events inside.
            self.todo.append((one.code, two.code))
        elif isinstance(one, (tuple, list)) and isinstance(two, (tuple, list)):
            if len(one) != len(two):
                raise Differs("another number of operands")
            for mine, other in zip(one, two, strict=True):
                self.same(mine, other)
        elif isinstance(one, Const) and isinstance(two, Const):
            if key_of(one.value) != key_of(two.value):
                raise Differs("another constant")
        elif type(one) is not type(two) or one != two:
            raise Differs(f"{_word(one)} in place of {_word(two)}")


def _order(place: Any) -> tuple[int, ...]:
    (frames, _), *_ = place
    return tuple(at for _, at in frames)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else "another value"


def _twins(one: c.Code, two: c.Code) -> bool:
    """Whether two codes of one version are the same in all that is read of them.

    So it is, as a rule, where the running Python saved the function: its compiler makes of the
    tree what it made of the source.
    """
    return _read(one) == _read(two)


def _read(code: c.Code) -> tuple[Any, ...]:
    """All of a code that `Side` and `translate` look at.

    The rest of a layout of 3.11 is where the code stood in a file, how high its stack is, and flags
    that change nothing.
    """
    values = tuple(
        _read(value) if isinstance(value, c.Code) else key_of(value) for value in code.consts
    )
    texts = (code.name, code.names, code.slots, code.cellvars, code.freevars)
    tables = (code.layout, code.nlocals, code.kinds, code.exceptiontable)
    return *_signature(code), code.code, values, *texts, *tables


def _signature(code: c.Code) -> tuple[Any, ...]:
    stars = code.flags & (c.VARARGS | c.VARKEYWORDS | c.GENERATOR)
    names = code.varnames[: code.arguments]
    return code.argcount, code.posonly, code.kwonly, stars, names
