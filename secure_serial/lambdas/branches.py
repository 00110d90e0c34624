"""Tests and what they lead to, folded into conditions and choices, innermost first.

Compilers turn `a and b or c` into jumps that share their targets. Two tests one of which leads
only to the other, and that share a target, are one test again: of `and`, `or` or a choice.
"""

# ruff: noqa: D102 - small methods that are read with their class

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.values import Const, key_of

if TYPE_CHECKING:
    from secure_serial.lambdas.express import Express


@dataclass(eq=False, slots=True)
class Leaf:
    """Where paths end: at the join, at a return, or at the next round of the loop."""

    kind: str
    stack: tuple[Any, ...] = ()
    stmts: list[ast.stmt] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Test:
    """A test. `when_true` and `when_false`: the value itself, if that is what was tested."""

    stmts: list[ast.stmt]
    condition: ast.expr
    then: Any
    other: Any
    when_true: Any = None
    when_false: Any = None


Node = Leaf | Test


class Reducer:
    """Folds the nodes that the root leads to into one."""

    def __init__(self, express: Express) -> None:
        self.express = express
        self.uses: dict[int, int] = {}

    def reduce(self, root: Node) -> Node:
        """A leaf, if all of it can be written; else what is left of the tests."""
        while True:
            order = _postorder(root)
            self.uses = {}
            for node in order:
                if isinstance(node, Test):
                    for leg in (node.then, node.other):
                        self.uses[id(leg)] = self.uses.get(id(leg), 0) + 1
            made = self.step(order)
            if made is None:
                return root
            old, new = made
            if old is root:
                root = new
            for node in order:
                if isinstance(node, Test):
                    node.then = new if node.then is old else node.then
                    node.other = new if node.other is old else node.other

    def step(self, order: list[Node]) -> tuple[Node, Node] | None:
        """The innermost test that folds, and what it becomes."""
        for node in order:
            if not isinstance(node, Test):
                continue
            if self.absorb(node):
                return node, node
            if isinstance(node.then, Leaf) and isinstance(node.other, Leaf):
                shared = node.then is node.other
                if all(self.uses[id(leg)] == 1 + shared for leg in (node.then, node.other)):
                    made = self.join(node, node.then, node.other)
                    if made is not None:
                        return node, made
        return None

    def only(self, node: Node) -> bool:
        """Whether a test does nothing but test, and one leg alone leads to it."""
        return isinstance(node, Test) and not node.stmts and self.uses[id(node)] == 1

    def absorb(self, node: Test) -> bool:
        """Two or three tests that are one."""
        then, other, make = node.then, node.other, self.express
        if self.only(then) and self.only(other) and then is not other:
            if self.agree(then, other):
                condition = make.choice(node.condition, then.condition, other.condition)
                return self.become(node, condition, then, other)
            if then.then is other.other and then.other is other.then:
                inverse = make.negated(other.condition)
                condition = make.choice(node.condition, then.condition, inverse)
                node.condition, node.then, node.other = condition, then.then, then.other
                node.when_true = node.when_false = None
                return True
        return self.absorb_then(node) or self.absorb_other(node)

    def absorb_then(self, node: Test) -> bool:
        """`and`, or `or` of a negation: the test that is made if the first one holds."""
        then, other, make = node.then, node.other, self.express
        if not self.only(then):
            return False
        if then.other is other or self.own(node, then, "other", "when_false"):
            condition = make.both(ast.And, node.condition, then.condition)
            first = node.other is then.other
            node.then = then.then
            self.become_one(node, condition, then, "other", "when_false", first)
            node.when_true = then.when_true
            return True
        if then.then is other:
            condition = make.both(ast.Or, make.negated(node.condition), then.condition)
            node.condition, node.then, node.other = condition, other, then.other
            node.when_true, node.when_false = None, then.when_false
            return True
        return False

    def absorb_other(self, node: Test) -> bool:
        """`or`, or `and` of a negation: the test that is made if the first one fails."""
        then, other, make = node.then, node.other, self.express
        if not self.only(other):
            return False
        if other.then is then or self.own(node, other, "then", "when_true"):
            condition = make.both(ast.Or, node.condition, other.condition)
            first = node.then is other.then
            node.other = other.other
            self.become_one(node, condition, other, "then", "when_true", first)
            node.when_false = other.when_false
            return True
        if other.other is then:
            condition = make.both(ast.And, make.negated(node.condition), other.condition)
            node.condition, node.then, node.other = condition, other.then, then
            node.when_true, node.when_false = other.when_true, None
            return True
        return False

    def own(self, one: Test, two: Test, leg: str, when: str) -> bool:
        """Whether both tests lead on that leg to nothing but the value that each tested."""
        for node in (one, two):
            leaf, value = getattr(node, leg), getattr(node, when)
            if not isinstance(leaf, Leaf) or leaf.stmts or not leaf.stack or value is None:
                return False
            if leaf.stack[-1] is not value or self.uses[id(leaf)] != 1:
                return False
        first, second = getattr(one, leg), getattr(two, leg)
        if first.kind != second.kind or len(first.stack) != len(second.stack):
            return False
        pairs = zip(first.stack[:-1], second.stack[:-1], strict=True)
        return all(mine is other for mine, other in pairs)

    def agree(self, one: Test, two: Test) -> bool:
        """Whether two tests lead to the same places, or to their own values."""
        return all(
            getattr(one, leg) is getattr(two, leg) or self.own(one, two, leg, when)
            for leg, when in (("then", "when_true"), ("other", "when_false"))
        )

    def become(self, node: Test, condition: ast.expr, one: Test, two: Test) -> bool:
        """The node as the choice of two tests that agree."""
        for leg, when in (("then", "when_true"), ("other", "when_false")):
            shared = getattr(one, leg) is getattr(two, leg)
            setattr(node, leg, getattr(one, leg))
            self.become_one(node, condition, one, leg, when, shared)
        return True

    @staticmethod
    def become_one(
        node: Test,
        condition: ast.expr,
        one: Test,
        leg: str,
        when: str,
        shared: bool,  # noqa: FBT001
    ) -> None:
        """One leg of the new test: a place as before, or the new test's own value."""
        node.condition = condition
        if shared:
            setattr(node, leg, getattr(one, leg))
            setattr(node, when, None)
            return
        old = getattr(one, leg)
        setattr(node, leg, Leaf(old.kind, (*old.stack[:-1], condition)))
        setattr(node, when, condition)

    def join(self, node: Test, then: Leaf, other: Leaf) -> Leaf | None:
        """One leaf of two that end at the same place."""
        if then.kind != other.kind or then.kind == "loop":
            return None
        if then.kind == "return" and (then.stmts or other.stmts):
            return self.statement(node, then, other, [])
        if len(then.stack) != len(other.stack):
            raise CannotLift("paths that meet with stacks of different height")
        pairs = zip(then.stack, other.stack, strict=True)
        differ = [place for place, (one, two) in enumerate(pairs) if one is not two]
        if then is other and then.stack and not then.stmts:
            # A test that decides nothing, as of `x and 2 or 3`: it is still made.
            top = self.express.of(then.stack[-1])
            value = self.express.choice(node.condition, top, top)
            return Leaf(then.kind, (*then.stack[:-1], value), node.stmts)
        if not differ or then.stmts or other.stmts:
            return self.statement(node, then, other, differ)
        if len(differ) > 1:
            # Copies of one end push the same operands again.
            unlike = [
                place for place in differ if not _alike(then.stack[place], other.stack[place])
            ]
            differ = unlike or differ[:1]
        if len(differ) > 1:
            raise CannotLift("paths that meet with different stacks")
        place = differ[0]
        value = self.value(node, then.stack[place], other.stack[place])
        return Leaf(then.kind, (*then.stack[:place], value, *then.stack[place + 1 :]), node.stmts)

    def value(self, node: Test, then: Any, other: Any) -> ast.expr:
        make = self.express
        if node.when_false is not None and other is node.when_false:
            return make.both(ast.And, node.condition, make.of(then))
        if node.when_true is not None and then is node.when_true:
            return make.both(ast.Or, node.condition, make.of(other))
        return make.choice(node.condition, make.of(then), make.of(other))

    def statement(self, node: Test, then: Leaf, other: Leaf, differ: list[int]) -> Leaf:
        """An `if` statement."""
        legs = []
        for leaf in (then, other):
            stmts = list(leaf.stmts)
            if leaf.kind == "return" and leaf.stack:
                stmts.append(self.express.make(ast.Return(self.express.of(leaf.stack[-1]))))
            legs.append(stmts)
        if differ and then.kind != "return":
            raise CannotLift("a statement inside an expression")
        if not legs[0] and not legs[1]:
            raise CannotLift("a test of nothing")
        condition = node.condition
        if not legs[0]:
            condition, legs = self.express.negated(condition), legs[::-1]
        made = self.express.make(ast.If(condition, *legs))
        stack = () if then.kind == "return" else then.stack
        return Leaf(then.kind, stack, [*node.stmts, made])


def _alike(one: Any, two: Any) -> bool:
    """Whether two values are the same constant or variable, pushed twice."""
    if isinstance(one, Const) and isinstance(two, Const):
        return key_of(one.value) == key_of(two.value)
    return isinstance(one, ast.Name) and isinstance(two, ast.Name) and one.id == two.id


def _postorder(root: Node) -> list[Node]:
    order: list[Node] = []
    seen: set[int] = set()
    todo: list[tuple[Node, bool]] = [(root, False)]
    while todo:
        node, done = todo.pop()
        if done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            todo.append((node, True))
            if isinstance(node, Test):
                todo += [(node.other, False), (node.then, False)]
    return order
