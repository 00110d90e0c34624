"""One of the two codes that a proof follows: runs to its next branch and notes the events."""

# ruff: noqa: D102 - a method for each operation of the same name; what it does is the name

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secure_serial.lambdas.displays import is_literal, truth_of
from secure_serial.lambdas.effects import Effects, Frame
from secure_serial.lambdas.errors import CannotLift, TooMuch
from secure_serial.lambdas.flow import taken
from secure_serial.lambdas.micro import KEEPS, Reading, kind_of
from secure_serial.lambdas.states import Event, Snapshot, Started, restore
from secure_serial.lambdas.values import NULL, Block, Build, Const, Not

if TYPE_CHECKING:
    from secure_serial.lambdas.bounds import Bounds
    from secure_serial.lambdas.code import Code


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


class Side(Effects):
    """Follows one code."""

    def __init__(self, code: Code, reading: Reading, bounds: Bounds, steps: list[int]) -> None:
        super().__init__(bounds)
        self.reading = reading
        self.code = code
        self.steps = steps
        self.shared = shared_names(code) & self.stored(code)
        self.frames: list[Frame] = []
        self.events: list[tuple[Any, ...]] = []
        self.count = 0
        self.begun = 0
        self.marks: list[int] = []
        self.truths: dict[int, bool] = {}
        self.asked: set[int] = set()
        self.saved: Any = None
        #: Of what an import gave: the steps of `import a.b.c as d` that are still to come.
        self.steps_of: dict[int, list[str]] = {}

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
            names[name] = Started(Event(number)) if name == ".0" else Event(number)
        self.frames = [Frame(self.program(self.code), 0, [], names)]
        self.stack = self.frames[0].stack
        self.truths, self.begun = {}, 0

    # States.

    def snapshot(self) -> Any:
        place = tuple((id(frame.program), frame.at) for frame in self.frames)
        frames = [(list(frame.stack), dict(frame.names)) for frame in self.frames]
        return place, frames, dict(self.truths), self.begun

    def resume(self, snapshot: Snapshot) -> None:
        """Go on from a state."""
        programs = self.reading.programs
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
        self.events, self.marks, self.steps_of = [], [], {}
        self.begun = snapshot.begun
        # Numbers of events go on above all that are in the state.
        self.count = 1 << 30
        self.truths = dict(snapshot.truths)
        self.asked = set(self.truths) - self.lasting()

    def keep(self) -> None:
        """Remember the state at a branch, for its second leg."""
        self.saved = (self.snapshot(), self.count)

    def rewind(self) -> None:
        (place, frames, truths, self.begun), self.count = self.saved
        programs = self.reading.programs
        self.frames = [
            Frame(programs[which], at, list(stack), dict(names))
            for (which, at), (stack, names) in zip(place, frames, strict=True)
        ]
        self.stack = self.frames[-1].stack
        self.truths = dict(truths)
        self.asked = set(self.truths) - self.lasting()

    def lasting(self) -> set[int]:
        """Values that are True or False themselves, as far as they stand by themselves."""
        values = [each for frame in self.frames for each in (*frame.stack, *frame.names.values())]
        return {each.number for each in values if isinstance(each, Event) and each.truth}

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
            elif op[0] in {"return", "raise"}:
                stop = self.back() if op[0] == "return" else self.raised()
                if stop:
                    return stop
            else:
                self.settle_all(taken(frame.program.ops, frame.at))
                frame.at += 1
                self.execute(op)

    def raised(self) -> tuple[Any, ...]:
        """A raise: nothing here catches it, so what stands on the stack is dropped."""
        if len(self.frames) > 1:
            raise CannotLift("a comprehension that raises")
        return "raise", self.operand(), 0, 0

    def back(self) -> tuple[Any, ...]:
        """A return: the end, or back out of a comprehension."""
        value = self.operand() if len(self.frames) == 1 else self.pop()
        if self.reading.table.number < KEEPS and len(self.frames) == 1:
            # A return out of a loop drops the iterator and the block with all the rest.
            self.stack[:] = [each for each in self.stack if not isinstance(each, (Started, Block))]
        if self.stack:
            raise CannotLift("values that are left on the stack")
        if len(self.frames) == 1:
            return "return", value, 0, 0
        self.frames.pop()
        self.stack = self.frames[-1].stack
        self.push(value)
        return ()

    def test(self, op: tuple[Any, ...], frame: Frame) -> tuple[Any, ...]:
        """A branch, or nothing if it is known where it leads."""
        sense = op[1]
        if op[0] == "test_none":
            value = self.operand()
            if is_literal(value):
                raise CannotLift("`is` with a literal")
            value = self.emit("compare", "is", value, Const(None))
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
        if not isinstance(iterator, Started):
            raise CannotLift("a loop over what is no iterator")
        return "for", iterator.of, frame.at + 1, op[1]

    def take(self, stop: tuple[Any, ...], leg: int) -> None:
        """Go on by one leg of a branch."""
        self.frames[-1].at = stop[2 + leg]
        if stop[0] == "test":
            if isinstance(stop[1], Event):
                self.truths[stop[1].number] = leg == 0
                if not stop[1].truth:
                    self.asked.add(stop[1].number)
            self.settle(stop[1], leg == 0)
        elif leg == 0:
            self.count += 1
            self.push(Event(self.count))
        else:
            self.do_pop_iter()
