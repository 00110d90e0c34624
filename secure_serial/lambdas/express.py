"""What each event is as an expression."""

# ruff: noqa: D102 - a method for each event of the same name; what it does is the name

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.machine import CONVERSIONS, DIVIDE, Helper
from secure_serial.lambdas.nodes import Maker, identifier
from secure_serial.lambdas.values import Const

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPERATORS: dict[str, type[ast.operator]] = {
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "@": ast.MatMult, "/": ast.Div, "//": ast.FloorDiv,
    "%": ast.Mod, "**": ast.Pow, "<<": ast.LShift, ">>": ast.RShift, "&": ast.BitAnd,
    "|": ast.BitOr, "^": ast.BitXor,
}  # fmt: skip
_UNARY: dict[str, type[ast.unaryop]] = {
    "-": ast.USub, "+": ast.UAdd, "~": ast.Invert, "not": ast.Not,
}  # fmt: skip
_COMPARE: dict[str, type[ast.cmpop]] = {
    "<": ast.Lt, "<=": ast.LtE, "==": ast.Eq, "!=": ast.NotEq, ">": ast.Gt, ">=": ast.GtE,
    "is": ast.Is, "in": ast.In,
}  # fmt: skip
_INVERSE: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Is: ast.IsNot, ast.In: ast.NotIn}


