"""Ways out: legs of a test that leave their loop, or the function, from which none leads back."""

# ruff: noqa: D102 - a part of the lifter

from __future__ import annotations

import ast
from typing import Any

from secure_serial.lambdas.branches import Leaf
from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.flow import EXIT, Flow, successors
from secure_serial.lambdas.loops import Loops
from secure_serial.lambdas.values import NULL, Iter

#: Operations that only move values: a path that did no more is where it began.
MOVES = frozenset({"pop", "swap", "rot", "copy", "pop_iter"})

#: Operations of which an expression may consist, and that follow each other.
_QUIET = frozenset({
    "push", "fast", "global", "deref", "copy", "swap", "rot", "attr", "subscript", "slice",
    "binary", "unary", "compare", "not", "bool", "build", "call", "call_kw", "call_old", "call_ex",
})  # fmt: skip


class Ways(Loops):
    """The part of the lifter that reads what leaves a loop or a function."""

    asked: list[ast.expr]

    def left(self, at: int) -> Leaf:
        """A way out of the loop, or of the function, from which none leads back."""
        stops = self.exits[-1] if self.exits else set()
        if (self.exits and not stops) or not self.clear():
            raise CannotLift("a way out of an expression")
        loops = self.walked()
        self.leaving += 1
        self.deeper()
        flow = Flow(self.ops, at, {EXIT, *stops}, self.heads, raises=True)
        self.tick(flow.size)
        end = self.run(at, EXIT, flow)
        self.leaving -= 1
        self.steps[0] -= 1
        if end != EXIT:
            if not self.clear() or self.pending or self.walked() != loops - 1:
                raise CannotLift("a way out of an expression")
            self.stmts.append(self.make(ast.Break()))
        elif self.stack:
            self.stmts.append(self.make(ast.Return(self.express.of(self.stack[-1]))))
        return Leaf("gone", (), self.stmts)

    def meet(self, at: int, flow: Flow) -> int | None:
        """Where all paths from a test meet that do not leave the loop or the function."""
        if at not in flow.met:
            join = flow.joins.get(at)
            if join is not None and not (self.exits and not self.exits[-1]):
                join = self.together(at, join, flow)
            flow.met[at] = join
        return flow.met[at]

    def together(self, at: int, join: int, flow: Flow) -> int:
        """The place behind `if a or b: return`, of which both tests lead to one that leaves."""
        gone = self.gone_from(at, join, flow)
        while gone and join != EXIT and join in flow.alive:
            after = self.moved(join)[0]
            while after in flow.alive and after != EXIT and self.ops[after][0] in _QUIET:
                after += 1
            more = flow.joins.get(after)
            if more is None or not self.alike(gone, self.gone_from(after, more, flow)):
                break
            join = more
        return join

    def alike(self, one: set[int], two: set[int]) -> bool:
        """Whether two ways out are one, of which one first drops the rest of a chain."""
        if one & two:
            return True
        pairs = [(self.moved(here), self.moved(there)) for here in one for there in two]
        return any(here[0] == there[0] and here[1] != there[1] for here, there in pairs)

    def moved(self, at: int) -> tuple[int, int]:
        """Where something is done next, and how many moves come before it."""
        count = 0
        while self.ops[at][0] in MOVES or self.ops[at][0] == "jump":
            count += self.ops[at][0] != "jump"
            at = int(self.ops[at][1]) if self.ops[at][0] == "jump" else at + 1
            self.tick()
        return at, count

    def gone_from(self, at: int, join: int, flow: Flow) -> set[int]:
        """Where tests between `at` and `join` lead that never lead back."""
        found: set[int] = set()
        seen, todo = {join}, [at]
        while todo:
            self.tick()
            place = todo.pop()
            if place in seen:
                continue
            seen.add(place)
            if place == EXIT:
                continue
            if place in flow.alive:
                todo += successors(self.ops, place) if place not in flow.ends else ()
            elif self.ops[place][0] == "jump":
                todo.append(int(self.ops[place][1]))
            else:
                found.add(place)
        return found

    def walked(self) -> int:
        return sum(isinstance(each, Iter) for each in self.stack)

    def raised(self) -> list[Any]:
        error = self.express.of(self.operand())
        if self.asked or not self.clear() or not self.statements:
            raise CannotLift("a raise inside an expression")
        self.stmts.append(self.make(ast.Raise(error)))
        return []

    def do_pop_iter(self) -> None:
        if self.stack and self.stack[-1] is NULL:
            self.pop()
        if not self.leaving or not self.stack or not isinstance(self.pop(), Iter):
            raise CannotLift("a loop that is left in the middle")
