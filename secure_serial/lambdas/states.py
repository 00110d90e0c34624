"""What is known at a place in two codes that are followed at once, and how two such states join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from secure_serial.lambdas.displays import truth_of
from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.values import Build, Const, Function, Iter, Not, Saved, key_of


@dataclass(frozen=True, slots=True)
class Event:
    """The value that the event of this number gave; `truth` if it is True or False itself."""

    number: int
    truth: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """An iterator that a loop has begun to walk."""

    of: Any


class _Maybe:
    """A variable that is bound on one path and not, or otherwise, on another."""


MAYBE = _Maybe()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One side: for each frame its place, stack and variables; and which truths are known.

    Values are in a plain form, tuples of words and numbers, that can be compared.
    """

    place: tuple[Any, ...]
    frames: tuple[tuple[tuple[Any, ...], tuple[tuple[str, Any], ...]], ...]
    truths: frozenset[tuple[int, bool]]
    #: How much more this side has begun without an event than the one that has begun less.
    begun: int = 0


#: Both sides, or the one that there is where they are one code.
State = tuple[Snapshot, ...]


def plain(value: Any, numbers: dict[int, int], objects: dict[int, Any]) -> Any:
    """A value in its plain form. Events are numbered in the order in which they are met."""
    if isinstance(value, Event):
        return ("event", numbers.setdefault(value.number, len(numbers)), value.truth)
    if isinstance(value, Const):
        mark = objects.setdefault(id(value.value), value.value)
        return ("const", key_of(mark), _Keep(value))
    if isinstance(value, Build):
        parts = tuple(
            (part[0], *(plain(item, numbers, objects) for item in part[1:])) for part in value.parts
        )
        return ("build", value.kind, parts)
    if isinstance(value, (Iter, Not, Started)):
        return (type(value).__name__, plain(value.of, numbers, objects))
    if isinstance(value, Saved):
        return ("saved", value.name, plain(value.value, numbers, objects))
    if isinstance(value, Function):
        defaults = tuple(plain(each, numbers, objects) for each in value.defaults)
        named = tuple((name, plain(each, numbers, objects)) for name, each in value.kwdefaults)
        return ("function", _Keep(value), defaults, named)
    if isinstance(value, tuple):
        return ("tuple", *(plain(each, numbers, objects) for each in value))
    return ("other", _Keep(value))


