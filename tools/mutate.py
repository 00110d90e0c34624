"""Mutation testing of what decides: for every small change to its code something must fail.

    python tools/mutate.py [--only PART] [--jobs N] [MODULE …]

Each mutant runs in a process of its own, forked from one that has everything loaded that no
mutant changes: first some random cases of tests/property, then the tests, then more cases.
What survives is printed. `mutants.toml` lists those that are known to change nothing, with the
reason. Ends with 1 if others are left, or if a reason is for a mutant that does not survive.

Not changed: annotations, docstrings, and text for people, which is f-strings and text with a
space in it.
Needs a system that can fork.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.util
import os
import resource
import sys
import tomllib
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

ROOT = Path(__file__).resolve().parents[1]
POLICY = ROOT / "secure_serial" / "policy"
KNOWN = Path(__file__).with_name("mutants.toml")

MODULES = ("patterns", "constraints", "conditions", "index", "layer", "engine")
#: The tests that must notice; first those that have the module's name in theirs.
TESTS = (
    *(f"tests/policy/test_{name}.py" for name in ("stack", "engine", "layers", "conditions")),
    *(f"tests/policy/test_{name}.py" for name in ("constraints", "patterns")),
    "tests/property/test_laws.py::test_the_index_finds_what_each_pattern_means_by_itself",
)
#: Random cases before the tests and in all: most mutants fail in the first, in half a second.
SOME_CASES, CASES = 300, 1_000
#: What takes so much of the processor or of memory has a loop without end; the tests take 8 s.
SECONDS, BYTES = 60, 4 << 30

_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}  # fmt: skip
_NAMES = {"all": "any", "any": "all", "min": "max", "max": "min"}
#: Parts of a node that do not run, or are for people.
_IDLE_FIELDS = {"annotation", "returns", "decorator_list", "bases"}
_IDLE = (ast.Import, ast.ImportFrom, ast.JoinedStr, ast.arg)


#: A module, a function in it, and the change.
Key = tuple[str, str, str]


class Mutant(NamedTuple):
    """One change: of which module, in which function, from what to what."""

    module: str
    place: str
    change: str
    line: int
    code: CodeType

    @property
    def key(self) -> Key:
        """What tells it from others, whichever line it moves to."""
        return self.module, self.place, self.change

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.module}.py:{self.line} {self.place}: {self.change}"


class _Spot(NamedTuple):
    """A node that runs, and where it hangs."""

    place: str  # the function that it is in
    holder: ast.AST
    field: str
    number: int | None  # in a list
    node: ast.AST

    def put(self, now: ast.AST) -> None:
        """Hang another node there."""
        if self.number is None:
            setattr(self.holder, self.field, now)
        else:
            getattr(self.holder, self.field)[self.number] = now


def mutants(module: str) -> Iterator[Mutant]:
    """Every mutant of one module."""
    file = f"{module.replace('.', '/')}.py"
    tree = ast.parse((POLICY / file).read_text(encoding="utf-8"))
    for spot in list(_spots(tree, "")):
        was = ast.unparse(spot.node).strip()
        for now in _changes(spot):
            ast.fix_missing_locations(ast.copy_location(now, spot.node))
            spot.put(now)
            code = compile(tree, file, "exec", dont_inherit=True)
            spot.put(spot.node)
            line = getattr(spot.node, "lineno", getattr(spot.holder, "lineno", 0))
            yield Mutant(module, spot.place, f"{was} -> {ast.unparse(now).strip()}", line, code)


def _spots(holder: ast.AST, place: str) -> Iterator[_Spot]:
    """Every node below one that runs."""
    if isinstance(holder, ast.FunctionDef | ast.ClassDef):
        place = f"{place}.{holder.name}".lstrip(".")
    for field, value in ast.iter_fields(holder):
        if field in _IDLE_FIELDS:
            continue
        in_list = isinstance(value, list)
        for number, node in enumerate(value if in_list else [value]):
            if isinstance(node, ast.AST) and not _is_idle(node):
                yield _Spot(place, holder, field, number if in_list else None, node)
                yield from _spots(node, place)


def _is_idle(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) == "__all__"
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return docstring or isinstance(node, _IDLE)


def _changes(spot: _Spot) -> Iterator[ast.AST]:
    """What may stand there instead."""
    node = spot.node
    if spot.field == "test":
        yield ast.Constant(value=True)
        yield ast.Constant(value=False)
    if isinstance(node, ast.Constant):
        if node.value is not None or not isinstance(spot.holder, ast.Compare):
            yield from _constants(node)
    elif isinstance(node, ast.stmt):
        yield from _statements(node)
    elif isinstance(node, ast.Name) and node.id in _NAMES:
        yield ast.Name(_NAMES[node.id], node.ctx)
    elif isinstance(node, ast.comprehension):
        for at in range(len(node.ifs)):
            rest = node.ifs[:at] + node.ifs[at + 1 :]
            yield ast.comprehension(node.target, node.iter, rest, node.is_async)
    else:
        yield from _operators(node)


def _operators(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            ops = [*node.ops[:at], _swapped(operator), *node.ops[at + 1 :]]
            yield ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(_swapped(node.op), node.values)
        for at in range(len(node.values)):
            rest = node.values[:at] + node.values[at + 1 :]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.BinOp) and type(node.op) in _SWAPPED:
        yield ast.BinOp(node.left, _swapped(node.op), node.right)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand


def _swapped(operator: ast.AST) -> Any:
    return _SWAPPED[type(operator)]()


def _constants(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
    elif isinstance(value, str) and " " not in value:
        yield ast.Constant(f"{value}mutant")
    elif value is None:
        yield ast.Constant("mutant")


def _statements(node: ast.stmt) -> Iterator[ast.AST]:
    if isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(ast.UnaryOp(ast.Not(), node.value))
        if not isinstance(node.value, ast.Constant) or node.value.value:  # else not another answer
            yield ast.Return(ast.Constant(value=None))
    elif isinstance(node, ast.Continue):
        yield ast.Break()
        yield ast.Pass()
    elif isinstance(node, ast.Break):
        yield ast.Continue()
    elif isinstance(node, ast.Expr | ast.Assign | ast.AugAssign | ast.Raise):
        yield ast.Pass()


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module the mutant's code."""

    def __init__(self, mutant: Mutant) -> None:
        self._name, self._code = f"secure_serial.policy.{mutant.module}", mutant.code

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        """The loader of that module, and none for the rest."""
        del path, target
        found = fullname == self._name
        return importlib.util.spec_from_loader(fullname, self) if found else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the mutant's code."""
        exec(self._code, vars(module))  # noqa: S102 - it is our own, changed a little


