"""The proof alone: it accepts two ways to write one function, and no two functions."""

import ast

import pytest

from secure_serial.lambdas import Bounds, CannotLift, own
from secure_serial.lambdas import prove as proofs
from secure_serial.lambdas.micro import Reading
from secure_serial.lambdas.prove import Prover
from secure_serial.lambdas.tables import table
from secure_serial.lambdas.tree import check_scopes
from tools.lambdas.expressions import sources


def prove(one, two, free=()):
    here = table(own.version())
    trees = [ast.parse(text, mode="eval").body for text in (one, two)]
    codes = [own.compiled(tree, free) for tree in trees]
    Prover(Bounds(), *(Reading(here, Bounds()) for _ in range(2))).prove(*codes)


SAME = [
    ("lambda x: x if x else -x", "lambda x: -x if not x else x"),
    ("lambda x: 1 + 2 + x", "lambda x: 3 + x"),
    ("lambda x: [1, 2, 3]", "lambda x: [*(1, 2, 3)]"),
    ("lambda x: f(*[x, 1])", "lambda x: f(x, 1)"),
    ("lambda x: x in [1, 2]", "lambda x: x in (1, 2)"),
    ("lambda x: '%s' % (x,)", "lambda x: f'{x!s}'"),
    ("lambda x: (x and 1) or 2", "lambda x: x and 1 or 2"),
    ("lambda x: x[1:2:None]", "lambda x: x[1:2]"),
    ("lambda x: not not x", "lambda x: not (not x)"),
    ("lambda x: not (x is None)", "lambda x: x is not None"),
    ("lambda x: x.a if (x and y or True) else None", "lambda x: (x.a if y else x.a) if x else x.a"),
    ("lambda x: f(*(x.a, [x.b])[1])", "lambda x: f(*(x.a, (x.b,))[1])"),
    ("lambda x: (x.a, x)[1]", "lambda x: (x.a, x)[-1]"),
]
DIFFERENT = [
    ("lambda x: x + 1", "lambda x: x - 1"),
    ("lambda x: (x.a, x)[1]", "lambda x: x"),
    ("lambda x: (x.a, x)[1]", "lambda x: (x.a, x)[0]"),
    ("lambda x: (x.a, x)[2]", "lambda x: x.a"),
    ("lambda x: x.a if (x and y or True) else None", "lambda x: x.a"),
    (
        "lambda x: x.a if (x and y or True) else None",
        "lambda x: x.a if (y and x or True) else None",
    ),
    ("lambda x: (not x, g())", "lambda x: (lambda y: (not x, y))(g())"),
    ("lambda x: not x", "lambda x: x is None"),
    ("lambda x: not (x is None)", "lambda x: not (x is True)"),
    ("lambda x: not x.a or x.b", "lambda x: not x.b or x.a"),
    ("lambda x: {f(i): g(i) for i in x}", "lambda x: {f(i): t for i in x for t in [g(i)]}"),
    ("lambda x: [i for i in x for t in [i.a]]", "lambda x: [i for i in x]"),
    ("lambda x: [t for i in x for t in [i.a]]", "lambda x: [t for i in x for t in i.a]"),
    ("lambda x: f(*x.a, k=x.b)", "lambda x: f(*((t := x.b), x.a)[1], k=t)"),
    ("lambda x: x + 1", "lambda x: x + 1.0"),
    ("lambda x: x + 1", "lambda x: x + True"),
    ("lambda x: x * 0.0", "lambda x: x * -0.0"),
    ("lambda x: x + 1", "lambda x: 1 + x"),
    ("lambda x: x < 1", "lambda x: x <= 1"),
    ("lambda x: x.a", "lambda x: x.b"),
    ("lambda x: x.a()", "lambda x: x.a"),
    ("lambda x: f(x)", "lambda x: g(x)"),
    ("lambda x: f(x, 1)", "lambda x: f(1, x)"),
    ("lambda x: f(x, a=1)", "lambda x: f(x, b=1)"),
    ("lambda x: f(x, a=1)", "lambda x: f(x, 1)"),
    ("lambda x: f(*x)", "lambda x: f(x)"),
    ("lambda x: f(*x)", "lambda x: f(**x)"),
    ("lambda x: f(g(x), h(x))", "lambda x: f(h(x), g(x))"),
    ("lambda x: x if x.a else 1", "lambda x: 1 if x.a else x"),
    ("lambda x: x.a and x.b", "lambda x: x.a or x.b"),
    ("lambda x: x.a and x.b", "lambda x: x.b and x.a"),
    ("lambda x: x.a and x.b", "lambda x: x.b if x.a else None"),
    ("lambda x: a < x < b", "lambda x: a < x and x < b.c"),
    ("lambda x: f(x) < g(x) < h(x)", "lambda x: f(x) < g(x) and g(x) < h(x)"),
    ("lambda x: [x, x]", "lambda x: (x, x)"),
    ("lambda x: {x: 1}", "lambda x: {1: x}"),
    ("lambda x: [i for i in x]", "lambda x: {i for i in x}"),
    ("lambda x: [i for i in x]", "lambda x: (i for i in x)"),
    ("lambda x: [i for i in x if i]", "lambda x: [i for i in x if not i]"),
    ("lambda x: [i for i in x if i]", "lambda x: [i for i in x]"),
    ("lambda x: [i for i in x for j in i]", "lambda x: [j for i in x for j in i]"),
    ("lambda x: [[j for j in i] for i in x]", "lambda x: [[i for j in i] for i in x]"),
    ("lambda x: [[j for j in x] for i in x]", "lambda x: [[j for j in i] for i in x]"),
    ("lambda x: (m := [x]) and [m, m]", "lambda x: (m := [x]) and [m, [x]]"),
    ("lambda x: ((m := x.a) + m)", "lambda x: (x.a + (m := x.a))"),
    ("lambda x: lambda y: x", "lambda x: lambda y: y"),
    ("lambda x: lambda y=1: x", "lambda x: lambda y=2: x"),
    ("lambda x: lambda y, *z: x", "lambda x: lambda y, z: x"),
    ("lambda x: sum(t for t in x)", "lambda x: sum(x for t in x)"),
    ("lambda x: f'{x}'", "lambda x: f'{x!r}'"),
    ("lambda x: f'{x:3}'", "lambda x: f'{x:4}'"),
    ("lambda x: x[1:]", "lambda x: x[:1]"),
    ("lambda x, y: x", "lambda x, y: y"),
    ("lambda x, y: x", "lambda y, x: x"),
    ("lambda x, /: x", "lambda x: x"),
    ("lambda x: x is None", "lambda x: x is not None"),
    ("lambda x: x in y", "lambda x: x not in y"),
    (
        "lambda x: (1 if x.a else 2) + (3 if x.b else 4)",
        "lambda x: (1 if x.a else 2) + (4 if x.b else 3)",
    ),
]


