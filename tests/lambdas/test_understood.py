"""Bytecode, our own form, or both: one function, shown as source, or a refusal."""

import ast
import base64
import inspect
import json
import marshal
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_serial.errors import SecureSerialError
from secure_serial.lambdas import lift
from secure_serial.lambdas.bounds import Bounds
from secure_serial.lambdas.errors import BadStream, CannotLift, Disagree, TooMuch
from secure_serial.lambdas.stored import Stored, stored
from secure_serial.lambdas.text import parsed
from secure_serial.lambdas.tree import source
from secure_serial.lambdas.understood import from_own, from_source, understand
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.function import build
from secure_serial.sandbox.restrict import restrict
from tools.lambdas.expressions import sources

SHARED = Path(__file__).resolve().parents[3] / "shared"
ROWS = SHARED / "lambdas" / "dev.json"
STREAMS = json.loads((Path(__file__).parent / "streams.json").read_text("utf-8"))


def closing(k, j):
    return lambda x, i=2, *, axis=-1: x[i] * k + j


def code(function):
    return marshal.dumps(function.__code__)


def own(text, **more):
    return {"schema": 1, "source": text, **more}


def from_file(understood):
    """Our own form after a file held it."""
    return from_own(json.loads(json.dumps(understood.own_form(), allow_nan=False)))


# One form.


def test_bytecode_alone_is_shown_with_what_stands_beside_it():
    found = understand(Stored(code(closing(1, 2)), None, (2,), {"axis": -1}, ([1, 2], "k")))
    assert found.source == "# j = [1, 2]\n# k = 'k'\nlambda x, i=2, *, axis=-1: x[i] * k + j"
    assert found.closure == {"j": [1, 2], "k": "k"}
    assert found.origin == "bytecode"
    assert f"{sys.version_info[0]}.{sys.version_info[1]}" in found.versions


def test_our_own_form_alone_is_the_same_function():
    theirs = understand(Stored(code(closing(1, 2)), None, (2,), {"axis": -1}, (1.5, (2,))))
    ours = from_file(theirs)
    assert (ours.digest, ours.source) == (theirs.digest, theirs.source)
    assert (ours.defaults, ours.kwdefaults, ours.closure) == (
        theirs.defaults, theirs.kwdefaults, theirs.closure
    )  # fmt: skip
    assert (ours.versions, ours.origin) == ((), "source")


def test_a_source_text_holds_its_defaults_itself():
    found = from_source("lambda x, a=-1, b=(1, [2.5, 'c']), c={'d': None}, *, e=True: f(x)  # so")
    assert found.defaults == (-1, (1, [2.5, "c"]), {"d": None})
    assert found.kwdefaults == {"e": True}
    assert found.own_form()["source"] == "lambda x, a, b, c, *, e: f(x)"
    assert from_source(found.source).source == found.source


def test_a_def_is_a_function_too():
    text = "def crop(x, n=2):\n    y, *z = x\n    if y:\n        y += n\n    elif z:\n        y = z\n    return y"
    found = from_source(text)
    assert found.source == text
    assert from_file(found).source == text


def test_neither_form_is_no_function():
    with pytest.raises(BadStream, match="without code and without source"):
        understand(Stored())


def test_a_closure_may_hold_what_is_not_used():
    found = from_own(own("lambda x: x * k", closure={"k": 1, "unused": 2}))
    assert found.closure == {"k": 1}


def test_long_values_are_cut_where_they_are_shown_alone():
    found = from_own(own("lambda x: x[k]", closure={"k": "a" * 1000}))
    assert len(found.source) < 300
    assert found.own_form()["closure"] == {"k": "a" * 1000}


def test_no_value_writes_a_line_of_its_own():
    found = from_own(own("lambda x, i: x[k]", closure={"k": "a\nimport os"}, defaults=["\u202e\n"]))
    assert found.source == "# k = 'a\\nimport os'\nlambda x, i='\\u202e\\n': x[k]"


def test_an_f_string_that_cannot_be_written_is_shown_as_calls_and_has_no_form():
    # 3.11 has no way to write a backslash there; where there is one, nothing is lost.
    tree = ast.parse("lambda x: f'a{x!r:>{4}}'").body[0].value
    tree.body.values[1].value = ast.parse(r"'\\'.join(x)").body[0].value
    stream = marshal.dumps(compile_lambda(tree))
    found = understand(Stored(stream))
    if sys.version_info < (3, 12):
        assert source(tree) == (
            r"lambda x: ''.join(['a', format(repr('\\'.join(x)), ''.join(['>', format(4)]))])"
        )
        with pytest.raises(CannotLift, match="f-string"):
            found.own_form()
    else:
        assert from_file(found).digest == found.digest