class _Keep:
    """Carries the object itself through a comparison: equal constants are equal."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def _key(self) -> Any:
        value = self.value
        if isinstance(value, Const):
            return key_of(value.value)
        return id(value.code) if isinstance(value, Function) else value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keep) and self._key() == other._key()

    def __hash__(self) -> int:
        return 0


def restore(value: Any) -> Any:
    """The value that a plain form stands for."""
    kind = value[0]
    if kind == "event":
        return Event(value[1], value[2])
    if kind == "const":
        return value[2].value
    if kind == "build":
        parts = tuple((part[0], *(restore(item) for item in part[1:])) for part in value[2])
        return Build(value[1], parts)
    if kind in _WRAPPERS:
        return _WRAPPERS[kind](restore(value[1]))
    if kind == "saved":
        return Saved(value[1], restore(value[2]))
    if kind == "function":
        old = value[1].value
        defaults = tuple(restore(each) for each in value[2])
        named = tuple((name, restore(each)) for name, each in value[3])
        return Function(old.code, defaults, named, old.closure)
    if kind == "tuple":
        return tuple(restore(each) for each in value[1:])
    return value[1].value


_WRAPPERS: dict[str, Any] = {"Iter": Iter, "Not": Not, "Started": Started}


def canonical(raw: list[Any]) -> State:
    """All sides in plain form: what is one value on each has one number."""
    numbers: dict[int, int] = {}
    objects: dict[int, Any] = {}
    shapes = []
    least = min(begun for *_, begun in raw)
    for place, frames, _, _ in raw:
        shapes.append(
            (
                place,
                tuple(
                    (
                        tuple(plain(value, numbers, objects) for value in stack),
                        tuple(
                            (name, plain(value, numbers, objects))
                            for name, value in sorted(names.items(), key=lambda pair: pair[0])
                        ),
                    )
                    for stack, names in frames
                ),
            )
        )
    return tuple(
        Snapshot(
            place,
            frames,
            frozenset((numbers[key], truth) for key, truth in truths.items() if key in numbers),
            begun - least,
        )
        for (place, frames), (_, _, truths, begun) in zip(shapes, raw, strict=True)
    )


def shape(value: Any) -> Any:
    """What kind of value it is: those of one kind can be joined."""
    kind = value[0]
    if value[0] == "const" and isinstance(value[2].value.value, tuple):
        return ("tuple", len(value[2].value.value))
    if _is_atom(value):
        return "value"
    if kind == "build":
        parts = tuple((part[0], *(shape(item) for item in part[1:])) for part in value[2])
        return (kind, value[1], parts)
    if kind in _WRAPPERS:
        return (kind, shape(value[1]))
    return kind


def _is_atom(value: Any) -> bool:
    """Whether it is one value, and nothing that is still to be made."""
    return value[0] in {"event", "const"} or (value[0] == "Not" and value[1][0] == "event")


def _items(value: Any) -> list[Any]:
    """The items of a constant tuple, each in its plain form."""
    return [("const", key_of(item), _Keep(Const(item))) for item in value[2].value.value]


def where(state: State) -> Any:
    """The place of each side, and of what kinds the values on their stacks are."""
    return tuple(
        (side.place, tuple(tuple(shape(value) for value in stack) for stack, _ in side.frames))
        for side in state
    )


class _Join:
    """Joins two states: a pair of values that differ becomes one unknown value."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}
        self.pairs: dict[Any, tuple[Any, Any]] = {}

    def value(self, one: Any, two: Any) -> Any:
        if one[0] == "other" and isinstance(one[1].value, _Maybe):
            return one
        if two[0] == "other" and isinstance(two[1].value, _Maybe):
            return two
        if one[0] == "const" and two[0] == "const" and one[1] == two[1]:
            return one
        if isinstance(shape(one), tuple) and shape(one) == shape(two) and one[0] == "const":
            # Two constant tuples: a tuple still, which a call may spread.
            parts = zip(_items(one), _items(two), strict=True)
            return ("build", "tuple", tuple(("item", self.value(a, b)) for a, b in parts))
        if _is_atom(one) and _is_atom(two):
            key = (one[:2], two[:2])
            both = one[0] == two[0] == "event" and one[2] and two[2]
            self.pairs.setdefault(key, (one, two))
            return ("event", self.numbers.setdefault(key, len(self.numbers)), both)
        if one[0] != two[0]:
            raise CannotLift("paths that meet with different stacks")
        return self.inside(one, two)

    def inside(self, one: Any, two: Any) -> Any:
        kind = one[0]
        if kind in _WRAPPERS:
            return (kind, self.value(one[1], two[1]))
        if kind == "saved" and one[1] == two[1]:
            return (kind, one[1], self.value(one[2], two[2]))
        if kind == "build" and one[1] == two[1] and len(one[2]) == len(two[2]):
            parts = []
            for mine, other in zip(one[2], two[2], strict=True):
                if mine[0] != other[0]:
                    raise CannotLift("paths that meet with different stacks")
                pairs = zip(mine[1:], other[1:], strict=True)
                parts.append((mine[0], *(self.value(a, b) for a, b in pairs)))
            return (kind, one[1], tuple(parts))
        if kind == "function" and one[1] == two[1] and len(one[2]) == len(two[2]):
            values = tuple(self.value(a, b) for a, b in zip(one[2], two[2], strict=True))
            if [name for name, _ in one[3]] == [name for name, _ in two[3]]:
                both = zip(one[3], two[3], strict=True)
                return (
                    kind,
                    one[1],
                    values,
                    tuple((a[0], self.value(a[1], b[1])) for a, b in both),
                )
        if one == two and kind == "other":
            return one
        raise CannotLift("paths that meet with different stacks")

    def side(self, one: Snapshot, two: Snapshot) -> tuple[Any, ...]:
        frames = []
        for (stack, names), (other_stack, other_names) in zip(one.frames, two.frames, strict=True):
            if len(stack) != len(other_stack):
                raise CannotLift("paths that meet with stacks of different height")
            values = tuple(self.value(a, b) for a, b in zip(stack, other_stack, strict=True))
            mine, others = dict(names), dict(other_names)
            both = []
            for name in sorted({*mine, *others}):
                if name in mine and name in others and _alike(mine[name], others[name]):
                    both.append((name, self.value(mine[name], others[name])))
                else:
                    both.append((name, ("other", _Keep(MAYBE))))
            frames.append((values, tuple(both)))
        return tuple(frames)


def _alike(one: Any, two: Any) -> bool:
    return one[0] == two[0] or (_is_atom(one) and _is_atom(two))


def _known(value: Any, truths: dict[int, bool]) -> bool | None:
    """Whether an atom is true, if that is known."""
    if value[0] == "event":
        return truths.get(value[1])
    if value[0] == "Not":
        known = _known(value[1], truths)
        return None if known is None else not known
    return truth_of(value[2].value)


def joined(old: State, new: State) -> State:
    """What holds in both states."""
    join = _Join()
    shapes = [join.side(one, two) for one, two in zip(old, new, strict=True)]
    made = []
    for frames, one, two in zip(shapes, old, new, strict=True):
        truths = set()
        mine, others = dict(one.truths), dict(two.truths)
        for key, number in join.numbers.items():
            left, right = join.pairs[key]
            known = _known(left, mine)
            if known is not None and known is _known(right, others):
                truths.add((number, known))
        made.append(Snapshot(one.place, frames, frozenset(truths), min(one.begun, two.begun)))
    return tuple(made)
