"""Paths between branches: followed one by one, then folded into one expression or statement."""

# ruff: noqa: D102 - a part of the lifter

from __future__ import annotations

import ast
from typing import Any

from secure_serial.lambdas import code as c
from secure_serial.lambdas.branches import Leaf, Node, Reducer, Test
from secure_serial.lambdas.displays import truth_of
from secure_serial.lambdas.errors import CannotLift, TooMuch
from secure_serial.lambdas.flow import EXIT, STORES, Flow, taken
from secure_serial.lambdas.micro import Reading, kind_of
from secure_serial.lambdas.values import Build, Const, Function, Iter, Not, Null
from secure_serial.lambdas.ways import MOVES, Ways


class Paths(Ways):
    """The part of the lifter that reads branches."""

    reading: Reading
    steps: list[int]
    statements: bool
    tested: list[Any]
    held: list[Any]
    asked: list[ast.expr]
    height: int
    operand: Any
    execute: Any
    emit: Any
    settle_all: Any
    bounds: Any

    # Paths.

    def body(self) -> ast.expr | list[ast.stmt]:
        """All of it: an expression, or statements that end in a return."""
        deep = self.steps[0]
        try:
            return self.whole()
        except CannotLift:
            if self.ops == self.program.ops:
                raise
        self.ops, self.steps[0] = self.program.ops, deep
        self.stack[:], self.stmts, self.pending, self.asked = [], [], [], []
        self.placed = []
        return self.whole()

    def whole(self) -> ast.expr | list[ast.stmt]:
        flow = Flow(self.ops, 0, {EXIT})
        if 0 not in flow.alive:  # all paths raise
            flow = Flow(self.ops, 0, {EXIT}, raises=True)
        self.run(0, EXIT, flow)
        if self.asked:
            raise CannotLift("a test that decides nothing, at the end")
        if len(self.stack) != 1 and not (self.stmts and not self.stack):
            raise CannotLift("values that are left on the stack")
        self.steps[0] -= 1
        if not self.stmts:
            return self.express.of(self.use(self.stack[0]))
        if self.stack:
            self.stmts.append(self.make(ast.Return(self.express.of(self.stack[0]))))
        return self.stmts

    def deeper(self) -> None:
        """Functions and choices inside each other, which take Python's own stack."""
        self.steps[0] += 1
        if self.steps[0] > self.bounds.depth:
            raise TooMuch(f"functions and choices more than {self.bounds.depth} deep")

    def tick(self, count: int = 1) -> None:
        spent = self.reading.spent
        spent[0] += count
        if spent[0] > self.bounds.proof_steps:
            raise TooMuch("more paths than can be followed")

    def run(self, at: int, stop: int, flow: Flow) -> int:
        """Follow the only path from `at` until `stop`, an end of `flow` or a return."""
        while True:
            self.tick()
            if at in (stop, EXIT) or at in flow.ends:
                return at
            if at not in flow.alive:
                raise CannotLift("a jump out of a loop")
            at = self.advance(at, flow)

    def advance(self, at: int, flow: Flow) -> int:
        """One operation, or one choice with all that hangs on it."""
        op = self.ops[at]
        self.order(op[0], at)
        if op[0] == "jump":
            return int(op[1])
        if op[0] == "test" and self.stack and truth_of(self.stack[-1]) is not None:
            return int(op[2]) if truth_of(self.pop()) is op[1] else at + 1
        if op[0] in {"test", "test_none"}:
            return self.choose(at, flow)
        if op[0] == "for":
            return self.loop(at)
        if op[0] in {"unpack", "unpack_ex"}:
            value = self.operand()
            target, after = self.unpacked(at)
            self.assign(target, value)
            return after
        if op[0] in {"return", "raise"}:
            self.stack[:] = [self.operand()] if op[0] == "return" else self.raised()
            return EXIT
        if self.asked:
            self.answer(op, at + 1)
        else:
            self.execute(op)
        return at + 1

    def do_copy(self, depth: int) -> None:
        super().do_copy(depth)  # type: ignore[misc]
        # To drop one of two, as the end of a chain does, is no statement.
        self.tested.append(self.stack[-1])

    def order(self, word: str, at: int) -> None:
        """Before the first of several values is stored: the order in which they stand."""
        if word not in STORES:
            self.placed = []
            if self.pending:
                raise CannotLift("an assignment of several values")
        elif not self.placed:
            self.settle_all(taken(self.ops, at))

    def answer(self, op: Any, after: int) -> None:
        """One operation behind a test that decides nothing: the value it pushes makes the test."""
        self.execute(op)
        value = self.stack[-1] if self.stack else None
        if len(self.stack) <= self.height:
            raise CannotLift("a test that decides nothing, inside an expression")
        if isinstance(value, Function) and not kind_of(value.code):
            value = self.use(value)
        code = isinstance(value, Const) and isinstance(value.value, c.Code)
        name = self.ops[after][0] in {"make", "make_old"}
        if code or name or not isinstance(value, (ast.expr, Const)):
            return
        # `v if (x and y or True) else None` makes the tests of `x and y`, and is `v`.
        always = self.make(ast.Constant(value=True))
        tests = [self.express.both(ast.Or, each, always) for each in self.asked]
        condition = tests[0] if len(tests) == 1 else self.make(ast.BoolOp(ast.And(), tests))
        self.asked = []
        none = self.make(ast.Constant(None))
        self.stack[-1] = self.express.choice(condition, self.express.of(value), none)

    def choose(self, at: int, flow: Flow) -> int:
        """The test at `at`, up to where its paths meet again."""
        join = self.meet(at, flow)
        if join is None:
            raise CannotLift("paths that never meet")
        self.deeper()
        outer, self.stmts = self.stmts, []
        lets, self.lets = self.lets, None
        result = self.reduced(self.region(at, join, flow))
        self.steps[0] -= 1
        self.stmts, self.lets = outer + result.stmts, lets
        if isinstance(result, Test):
            return self.filtered(result, join)
        self.stack[:] = result.stack
        if result.asked and self.statements and self.clear():
            self.stmts.append(self.make(ast.If(result.asked, [self.make(ast.Pass())], [])))
        elif result.asked:
            self.asked.append(result.asked)
            self.height = len(result.stack)
        return EXIT if result.kind == "return" else join

    def reduced(self, root: Node) -> Node:
        return Reducer(self.express).reduce(root)

    def filtered(self, result: Test, join: int) -> int:
        """A test of which one leg goes to the next round of a loop: an `if` of it."""
        legs = (result.then, result.other)
        if self.lets is None or not all(isinstance(leg, Leaf) for leg in legs):
            raise CannotLift("branches that are no expression")
        kinds = [leg.kind for leg in legs]
        if sorted(kinds) != ["join", "loop"] or any(leg.stmts for leg in legs):
            raise CannotLift("branches that are no expression")
        condition = result.condition
        if kinds[0] == "loop":
            condition = self.express.negated(condition)
        self.filters.append(condition)
        self.stack[:] = legs[kinds.index("join")].stack
        return join

    def ended(self, kind: str, base: tuple[Any, ...]) -> Leaf:
        """A leaf here, its value an expression unless it stood there before the branch."""
        top = self.stack[-1] if self.stack else None
        if isinstance(top, (Not, Build, Function)) and not any(top is one for one in base):
            self.replace(top, self.use(top))
        return Leaf(kind, tuple(self.stack), self.stmts)

    def region(self, at: int, join: int, flow: Flow) -> Node:
        """All tests between `at` and `join`, and where they lead."""
        made: dict[Any, Node] = {}
        same: dict[tuple[Any, ...], Leaf] = {}
        links: list[tuple[Test, str, Any]] = []
        root = self.test(at, {}, links)
        todo = list(links)
        while todo:
            test, leg, (start, stack, truths) = todo.pop()
            key = (start, tuple(map(id, stack)), tuple(sorted(truths.items())))
            self.held.append(stack)
            if key not in made:
                if len(made) > self.bounds.branches:
                    raise TooMuch(f"more than {self.bounds.branches} branches in one expression")
                links = []
                self.stack[:], self.stmts, self.asked = list(stack), [], []
                made[key] = self.node(start, join, flow, truths, links, made)
                made[key] = self.known(made[key], same)
                todo += links
            setattr(test, leg, made[key])
        return root

    def known(self, node: Node, same: dict[tuple[Any, ...], Leaf]) -> Node:
        """The leaf, or one that is written alike: compilers copy short ends."""
        if isinstance(node, Leaf) and [type(each) for each in node.stmts] == [ast.Break]:
            return same.setdefault(("break",), node)
        if not isinstance(node, Leaf) or node.stmts or node.asked or node.kind == "loop":
            return node
        if node.kind == "join":
            self.held.append(node.stack)
            return same.setdefault(("join", *map(id, node.stack)), node)
        value = node.stack[-1]
        size = self.make.sizes.get(id(value), (self.shape.alike + 1, 0))[0]
        if not isinstance(value, Const) and size > self.shape.alike:
            return node
        text = ast.dump(self.express.of(value))
        return same.setdefault((text,), node)

    def node(  # noqa: C901 - one case for each way a leg can end
        self, at: int, join: int, flow: Flow, truths: dict[int, bool], links: list[Any], made: Any
    ) -> Node:
        """Follow one leg to its end or to the next test."""
        start, silent = at, True
        base = tuple(self.stack)
        old = set(map(id, base))
        while True:
            self.tick()
            if at in (EXIT, join) and self.asked:
                raise CannotLift("a test that decides nothing, at the end of a branch")
            if at == EXIT:
                return Leaf("return", tuple(self.stack), self.stmts)
            if at == join:
                return self.ended("join", base)
            dead = at not in flow.alive
            if dead and self.exits and not self.exits[-1]:
                return Leaf("loop", (), self.stmts)
            if at in flow.ends:
                raise CannotLift("paths that end in different places")
            top = self.stack[-1] if self.stack else None
            still = self.ops[at][0] in MOVES or self.ops[at][0] == "jump"
            still = still and not (dead and isinstance(top, (Iter, Null)))
            if silent and at != start and not still and all(id(v) in old for v in self.stack):
                return self.again(at, join, flow, truths, links, made)
            if dead and not still:
                return self.left(at)
            op = self.ops[at]
            if op[0] in {"test", "test_none"}:
                value = self.stack[-1] if self.stack else None
                if op[0] == "test" and id(value) in truths:
                    at = op[2] if truths[id(self.pop())] is op[1] else at + 1
                    continue
                known = op[0] == "test" and truth_of(value) is not None
                if not known and self.meet(at, flow) == join:
                    return self.test(at, truths, links)
                still = still or known
            silent = silent and (still or op[0] == "push")
            at = self.advance(at, flow)

    def again(
        self, at: int, join: int, flow: Flow, truths: dict[int, bool], links: list[Any], made: Any
    ) -> Node:
        """The node here, where nothing has happened but moves, and constants that came and went."""
        live = {id(each) for each in self.stack}
        truths = {key: known for key, known in truths.items() if key in live}
        key = (at, tuple(map(id, self.stack)), tuple(sorted(truths.items())))
        self.held.append(tuple(self.stack))
        if key not in made:
            made[key] = self.node(at, join, flow, truths, links, made)
        return made[key]  # type: ignore[no-any-return]

    def test(self, at: int, truths: dict[int, bool], links: list[Any]) -> Test:
        if self.asked:
            raise CannotLift("a test that decides nothing, before another")
        op = self.ops[at]
        stmts = self.stmts
        if op[0] == "test_none":
            value: Any = self.emit("compare", "is", self.operand(), Const(None))
        else:
            value = self.pop()
            if isinstance(value, (Not, Build, Function)):
                used = self.use(value)
                self.replace(value, used)
                value = used
        self.tested.append(value)
        condition = self.express.of(value)
        test = Test(stmts, condition, None, None, value, value, tuple(self.stack))
        live = {id(each) for each in self.stack}
        legs = {op[1]: op[2], not op[1]: at + 1}
        for truth, leg in ((True, "then"), (False, "other")):
            facts = {
                key: known for key, known in {**truths, id(value): truth}.items() if key in live
            }
            links.append((test, leg, (legs[truth], tuple(self.stack), facts)))
        return test
