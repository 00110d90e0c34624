"""Which operation every path must pass: post-dominators, for as much of the code as matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from secure_serial.lambdas.values import Const, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from secure_serial.lambdas.simple import Op

#: Where every path ends.
EXIT = -1
_BRANCHES = frozenset({"jump", "test", "test_none", "for"})
_TURNS = frozenset({"jump", "test", "test_none", "for", "return", "raise"})
_PUSHES = frozenset({"push", "fast", "global", "deref", "closure", "save"})
#: Operations of one copy. CPython copies blocks of up to four instructions (MAX_COPY_SIZE).
_LONGEST_TAIL = 24


class Shape(NamedTuple):
    """What a lift takes for copies of one thing."""

    #: Operations at an end, at most, that are taken for one: legs may share some by chance.
    tails: int
    #: Nodes of two returned values, at most, that are taken for one.
    alike: int = 1
    #: Whether a look-up of a variable of the function around counts, which may be shared.
    loud: bool = False


#: In the order in which they are tried. Most functions need the first.
SHAPES = (
    *(Shape(24), Shape(24, 99, loud=True), Shape(1), Shape(2), Shape(3), Shape(0)),
    Shape(0, 99, loud=True),
)


def successors(ops: tuple[Op, ...], at: int) -> tuple[int, ...]:
    """Where an operation may lead: where it goes on first, then where it jumps."""
    op = ops[at]
    if op[0] == "jump":
        return (op[1],)
    if op[0] == "return":
        return (EXIT,)
    if op[0] == "raise":
        return ()
    if op[0] in {"test", "test_none"}:
        return (at + 1, op[2])
    if op[0] == "for":
        return (at + 1, op[1])
    return (at + 1,)


#: Operations between the values of `a, b = c, d` and the end of that statement.
STORES = frozenset({"store", "store_deref", "unpack", "unpack_ex", "swap", "rot"})
_MOST_STORES = 32


def taken(ops: tuple[Op, ...], at: int) -> int:
    """How many values the stores from `at` on take that stood on the stack before them."""
    height = lowest = 0
    for place in range(at, min(at + _MOST_STORES, len(ops))):
        op = ops[place]
        if op[0] not in STORES:
            break
        if op[0] not in {"swap", "rot"}:
            height -= 1
            lowest = min(lowest, height)
        if op[0] == "unpack":
            height += op[1]
        elif op[0] == "unpack_ex":
            height += op[1] + op[2] + 1
    return -lowest


def one_tail(ops: tuple[Op, ...], most: int = _LONGEST_TAIL) -> tuple[Op, ...]:
    """The operations with one copy of each end that a compiler wrote several times.

    Since 3.10 short ends are copied behind each jump to them. What a copy does with values
    from before the branch belongs behind the branch; so every copy becomes a jump to the first.
    `most` operations of a copy are taken for one, those that only push not counted.
    """
    if not most:
        return ops
    known: dict[tuple[Any, ...], int] = {}
    done = list(ops)
    for last, op in enumerate(ops):
        if op[0] not in {"return", "raise"}:
            continue
        key: tuple[Any, ...] = (op[0],)
        tail: list[tuple[int, int]] = []
        loud = 0
        first = last - 1
        while first >= 0 and last - first <= _LONGEST_TAIL and ops[first][0] not in _TURNS:
            key = (_key(ops[first]), key)
            other = known.setdefault(key, first)
            if other != first:
                tail.append((first, other))
                if ops[first][0] not in _PUSHES:
                    loud += 1
                    if loud == most:
                        break
            first -= 1
        for place, other in tail if loud else ():
            done[place] = ("jump", other)
    return tuple(done)


def _key(op: Op) -> tuple[Any, ...]:
    if op[0] == "push" and isinstance(op[1], Const):
        return ("const", key_of(op[1].value))
    return op


def copies(ops: tuple[Op, ...], at: int) -> set[int]:
    """The place, and the places behind a `pop` where what it does until its return is repeated.

    A `break` leads to such a copy since 3.10. What only returns a constant is no copy: a
    `return` of its own looks the same.
    """
    last = at
    while last < len(ops) - 1 and last - at < _LONGEST_TAIL and ops[last][0] not in _TURNS:
        last += 1
    tail = [_key(op) for op in ops[at : last + 1]]
    if ops[last][0] != "return" or all(op[0] in {"const", "return"} for op in tail):
        return {at}
    found = {at}
    for place in range(1, len(ops) - len(tail) + 1):
        if ops[place - 1][0] in {"pop", "pop_iter"}:
            here = ops[place : place + len(tail)]
            if here[-1][0] == "return" and [_key(op) for op in here] == tail:
                found.add(place)
    return found


class Flow:
    """The paths from `start` that end at `targets` without coming by `barriers`.

    `alive` are the operations on such a path, `joins` says where all such paths from an
    operation meet next. A path that raises leads nowhere, or with `raises` to the exit.
    """

    def __init__(
        self,
        ops: tuple[Op, ...],
        start: int,
        targets: Iterable[int],
        barriers: Iterable[int] = (),
        *,
        raises: bool = False,
    ) -> None:
        self.raises = raises
        self.ends = set(targets)
        self.barriers = set(barriers) - self.ends
        self.joins: dict[int, int] = {}
        #: How many operations were looked at.
        self.size = 1
        #: The same, tests that leave by one way taken together.
        self.met: dict[int, int | None] = {}
        if start == 0 and not self.barriers and not any(op[0] in _BRANCHES for op in ops):
            # A straight line, as most functions are.
            self.alive = {EXIT, *range(len(ops))}
            return
        reached = self._forward(ops, start)
        self.size = len(reached)
        before: dict[int, list[int]] = {}
        for at in reached:
            if at not in self.ends and at != EXIT:
                for after in self._after(ops, at):
                    before.setdefault(after, []).append(at)
        self.alive = self._backward(before)
        self.joins = self._join(ops, before)

    def _after(self, ops: tuple[Op, ...], at: int) -> tuple[int, ...]:
        return (EXIT,) if self.raises and ops[at][0] == "raise" else successors(ops, at)

    def _forward(self, ops: tuple[Op, ...], start: int) -> set[int]:
        seen: set[int] = set()
        todo = [start]
        while todo:
            at = todo.pop()
            if at in seen or at in self.barriers:
                continue
            seen.add(at)
            if at != EXIT and at not in self.ends:
                todo += self._after(ops, at)
        return seen

    def _backward(self, before: dict[int, list[int]]) -> set[int]:
        seen: set[int] = set()
        todo = list(self.ends)
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                todo += before.get(at, ())
        return seen

    def _join(self, ops: tuple[Op, ...], before: dict[int, list[int]]) -> dict[int, int]:
        """Immediate post-dominators (Cooper, Harvey and Kennedy's algorithm, backwards)."""
        order = self._order(before)
        number = {at: place for place, at in enumerate(order)}
        root = len(order)
        parent: dict[int, int] = dict.fromkeys((number[end] for end in self.ends), root)
        changed = True
        while changed:
            changed = False
            for place in range(root - 1, -1, -1):
                at = order[place]
                if at in self.ends:
                    continue
                new = -1
                for after in self._after(ops, at):
                    other = number.get(after, -1)
                    if other >= 0 and other in parent:
                        new = other if new < 0 else _meet(parent, new, other, root)
                if parent.get(place) != new:
                    parent[place] = new
                    changed = True
        return {order[place]: order[to] for place, to in parent.items() if 0 <= to < root}

    def _order(self, before: dict[int, list[int]]) -> list[int]:
        """The operations in postorder of a walk backwards from the ends."""
        seen: set[int] = set()
        order: list[int] = []
        todo: list[tuple[int, bool]] = [(end, False) for end in sorted(self.ends)]
        while todo:
            at, done = todo.pop()
            if done:
                order.append(at)
            elif at not in seen:
                seen.add(at)
                todo.append((at, True))
                todo += [(one, False) for one in before.get(at, ()) if one not in seen]
        return order


def _meet(parent: dict[int, int], one: int, other: int, root: int) -> int:
    while one != other:
        while one < other:
            one = parent.get(one, root)
        while other < one:
            other = parent.get(other, root)
    return one