def compile_lambda(tree):
    module = ast.fix_missing_locations(ast.Expression(tree))
    return next(
        value for value in compile(module, "<test>", "eval").co_consts if isinstance(value, CODE)
    )


CODE = type(closing.__code__)


def at_depth(left, call):
    """The call's result with that many frames of the stack left, or our error."""

    def down(frames):
        return call() if frames <= 0 else down(frames - 1)

    used = len(inspect.stack(0))
    try:
        return down(sys.getrecursionlimit() - used - left)
    except SecureSerialError as error:
        return error


def test_a_caller_that_has_used_up_the_stack_gets_our_error_or_the_function():
    text = "lambda x: " + "f(" * 30 + "x" + ")" * 30
    known = from_source(text)
    stored_too = Stored(marshal.dumps(compile_lambda(ast.parse(text).body[0].value)))
    form = known.own_form()
    results = set()
    for left in range(40, 600, 40):
        for call in (
            lambda: from_source(text).digest,
            lambda: from_own(form).digest,
            lambda: understand(stored_too).digest,
            lambda: known.own_form()["source"],
            lambda: known.source,
        ):
            found = at_depth(left, call)
            results.add(found if isinstance(found, str) else type(found).__name__)
    assert results - {"CannotLift"} == {
        known.digest, text, "(too deep for what is left of the stack)", "TooMuch"
    }  # fmt: skip


# Round trips.


def test_every_stored_stream_comes_back_from_our_own_form():
    for row in STREAMS:
        data = base64.b64decode(row["stream"])
        found = understand(Stored(data, None, (), {}, tuple(range(len(row["free"])))))
        assert from_file(found).digest == found.digest, row["id"]


@pytest.mark.skipif(not ROWS.is_file(), reason="the shared rows are not here")
def test_every_shared_row_comes_back_from_our_own_form_and_agrees():
    for row in json.loads(ROWS.read_text("utf-8")):
        dump = [row["code_b64"], row["defaults"], row["closure"]]
        found = understand(stored(dump))
        form = json.loads(json.dumps(found.own_form()))
        assert from_own(form).digest == found.digest, row["id"]
        node = {"class_name": "__lambda__", "config": {"value": dump, "secure_serial": form}}
        assert understand(stored(node)).origin == "both"


def test_random_functions_come_back_from_our_own_form():
    done = 0
    for text in sources(120, 7, walrus=False):
        try:
            found = understand(Stored(marshal.dumps(compile_lambda(ast.parse(text).body[0].value))))
        except CannotLift:
            continue
        assert from_file(found).digest == found.digest, text
        done += 1
    assert done > 100


def test_the_parts_of_an_f_string_are_the_same_whatever_the_parser_leaves_in_it(monkeypatch):
    tree = ast.parse("lambda x: f'a{x:>{4}}b'")
    clean = from_source("lambda x: f'a{x:>{4}}b'")
    text = tree.body[0].value.body
    empty = ast.Constant("")
    text.values[1].format_spec.values.append(empty)
    text.values[:] = [empty, ast.Constant("a"), empty, *text.values[1:], empty]
    monkeypatch.setattr("secure_serial.lambdas.text.ast.parse", lambda text: tree)
    assert from_source("lambda x: f'a{x:>{4}}b'").digest == clean.digest


# Two forms.


def pair(function, form, defaults=(), kwdefaults=(), closure=()):
    return understand(Stored(code(function), form, defaults, dict(kwdefaults), closure))


def test_two_forms_that_agree_are_one_function_and_tuples_are_kept():
    form = own("lambda x, i: x[i:k]", defaults=[{"class_name": "__tuple__", "items": [0, 1]}],
               closure={"k": 3})  # fmt: skip

    def around(k):
        return lambda x, i: x[i:k]

    found = pair(around(3), form, defaults=([0, 1],), closure=(3,))
    assert found.defaults == ((0, 1),)
    assert found.origin == "both"
    assert found.versions


def test_our_own_form_alone_has_keyword_only_defaults():
    found = pair(lambda x, *, k: x, own("lambda x, *, k: x", kwdefaults={"k": 1}))
    assert found.kwdefaults == {"k": 1}


