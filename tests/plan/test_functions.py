"""Functions in a document: each different one is read once, and no more than the limits let it hold."""

from __future__ import annotations

import base64
import marshal

import pytest
from plan.plans import codes, layer, plan

from secure_serial.lambdas import understood
from secure_serial.limits import Limits
from secure_serial.plan.functions import as_node, may_be_function
from secure_serial.plan.request import Action


def function(number):
    return {
        "class_name": "__lambda__",
        "config": {"secure_serial": {"schema": 1, "source": f"lambda x: x + {number}"}},
    }


def model(numbers):
    return [
        layer("Lambda", name=f"l{place}", function=function(number))
        for place, number in enumerate(numbers)
    ]


def test_each_different_function_is_read_once(monkeypatch):
    asked = []
    reads = understood.understand
    monkeypatch.setattr(
        understood, "understand", lambda stored, **k: asked.append(stored) or reads(stored, **k)
    )
    made = plan({"class_name": "Sequential", "config": {"layers": model([1, 2] * 5)}})
    assert len(asked) == 2
    assert len(made.functions) == 10
    assert {r.digest for r in made.requests if r.digest} == {
        c.understood.digest[7:] for c in made.functions.values()
    }


@pytest.mark.parametrize(("allowed", "found"), [(3, []), (2, ["SS333"])])
def test_no_more_than_the_limits_let_it_hold(allowed, found):
    tree = {"class_name": "Sequential", "config": {"layers": model([1, 2, 3, 1])}}
    assert codes(tree, limits=Limits(functions=allowed)) == found


def test_the_source_is_what_a_report_shows():
    (request,) = [r for r in plan(layer("Lambda", function=function(1))).requests if r.digest]
    assert request.notes == ("lambda x: x + 1",)


def test_an_activation_as_keras_writes_it_is_a_function():
    bare = {"value": ["4wE=", None, None]}
    assert as_node(bare) == {"class_name": "__lambda__", "config": bare}
    for other in ({"value": 1, "x": 2}, {}, [], "text", None):
        assert as_node(other) is other
    assert all(map(may_be_function, (bare, ["4wE=", None, None], function(1))))
    assert not any(map(may_be_function, ("4wE=", ["a", "b"], {"class_name": "Dense"}, None, 1)))


#: Each of them is read within a second, and a file may hold a hundred.
MANY = "lambda x: [" + "[i if i else x for i in x if i]," * 20 + "%d]"
LONG = "lambda x: [" + "x + 1, " * 1_500 + "%d]"


def bytecode(text):
    return [base64.b64encode(marshal.dumps(eval(text).__code__)).decode("ascii"), None, None]


def source(text):
    return {
        "class_name": "__lambda__",
        "config": {"secure_serial": {"schema": 1, "source": text}},
    }


@pytest.mark.parametrize(("form", "text"), [(bytecode, MANY), (source, LONG)])
def test_the_functions_of_a_file_share_what_reading_them_may_take(form, text):
    layers = [
        layer("Lambda", name=f"l{number}", function=form(text % number)) for number in range(15)
    ]
    made = plan({"class_name": "Sequential", "config": {"layers": layers}})
    problems = [each.objections for each in made.requests if each.action is Action.LAMBDA]
    read = [not each for each in problems]
    assert read == sorted(read, reverse=True)
    assert 3 < sum(read) < 12
    assert {each[0].code for each in problems if each} == {"SS305"}
    assert "together" in problems[-1][0].detail
