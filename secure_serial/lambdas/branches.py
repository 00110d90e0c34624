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

if TYPE_CHECKING:
    from secure_serial.lambdas.express import Express


@dataclass(eq=False, slots=True)
class Leaf:
    """Where paths end: at the join, at a return, at the next round of the loop, or out of it."""

    kind: str
    stack: tuple[Any, ...] = ()
    stmts: list[ast.stmt] = field(default_factory=list)
    #: A test whose outcome decides nothing, which is made before what comes behind the leaf.
    asked: ast.expr | None = None


@dataclass(eq=False, slots=True)
class Test:
    """A test. `when_true` and `when_false`: the value itself, if that is what was tested.

    `base` is what stands on the stack while it is made.
    """

    stmts: list[ast.stmt]
    condition: ast.expr
    then: Any
    other: Any
    when_true: Any = None
    when_false: Any = None
    base: tuple[Any, ...] = ()


Node = Leaf | Test
#: Where a test keeps the value that it leads to on a leg, if that is what was tested.
_WHEN = {"then": "when_true", "other": "when_false"}
#: For each leg the other one, and what two tests are that both lead there, or one of them.
_LEGS: dict[str, tuple[str, type[ast.boolop], type[ast.boolop]]] = {
    "then": ("other", ast.And, ast.Or),
    "other": ("then", ast.Or, ast.And),
}


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
            made = self.step(order) or self.step(order, shared=True)
            if made is None:
                return root
            old, new = made
            if old is root:
                root = new
            for node in order:
                if isinstance(node, Test):
                    node.then = new if node.then is old else node.then
                    node.other = new if node.other is old else node.other

    def step(self, order: list[Node], *, shared: bool = False) -> tuple[Node, Node] | None:
        """The innermost test that folds, and what it becomes.

        `shared`: also one that leads to where others lead, too, if nothing is done on the way.
        """
        for node in order:
            if not isinstance(node, Test):
                continue
            if self.absorb(node):
                return node, node
            if isinstance(node.then, Leaf) and isinstance(node.other, Leaf):
                legs = (node.then, node.other)
                own = 1 + (node.then is node.other)
                if all(
                    self.uses[id(x)] == own or (shared and (_idle(x, node) or x.kind == "gone"))
                    for x in legs
                ):
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
        if then is other and isinstance(then, Test) and not then.stmts:
            return self.uses[id(then)] == len(_WHEN) and self.absorb_next(node, then)
        return self.absorb_leg(node, "then") or self.absorb_leg(node, "other")

    def absorb_next(self, node: Test, after: Test) -> bool:
        """A test that decides nothing, and the one behind it."""
        made = self.express.both(ast.Or, node.condition, self.constant(value=True))
        condition = self.express.both(ast.And, made, after.condition)
        for leg in _WHEN:
            self.become_one(node, condition, after, leg, not self.own(after, after, leg))
        return True

    def constant(self, *, value: bool) -> ast.expr:
        return self.express.make(ast.Constant(value))

    def absorb_leg(self, node: Test, leg: str) -> bool:
        """A test and the one that it leads to on `leg`: `and` for `then`, `or` for `other`."""
        rest, sign, inverse = _LEGS[leg]
        after, make = getattr(node, leg), self.express
        if not self.only(after):
            return False
        if after.then is after.other is not getattr(node, rest):
            # It decides nothing: `a or (b and False)`.
            condition = make.both(inverse, after.condition, self.constant(value=sign is ast.And))
            condition = make.both(sign, node.condition, condition)
            self.become_one(node, condition, node, rest, not self.own(node, node, rest))
            setattr(node, leg, after.then)
            setattr(node, _WHEN[leg], None)
            return True
        shared = getattr(after, rest) is getattr(node, rest)
        if shared or self.own(node, after, rest):
            condition = make.both(sign, node.condition, after.condition)
            setattr(node, leg, getattr(after, leg))
            setattr(node, _WHEN[leg], getattr(after, _WHEN[leg]))
            self.become_one(node, condition, after, rest, shared)
            return True
        if getattr(after, leg) is getattr(node, rest):
            node.condition = make.both(inverse, make.negated(node.condition), after.condition)
            setattr(node, leg, getattr(node, rest))
            setattr(node, rest, getattr(after, rest))
            setattr(node, _WHEN[leg], None)
            setattr(node, _WHEN[rest], getattr(after, _WHEN[rest]))
            return True
        return False

    def own(self, one: Test, two: Test, leg: str) -> bool:
        """Whether both tests lead on that leg to nothing but the value that each tested."""
        for node in (one, two):
            leaf, value = getattr(node, leg), getattr(node, _WHEN[leg])
            if not isinstance(leaf, Leaf) or leaf.stmts or not leaf.stack or value is None:
                return False
            if leaf.asked:
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
            getattr(one, leg) is getattr(two, leg) or self.own(one, two, leg) for leg in _WHEN
        )

    def become(self, node: Test, condition: ast.expr, one: Test, two: Test) -> bool:
        """The node as the choice of two tests that agree."""
        for leg in _WHEN:
            self.become_one(node, condition, one, leg, getattr(one, leg) is getattr(two, leg))
        return True

    @staticmethod
    def become_one(
        node: Test,
        condition: ast.expr,
        one: Test,
        leg: str,
        shared: bool,  # noqa: FBT001
    ) -> None:
        """One leg of the new test: a place as before, or the new test's own value."""
        node.condition = condition
        if shared:
            setattr(node, leg, getattr(one, leg))
            setattr(node, _WHEN[leg], None)
            return
        old = getattr(one, leg)
        setattr(node, leg, Leaf(old.kind, (*old.stack[:-1], condition)))
        setattr(node, _WHEN[leg], condition)

    def join(self, node: Test, then: Leaf, other: Leaf) -> Leaf | None:
        """One leaf of two that end at the same place."""
        if "gone" in {then.kind, other.kind}:
            return self.gone(node, then, other)
        if then.kind != other.kind or then.kind == "loop":
            return None
        if then.kind == "return" and (then.stmts or other.stmts):
            return self.statement(node, then, other, [])
        if len(then.stack) != len(other.stack):
            raise CannotLift("paths that meet with stacks of different height")
        pairs = zip(then.stack, other.stack, strict=True)
        differ = [place for place, (one, two) in enumerate(pairs) if one is not two]
        if not differ and not then.stmts and not other.stmts:
            return self.nothing(node, then, other)
        if then.asked or other.asked:
            raise CannotLift("a test that decides nothing, between others")
        if not differ or then.stmts or other.stmts:
            return self.statement(node, then, other, differ)
        if len(differ) > 1:
            raise CannotLift("paths that meet with different stacks")
        place = differ[0]
        value = self.value(node, then.stack[place], other.stack[place])
        return Leaf(then.kind, (*then.stack[:place], value, *then.stack[place + 1 :]), node.stmts)

    def gone(self, node: Test, then: Leaf, other: Leaf) -> Leaf | None:
        """A leg that ends in a `return`, `break` or `raise`, beside one that goes on."""
        condition = node.condition
        if then.kind != "gone":
            condition, then, other = self.express.otherwise(condition), other, then
        if other.kind == "gone":
            made = self.express.make(ast.If(condition, then.stmts, other.stmts))
            return Leaf("gone", (), [*node.stmts, made])
        if other.kind == "loop":
            return None
        if other.asked:
            raise CannotLift("a test that decides nothing, between others")
        guard = self.express.guard(condition, then.stmts)
        return Leaf(other.kind, other.stack, [*node.stmts, guard, *other.stmts])

    def nothing(self, node: Test, then: Leaf, other: Leaf) -> Leaf:
        """A test that decides nothing, as of `x and 2 or 3`: it is still made."""
        make, condition = self.express, node.condition
        both = zip(node.base, then.stack, strict=False)
        place = next((n for n, (one, two) in enumerate(both) if one is not two), len(node.base))
        if len(then.stack) > place and not then.asked and not other.asked:
            value = make.of(then.stack[place])
            value = make.choice(condition, value, value)
            stack = (*then.stack[:place], value, *then.stack[place + 1 :])
            return Leaf(then.kind, stack, node.stmts)
        if len(then.stack) != place:
            raise CannotLift("a test that decides nothing, between others")
        if then.asked and other.asked:
            condition = make.choice(condition, then.asked, other.asked)
        elif then.asked:
            condition = make.both(ast.And, condition, then.asked)
        elif other.asked:
            condition = make.both(ast.Or, condition, other.asked)
        return Leaf(then.kind, then.stack, node.stmts, condition)

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
        condition = node.condition
        if not legs[0]:
            condition, legs = self.express.otherwise(condition), legs[::-1]
        made = self.express.make(ast.If(condition, *legs))
        stack = () if then.kind == "return" else then.stack
        return Leaf(then.kind, stack, [*node.stmts, made])


def _idle(leaf: Leaf, node: Test) -> bool:
    """Whether a leg does nothing before the paths meet."""
    same = len(leaf.stack) == len(node.base) and all(
        one is two for one, two in zip(leaf.stack, node.base, strict=True)
    )
    return leaf.kind == "join" and same and not leaf.stmts and not leaf.asked


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