class Express:
    """Makes an expression of each kind of event."""

    def __init__(self, maker: Maker) -> None:
        self.make = maker
        #: Values of `x += y`, which only an assignment to `x` may take.
        self.inplace: dict[int, ast.BinOp] = {}
        #: What `assert` raises, which no name in source is.
        self.assertions: set[int] = set()

    def of(self, value: Any) -> ast.expr:
        """The expression that a value on the stack is."""
        if isinstance(value, Const):
            return self.make.constant(value.value)
        if isinstance(value, Helper):
            return self.make.name(DIVIDE)
        if not isinstance(value, ast.expr):
            raise CannotLift("a value that is no expression")
        if id(value) in self.inplace:
            raise CannotLift("an augmented assignment to anything but a variable")
        return value

    def __call__(self, kind: str, *operands: Any) -> ast.expr:
        made: ast.expr = getattr(self, "on_" + kind)(*operands)
        return made

    def on_binary(self, sign: str, left: Any, right: Any) -> ast.expr:
        inplace = sign.endswith("=")
        operator = _OPERATORS[sign.removesuffix("=")]()
        made = self.make(ast.BinOp(self.of(left), operator, self.of(right)))
        if inplace:
            self.inplace[id(made)] = made
        return made

    def on_unary(self, sign: str, value: Any) -> ast.expr:
        node = self.of(value)
        if sign == "not" and isinstance(node, ast.Compare) and len(node.ops) == 1:
            inverse = _INVERSE.get(type(node.ops[0]))
            if inverse is not None:
                return self.make(ast.Compare(node.left, [inverse()], node.comparators))
        return self.make(ast.UnaryOp(_UNARY[sign](), node))

    def on_compare(self, sign: str, left: Any, right: Any) -> ast.expr:
        return self.make(ast.Compare(self.of(left), [_COMPARE[sign]()], [self.of(right)]))

    def on_attr(self, name: str, value: Any) -> ast.expr:
        return self.make(ast.Attribute(self.of(value), identifier(name), ast.Load()))

    def on_subscript(self, value: Any, index: Any) -> ast.expr:
        return self.make(ast.Subscript(self.of(value), self.of(index), ast.Load()))

    def on_display(self, kind: str, *parts: tuple[Any, ...]) -> ast.expr:
        if kind == "slice":
            return self.make.slice(*(self.of(part[1]) for part in parts))
        if kind == "dict":
            keys = [self.of(part[1]) if part[0] == "pair" else None for part in parts]
            return self.make(ast.Dict(keys, [self.of(part[-1]) for part in parts]))
        items = [self.item(part) for part in parts]
        if kind == "tuple":
            return self.make(ast.Tuple(items, ast.Load()))
        if kind == "list":
            return self.make(ast.List(items, ast.Load()))
        if not items:
            raise CannotLift("a set display without items")
        return self.make(ast.Set(items))

    def item(self, part: tuple[Any, ...]) -> ast.expr:
        node = self.of(part[1])
        return self.make(ast.Starred(node, ast.Load())) if part[0] == "star" else node

    def on_call(self, callee: Any, positional: Sequence[Any], named: Sequence[Any]) -> ast.expr:
        keywords = [
            self.make(
                ast.keyword(identifier(part[1].value), self.of(part[2]))
                if part[0] == "pair"
                else ast.keyword(None, self.of(part[1]))
            )
            for part in named
        ]
        function = self.of(callee)
        return self.make(ast.Call(function, [self.item(part) for part in positional], keywords))

    def on_format(self, value: Any, which: Const, spec: Any) -> ast.expr:
        letter = CONVERSIONS.get(which.value) if isinstance(which.value, int) else None
        conversion = ord(letter) if letter else -1
        wanted = None if spec is None else self.joined(spec)
        # By itself it would print, and be read, as a set.
        return self.make(
            ast.JoinedStr([self.make(ast.FormattedValue(self.of(value), conversion, wanted))])
        )

    def joined(self, value: Any) -> ast.expr:
        """A text as the parts of an f-string."""
        if isinstance(value, Const) and isinstance(value.value, str):
            return self.make(ast.JoinedStr([self.make(ast.Constant(value.value))]))
        if isinstance(value, ast.JoinedStr):
            return value
        raise CannotLift("a format that is no text")

    def on_string(self, *parts: tuple[Any, ...]) -> ast.expr:
        values: list[ast.expr] = []
        for part in parts:
            value = part[1]
            if isinstance(value, Const) and isinstance(value.value, str):
                values.append(self.make(ast.Constant(value.value)))
            elif isinstance(value, ast.JoinedStr) and len(value.values) == 1:
                values.append(value.values[0])
            else:
                raise CannotLift("a text joined of what is no text")
        return self.make(ast.JoinedStr(values))

    # Conditions.

    def both(self, sign: type[ast.boolop], left: ast.expr, right: ast.expr) -> ast.expr:
        """`and` and `or`, in one level; two comparisons that share their middle are a chain."""
        values = [*_operands(sign, left), *_operands(sign, right)]
        if sign is ast.And:
            values = self._chained(values)
        return values[0] if len(values) == 1 else self.make(ast.BoolOp(sign(), values))

    def _chained(self, values: list[ast.expr]) -> list[ast.expr]:
        done = [values[0]]
        for value in values[1:]:
            last = done[-1]
            if (
                isinstance(last, ast.Compare)
                and isinstance(value, ast.Compare)
                and last.comparators[-1] is value.left
            ):
                done[-1] = self.make(
                    ast.Compare(
                        last.left, [*last.ops, *value.ops], [*last.comparators, *value.comparators]
                    )
                )
            else:
                done.append(value)
        return done

    def choice(self, condition: ast.expr, then: ast.expr, other: ast.expr) -> ast.expr:
        return self.make(ast.IfExp(condition, then, other))

    def guard(self, condition: ast.expr, body: list[ast.stmt]) -> ast.stmt:
        """An `if` without an `else`; or `assert`, if it raises what only that raises."""
        error: Any = body[0].exc if len(body) == 1 and isinstance(body[0], ast.Raise) else None
        said: ast.expr | None = None
        if isinstance(error, ast.Call) and len(error.args) == 1 and not error.keywords:
            error, said = error.func, error.args[0]
        starred = isinstance(said, ast.Starred)
        if error is None or id(error) not in self.assertions or starred:
            return self.make(ast.If(condition, body, []))
        return self.make(ast.Assert(self.otherwise(condition), said))

    def otherwise(self, condition: ast.expr) -> ast.expr:
        """The opposite of what is only tested."""
        if isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Not):
            return condition.operand
        return self.negated(condition)

    def negated(self, condition: ast.expr) -> ast.expr:
        return self.on_unary("not", condition)


def _operands(sign: type[ast.boolop], node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, sign):
        return node.values
    return [node]