ONE = lambda x, i=1: x + i  # noqa: E731


@pytest.mark.parametrize(
    "form",
    [
        own("lambda x, i: x - i", defaults=[1]),
        own("lambda x, j: x + j", defaults=[1]),
        own("lambda x, *, i: x + i", kwdefaults={"i": 1}),
        own("lambda x, i: i + x", defaults=[1]),
        own("lambda x, i: x + i"),
        own("lambda x, i: x + i", defaults=[2]),
        own("lambda x, i: x + i", defaults=[1.0]),
        own("lambda x, i: x + i", defaults=[True]),
        own("lambda x, i: x + i", defaults=[0, 1]),
        own("def f(x, i):\n return x + i", defaults=[1]),
    ],
)
def test_two_forms_that_differ_are_refused(form):
    with pytest.raises(Disagree) as caught:
        pair(ONE, form, defaults=(1,))
    assert caught.value.code == "SS306"
    assert "two functions" in str(caught.value)


def test_other_keyword_only_defaults_or_closures_are_refused():
    function = lambda x, *, k=1: x  # noqa: E731
    with pytest.raises(Disagree, match="keyword-only"):
        pair(function, own("lambda x, *, k: x", kwdefaults={"k": 2}), kwdefaults={"k": 1})

    def around(k):
        return lambda x: x + k

    for closure in ({}, {"k": 2}, {"k": "1"}, {"k": [1]}, {"j": 1}):
        with pytest.raises(Disagree, match="closures"):
            pair(around(1), own("lambda x: x + k", closure=closure), closure=(1,))


def test_bytecode_that_cannot_be_read_is_refused_whatever_the_source_says():
    with pytest.raises(CannotLift):
        pair(lambda x: (yield x), own("lambda x: x"))
    with pytest.raises(BadStream):
        understand(Stored(b"\xe3\0\0\0\0", own("lambda x: x")))


@pytest.mark.parametrize(
    ("function", "defaults", "closure"),
    [
        (lambda x: x, (1, 2), ()),
        (lambda *x: x, (1,), ()),
        (lambda x: x, (), (1,)),
        (closing(1, 2), (), ()),
        (closing(1, 2), (), (1,)),
        (closing(1, 2), (), (1, 2, 3)),
    ],
)
def test_values_that_do_not_fit_the_function_are_refused(function, defaults, closure):
    with pytest.raises(CannotLift):
        understand(Stored(code(function), None, defaults, {}, closure))


# Broken and hostile forms.


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"schema": 1},
        {"source": "lambda x: x"},
        {"schema": 2, "source": "lambda x: x"},
        {"schema": True, "source": "lambda x: x"},
        {"schema": 1.0, "source": "lambda x: x"},
        {"schema": "1", "source": "lambda x: x"},
        {"schema": [1], "source": "lambda x: x"},
        own(None), own(3), own([]), own(b"lambda x: x"),
        own("lambda x: x", defaults="ab"),
        own("lambda x: x", defaults={"x": 1}),
        own("lambda x: x", defaults=[{"class_name": "Dense"}]),
        own("lambda *, x: x", kwdefaults=[1]),
        own("lambda *, x: x", kwdefaults={"x": object()}),
        own("lambda *, x: x", kwdefaults={1: 1}),
        own("lambda x: x", closure=[1]),
        own("lambda x: x + k", closure={"k": {"class_name": "Dense"}}),
    ],
)  # fmt: skip
def test_a_form_of_other_parts_is_refused(form):
    with pytest.raises(BadStream):
        from_own(form)


@pytest.mark.parametrize(
    "form",
    [
        own("lambda x=1: x"),
        own("lambda *, x=1: x"),
        own("lambda x: x", defaults=[1, 2]),
        own("lambda x: x", kwdefaults={"x": 1}),
        own("lambda *, x: x", kwdefaults={"y": 1}),
        own("lambda x: x", closure={"__class__": 1}),
        own("lambda x: x", closure={"a b": 1}),
        own("lambda x: x", closure={"lambda": 1}),
        own("lambda x: x", closure={"k)\nimport os\n(": 1}),
        own("lambda *, x: x", kwdefaults={"x\n": 1}),
    ],
)
def test_a_form_whose_parts_do_not_fit_is_refused(form):
    with pytest.raises(CannotLift):
        from_own(form)


