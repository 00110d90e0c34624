"""The shared development rows with the facades in place of the modules."""

import ast
import base64
import importlib.util
import json
from pathlib import Path

import pytest

from secure_serial.lambdas import lift
from secure_serial.sandbox import meter
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.facades import Facade, root

np = pytest.importorskip("numpy")
SHARED = Path(__file__).resolve().parents[4] / "shared"
ROWS = SHARED / "lambdas" / "dev.json"
pytestmark = pytest.mark.skipif(not ROWS.is_file(), reason="the shared rows are not here")
NAMES = ("K", "tf", "np", "keras", "ops", "math")


class Open:
    """A facade whose members are attributes, for code that no guard was put into."""

    def __init__(self, facade):
        self._facade = facade

    def __getattr__(self, name):
        found = self._facade.member(name)
        return Open(found) if isinstance(found, Facade) else found


@pytest.fixture(scope="module")
def shim():
    path = SHARED / "tools" / "other_pythons" / "shim.py"
    spec = importlib.util.spec_from_file_location("lambda_shim", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def function(lifted, row):
    tree = lifted.tree
    names = {name: Open(root(name)) for name in NAMES}
    if isinstance(tree, ast.Lambda):
        made = eval(
            compile(ast.fix_missing_locations(ast.Expression(tree)), "<row>", "eval"), names
        )
    else:
        exec(compile(ast.fix_missing_locations(ast.Module([tree], [])), "<row>", "exec"), names)
        made = names[tree.name]
    made.__defaults__ = tuple(row["defaults"] or ()) or None
    return made


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_row_gives_what_is_expected(shim):
    rows = json.loads(ROWS.read_text("utf-8"))
    assert len(rows) >= 392
    seen = {}
    wrong = []
    for row in rows:
        if row["base"] in seen:
            continue  # test_dev_rows of lambdas shows that all versions lift to one tree
        seen[row["base"]] = row["id"]
        called = function(lift(base64.b64decode(row["code_b64"])), row)
        token = meter._meter.set(meter.Meter(Allowance()))
        try:
            made = called(*map(shim.spec, row["sample_input"]), **row["sample_kwargs"])
        finally:
            meter._meter.reset(token)
        if not shim.same(shim.enc(made), row["expected"]):
            wrong.append((row["id"], row["source"]))
    assert wrong == []
    assert len(seen) >= 56
