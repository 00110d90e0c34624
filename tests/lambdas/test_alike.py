"""What a person wrote once is one function, whichever Python saved it: `alike.json` has streams
that CPython 3.6 to 3.13 made of each source.
"""

from __future__ import annotations

import ast
import base64
import json
from pathlib import Path

import numpy as np
import pytest

from secure_serial.lambdas import CannotLift, lift
from secure_serial.lambdas.stored import Stored
from secure_serial.lambdas.tree import digest
from secure_serial.lambdas.understood import from_own, understand
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.function import build
from secure_serial.sandbox.restrict import restrict

OLD = json.loads((Path(__file__).parent / "python2.json").read_text("utf-8"))
ROWS = json.loads((Path(__file__).parent / "alike.json").read_text("utf-8"))


@pytest.mark.parametrize("name", ROWS)
def test_all_versions_make_one_function_of_a_source(name):
    lifted = [lift(base64.b64decode(code)) for code in ROWS[name]["streams"].values()]
    assert len(lifted) == 8
    assert len({each.digest for each in lifted}) == 1
    for each in lifted:
        (again,) = ast.parse(each.source).body
        assert digest(again.value if isinstance(again, ast.Expr) else again) == each.digest


@pytest.mark.parametrize("name", [name for name in ROWS if "old" in ROWS[name]])
def test_python_2_makes_the_same_function_of_it(name):
    old = lift(base64.b64decode(ROWS[name]["old"]))
    assert old.versions == ("2.7",)
    assert old.digest == lift(base64.b64decode(ROWS[name]["streams"]["3.8"])).digest


@pytest.mark.parametrize("name", OLD)
def test_what_python_2_alone_does_is_shown_or_refused_by_its_name(name):
    row = OLD[name]
    data = base64.b64decode(row["stream"])
    if "lifted" in row:
        assert lift(data).source == row["lifted"]
        return
    with pytest.raises(CannotLift) as caught:
        lift(data)
    assert row["refused"] in caught.value.construct


def test_a_slice_stands_in_an_index_alone():
    """Two ends that are alike were taken for one: `x[(:, 1:2) if d == 1 else (:, :, 1:2)]`."""
    x = np.arange(24.0).reshape(2, 3, 4)
    for code in ROWS["crop"]["streams"].values():
        known = understand(Stored(base64.b64decode(code), defaults=(1,)))
        crop = build(restrict(from_own(known.own_form())), NUMPY)
        np.testing.assert_array_equal(crop(x), x[:, 1:2])
        np.testing.assert_array_equal(crop(x, 2), x[:, :, 1:2])


def test_a_choice_that_was_written_stays_one():
    assert (
        "[:, 0 if d else 1]"
        in lift(base64.b64decode(ROWS["chosen item"]["streams"]["3.12"])).source
    )
    assert (
        "(K.mean if d else K.sum)"
        in lift(base64.b64decode(ROWS["functions"]["streams"]["3.8"])).source
    )
