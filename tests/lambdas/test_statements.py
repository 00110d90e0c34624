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
    def f(x):
        rows, cols = ([], {})
        a, b = (not x, [g(x)])
        rows.append(a)
        return (rows, cols, b)
    """,
    """
    def f(x):
        for i in x:
            if i > 1 and g(i) or h(i):
                return i
        return None
    """,
    """
    def f(x):
        y = 0
        for i in x:
            for j in i:
                if not j:
                    y = g(j)
                    break
                y += 1
            if y > 3:
                raise ValueError('y')
        return y
    """,
    """
    def f(x):
        for i in x:
            return i
        return None
    """,
    """
    def f(x):
        assert len(x) == 4
        assert x[0] or g(x), f'not {x}'
        if x[2] is None:
            raise ValueError
        return x
    """,
    """
    def f(x):
        if not x:
            raise g(x)
        return 1
    """,
    """
    def f(x):
        out = [0] * 3
        out[0] = x
        out[1:] = [x]
        out[-1] += 2
        out[g(x)].a[x, 1] -= h(x)
        return out
    """,
    """
    def f(x):
        eps = g(x)

        def h(y, z=1, *w, k=x):
            if y:
                return eps
            else:
                w = h(z)
                return w
        return h(x)
    """,
    """
    def f(x):
        import a.b as c
        return c.d(x)
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
        ("while x:\n  x -= 1\n return x", "a while statement"),
        ("while True:\n  x -= 1\n  if x:\n   break\n return x", "a while statement"),
        ("for i in x:\n  y = i\n return y", "may be unbound"),
        ("for i in x:\n  try:\n   i.a\n  except A:\n   pass\n return x", "a try statement"),
        ("try:\n  g(x)\n finally:\n  h(x)\n return x", "a try statement"),
        ("with x.y:\n  return x", "a with statement"),
        ("x.a = 1\n return x", "an assignment to an attribute"),
        ("for x.a in x:\n  pass\n return x", "an assignment to an attribute"),
        ("global y\n y = x\n return x", "a global statement"),
        ("y = x\n def g():\n  nonlocal y\n  y = 1\n return g", "nonlocal"),
        ("del x\n return 1", "a del statement"),
        ("del x[0]\n return x", "a del statement"),
        ("class A:\n  pass\n return x", "a class"),
        ("yield x", "a yield"),
        ("yield from x", "a yield"),
        ("raise x from y", "with `from`"),
        ("from . import a\n return a", "relative import"),
        ("@h\n def g(y):\n  return y\n return g(x)", "nested function with a decorator"),
        ("def g(y: int):\n  return y\n return g(x)", "annotations"),
        ("a, x[0] = 1, 2\n return x", "no name"),
        ("x[0], x[1] = x\n return x", ""),
    ],
)
def test_what_is_more_than_a_simple_def_is_refused_by_its_name(body, what):
    space = {}
    exec("def f(x):\n " + body, space)
    with pytest.raises(CannotLift) as caught:
        lift(marshal.dumps(space["f"].__code__))
    assert what in caught.value.construct
    assert not what.startswith("a ") or caught.value.help


def test_a_coroutine_is_refused_by_its_name():
    space = {}
    exec("async def f(x):\n return await x", space)
    with pytest.raises(CannotLift, match="async"):
        lift(marshal.dumps(space["f"].__code__))


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
    ("y, z = [], {}", "y, z = {}, []"),
    ("y, z = [g(x)], {h(x)}", "z, y = [g(x)], {h(x)}"),
    ("y = z = []", "y, z = [], []"),
    ("for i in x:\n  if i:\n   y = 1\n   break", "for i in x:\n  if i:\n   y = 1"),
    ("for i in x:\n  if i:\n   break\n else:\n  y = 1", "for i in x:\n  if i:\n   break\n y = 1"),
    ("for i in x:\n  if i:\n   return i", "for i in x:\n  if i:\n   return x"),
    (
        "for i in x:\n  for j in i:\n   if j:\n    break",
        "for i in x:\n  for j in i:\n   pass\n  break",
    ),
    ("assert x", "assert y"),
    ("assert x", "pass"),
    ("assert x", "assert x, y"),
    ("assert x", "assert not x"),
    ("assert x", "if not x:\n  raise ValueError"),
    ("assert x", "if not x:\n  return AssertionError"),
    ("assert x, y", "if not x:\n  raise AssertionError(y, z)"),
    ("if x:\n  raise y", "if x:\n  raise z"),
    ("if x:\n  raise y", "if x:\n  return y"),
    ("y[0] = x", "y[1] = x"),
    ("y[0] = x", "z[0] = x"),
    ("y[0] = x", "y[0] = z"),
    ("y[0] = x", "y[0]"),
    ("y[0] += x", "y[0] = y[0] + x"),
    ("y[g()] += x", "y[g()] = y[g()] + x"),
    ("y[g()] = h()", "k = g()\n y[k] = h()"),
    ("y[1:2] = x", "y[1:] = x"),
    ("def y(a):\n  return a", "def y(a):\n  return x"),
    ("def y(a):\n  return a", "def y(a, b=1):\n  return a"),
    ("def y(a):\n  return z\n z = 1", "z = 1\n def y(a):\n  return 1"),
    ("def y(a):\n  return z\n z = 1", "def y(a):\n  z = 1\n  return z\n z = 1"),
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
