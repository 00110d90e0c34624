"""The static half: what is refused before anything runs, and what a checked function knows."""

import ast
import inspect

import pytest

from secure_serial.errors import SandboxError
from secure_serial.lambdas.understood import Understood, from_source
from secure_serial.sandbox.names import BUILTINS, HOOK
from secure_serial.sandbox.restrict import restrict
from secure_serial.sandbox.transform import Restricting


def understood(tree, defaults=(), kwdefaults=None, closure=None):
    return Understood(tree, defaults, kwdefaults or {}, closure or {}, (), "sha256:0", "source")


def of(text):
    node = ast.parse(text).body[0]
    return node.value if isinstance(node, ast.Expr) else node


def refusal(found):
    with pytest.raises(SandboxError) as caught:
        restrict(found)
    return caught.value


@pytest.mark.parametrize(("text", "said"), [
    ("def f(x):\n    while x: pass", "a while loop"),
    ("def f(x):\n    try: pass\n    except E: pass", "try"),
    ("def f(x):\n    with x: pass", "with"),
    ("def f(x):\n    raise x", "raise"),
    ("def f(x):\n    global x", "global"),
    ("def f(x):\n    class A: pass", "a class"),
    ("def f(x):\n    @x\n    def g(): pass", "a decorator or an annotation"),
    ("def f(x):\n    def g(y: x): pass", "an annotation"),
    ("def f(x):\n    def __g(): pass", "which begins with an underscore"),
    ("def f(x):\n    raise SystemExit", "a raise of anything but an error of Python"),
    ("def f(x):\n    raise MemoryError", "a raise of anything but an error of Python"),
    ("def f(x):\n    raise ValueError(*x)", "a star in a raise"),
    ("def f(x):\n    raise ValueError from x", "a raise of anything but an error of Python"),
    ("def f(ValueError):\n    raise ValueError", "a variable of the name ValueError"),
    ("def f(x):\n    x[0] = 1", "what the function did not make itself"),
    ("def f(x):\n    y = x\n    y[0] += 1", "what the function did not make itself"),
    ("def f(x):\n    x.y[0] = 1", "what the function did not make itself"),
    ("def f(x):\n    y = []\n    y, z = x\n    y[0] = 1", "what the function did not make itself"),
    ("def f(x):\n    list = x\n    y = list()\n    y[0] = 1", "did not make itself"),
    ("def f(x):\n    y = [[]]\n    y[0][0] = 1", "what the function did not make itself"),
    ("def f(x):\n    x.a = 1", "a write to an item or an attribute"),
    ("def f(x):\n    x.a += 1", "a write to an item or an attribute"),
    ("def f(x):\n    import os", "an import of os"),
    ("def f(x):\n    from math import nothing", "math.nothing is not among"),
    ("def f(x):\n    from . import os", "a relative import"),
    ("def f(x):\n    import math as _m", "_m, which begins with an underscore"),
    ("def f(x):\n    from math import *", "that is not allowed: the name '*'"),
    ("def f(x, y=1):\n    return x", "a default in the tree"),
    ("lambda x, *, y=1: x", "a default in the tree"),
    ("def f(x: 1):\n    return x", "an annotation"),
    ("def f(x) -> 1:\n    return x", "a decorator or an annotation"),
    ("@max\ndef f(x):\n    return x", "a decorator or an annotation"),
    ("async def f(x): pass", "which is no function"),
    ("x + 1", "which is no function"),
    ("lambda x: [y async for y in x]", "an async comprehension"),
    ("lambda x: x.gi_frame", "the attribute gi_frame"),
    ("lambda x: x.format", "the attribute format"),
    ("lambda x: x._", "the attribute _"),
    ("lambda x: b'a'", "a constant of type bytes"),
    ("lambda x: " + "9" * 400, "bits"),
    ("lambda x: '" + "a" * 70_000 + "'", "70000 characters"),
    ("lambda x: nothing", "the name nothing, which nothing stands for"),
    ("lambda x: type(x)", "the name type, which hands out types"),
    ("lambda x: tf.nn.nothing(x)", "tf.nn.nothing is not among"),
    ("lambda _x: 1", "the name _x, which begins"),
    ("lambda x: " + "-" * 200 + "x", "too large or nested too deep"),
    ("lambda x: [" + "x," * 30_000 + "]", "too large or nested too deep"),
    ("lambda x: (await x)", "await"),
])  # fmt: skip
def test_construct_is_refused_by_name(text, said):
    error = refusal(understood(of(text)))
    assert said in error.message
    assert error.code in {"SS503", "SS504"}


