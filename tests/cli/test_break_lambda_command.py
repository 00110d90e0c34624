"""Technique: functions that no form fits, for the commands that read and write them.

Whatever stands where a function may stand ends in an answer: nothing on the screen that a
terminal would obey, nothing written where something failed, and never over what was read.
"""

import json

import pytest

from secure_serial.cli.main import main


def node(source, **more):
    form = {"schema": 1, "source": source, **more}
    return {"class_name": "__lambda__", "config": {"secure_serial": form}}


def inside(value, times, wrap):
    for _ in range(times):
        value = wrap(value)
    return value


def tuple_of(value):
    return {"class_name": "__tuple__", "items": value}


CODE = "4wEAAAAAAAAA"
VALUES = {
    "tuples inside each other": inside([CODE, None, None], 45, tuple_of),
    "more of them": inside([CODE, None, None], 400, tuple_of),
    "lists inside each other": inside(CODE, 90, lambda value: [value, None, None]),
    "a node in a tuple": tuple_of(node("lambda x: x")),
    "a config that is a list": {"class_name": "__lambda__", "config": [1]},
    "no config": {"class_name": "__lambda__"},
    "a value of tuples": {"class_name": "__lambda__", "config": {"value": tuple_of(tuple_of([]))}},
    "a form that is a number": {"class_name": "__lambda__", "config": {"secure_serial": 3}},
    "a schema that is true": node("lambda x: x", schema=True),
    "an object for a default": node("lambda x, k: x", defaults=[{"class_name": "Dense"}]),
    "defaults that are a text": node("lambda x, k: x", defaults="ab"),
    "a name that clears the screen": node("lambda x: x + k", closure={"k\x1b[2J": 1}),
    "a name that is a surrogate": node("lambda x: x + k", closure={"\ud800": 1}),
    "a default that turns the line": node("lambda x, k: x", defaults=["\x1b[2J\u202e\r\n"]),
    "a default that sets the title": node("lambda x, *, k: x", kwdefaults={"k": "\x1b]0;hi\x07"}),
    "a key that is a surrogate": node("lambda x: x + k", closure={"k": {"\ud800": 1}}),
    "a closure that looks like source": node("lambda x: x + k", closure={"k": "\nlambda x: y"}),
    "a number that is none": node("lambda x, k: x", defaults=[float("nan")]),
    "a number of 400 digits": node("lambda x, k: x", defaults=[10**400]),
    "escapes in the source": node("lambda x: '\x1b[2J'"),
    "escapes of escapes in the source": node("lambda x: '\\x1b[2J\\u202e\\ud800'"),
    "a place that turns the line": {"a/b~c\x1b[2J\u202e": node("lambda x: x")},
    "a place that is a surrogate": {"\ud800": node("lambda x: x")},
    "a place of two lines": {"\n  sandbox  runs it": node("lambda x: x.nothing()")},
    "marks without a value": {"_type": "lambda", "": 1, "b_type": "lambda", "a_type": "lambda"},
    "a mark beside a number": {"function": 3, "function_type": "lambda"},
    "code that is a surrogate": {"class_name": "__lambda__", "config": {"code": "\ud800"}},
    "more functions than are read": [node(f"lambda x: x * {n}") for n in range(102)],
}  # fmt: skip


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("command", ["show", "show --format json", "convert", "over itself"])
def test_it_ends_in_an_answer(tmp_path, capsys, command, value):
    path, out = tmp_path / "in.json", tmp_path / "out.json"
    layer = {"class_name": "Lambda", "config": {"name": "l", "function": value}}
    path.write_text(json.dumps(layer), "utf-8")
    given = path.read_bytes()
    words = command.split()
    if words[0] == "convert":
        argv = ["lambda", "convert", str(path), "-o", str(out)]
    elif words[0] == "over":
        argv = ["lambda", "convert", str(path), "-o", str(path)]
    else:
        argv = ["lambda", "show", str(path), *words[1:]]
    code = main(argv)
    told = capsys.readouterr()
    assert all(char.isprintable() or char == "\n" for char in told.out + told.err)
    assert path.read_bytes() == given
    assert out.exists() == (words[0] == "convert" and code == 0)
    assert words[0] != "over" or code != 0
    assert sorted(each.name for each in tmp_path.iterdir()) == (
        ["in.json", "out.json"] if out.exists() else ["in.json"]
    )
