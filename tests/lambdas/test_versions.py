"""Streams that real CPythons wrote: each version's is lifted to the tree of its source."""

import ast
import base64
import json
from pathlib import Path

import pytest

from secure_serial.lambdas import lift
from secure_serial.lambdas.tree import digest

ROWS = json.loads((Path(__file__).parent / "streams.json").read_text("utf-8"))


@pytest.mark.parametrize("row", ROWS, ids=[f"{r['python']}-{r['id']}" for r in ROWS])
def test_stream_lifts_to_the_function_that_was_written(row):
    lifted = lift(base64.b64decode(row["stream"]))
    assert row["python"] in lifted.versions
    assert lifted.source == row["lifted"]
    assert lifted.free == tuple(row["free"])


#: What these do differs: before 3.8 the value came before the key, and what is left of a test that
#: constants decide depends on the compiler.
OTHERWISE = {"value first", "decided"}


@pytest.mark.parametrize("name", sorted({row["id"] for row in ROWS} - OTHERWISE))
def test_digest_is_the_same_whichever_python_saved_it(name):
    rows = [row for row in ROWS if row["id"] == name and row["python"] != "2.7"]
    assert len(rows) > 4
    assert len({lift(base64.b64decode(row["stream"])).digest for row in rows}) == 1


def test_the_order_of_evaluation_of_old_versions_is_kept():
    shown = {(row["id"], row["python"]): row["lifted"] for row in ROWS}
    assert "for value1 in [g(i)]" in shown["value first", "3.7"]
    assert "value1" not in shown["value first", "3.8"]
    assert "(value1 := h(x))" in shown["keyword first", "2.7"]
    assert "value1" not in shown["keyword first", "3.6"]


def test_digest_tells_trees_apart():
    texts = ["lambda x: x + 1", "lambda x: x + 1.0", "lambda x: x - 1", "lambda y: y + 1",
             "lambda x: x + True", "lambda x: (x, 1)", "lambda x: [x, 1]", "lambda x: x.a",
             "lambda x, /: x + 1", "lambda *x: x + 1", "lambda x: x + '1'"]  # fmt: skip
    assert len({digest(ast.parse(text, mode="eval").body) for text in texts}) == len(texts)
