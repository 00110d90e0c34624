"""Random lambdas of two integers, as source: `python -m tools.lambdas.expressions COUNT SEED`.

They use every kind of expression that `secure_serial.lambdas` lifts, deeper in each other than
people write. `old` leaves out what Python 2.7 and 3.5 do not have.
"""

# ruff: noqa: D102, PLR2004 - what each method writes is its name; the numbers are odds

from __future__ import annotations

import json
import random
import sys

_SIGNS = ["+", "-", "*", "&", "|", "^"]
_COMPARE = ["<", "<=", "==", "!=", ">", ">="]
_CONSTANTS = [0, 1, 2, 3, 7, -1, -5, 300, 70000]
_LONGEST = 400  # characters


class Generator:
    """One source."""

    def __init__(self, rng: random.Random, *, old: bool = False, walrus: bool = True) -> None:
        self.rng = rng
        self.old = old
        self.walrus = walrus
        self.names = 0

    def fresh(self) -> str:
        self.names += 1
        return f"{'abcdefgh'[self.names % 8]}{self.names}"

    def source(self) -> str:
        while True:
            text = "lambda x, y: " + self.any(self.rng.choice([2, 3, 3, 4]), ["x", "y"])
            if len(text) <= _LONGEST:
                return text

    def any(self, depth: int, names: list[str]) -> str:
        if depth <= 0:
            return self.rng.choice([*names, *names, str(self.rng.choice(_CONSTANTS))])
        kinds = [
            *[self.operator] * 24, *[self.comparison] * 14, *[self.boolean] * 12,
            *[self.choice] * 9, *[self.call] * 9, *[self.display] * 9, *[self.comprehension] * 9,
            *[self.function] * 6, *[self.text] * 3, *[self.binding] * 3,
        ]  # fmt: skip
        return self.rng.choice(kinds)(depth - 1, names)

    def several(self, count: int, depth: int, names: list[str]) -> list[str]:
        return [self.any(depth, names) for _ in range(count)]

    def operator(self, depth: int, names: list[str]) -> str:
        one, two = self.several(2, depth, names)
        return self.rng.choice([
            f"({one} {self.rng.choice(_SIGNS)} {two})",
            f"({one} {self.rng.choice(_SIGNS)} {two})",
            f"({one} {self.rng.choice(['//', '%'])} {self.rng.choice(['3', '7'])})",
            f"({self.rng.choice(['-', '~', '+', 'not '])}{one})",
            f"({one} * 1.5 // 1)",
        ])  # fmt: skip

    def comparison(self, depth: int, names: list[str]) -> str:
        one, two = self.several(2, depth, names)
        first, second = self.rng.choice(_COMPARE), self.rng.choice(_COMPARE)
        within = self.rng.choice(["(1, 2, 3)", f"[{two}, {one}]", "{1, 2}", f"({two},)"])
        return self.rng.choice([
            f"({one} {first} {two})",
            f"({one} {first} {two} {second} {self.any(depth, names)})",
            f"({one} {self.rng.choice(['in', 'not in'])} {within})",
            f"({self.rng.choice(names)} {self.rng.choice(['is', 'is not'])} None)",
        ])  # fmt: skip

    def boolean(self, depth: int, names: list[str]) -> str:
        one, two = self.several(2, depth, names)
        if self.rng.random() < 0.3:
            return f"({one} and {two} or {self.any(depth, names)})"
        return f"({one} {self.rng.choice(['and', 'or'])} {two})"

    def choice(self, depth: int, names: list[str]) -> str:
        one, two = self.several(2, depth, names)
        return f"({one} if {self.any(depth, names)} else {two})"

    def call(self, depth: int, names: list[str]) -> str:
        one, two, three = self.several(3, depth, names)
        return self.rng.choice([
            f"abs({one})",
            f"max({one}, {two})",
            f"f3({one}, *[{two}, {three}])",
            f"f3({one}, *({two},), k={three})",
            f"f3({one}, k={two})",
            f"f3({one}, **{{'k': {two}}})",
            f"({one}).conjugate()",
        ])  # fmt: skip

    def display(self, depth: int, names: list[str]) -> str:
        one, two, three = self.several(3, depth, names)
        return self.rng.choice([
            f"[{one}, {two}, {three}][{one} % 3]" if len(one) < 60 else f"[{one}, {two}][0]",
            f"len([{one}, {two}, {three}][({self.rng.choice(names)} == 1) : 2])",
            f"{{1: {one}, 2: {two}}}[{self.rng.choice(['1', '2'])}]",
            f"({one}, {two})[{self.rng.choice(['0', '1', '-1'])}]",
            f"len({{{one}, {two}, 3}})",
        ])  # fmt: skip

    def comprehension(self, depth: int, names: list[str]) -> str:
        rng, name = self.rng, self.fresh()
        within = [*names, name]
        source = rng.choice([
            f"range(int({self.any(depth, names)}) % 4)",
            f"[{', '.join(self.several(2, depth, names))}]",
            f"({self.any(depth, names)}, 2)",
        ])  # fmt: skip
        clauses = f"for {name} in {source}"
        if rng.random() < 0.4:
            clauses += f" if {self.condition(depth, within)}"
        if rng.random() < 0.3:
            inner = self.fresh()
            clauses += f" for {inner} in range(int({self.any(depth - 1, within)}) % 3)"
            within = [*within, inner]
            if rng.random() < 0.4:
                clauses += f" if {self.condition(depth - 1, within)}"
        item, other = self.any(depth, within), self.any(depth - 1, within)
        return rng.choice([
            f"sum([{item} {clauses}])", f"sum([{item} {clauses}])", f"sum([{item} {clauses}])",
            f"len({{{item} {clauses}}})", f"len({{{item}: {other} {clauses}}})",
            f"sum({item} {clauses})", f"sum({item} {clauses})",
            f"({rng.choice(['any', 'all', 'tuple', 'list'])}({item} {clauses}) == 1)",
        ])  # fmt: skip

    def condition(self, depth: int, names: list[str]) -> str:
        """Of a loop: never a constant alone, for which compilers leave the loop out."""
        return f"({self.rng.choice(names)} {self.rng.choice(_COMPARE)} {self.any(depth, names)})"

    def function(self, depth: int, names: list[str]) -> str:
        name, (one, two) = self.fresh(), self.several(2, depth, names)
        if self.rng.random() < 0.6:
            return f"(lambda {name}: {self.any(depth, [*names, name])})({one})"
        within = [*names, "p", "q"]
        return f"(lambda p={one}, q={two}: {self.any(depth, within)})()"

    def text(self, depth: int, names: list[str]) -> str:
        one, two = self.several(2, depth - 1, names)
        if self.old or self.rng.random() < 0.3 or "'" in one + two:
            return f"len('%s-%s' % ({one}, {two}))"
        return f"len(f'{{{one}}}a{{{two}!r:>{{4}}}}')"

    def binding(self, depth: int, names: list[str]) -> str:
        name, one = self.fresh(), self.any(depth, names)
        if not self.walrus:
            return one
        return f"(({name} := {one}) + {self.any(depth, [*names, name])})"


def sources(count: int, seed: int, *, old: bool = False, walrus: bool = True) -> list[str]:
    """The same sources for the same arguments."""
    return [
        Generator(random.Random(f"{seed}-{n}"), old=old, walrus=walrus).source()  # noqa: S311
        for n in range(count)
    ]


if __name__ == "__main__":
    options = {"old": "old" in sys.argv, "walrus": "no-walrus" not in sys.argv}
    json.dump(sources(int(sys.argv[1]), int(sys.argv[2]), **options), sys.stdout)
