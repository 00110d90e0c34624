"""Random and changed functions through the restriction: `python -m tools.sandbox.fuzz 600 1`.

Arguments: seconds, and a seed. Half of the cases are expressions over all names of the facades
with random arguments; half are the committed attacks, parts of them exchanged for one another's,
straight from Python's parser: `restrict` stands alone. Every case ends in a value of a plain type
or an array, or in one of our errors, within 2 seconds of the processor; it touches nothing of the
system, and leaves its argument as it was.
"""

# ruff: noqa: D102, D103, S311, PLR2004, SLF001 - a script; its choices are odds and no secrets

from __future__ import annotations

import ast
import collections
import copy
import json
import os
import random
import re
import resource
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from secure_serial.errors import SecureSerialError
from secure_serial.lambdas.understood import Understood, from_source
from secure_serial.sandbox.facades import rows
from secure_serial.sandbox.facades.arrays import _METHODS
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.function import Inner, build
from secure_serial.sandbox.names import BUILTINS
from secure_serial.sandbox.restrict import restrict

#: Of the processor, for one call: what the project promises.
_SECONDS = 2.0
_MOST_BYTES = 512 << 20
_EVERY = 120.0
_ATTACKS = Path(__file__).parents[2] / "tests" / "sandbox" / "attacks.txt"
#: What no function may make happen, however it is asked.
_EVENTS = ("os.", "subprocess.", "socket.", "ctypes.", "pickle.", "shutil.", "urllib.")
_SIGNS = ["+", "-", "*", "/", "//", "%", "**", "@", "<<", ">>", "&", "|", "^", "==", "<", "in"]
_PLAIN = frozenset({bool, int, float, complex, str, type(None), type(...), range, slice})


class TooLong(BaseException):
    """Not one that the sandbox could take for an error of the function."""


class Generator:
    """Expressions of one variable, over every name that a function may use."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.members = [
            f"{root}.{name}" for root, facade in rows.index()["roots"].items()
            for name in rows.facades()[facade]
        ]  # fmt: skip
        self.inner = [
            f"{facade}.{name}" for facade in rows.facades() for name in rows.facades()[facade]
        ]
        self.builtins = sorted(name for name in BUILTINS if name.isidentifier())

    def source(self) -> str:
        return "lambda x: " + self.any(self.rng.choice([1, 2, 2, 3]))

    def any(self, depth: int) -> str:
        if depth <= 0:
            return self.atom()
        kinds = [self.offered] * 10 + [self.method] * 4 + [self.builtin] * 3
        kinds += [self.operator] * 5 + [self.other] * 3
        return self.rng.choice(kinds)(depth - 1)

    def atom(self) -> str:
        return self.rng.choice([
            *["x"] * 6, "0", "1", "-1", "2", "3", "1.5", "-0.5", "1e308", "1e-308", "10 ** 6",
            "2 ** 31", "2 ** 62", "-2 ** 63", "True", "None", "'float64'", "'int8'", "'same'",
            "'valid'", "'channels_first'", "'ij,jk->ik'", "'a'", "(2, 3)", "(3, 2)", "[0, 1]",
            "(10 ** 4, 10 ** 4)", "()", "[]", "{}", "{1}", "...", "1j", "x.shape", "x[0]",
            "x[:, 0]", "x > 1", "float('nan')", "float('inf')", "lambda y: y", "lambda y, z: y + z",
            "np.ones((64, 64))", "np.ones((1000, 1000))", "range(10 ** 6)", "int", "np.float16",
        ])  # fmt: skip

    def arguments(self, depth: int) -> str:
        parts = [self.any(depth) for _ in range(self.rng.choice([0, 1, 1, 2, 2, 3, 4]))]
        if self.rng.random() < 0.25:
            words = ("axis", "keepdims", "dtype", "shape", "name", "axes", "k", "num", "fn", "self")
            parts.append(f"{self.rng.choice(words)}={self.any(depth)}")
        if self.rng.random() < 0.05:
            parts.append(f"*{self.any(depth)}")
        return ", ".join(parts)

    def offered(self, depth: int) -> str:
        return f"{self.rng.choice(self.members + self.inner)}({self.arguments(depth)})"

    def method(self, depth: int) -> str:
        name = self.rng.choice([*_METHODS, "tolist", "item", "append", "get", "join", "split"])
        return f"({self.any(depth)}).{name}({self.arguments(depth)})"

    def builtin(self, depth: int) -> str:
        return f"{self.rng.choice(self.builtins)}({self.arguments(depth)})"

    def operator(self, depth: int) -> str:
        sign = self.rng.choice(_SIGNS)
        return f"({self.any(depth)} {sign} {self.any(depth)})"

    def other(self, depth: int) -> str:
        one, two = self.any(depth), self.any(depth)
        return self.rng.choice([
            f"({one})[{two}]", f"({one})[{two}:]", f"[{one} for y in {two}]", f"f'{{{one}!r:>9}}'",
            f"(lambda y: {one})({two})", f"({one} if {two} else x)", f"[{one}, {two}]",
            f"({one}).shape", f"('%s' % ({one},))", f"list(map({one}, {two}))",
        ])  # fmt: skip


def attacks() -> list[ast.AST]:
    """The trees of the committed attacks."""
    found: list[ast.AST] = []
    for line in _ATTACKS.read_text("utf-8").splitlines():
        try:
            node = ast.parse(re.sub(r"\\n", "\n", line)).body[0]
        except (SyntaxError, ValueError, IndexError):
            continue
        tree = node.value if isinstance(node, ast.Expr) else node
        if isinstance(tree, ast.Lambda | ast.FunctionDef):
            found.append(tree)
    return found


def crossed(rng: random.Random, known: list[ast.AST]) -> ast.AST:
    """A tree in which some expressions are another tree's."""
    tree = copy.deepcopy(rng.choice(known))
    for _ in range(rng.choice([1, 1, 2, 3])):
        places = [
            (node, field, place)
            for node in ast.walk(tree)
            for field, value in ast.iter_fields(node)
            for place, item in enumerate(value if isinstance(value, list) else [value])
            if isinstance(item, ast.expr) and isinstance(getattr(item, "ctx", ast.Load()), ast.Load)
        ]
        if not places:
            break
        node, field, place = rng.choice(places)
        parts = [part for part in ast.walk(rng.choice(known)) if isinstance(part, ast.expr)]
        part = copy.deepcopy(rng.choice(parts))
        value = getattr(node, field)
        if isinstance(value, list):
            value[place] = part
        else:
            setattr(node, field, part)
    return tree