def hand_made(body, **parts):
    arguments = ast.arguments([], [ast.arg("x")], None, [], [], None, [])
    for name, value in parts.items():
        setattr(arguments, name, value)
    return understood(ast.Lambda(arguments, body))


X = ast.Name("x", ast.Load())
NO_SOURCE = {
    "a name that is no identifier": ast.Name("%add", ast.Load()),
    "a name that is no text": ast.Name(3, ast.Load()),
    "a name of another script": ast.Name("\uff58", ast.Load()),
    "a keyword": ast.Name("if", ast.Load()),
    "a keyword of a call": ast.Call(X, [], [ast.keyword("a=1, b", X)]),
    "a keyword twice": ast.Call(X, [], [ast.keyword("a", X), ast.keyword("a", X)]),
    "an attribute": ast.Attribute(X, "a b", ast.Load()),
    "an attribute that is written": ast.Attribute(X, "a", ast.Store()),
    "an item that is deleted": ast.Subscript(X, X, ast.Del()),
    "an item that is written": ast.Subscript(X, X, ast.Store()),
    "an object": ast.Constant(print),
    "a frozen set": ast.Constant(frozenset({1})),
    "a walrus with a target": ast.NamedExpr(ast.Attribute(X, "a", ast.Store()), X),
    "a sign in place of a value": ast.UnaryOp(ast.Add(), X),
    "a load that is stored": ast.Name("x", ast.Store()),
    "a star in a comprehension": ast.ListComp(
        ast.Starred(X, ast.Load()), [ast.comprehension(ast.Name("y", ast.Store()), X, [], 0)]
    ),
    "a dict unpacked in a comprehension": ast.DictComp(
        None, X, [ast.comprehension(ast.Name("y", ast.Store()), X, [], 0)]
    ),
    "an async clause": ast.ListComp(X, [ast.comprehension(ast.Name("y", ast.Store()), X, [], 1)]),
    "another sign in place of a value": ast.BinOp(X, ast.Not(), X),
    "a comparison with no sign of one": ast.Compare(X, [ast.Add()], [X]),
    "a star that is deleted": ast.List([ast.Starred(X, ast.Del())], ast.Load()),
    "a star as a value": ast.Starred(X, ast.Load()),
    "a statement in place of a value": ast.Pass(),
}


@pytest.mark.parametrize("name", NO_SOURCE)
def test_tree_that_no_source_has_is_refused(name):
    assert refusal(hand_made(NO_SOURCE[name])).code == "SS503"


@pytest.mark.parametrize("parts", [
    {"args": [ast.arg("x"), ast.arg("x")]},
    {"args": [ast.arg("x")], "kwarg": ast.arg("_a")},
    {"args": [ast.arg("x")], "vararg": ast.arg("x")},
    {"posonlyargs": [ast.arg("_getattr_")]},
])  # fmt: skip
def test_parameters_that_cannot_be_are_refused(parts):
    assert refusal(hand_made(X, **parts)).code == "SS503"


def test_statement_that_no_source_has_is_refused():
    tree = of("def f(x):\n    x += 1\n    return x")
    tree.body[0].target = ast.Tuple([ast.Name("x", ast.Store())], ast.Store())
    assert "more than one variable" in refusal(understood(tree)).message
    tree = of("def f(x):\n    a, b = x")
    star = ast.Starred(ast.Name("a", ast.Store()), ast.Store())
    tree.body[0].targets[0].elts = [star, star]
    assert "more than one star" in refusal(understood(tree)).message
    tree = of("def f(x):\n    pass")
    tree.name = "_f"
    assert "the function name _f" in refusal(understood(tree)).message


