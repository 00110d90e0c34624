"""Simple `def`s: loops, imports and dropped values come back as written, or are refused."""

import ast
import marshal
import textwrap

import pytest

from secure_serial.lambdas import Bounds, CannotLift, lift, own
from secure_serial.lambdas.micro import Reading
from secure_serial.lambdas.prove import Prover
from secure_serial.lambdas.tables import table

SAME = [
    """
    def f(x):
        for i in range(3):
            x = x + i
        return x
    """,
    """
    def f(x):
        out = []
        for a, (b, *c) in x:
            out.append(a)
            if b:
                out.extend(c)
        return out
    """,
    """
    def f(x):
        for i in x:
            for j in i:
                x += i * j
            x -= 1
        return x
    """,
    """
    def f(x):
        for i in x:
            if g(i):
                break
            x = h(x, i)
        return x
    """,
    """
    def f(x):
        for i in x:
            if i.a:
                if i.b:
                    x = 1
                y = 5
            elif i.c and i.d:
                x = 2
        return x
    """,
    """
    def f(x):
        for i in x:
            pass
        return [i for i in x if i]
    """,
    """
    def f(x):
        import tensorflow as tf
        import a.b.c
        import a.b.c as d
        from keras import backend as K, layers
        return tf.f(x) + a.b + d + K.g(layers)
    """,
    """
    def f(x):
        x.sort()
        g(x) and h(x)
        return f(x)
    """,
    """
    def f(x, y):
        if x:
            import a
        else:
            from b import c
            g(c)
        return x
    """,
]


@pytest.mark.parametrize("text", SAME)
def test_a_simple_def_comes_back_as_written(text):
    text = textwrap.dedent(text).strip()
    space = {}
    exec(text, space)
    lifted = lift(marshal.dumps(space["f"].__code__))
    assert lifted.source == text
    again = lift(marshal.dumps(own.live(lifted.tree, ())))
    assert (again.digest, again.source) == (lifted.digest, text)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("while x:\n  x -= 1\n return x", "branches"),
        ("for i in x:\n  y = i\n return y", "may be unbound"),
        ("for i in x:\n  pass\n else:\n  x = 1\n return x", ""),
        ("for i in x:\n  try:\n   i.a\n  except A:\n   pass\n return x", "never reached"),
        ("x.a = 1\n return x", "STORE_ATTR"),
        ("for x.a in x:\n  pass\n return x", "STORE_ATTR"),
        ("from . import a\n return a", "relative import"),
        ("def g(y):\n  return y\n return g(x)", "nested function"),
    ],
)
def test_what_is_more_than_a_simple_def_is_refused_or_the_same(body, what):
    space = {}
    exec("def f(x):\n " + body, space)
    try:
        lifted = lift(marshal.dumps(space["f"].__code__))
    except CannotLift as error:
        assert what in error.construct  # noqa: PT017 - both ends are right ones
    else:
        assert not what
        assert "while" not in lifted.source
        assert "else" in body


DIFFERENT = [
    ("for i in x:\n  y = i", "for i in x:\n  y = 1"),
    ("for i in x:\n  y += i", "for i in x:\n  y = y + i"),
    ("for i in x:\n  y += i", "for i in x:\n  y += i\n  y += i"),
    ("for i in x:\n  x, y = y, x", "for i in x:\n  y, x = y, x"),
    ("for i in x:\n  z = y\n  y = i", "for i in x:\n  y = i\n  z = y"),
    ("for i in x:\n  g(i)", "for i in x:\n  g(x)"),
    ("for i in x:\n  g(i)", "for i in x:\n  pass\n g(x)"),
    ("for i in x:\n  if i:\n   y = 1", "for i in x:\n  y = 1"),
    ("for i in x:\n  if i:\n   break\n  y = 1", "for i in x:\n  if not i:\n   y = 1"),
    ("for i in x:\n  for j in i:\n   y = j", "for i in x:\n  for j in x:\n   y = j"),
    ("g(x)", "pass"),
    ("g(x)\n h(x)", "h(x)\n g(x)"),
    ("import a", "import b as a"),
    ("import a.b as y", "import a.c as y"),
    ("import a.b as y", "import a as y"),
    ("from a import b as y", "from a import c as y"),
    ("from a import b as y", "import a as y"),
    ("import a as y", "pass"),
]


@pytest.mark.parametrize(("one", "two"), DIFFERENT)
def test_two_bodies_are_never_proved_to_be_one(one, two):
    here = table(own.version())
    codes = []
    for body in (one, two):
        module = ast.parse(f"def f(x, y, z):\n {body}\n return (x, y, z)")
        codes.append(own.compiled(module.body[0], ()))
    for pair in (codes, codes[::-1]):
        with pytest.raises(CannotLift):
            Prover(Bounds(), *(Reading(here, Bounds()) for _ in range(2))).prove(*pair)
    for code in codes:
        Prover(Bounds(), *(Reading(here, Bounds()) for _ in range(2))).prove(code, code)