def _start(mutant: Mutant) -> int:
    """Start a process that ends with 0 if nothing fails; its number."""
    child = os.fork()
    if child:
        return child
    survives = False
    with suppress(BaseException):  # whatever ends the trial, it was noticed
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        sys.meta_path.insert(0, _Mutated(mutant))
        survives = _passes(mutant.module)
    os._exit(not survives)


def _passes(module: str) -> bool:
    import pytest

    check_all = importlib.import_module("property.laws").check_all
    check_all(range(SOME_CASES))
    for tests in sorted(TESTS, key=lambda tests: module not in tests):
        if pytest.main(["-x", "-q", "-p", "no:cacheprovider", tests]):
            return False
    check_all(range(SOME_CASES, CASES))
    return True


def _prepare() -> None:
    """Load what every trial needs and no mutant changes."""
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in ("pytest", "yaml", "secure_serial.data", "property.random_cases"):
        importlib.import_module(name)
    sys.modules["property.random_cases"].parts()
    loaded = [name for name in MODULES if f"secure_serial.policy.{name}" in sys.modules]
    if loaded:
        raise SystemExit(f"loaded too early to be changed: {loaded}")


def survivors(tried: list[Mutant], jobs: int) -> Iterator[Mutant]:
    """The mutants that nothing notices, in the order in which that turns out."""
    running: dict[int, Mutant] = {}
    for number, mutant in enumerate([*tried, *[None] * jobs]):
        if len(running) >= jobs or mutant is None:
            if not running:
                return
            child, status = os.wait()
            ended = running.pop(child)
            if status == 0:
                yield ended
        if mutant is not None:
            running[_start(mutant)] = mutant
        if number % 100 == 0:
            print(f"# {number} of {len(tried)}", file=sys.stderr, flush=True)


def known(modules: Collection[str]) -> Counter[Key]:
    """The mutants of these modules that change nothing; some stand there more than once."""
    tables = tomllib.loads(KNOWN.read_text(encoding="utf-8"))["equivalent"]
    return Counter(
        (table["module"], table["place"], change)
        for table in tables
        for change in table["changes"]
        if table["module"] in modules
    )


def main() -> int:
    """Try all mutants, print those that survive without a reason."""
    parser = argparse.ArgumentParser(description="Mutation testing of what decides.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="one of policy/")
    parser.add_argument("--only", default="", help="a part of what is printed for a mutant")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    _prepare()
    modules = options.modules or MODULES
    reasons = known(modules)
    broken = Mutant(next(iter(modules)), "", "", 0, compile("raise ImportError", "", "exec"))
    if list(survivors([broken], 1)):
        raise SystemExit("a module that cannot be imported passes: nothing is tested")
    tried = [m for name in modules for m in mutants(name) if options.only in str(m)]
    survived: Counter[Key] = Counter()
    for mutant in survivors(tried, options.jobs):
        survived[mutant.key] += 1
        if survived[mutant.key] > reasons[mutant.key]:
            print(mutant, flush=True)
    left = (survived - reasons).total()
    here = {mutant.key for mutant in tried}
    wrong = reasons - survived
    if options.only:
        wrong = Counter({key: wrong[key] for key in wrong if key in here})
    for key in wrong.elements():
        print("there is a reason for it, and it does not survive:", *key)
    killed, equivalent = len(tried) - survived.total(), survived.total() - left
    print(f"{len(tried)} mutants: {killed} killed, {equivalent} equivalent, {left} left")
    return 1 if left or wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
