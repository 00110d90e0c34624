"""The shared development rows: seven versions, with the results that each function must give."""

import ast
import base64
import importlib.util
import json
import types
from pathlib import Path

import pytest

from secure_serial.lambdas import lift

SHARED = Path(__file__).resolve().parents[3] / "shared"
ROWS = SHARED / "lambdas" / "dev.json"
pytestmark = pytest.mark.skipif(not ROWS.is_file(), reason="the shared rows are not here")


@pytest.fixture(scope="module")
def shim():
    pytest.importorskip("numpy")
    path = SHARED / "tools" / "other_pythons" / "shim.py"
    spec = importlib.util.spec_from_file_location("lambda_shim", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def called(lifted, row, namespace, shim):
    tree = lifted.tree
    if isinstance(tree, ast.Lambda):
        tree = ast.Assign([ast.Name("function", ast.Store())], tree)
        name = "function"
    else:
        name = tree.name
    module = ast.fix_missing_locations(ast.Module([tree], []))
    exec(compile(module, "<lifted>", "exec"), namespace)
    function = namespace[name]
    defaults = row["defaults"]
    function = types.FunctionType(
        function.__code__, namespace, name, tuple(defaults) if defaults else None
    )
    return function(*map(shim.spec, row["sample_input"]), **row["sample_kwargs"])


def plain(value):
    """Arrays of Keras's backend as NumPy's."""
    import numpy as np

    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value))
    foreign = hasattr(value, "__array__") and not isinstance(value, (np.ndarray, np.generic))
    return np.asarray(value) if foreign else value


def test_every_row_lifts_and_gives_what_is_expected(shim):
    rows = json.loads(ROWS.read_text("utf-8"))
    digests = {}
    for row in rows:
        lifted = lift(base64.b64decode(row["code_b64"]))
        assert row["python"] in lifted.versions, row["id"]
        assert not lifted.free
        digests.setdefault(row["base"], set()).add(lifted.digest)
        namespace = shim.namespace()
        if "ops." in row["source"] and namespace["keras"] is None:
            continue
        result = shim.enc(plain(called(lifted, row, namespace, shim)))
        assert shim.same(result, row["expected"]), row["id"]
    assert [base for base, found in digests.items() if len(found) > 1] == []
