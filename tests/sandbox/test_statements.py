"""What a `def` does besides expressions, restricted: it stores items, raises, and holds functions."""

import numpy as np
import pytest

from secure_serial import SandboxError
from secure_serial.lambdas.understood import from_source
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.function import build
from secure_serial.sandbox.restrict import restrict
from tests.sandbox.making import made

SAME = [
    ("def f(x):\n y = [0] * 3\n for i in range(3):\n  y[i] = x * i\n return y", (2,)),
    ("def f(x):\n y = list(x)\n y[-1] *= 2\n y[0] += y[1]\n return tuple(y)", ((1, 2, 3),)),
    ("def f(x):\n d, e = {}, [x]\n d['a'] = x\n d['a'] += 1\n d['b'] = e\n return d", (4,)),
    ("def f(x):\n y = [[1], 2]\n y[0] += [x]\n return y", (3,)),
    # What changes in place is seen by whoever else holds it.
    ("def f(x):\n a = [x]\n b = a\n b *= 3\n return a", (3,)),
    ("def f(x):\n a = [x]\n b = a\n b *= -1\n return a", (3,)),
    ("def f(x):\n a = {1, 2}\n b = a\n b |= {x}\n b -= {1}\n b ^= {2, 4}\n return a", (3,)),
    ("def f(x):\n a = {1, 2}\n b = a\n b &= {x}\n return a", (2,)),
    ("def f(x):\n a = {1: 2}\n b = a\n b |= {x: 3}\n return a", (2,)),
    (
        "def f(x):\n d = [[x], {x}]\n a, b = d[0], d[1]\n d[0] *= 2\n d[1] |= {1}\n return a, b",
        (3,),
    ),
    ("def f(x):\n a = x\n a *= 2\n a -= 1\n a |= 8\n return a, x", (3,)),
    ("def f(x):\n def g(y, z=2):\n  if y:\n   return y + z\n  return x\n return g(x) + g(0)", (5,)),
    ("def f(x):\n n = [0]\n def g(y):\n  n[0] += y\n  return n[0]\n g(x)\n return g(x)", (5,)),
    ("def f(x):\n def g(n):\n  return 1 if n < 2 else n * g(n - 1)\n return g(x)", (5,)),
    (
        "def f(x):\n for i in x:\n  for j in i:\n   if j > 2:\n    return j\n return None",
        (((1, 3),),),
    ),
    ("def f(x):\n assert len(x) == 2, 'no'\n return x[0]", ((1, 2),)),
]


@pytest.mark.parametrize(("text", "args"), SAME)
def test_statements_do_what_python_does(text, args):
    space = {}
    exec(text, space)
    assert made(text)(*args) == space["f"](*args)


RAISED = [
    ("def f(x):\n assert x > 3\n return x", AssertionError, ""),
    ("def f(x):\n assert x > 3, 'needs %d' % x\n return x", AssertionError, "needs 1"),
    ("def f(x):\n if x < 3:\n  raise ValueError(f'not {x}')\n return x", ValueError, "not 1"),
    ("def f(x):\n for i in [x]:\n  raise NotImplementedError\n return x", NotImplementedError, ""),
    ("def f(x):\n raise TypeError([x])", TypeError, "a list"),
    ("def f(x):\n raise ValueError('a' * 1000)", ValueError, "a" * 200),
    ("def f(x):\n y = [1]\n y[3] = x\n return y", IndexError, "list assignment index out of range"),
]


@pytest.mark.parametrize(("text", "kind", "said"), RAISED)
def test_an_error_of_the_function_is_one_of_ours_with_its_cause(text, kind, said):
    with pytest.raises(SandboxError) as caught:
        made(text)(1)
    assert caught.value.code == "SS501"
    assert type(caught.value.__cause__) is kind
    assert str(caught.value.__cause__) == said


@pytest.mark.parametrize("text", [
    "def f(x):\n y = [x]\n y[0:1] = [2]\n return y",
    "def f(x):\n y = [1.0] + x\n y[0] = 1\n return y",
])  # fmt: skip
def test_items_of_other_values_are_not_set(text):
    with pytest.raises(SandboxError) as caught:
        made(text)(np.ones(3))
    assert caught.value.code == "SS504"


def test_a_dictionary_grows_to_its_bound():
    text = "def f(x):\n d = {}\n for i in range(x):\n  d[i] = i\n return len(d)"
    assert made(text)(1000) == 1000
    with pytest.raises(SandboxError) as caught:
        made(text)(1001)
    assert caught.value.code == "SS502"


def test_a_value_of_the_closure_keeps_its_items():
    """A function inside binds the same name, which does not make the outer one its own."""
    tree = "def f(x):\n def g():\n  c = [x]\n  return c\n c[0] = x\n return g()"
    known = from_source("lambda x: x")
    object.__setattr__(known, "tree", from_source(tree).tree)
    object.__setattr__(known, "closure", {"c": [1]})
    with pytest.raises(SandboxError, match="did not make itself"):
        build(restrict(known), NUMPY, Allowance())