@pytest.mark.parametrize(("one", "two"), SAME)
def test_one_function_written_in_two_ways_is_proved(one, two):
    prove(one, two)
    prove(two, one)


@pytest.mark.parametrize(("one", "two"), DIFFERENT)
def test_two_functions_are_never_proved_to_be_one(one, two):
    for pair in ((one, two), (two, one)):
        with pytest.raises(CannotLift):
            prove(*pair)
    prove(one, one)
    prove(two, two)


#: Codes that no proof can follow, and one for each way of nesting.
FOLLOWED = [
    "def f(x):\n for i in x:\n  y = i\n return y",
    "def f(x):\n if x:\n  y = 1\n return y",
    "def f(x):\n while x:\n  x = x.a\n return x",
    "def f(x):\n try:\n  return x.a\n except E:\n  return 1",
    "def f(x):\n for i in x:\n  return i\n return x",
    "def f(x):\n y = 1\n return [lambda: y + i for i in x]",
    "lambda x: (lambda y: [y + z for z in x])(x)",
    "lambda x: (lambda y: (yield))",
    "lambda x: sum(i for i in x if (lambda: i)())",
]


@pytest.mark.parametrize("text", [*FOLLOWED, *sources(150, 20261124)])
def test_one_code_is_followed_once_where_both_sides_can_be_followed(text, monkeypatch):
    """What is the same in all that is read of it is accepted and refused as by the whole proof."""

    def outcome():
        here = table(own.version())
        node = ast.parse(text).body[0]
        tree = node.value if isinstance(node, ast.Expr) else node
        proof = Prover(Bounds(), *(Reading(here, Bounds()) for _ in range(2)))
        try:
            proof.prove(own.compiled(tree, ()), own.compiled(tree, ()))
        except CannotLift as error:
            return str(error)
        return len(proof.done)

    once = outcome()
    monkeypatch.setattr(proofs, "_twins", lambda _one, _two: False)
    assert outcome() == once


def test_what_differs_anywhere_is_followed_on_both_sides():
    for one, two in DIFFERENT:
        codes = [own.compiled(ast.parse(text, mode="eval").body, ()) for text in (one, two)]
        assert not proofs._twins(*codes), (one, two)
        assert proofs._twins(codes[0], own.compiled(ast.parse(one, mode="eval").body, ()))


def test_a_proof_of_many_choices_takes_steps_in_proportion():
    text = "lambda x: (" + ", ".join(f"({n} if x.a{n} else -{n})" for n in range(60)) + ")"
    prove(text, text)


def test_variables_that_a_proof_by_name_confuses_are_refused():
    for text in (
        "lambda i: (i, [lambda: i for i in x])",
        "lambda x: [[lambda: i for i in j] for j in x] + [lambda: i for i in x]",
    ):
        with pytest.raises(CannotLift):
            check_scopes(ast.parse(text, mode="eval").body)
    check_scopes(ast.parse("lambda x: [lambda: i for i in x]", mode="eval").body)