def test_a_form_with_too_many_values_is_refused():
    with pytest.raises(TooMuch):
        from_own(own("lambda x: x", closure={f"k{n}": 1 for n in range(1000)}))


REFUSED = {
    "no function": ["", "x", "1 + 1", "class A: pass", "lambda x: x; lambda y: y", "import os"],
    "another layout": [" lambda x: x", "lambda x: (", "lambda x: '''", "lambda x: 'a", "lambda x: $"],
    "statements": [
        "def f(x):\n from . import os\n return os",
        "def f(x):\n from os import *\n return x",
        "def f(x):\n import os.__path\n import __os__\n return x",
        "def f(x):\n for i in x:\n  pass\n else:\n  x = 1\n return x",
        "def f(x):\n for i.a in x:\n  pass\n return x",
        "def f(x):\n if x:\n  break\n return x",
        "def f(x):\n pass\n return x",
        "def f(x):\n while x:\n  x = x - 1\n return x",
        "def f(x):\n try:\n  return x\n except A:\n  return 1",
        "def f(x):\n with x:\n  return x",
        "def f(x):\n raise x from y",
        "def f(x):\n raise",
        "def f(x):\n @x\n def g():\n  return 1\n return g",
        "def f(x):\n def g(y: int):\n  return 1\n return g",
        "def f(x):\n del x\n return 1",
        "def f(x):\n global y\n y = x\n return y",
        "def f(x):\n pass",
        "def f(x):\n return",
        "def f(x):\n class A:\n  pass\n return A",
        "def f(x):\n match x:\n  case 1:\n   return 1\n return x",
        "async def f(x):\n return x",
        "def f(x):\n a = b = x\n return a",
        "def f(x):\n a: int = x\n return a",
    ],
    "decorations": [
        "@g\ndef f(x):\n return x", "def f(x: g()):\n return x", "def f(x) -> g():\n return x",
        "def f[T](x):\n return x",
    ],
    "targets": [
        "def f(x):\n x.a = 1\n return x",
        "def f(x):\n x[0], y = 1, 2\n return x",
        "def f(x):\n for x[0] in x:\n  pass\n return x",
        "def f(x):\n x.a += 1\n return x",
        "def f(x):\n x[0] = y = 1\n return x",
        "def f(x):\n [a, b] = x\n return a",
        "def f(x):\n () = x\n return x",
        "def f(x):\n (a, b.c) = x\n return a",
        "lambda x: [1 for x.a in x]",
        "lambda x: [1 for [a, b] in x]",
    ],
    "generators": ["lambda x: (yield x)", "lambda x: (yield from x)", "lambda x: [y async for y in x]"],
    "names": [
        "lambda x: x.__class__", "lambda x: __import__('os')", "lambda __x__: 1", "lambda x: f(__a__=1)",
        "lambda x: [1 for __a__ in x]", "lambda x: (__a__ := x)", "def __f__(x):\n return x",
        "lambda x: \uff45val(x)", "lambda x: x.\uff3f\uff3fclass\uff3f\uff3f", "lambda x: " + "a" * 101,
        "lambda \u00e9: 1",
    ],
    "the name of the helper": [
        "lambda x: python2_divide", "lambda python2_divide: 1", "lambda x: python2_divide(x)",
        "lambda x: python2_divide(*x, 2)", "lambda x: python2_divide(x, b=2)",
        "lambda x: (python2_divide := x)", "def python2_divide(x):\n return x",
        "lambda x: [1 for python2_divide in x]",
    ],
    "characters": [
        "lambda x: '\0'", "\x0clambda x: x", "lambda x: '\ud800'", "lambda x: '\u202e'", "lambda x: x\r",
        "lambda x: '\u200b'", "\ufefflambda x: x", "lambda x: '\x1b[2J'", "lambda x:\u3000x",
    ],
    "what Pythons read differently": [
        r"lambda x: '\d'", r"lambda x: '\777'", r"lambda x: b'\q'", "lambda x: 1if x else 2",
        "lambda x: 0x1for x", "lambda x: x is 1", "lambda x: 'a' is not x", "lambda x: (x is None) is 'a'",
        "lambda x: f'{x:{x:{x:{x}}}}'", r"lambda x: f'\d{x}'",
    ],
    "what does not compile": [
        "lambda x, x: 1", "lambda x: [x := 1 for x in x]", "lambda x: f(a=1, a=2)", "lambda x: f(**a, *b)",
        "lambda x: (*x)",
    ],
    "defaults": [
        "lambda x=y: x", "lambda x=f(): x", "lambda x=1 + 1: x", "lambda x=[y for y in z]: x",
        "lambda x={1: 2}: x", "lambda x={**a}: x", "lambda x=1j: x", "lambda x=b'a': x", "lambda x=...: x",
        "lambda x=-'a': x", "lambda x=not 1: x", "lambda x={1}: x", "lambda x=-True: x",
    ],
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_source_that_the_lifter_would_not_have_made_is_refused(what, recwarn):
    for text in REFUSED[what]:
        with pytest.raises(CannotLift):
            raise AssertionError(f"{text!r} gave {from_source(text).source!r}")
    assert not recwarn.list


LARGE = {
    "brackets": "lambda x: " + "(" * 20_000 + "x" + ")" * 20_000,
    "brackets within the parser's bounds": "lambda x: " + "[" * 150 + "x" + "]" * 150,
    "lists of lists": "lambda x: " + "[[" * 90 + "x" + "]]" * 90,
    "minus signs": "lambda x: " + "-" * 60_000 + "x",
    "negations": "lambda x: " + "not " * 15_000 + "x",
    "lambdas": "lambda x: " * 6_000 + "x",
    "lambdas of two": "lambda x, y: " * 4_500 + "x",
    "choices": "lambda x: " + "x if x else " * 4_500 + "x",
    "attributes": "lambda x: x" + ".a" * 30_000,
    "subscripts": "lambda x: x" + "[0]" * 20_000,
    "calls": "lambda x: x" + "()" * 30_000,
    "sums": "lambda x: x" + "+x" * 30_000,
    "powers": "lambda x: x" + "**x" * 20_000,
    "comparisons": "lambda x: x" + "<x" * 30_000,
    "walruses": "lambda x: " + "(y:=" * 9_000 + "x" + ")" * 9_000,
    "stars": "lambda x: f(" + "*" * 60_000 + "x)",
    "dictionaries": "lambda x: " + "{1:" * 9_000,
    "an f-string": "lambda x: f'{" + "-" * 50_000 + "x}'",
    "attributes in an f-string": "lambda x: f'{x" + ".a" * 5_000 + "}'",
    "texts": "lambda x: " + "'a' " * 15_000,
    "comprehensions": "lambda x: [x " + "".join(f"for a{n} in x " for n in range(2_000)) + "]",
    "elif": "def f(x):\n if x:\n  return x\n" + " elif x:\n  return x\n" * 2_000 + " return x",
    "if": "def f(x):\n"
    + "".join(" " * n + "if x:\n" for n in range(1, 90))
    + " " * 95
    + "return x",
    "statements": "def f(x):\n" + " x = x\n" * 8_000 + " return x\n",
    "items": "lambda x: [" + "x," * 30_000 + "]",
    "parameters": "lambda " + ",".join(f"a{n}" for n in range(5_000)) + ": 1",
    "a hexadecimal": "lambda x: 0x" + "f" * 60_000,
    "characters": "lambda x: '" + "a" * 70_000 + "'",
}


@pytest.mark.parametrize("what", LARGE)
def test_a_source_that_is_too_large_or_too_deep_is_refused(what):
    # From 3.12 on the tokenizer itself refuses a hundred brackets, before they are counted.
    with pytest.raises((TooMuch, CannotLift)) as caught:
        from_source(LARGE[what])
    assert sys.version_info >= (3, 12) or isinstance(caught.value, TooMuch)


def test_large_sources_are_refused_where_the_stack_has_no_guard():
    # Programs raise it; then nothing but our own bounds stands between text and C stack.
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        for text in LARGE.values():
            with pytest.raises((TooMuch, CannotLift)):
                from_source(text)
    finally:
        sys.setrecursionlimit(usual)


LITERALS = ["'a'", "1", "[1]", "(1, 2)", "{1}", "{1: 2}", "f'{x}'", "[y for y in x]", "{y for y in x}",
            "None", "..."]  # fmt: skip
INDICES = ["0", "-1", "x", "x, 3", "'a'", "[1]", "1:2", "1.5", "None", "{1}", "True", "f'{x}'"]


@pytest.mark.parametrize("literal", LITERALS)
def test_no_word_of_the_compiler_reaches_anybody(literal):
    """Of what can only fail Python warns, and where warnings are errors compiles none of it."""
    texts = [f"lambda x: {literal}(x)", *(f"lambda x: {literal}[{index}]" for index in INDICES)]
    texts += [f"lambda x: x[{literal}]", f"lambda x: x({literal})"]
    for text in texts:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            code = compile(text, "t", "eval").co_consts[0]
        taken = True
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for form in (from_source, lambda _, code=code: lift(marshal.dumps(code))):
                try:
                    form(text)
                except CannotLift as error:
                    taken = "literal" not in str(error) and taken
        assert taken is not bool(warned), text


def test_what_others_hang_on_the_nodes_that_the_parser_shares_is_not_looked_at():
    """`policy vet` runs bandit, which tells each node its parent, in the same process."""
    text = "lambda x: x + 1"
    tree = ast.parse(text, mode="eval").body
    shared = [tree.body.op, tree.body.left.ctx]
    for node in shared:
        node.parent, node.others = tree, [tree]
    try:
        function = build(restrict(from_source(text)), NUMPY)
        assert function(2) == 3
        assert lift(marshal.dumps(eval(text).__code__)).source == text
    finally:
        for node in shared:
            del node.parent, node.others


def test_an_item_of_a_literal_may_be_asked_for():
    for text in (
        "lambda x: [1, 2][x]",
        "lambda x: 'ab'[x:]",
        "lambda x: {1: 2}[x]",
        "lambda x: (1, 2)[0]",
    ):
        assert from_source(text).source == text


def test_a_decimal_of_many_digits_is_refused():
    with pytest.raises(SecureSerialError):
        from_source("lambda x: " + "9" * 60_000)


@pytest.mark.parametrize(
    "text",
    [
        "lambda x: [" + ", ".join(["1"] * 2_000) + "]",
        "lambda x: " + " and ".join(["x > 1"] * 150),
        "lambda x: f(" + ", ".join(f"x[{n}]" for n in range(500)) + ")",
        "lambda x: '" + "a b " * 2_000 + "'",
        "lambda x: (\n" + "\n" * 500 + "x)",
    ],
)
def test_what_is_long_and_not_deep_is_taken(text):
    assert from_file(from_source(text))


def test_bounds_are_the_callers_to_narrow():
    with pytest.raises(TooMuch):
        from_source("lambda x: x + 1", Bounds(string_bytes=10))
    with pytest.raises(TooMuch):
        from_source("lambda x: x + 1", Bounds(nodes=5))
    with pytest.raises(TooMuch):
        from_own(own("lambda x: ((x + 1) + 1) + 1"), Bounds(tree_depth=3))


def test_a_parser_that_gives_up_ends_in_our_error(monkeypatch):
    for error in (MemoryError, RecursionError, OverflowError):

        def gives_up(text, error=error):
            raise error

        monkeypatch.setattr("secure_serial.lambdas.text.ast.parse", gives_up)  # fmt: skip
        with pytest.raises(TooMuch):
            parsed("lambda x: x")


WORDS = ["lambda", "x", ":", "(", ")", "[", "]", "{", "}", ",", "1", "+", "-", "*", "**", ".", "a", "if",
         "else", "for", "in", "not", "and", "=", ":=", "'a'", "f'{x}'", "f'", "'", '"', "\n", " ", "\\",
         "def f(x):", "return", "__a__", "is", "#", "async", "yield", "0x", "é", "\0", "1e", "_"]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join))
@settings(max_examples=300)
def test_any_text_is_a_function_or_our_error(text):
    for each in (text, f"lambda x: {text}"):
        try:
            found = from_source(each)
        except SecureSerialError:
            continue
        assert from_file(found).digest == found.digest


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda y: (f"{y}", 1), "lambda y: (f'{y}', 1)"),
        (lambda y: f"{y!r:>{4}}a", "lambda y: f'{y!r:>{4}}a'"),
        (lambda y: [f"{y}a{y}", f""], "lambda y: [f'{y}a{y}', '']"),  # noqa: F541
        (lambda y: {f"{y}"}, "lambda y: {f'{y}'}"),
    ],
)
def test_an_f_string_of_one_part_is_no_set(function, text):
    """Without its text around it a value in braces would be shown, and read back, as a set."""
    found = understand(Stored(code(function)))
    assert found.source == text
    assert from_file(found).digest == found.digest
