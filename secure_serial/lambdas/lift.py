"""Bytecode to an expression tree. What it makes is only a proposal, which `prove` must accept."""

# ruff: noqa: D102 - a method for each operation of the same name; what it does is the name

from __future__ import annotations

import ast
from typing import Any

from secure_serial.lambdas import code as c
from secure_serial.lambdas.calls import Caller
from secure_serial.lambdas.displays import searched
from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.express import Express
from secure_serial.lambdas.flow import SHAPES, Shape, one_tail
from secure_serial.lambdas.micro import Reading, kind_of
from secure_serial.lambdas.nodes import Maker, identifier
from secure_serial.lambdas.paths import Paths
from secure_serial.lambdas.values import Const, Function, Iter, Saved


class Lifter(Paths, Caller):
    """Lifts one code object."""

    def __init__(
        self,
        reading: Reading,
        code: c.Code,
        maker: Maker,
        depth: int,
        source: Any = None,
        steps: list[int] | None = None,
        *,
        shape: Shape = SHAPES[0],
    ) -> None:
        super().__init__(maker.bounds)
        self.reading = reading
        self.program = program = reading(code)
        self.ops = one_tail(program.ops, shape.tails)
        self.shape = shape
        #: Tests that decide nothing, and that the next value is still to make.
        self.asked: list[ast.expr] = []
        self.height = 0
        #: Whether statements may stand here: in a `def`.
        self.statements = not program.kind and program.code.name != "<lambda>"
        #: Values that a test has looked at, so that dropping one is no statement.
        self.tested: list[Any] = []
        self.make = maker
        self.express = Express(maker)
        self.depth = depth
        #: What a comprehension's body walks over first.
        self.source = source
        self.steps = steps if steps is not None else [0]
        self.stmts: list[ast.stmt] = []
        self.filters, self.lets, self.leaving = [], None, 0
        self.exits, self.heads = [], []
        self.pending: list[tuple[ast.expr, Any]] = []
        self.placed: list[Any] = []
        # Keys below hold ids, which are a value's own only while it lives.
        self.held: list[Any] = []
        self.deeper()

    # Values.

    def settle_all(self, count: int) -> None:
        """Constants too become expressions, by whose places an assignment is written."""
        # A broken code stores more than there is, and the store itself refuses it.
        count = min(count, len(self.stack))
        super().settle_all(count)
        made: dict[int, ast.expr] = {}
        for place in range(len(self.stack) - count, len(self.stack)) if count > 1 else ():
            value = self.stack[place]
            if isinstance(value, Const):
                made.setdefault(id(value), self.make.constant(value.value))
                self.stack[place] = made[id(value)]
        self.placed = list(self.stack)

    def emit(self, kind: str, *operands: object) -> Any:
        if kind == "function":
            return self.function(operands[0])
        return self.express(kind, *operands)

    def is_text(self, value: Any) -> bool:
        return super().is_text(value) or isinstance(value, ast.JoinedStr)

    def do_fast(self, name: str) -> None:
        if name == ".0" and self.source is not None:
            self.push(self.source)
        else:
            self.push(self.make.name(name))

    def do_global(self, name: str) -> None:
        self.push(self.make.name(name))

    do_deref = do_global

    def do_assertion(self) -> None:
        node = self.make(ast.Name("AssertionError", ast.Load()))
        self.express.assertions.add(id(node))
        self.push(node)

    def do_save(self, name: str) -> None:
        self.push(Saved(name))

    def function(self, function: Any) -> ast.expr:
        """A nested lambda."""
        if kind_of(function.code) or function.code.name != "<lambda>":
            raise CannotLift("a nested function with a decorator, or under another name")
        return self.inner(function).lambda_(function)

    def definition(self, function: Function) -> ast.FunctionDef:
        """A nested `def`."""
        inner = self.inner(function)
        body = inner.body()
        stmts: list[ast.stmt] = body if isinstance(body, list) else [self.make(ast.Return(body))]
        name = identifier(function.code.name)
        made = ast.FunctionDef(name, inner.arguments(function), stmts, [], None, None)
        made.type_params = []  # type: ignore[attr-defined,unused-ignore]
        return self.make(made)

    def inner(self, function: Function) -> Lifter:
        _check_closure(function)
        return Lifter(
            self.reading,
            function.code,
            self.make,
            self.depth + 1,
            steps=self.steps,
            shape=self.shape,
        )

    def lambda_(self, function: Function) -> ast.expr:
        body = self.body()
        if isinstance(body, list):
            raise CannotLift("statements in a lambda")
        return self.make(ast.Lambda(self.arguments(function), body))

    def arguments(self, function: Function) -> ast.arguments:
        code = self.program.code
        names = [self.make(ast.arg(identifier(name))) for name in code.varnames[: code.arguments]]
        end = code.argcount + code.kwonly
        rest = names[end:]
        given = dict(function.kwdefaults)
        named = names[code.argcount : end]
        if len(function.defaults) > code.argcount or set(given) - {each.arg for each in named}:
            raise CannotLift("more defaults than arguments")
        return self.make(
            ast.arguments(
                posonlyargs=names[: code.posonly],
                args=names[code.posonly : code.argcount],
                vararg=rest.pop(0) if code.flags & c.VARARGS else None,
                kwonlyargs=named,
                kw_defaults=[
                    self.express.of(given[each.arg]) if each.arg in given else None
                    for each in named
                ],
                kwarg=rest.pop(0) if code.flags & c.VARKEYWORDS else None,
                defaults=[self.express.of(value) for value in function.defaults],
            )
        )

    def do_call_old(self, count: int, named: int, star: bool, stars: bool) -> None:  # noqa: FBT001
        if star and named:
            self.keywords_first(named, self.at(1 + stars))
        super().do_call_old(count, named, star, stars)

    def keywords_first(self, named: int, star: int) -> None:
        """`f(*a, k=v)` of Python 2 works out `v` before `a`: `f(*(t := v, a)[1], k=t)`."""
        given: list[ast.expr] = []
        if star < 2 * named:
            raise CannotLift("a stack that runs empty")
        for place in range(star - 2 * named + 1, star, 2):
            value = self.express.of(self.use(self.stack[place]))
            if not self.loud(value):
                continue
            name = self.make.fresh()
            target = self.make(ast.Name(name, ast.Store()))
            given.append(self.make(ast.NamedExpr(target, value)))
            self.stack[place] = self.make.name(name)
        if given:
            walked = self.express.of(self.use(self.stack[star]))
            both = self.make(ast.Tuple([*given, walked], ast.Load()))
            index = self.make(ast.Constant(len(given)))
            self.stack[star] = self.make(ast.Subscript(both, index, ast.Load()))

    def invoke(self, callee: Any, positional: Any, keywords: Any) -> None:
        if isinstance(callee, Function) and kind_of(callee.code):
            self.push(self.comprehension(callee, positional, keywords))
            return
        super().invoke(callee, positional, keywords)

    def comprehension(self, function: Function, positional: Any, keywords: Any) -> ast.expr:
        """A comprehension whose body is a function of its own."""
        if len(positional) != 1 or positional[0][0] != "item" or keywords:
            raise CannotLift("a comprehension called with anything but its source")
        if function.defaults or function.kwdefaults:
            raise CannotLift("defaults of a comprehension")
        _check_closure(function)
        source = positional[0][1]
        if not isinstance(source, Iter):
            source = Iter(self.use(searched(source)))
        inner = Lifter(
            self.reading,
            function.code,
            self.make,
            self.depth + 1,
            source,
            self.steps,
            shape=self.shape,
        )
        body = inner.body()
        if not isinstance(body, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            raise CannotLift("a comprehension that does more")
        return body


def _check_closure(function: Function) -> None:
    if function.closure != function.code.freevars:
        raise CannotLift("a closure of other variables than the function names")