def test_what_restrictedpython_refuses_is_our_error():
    """Its methods that no tree reaches any more would raise here, not collect."""
    with pytest.raises(SandboxError, match="Name in a restricted function: because"):
        Restricting(lambda *_: None, bool, frozenset()).error(X, "because")


def test_members_of_constants_are_looked_up_when_it_runs():
    assert restrict(from_source("lambda x: tf.float32.name + K.epsilon.name")).facades == {
        "K",
        "tf",
    }


def test_shared_parts_count_as_often_as_they_stand():
    node = X
    for _ in range(60):
        node = ast.Tuple([node, node], ast.Load())
    assert "too large" in refusal(hand_made(node)).message


def test_what_uses_up_the_stack_is_refused():
    def deep(left):
        return deep(left - 1) if left else restrict(from_source("lambda x: [[[[[[x]]]]]]"))

    with pytest.raises((SandboxError, RecursionError)):
        deep(10_000)


def test_stack_that_ends_while_restricting_ends_in_our_error(monkeypatch):
    def out(self, node):
        raise RecursionError

    monkeypatch.setattr(Restricting, "visit_Constant", out)
    assert "the stack" in refusal(from_source("lambda x: x + 1")).message


@pytest.mark.parametrize(("defaults", "kwdefaults", "closure", "said"), [
    ((1, 2), {}, {}, "2 defaults for 1 parameters"),
    ((), {"y": 1}, {}, "which is no parameter"),
    ((), {}, {"_a": 1}, "_a, which begins"),
    ((), {}, {"%add": 1}, "%add"),
])  # fmt: skip
def test_values_that_stand_nowhere_are_refused(defaults, kwdefaults, closure, said):
    found = understood(of("lambda x: x"), defaults, kwdefaults, closure)
    assert said in refusal(found).message


def test_signature_is_that_of_the_function():
    text = "lambda a, /, b, c=2, *d, e, f=4, **g: a"
    checked = restrict(from_source(text))
    assert checked.signature == inspect.signature(eval(text))


def test_names_are_sorted_by_what_stands_for_them():
    found = understood(
        of("lambda x: max(x, k, K.epsilon(), tf.nn.relu(x))"), closure={"k": 1, "max": 2}
    )
    checked = restrict(found)
    assert checked.builtins == frozenset()
    assert checked.facades == {"K", "tf"}


def test_local_names_are_not_taken_for_facades():
    checked = restrict(from_source("lambda tf, K: [np.nothing for np in tf.nn.nothing(K)]"))
    assert checked.facades == frozenset()


def test_code_has_nothing_but_hooks():
    """No attribute, import, global write or operator of Python's own is left in the code."""
    text = (
        "def f(x):\n    import math\n    a, (b, *c) = x, [x, 1]\n    a += x[1:2] @ -a\n"
        "    for i in range(2):\n        a = {i: f'{i}', **{}}\n    return [y.z(1, *a) for y in a if y < 1 < 2]"
    )
    checked = restrict(understood(of(text)))
    codes, names = [checked.code], set()
    while codes:
        code = codes.pop()
        names |= set(code.co_names)
        codes += [each for each in code.co_consts if isinstance(each, type(code))]
    assert {name for name in names if not name.startswith(HOOK)} == {"range"}


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("-1", False), ("-2.5", False), ("-1j", False), ("- -1", False), ("-True", True),
        ("-x", True), ("-'a'", True), ("~1", True), ("+1", True),
    ],
)  # fmt: skip
def test_the_sign_of_a_number_is_no_operation(text, guarded):
    tree = ast.parse(f"lambda x: [{text}, x]", mode="eval").body
    names = restrict(understood(tree)).code.co_names
    assert any(name.startswith(HOOK) for name in names) is guarded


def test_builtins_have_a_guard_each():
    from secure_serial.sandbox.guards.builtins import TABLE

    assert set(TABLE) == BUILTINS