def written(tree: ast.AST) -> str:
    """A tree as text; some that no parser gives cannot be written as source."""
    try:
        return ast.unparse(ast.fix_missing_locations(tree))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return ast.dump(tree)


def straight(tree: Any) -> Understood:
    """Without a look by `lambdas`."""
    tree.args.kw_defaults = [None] * len(tree.args.kwonlyargs)
    tree.args.defaults = []
    return Understood(tree, (), {}, {}, (), "sha256:0", "source")


class Fuzz:
    """Counts what came of each case."""

    def __init__(self) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self.faults: list[tuple[str, str]] = []
        self.slowest: tuple[float, str] = (0.0, "")
        self.events: list[str] = []
        self.running = False
        sys.addaudithook(self._hear)
        signal.signal(signal.SIGPROF, self._rung)

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "os.listdir" and "importlib" in str(sys._getframe(1).f_globals["__name__"]):
            return  # NumPy imports parts of itself late
        writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
        if self.running and (writes or event.startswith(_EVENTS)):
            self.events.append(event)

    def _rung(self, *_: object) -> None:
        if self.running:
            raise TooLong

    def fault(self, what: str, case: str) -> None:
        self.counts[what] += 1
        self.faults.append((what, case))

    def case(self, text: str, understood: Any) -> None:
        x = np.arange(6, dtype="float32").reshape(2, 3)
        began = time.process_time()
        self.running = True
        signal.setitimer(signal.ITIMER_PROF, 2 * _SECONDS)
        try:
            made = build(restrict(understood()), NUMPY)(x)
            self.counts["a value"] += 1
            if not plain(made):
                self.fault(f"a result of type {type(made).__name__}", text)
        except SecureSerialError as error:
            self.counts[str(getattr(error, "code", ""))] += 1
        except BaseException as error:  # noqa: BLE001 - any other error is what is looked for
            self.fault(f"another error: {error!r}"[:200], text)
        finally:
            self.running = False
            signal.setitimer(signal.ITIMER_PROF, 0)
        spent = time.process_time() - began
        self.slowest = max(self.slowest, (spent, text))
        if spent > _SECONDS:
            self.fault(f"{spent:.1f} s", text)
        if self.events:
            self.fault(f"touched {self.events.pop()}", text)
            self.events.clear()
        if not np.array_equal(x, np.arange(6, dtype="float32").reshape(2, 3)):
            self.fault("it changed its argument", text)

    def shown(self) -> str:
        result = {"slowest": self.slowest, "counts": dict(self.counts.most_common()),
                  "faults": self.faults[:50]}  # fmt: skip
        return json.dumps(result, indent=1)


def plain(value: Any) -> bool:
    """Whether a result is what may leave."""
    if type(value) in {list, tuple, set}:
        return all(map(plain, value))
    if type(value) is dict:
        return all(plain(part) for pair in value.items() for part in pair)
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind in "biufc"
    return type(value) in _PLAIN or type(value) is Inner


def fuzz(seconds: float, seed: str) -> Fuzz:
    """Go on for so many seconds."""
    rng, made = random.Random(seed), Fuzz()
    generator, known = Generator(rng), attacks()
    made.case("lambda x: x + 1", lambda: from_source("lambda x: x + 1"))
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    end, said = time.monotonic() + seconds, time.monotonic()
    where = os.environ.get("FUZZ_LAST")  # a file that holds the case which crashed
    while time.monotonic() < end:
        made.counts["cases"] += 1
        if time.monotonic() - said > _EVERY:
            said = time.monotonic()
            print(made.shown(), file=sys.stderr, flush=True)
        if rng.random() < 0.5:
            text = generator.source()
            understood = lambda text=text: from_source(text)  # noqa: E731
        else:
            tree = crossed(rng, known)
            text = written(tree)
            understood = lambda tree=tree: straight(tree)  # noqa: E731
        if where:
            Path(where).write_text(text, "utf-8", "replace")
        made.case(text, understood)
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - usage)
    made.counts["bytes grown"] = grown
    if grown > _MOST_BYTES:
        made.fault("too much memory", "")
    return made


def main() -> None:
    warnings.simplefilter("ignore")
    made = fuzz(float(sys.argv[1]), sys.argv[2])
    print(made.shown())
    sys.exit(bool(made.faults))


if __name__ == "__main__":
    main()
