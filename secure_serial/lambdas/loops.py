"""Comprehensions: loops that fill a display, nested and filtered."""

# ruff: noqa: D102 - a part of the lifter

from __future__ import annotations

import ast
from typing import Any

from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.flow import EXIT, Flow, Shape, copies
from secure_serial.lambdas.micro import KEEPS, KEY_FIRST
from secure_serial.lambdas.statements import Statements
from secure_serial.lambdas.values import NULL, Build, Iter

_DISPLAYS: dict[str, Any] = {"list": ast.ListComp, "set": ast.SetComp, "gen": ast.GeneratorExp}


class Loops(Statements):
    """The part of the lifter that reads loops."""

    shape: Shape
    #: Conditions read so far of the clause that is being read.
    filters: list[ast.expr]
    #: The clauses of the comprehension being read, to which an assignment adds one.
    lets: list[ast.comprehension] | None
    #: Where each loop around what is being read leads when it is done; none for a comprehension.
    exits: list[set[int]]
    #: Where the `for` statements around what is being read go round.
    heads: list[int]
    statements: bool
    deeper: Any
    steps: list[int]
    run: Any
    at: Any
    push: Any
    left: Any
    tick: Any
    popn: Any

    # Comprehensions.

    def loop(self, at: int) -> int:
        """A comprehension, from its first loop to behind it."""
        width = 2 if self.stack and self.stack[-1] is NULL else 1
        below = len(self.stack) - width - 1
        if self.statements and self.clear(self.stack[: below + 1]):
            return self.for_(at, width)
        kind = "gen" if self.program.kind == "gen" and below < 0 else ""
        if not kind:
            holder = self.stack[below] if below >= 0 else None
            if (
                not isinstance(holder, Build)
                or holder.parts
                or holder.kind not in {"list", "set", "dict"}
            ):
                raise CannotLift("a for statement")
            kind = holder.kind
        base = self.stack[: max(below, 0)]
        clauses, element = self.clauses(at, width, kind)
        self.stack[:] = base
        if isinstance(element, tuple):
            key, value = element
            if self.program.table.number < KEY_FIRST and self.loud(key) and self.loud(value):
                # The value came first, and still does: `for t in [value]` only assigns.
                name = self.make.fresh()
                target = self.make(ast.Name(name, ast.Store()))
                clauses.append(self.let(target, value))
                value = self.make.name(name)
            self.push(self.make(ast.DictComp(key, value, clauses)))
        else:
            self.push(self.make(_DISPLAYS[kind](element, clauses)))
        if kind == "gen":
            self.stack[:] = [self.stack[-1]]
            return EXIT
        return int(self.ops[at][1])

    def for_(self, at: int, width: int) -> int:
        """A `for` statement: its body is all that leads to its next round."""
        iterator = self.stack[self.at(width)]
        if not isinstance(iterator, Iter):
            raise CannotLift("a loop over what is no iterator")
        base = list(self.stack)
        self.stack.append(object())
        target, start = self.target(at + 1)
        outer, self.stmts = self.stmts, []
        flow = Flow(self.ops, start, {at}, self.heads)
        self.tick(flow.size)
        self.exits.append(self.ways_out(int(self.ops[at][1])))
        self.heads.append(at)
        self.deeper()
        if start in flow.alive:
            end = self.run(start, EXIT, flow)
        else:  # never a second round
            end, self.stmts = at, self.left(start).stmts
            self.stack[:] = base
        self.exits.pop()
        self.heads.pop()
        self.steps[0] -= 1
        if end != at or len(self.stack) != len(base) or self.pending:
            raise CannotLift("a for statement that does more than go round")
        body = self.stmts or [self.make(ast.Pass())]
        source = self.express.of(iterator.of)
        self.stmts = [*outer, self.make(ast.For(target, source, body, []))]
        self.stack[:] = base[:-width]
        return int(self.ops[at][1])

    def ways_out(self, at: int) -> set[int]:
        """Where jumps from there lead in the end, and where that stands a second time."""
        seen = {at}
        while self.ops[at][0] in {"jump", "unblock"}:
            at = self.ops[at][1] if self.ops[at][0] == "jump" else at + 1
            if at in seen:
                raise CannotLift("a loop that leads nowhere")
            seen.add(at)
        old = self.program.table.number < KEEPS
        return {at} if old else copies(self.ops, at)

    def let(self, target: ast.expr, value: ast.expr) -> ast.comprehension:
        """An assignment in a comprehension, as of `for target in [value]` since 3.9."""
        return self.make(ast.comprehension(target, self.make(ast.List([value], ast.Load())), [], 0))

    def loud(self, value: ast.expr) -> bool:
        """Whether a program can notice when the value is worked out."""
        code = self.program.code
        known = code.varnames
        if not self.shape.loud:
            known += code.cellvars + code.freevars
        while isinstance(value, ast.UnaryOp) and isinstance(value.operand, ast.Constant):
            value = value.operand
        constant = isinstance(value, ast.Constant)
        return not constant and not (isinstance(value, ast.Name) and value.id in known)

    def assign(self, target: ast.expr, value: Any) -> None:
        if self.lets is None:
            super().assign(target, value)
            return
        self.sieve(self.lets)
        self.lets.append(self.let(target, self.express.of(value)))

    def sieve(self, clauses: list[ast.comprehension]) -> None:
        """Give the last clause the conditions that were read since it began."""
        if self.filters:
            condition = self.filters[0]
            for more in self.filters[1:]:
                condition = self.express.both(ast.And, condition, more)
            last = clauses[-1]
            clauses[-1] = self.make(ast.comprehension(last.target, last.iter, [condition], 0))
        self.filters = []

    def clauses(self, at: int, width: int, kind: str) -> tuple[list[ast.comprehension], Any]:
        clauses: list[ast.comprehension] = []
        loops = 0
        outer = self.filters, self.lets
        self.exits.append(set())
        while True:
            iterator = self.stack[self.at(width)]
            if not isinstance(iterator, Iter):
                raise CannotLift("a loop over what is no iterator")
            marker: Any = object()
            self.stack.append(marker)
            target, start = self.target(at + 1)
            source = self.express.of(iterator.of)
            clauses.append(self.make(ast.comprehension(target, source, [], 0)))
            loops += 1
            self.filters, self.lets = [], clauses
            ends = self.ends(at, kind)
            flow = Flow(self.ops, start, ends, {at})
            height = len(self.stack)
            end = self.run(start, EXIT, flow)
            self.sieve(clauses)
            if self.ops[end][0] != "for":
                break
            if len(self.stack) != height + width:
                raise CannotLift("a loop inside an expression of a loop")
            at = end
        self.filters, self.lets = outer
        self.exits.pop()
        return clauses, self.element(end, kind, loops, width, height)

    def ends(self, at: int, kind: str) -> set[int]:
        """The operations that end one round of the loop at `at`: the item, or an inner loop."""
        last = "yield" if kind == "gen" else "append"
        found = set()
        for place, op in enumerate(self.ops):
            after = place + (2 if kind == "gen" else 1)
            if op[0] == last and self.back(after, at) and (kind == "gen" or op[1] == kind):
                found.add(place)
        if not found:
            found = {
                place
                for place, op in enumerate(self.ops)
                if op[0] == "for" and place > at and self.back(op[1], at)
            }
        if not found:
            raise CannotLift("a loop that adds nothing")
        return found

    def back(self, place: int, head: int) -> bool:
        return place < len(self.ops) and self.ops[place] == ("jump", head)

    def element(self, end: int, kind: str, loops: int, width: int, height: int) -> Any:
        op = self.ops[end]
        count = 2 if kind == "dict" else 1
        if len(self.stack) != height + count:
            raise CannotLift("values that are left on the stack of a loop")
        values = [self.express.of(self.use(value)) for value in self.popn(count)]
        if kind != "gen" and op[2] != loops * width + 1:
            raise CannotLift("an item added to another loop's display")
        return tuple(values) if kind == "dict" else values[0]
