"""Streams that no compiler writes, which CPython runs as another function than they lifted to.

Each stream is that of the version in brackets; they were made by changing the instructions.
"""

import base64
import json
import marshal
from pathlib import Path

import pytest

from secure_serial.lambdas import CannotLift, lift

CRAFTED = json.loads((Path(__file__).parent / "crafted.json").read_text("utf-8"))


@pytest.mark.parametrize("what", CRAFTED)
def test_what_runs_as_another_function_is_refused(what):
    with pytest.raises(CannotLift):
        lift(base64.b64decode(CRAFTED[what]))


#: A display that is spread into a call takes a name twice, and the call does not.
SPREADS = {
    "lambda f, x: f(**{'a': 1, **x})": "lambda f, x: f(**{'a': 1, **x})",
    "lambda f, x: f(**{**x, 'a': 1})": "lambda f, x: f(**{**x, 'a': 1})",
    "lambda f, x, y: f(b=1, **{**x, **y})": "lambda f, x, y: f(b=1, **{**x, **y})",
    "lambda f, x, y: f(**{x: 1, y: 2})": "lambda f, x, y: f(**{x: 1, y: 2})",
    "lambda f, x: f(**{'a': 1, 'b': x})": "lambda f, x: f(a=1, b=x)",
    "lambda f, x, y: f(a=1, **x, **y)": "lambda f, x, y: f(a=1, **x, **y)",
}


@pytest.mark.parametrize("text", SPREADS)
def test_a_display_spread_into_a_call_stays_one(text):
    assert lift(marshal.dumps(eval(text).__code__)).source == SPREADS[text]
