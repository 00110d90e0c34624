"""Calls, and functions made with their defaults and closures, on top of `machine`."""

# ruff: noqa: D102 - a method for each operation of the same name; what it does is the name

from __future__ import annotations

from typing import Any

from secure_serial.lambdas.code import Code
from secure_serial.lambdas.displays import is_plain, keywords_of, spread_of
from secure_serial.lambdas.errors import CannotLift
from secure_serial.lambdas.machine import Machine
from secure_serial.lambdas.values import NULL, Build, Cell, Const, Function, Not, Saved


class Caller(Machine):
    """A machine that also calls and makes functions, and puts hidden variables back."""

    # Variables.

    def do_store(self, name: str) -> None:
        raise NotImplementedError

    def settle_all(self, count: int) -> None:
        """Finish the top values in the order in which they stand, as of `a, b = [], {}`.

        Versions store them in different orders, and when a display is made nobody can notice.
        """
        for value in self.stack[-count:] if count > 1 else ():
            lone = isinstance(value, Function) and value.code.name == "<lambda>"
            if lone or isinstance(value, (Build, Not)):
                self.use(value)

    def do_restore(self, name: str) -> None:
        """Put back what an inlined comprehension hid; nothing else may be stored so."""
        if not self.stack or not isinstance(self.stack[-1], Saved):
            raise CannotLift("a value in place of a cell")
        self.do_store(name)

    # Calls.

    def callee(self, nulls: str) -> tuple[Any, list[Any]]:
        """What is called, and the `self` in front of its arguments, if any."""
        if not nulls:
            return self.pop(), []
        second, first = self.pop(), self.pop()
        if nulls == "first":
            return (second, []) if first is NULL else (first, [second])
        return (first, []) if second is NULL else (first, [second])

    def do_call(self, count: int, nulls: str) -> None:
        values = self.popn(count)
        callee, own = self.callee(nulls)
        self.invoke(callee, [("item", value) for value in own + values], [])

    def do_call_kw(self, count: int, nulls: str) -> None:
        names = self.pop()
        if not isinstance(names, Const) or not isinstance(names.value, tuple):
            raise CannotLift("names of arguments that are no constants")
        values = self.popn(count)
        callee, own = self.callee(nulls)
        first = count - len(names.value)
        if first < 0:
            raise CannotLift("more names than arguments")
        pairs = zip(names.value, values[first:], strict=True)
        keywords = [("pair", Const(name), value) for name, value in pairs]
        self.invoke(callee, [("item", value) for value in own + values[:first]], keywords)

    def do_call_old(self, count: int, named: int, star: bool, stars: bool) -> None:  # noqa: FBT001
        """Before 3.6: names and values in turn, and the stars after them.

        3.5 keeps the star below the names (ext_do_call in its Python/ceval.c), which no
        interpreter was at hand to try: `Instructions` refuses the two together.
        """
        last = self.pop() if stars else None
        more = self.pop() if star else None
        flat = self.popn(2 * named)
        positional: list[tuple[Any, ...]] = [("item", value) for value in self.popn(count)]
        keywords: list[tuple[Any, ...]] = [
            ("pair", key, value) for key, value in zip(flat[::2], flat[1::2], strict=True)
        ]
        positional += spread_of(more, "tuple") if star else ()
        keywords += keywords_of(last) if stars else ()
        self.invoke(self.pop(), positional, keywords)

    def do_call_ex(self, with_keywords: bool, nulls: str) -> None:  # noqa: FBT001 - an operand
        stars = self.pop() if with_keywords else NULL
        star = self.pop()
        callee, own = self.callee(nulls)
        if own:
            raise CannotLift("a method called with stars")
        keywords = [] if stars is NULL else list(keywords_of(stars))
        self.invoke(callee, list(spread_of(star, "tuple")), keywords)

    def invoke(
        self, callee: Any, positional: list[tuple[Any, ...]], keywords: list[tuple[Any, ...]]
    ) -> None:
        used = self.used(tuple(positional))
        named = self.used(tuple(keywords))
        for part in named:
            key = part[1]
            if part[0] == "pair" and not (isinstance(key, Const) and isinstance(key.value, str)):
                raise CannotLift("the name of an argument that is no text")
        self.push(self.emit("call", self.use(callee), used, named))

    # Functions.

    def do_make(self, with_name: bool, flags: int) -> None:  # noqa: FBT001 - an operand
        if with_name:
            self.pop()
        code = self.code_on_top()
        function = Function(code)
        for flag in (8, 4, 2, 1):
            if flags & flag:
                function = self.given(function, flag, self.pop())
        self.push(function)

    def do_make_old(self, with_name: bool, count: int, closure: bool) -> None:  # noqa: FBT001
        if with_name:
            self.pop()
        function = Function(self.code_on_top())
        if closure:
            function = self.given(function, 8, self.pop())
        values = tuple(self.use(value) for value in self.popn(count))
        self.push(Function(function.code, values, (), function.closure))

    def do_set_function(self, flag: int) -> None:
        function, value = self.pop(), self.pop()
        if not isinstance(function, Function):
            raise CannotLift("an attribute of a function that is none")
        self.push(self.given(function, flag, value))

    def code_on_top(self) -> Any:
        value = self.pop()
        if not isinstance(value, Const) or not isinstance(value.value, Code):
            raise CannotLift("a function made of what is no code")
        return value.value

    def given(self, function: Function, flag: int, value: Any) -> Function:
        """The function with its defaults, keyword-only defaults or closure."""
        defaults, named, closure = function.defaults, function.kwdefaults, function.closure
        if flag == 8 and isinstance(value, Build) and value.kind == "tuple":  # noqa: PLR2004
            cells = [part[1] for part in value.parts]
            if not all(isinstance(cell, Cell) for cell in cells):
                raise CannotLift("a closure of what are no cells")
            closure = tuple(cell.name for cell in cells if isinstance(cell, Cell))
        elif flag == 1 and isinstance(value, Const) and isinstance(value.value, tuple):
            defaults = tuple(Const(item) for item in value.value)
        elif flag == 1 and isinstance(value, Build) and value.kind == "tuple" and is_plain(value):
            defaults = tuple(self.use(part[1]) for part in value.parts)
        elif flag == 2 and isinstance(value, Build) and value.kind == "dict":  # noqa: PLR2004
            named = tuple(self.named(part) for part in value.parts)
        else:
            raise CannotLift("annotations or other attributes of a nested function")
        return Function(function.code, defaults, named, closure)

    def named(self, part: tuple[Any, ...]) -> tuple[str, object]:
        if part[0] != "pair" or not isinstance(part[1], Const):
            raise CannotLift("keyword-only defaults that are no constants")
        return str(part[1].value), self.use(part[2])
