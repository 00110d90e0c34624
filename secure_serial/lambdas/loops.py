"""Comprehensions: loops that fill a display, nested and filtered."""

# ruff: noqa: D102 - a part of the lifter

from __future__ import annotations

import ast
from typing import Any

from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.flow import EXIT, Flow
from secure_serial.lambdas.statements import Statements
from secure_serial.lambdas.values import NULL, Build, Iter

_DISPLAYS: dict[str, Any] = {"list": ast.ListComp, "set": ast.SetComp, "gen": ast.GeneratorExp}


class Loops(Statements):
    """The part of the lifter that reads loops."""

    program: Any
    filters: list[ast.expr]
    run: Any
    push: Any
    popn: Any

    # Comprehensions.

    def loop(self, at: int) -> int:
        """A comprehension, from its first loop to behind it."""
        width = 2 if self.stack and self.stack[-1] is NULL else 1
        below = len(self.stack) - width - 1
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
            self.push(self.make(ast.DictComp(key, value, clauses)))
        else:
            self.push(self.make(_DISPLAYS[kind](element, clauses)))
        if kind == "gen":
            self.stack[:] = [self.stack[-1]]
            return EXIT
        return int(self.ops[at][1])

    def clauses(self, at: int, width: int, kind: str) -> tuple[list[ast.comprehension], Any]:
        clauses: list[ast.comprehension] = []
        outer = getattr(self, "filters", [])
        while True:
            iterator = self.stack[-width]
            if not isinstance(iterator, Iter):
                raise CannotLift("a loop over what is no iterator")
            marker: Any = object()
            self.stack.append(marker)
            target, start = self.target(at + 1)
            self.filters: list[ast.expr] = []
            ends = self.ends(at, kind)
            flow = Flow(self.ops, start, ends, at)
            height = len(self.stack)
            end = self.run(start, EXIT, flow)
            ifs = []
            if self.filters:
                condition = self.filters[0]
                for more in self.filters[1:]:
                    condition = self.express.both(ast.And, condition, more)
                ifs = [condition]
            source = self.express.of(iterator.of)
            clauses.append(self.make(ast.comprehension(target, source, ifs, 0)))
            if self.ops[end][0] != "for":
                break
            if len(self.stack) != height + width:
                raise CannotLift("a loop inside an expression of a loop")
            at = end
        self.filters = outer
        return clauses, self.element(end, kind, len(clauses), width, height)

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
