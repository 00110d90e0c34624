"""A restricted function gives what the raw one gives, or ends in one of our errors."""

import pytest

from secure_serial.errors import SandboxError, SecureSerialError
from tools.lambdas.expressions import sources

from .making import made


def answer(function, *args):
    try:
        return repr(function(*args))
    except SandboxError as error:
        cause = error.__cause__
        return error.code if cause is None else type(cause).__name__
    except (TypeError, ValueError, ArithmeticError, IndexError, KeyError) as error:
        return type(error).__name__


def test_random_functions_give_the_same():
    refused = same = 0
    for source in sources(400, 20261123):
        # A function of the program's own has no place in restricted code.
        text = source.replace("f3(", "(lambda a, b=2, c=3, k=4: a - b * c + k)(")
        try:
            raw = eval(text)
        except SyntaxError:  # a variable set where a comprehension forbids it
            continue
        try:
            restricted = made(text)
        except SecureSerialError:
            refused += 1
            continue
        for x, y in [(3, 5), (-2, 7), (0, 0), (10**9, -1), (1, 300)]:
            expected, found = answer(raw, x, y), answer(restricted, x, y)
            if found == "SS502":
                continue
            assert found == expected, (text, x, y)
            same += 1
    assert refused <= 20
    assert same >= 1_500


@pytest.mark.parametrize(
    ("text", "args", "expected"),
    [
        ("lambda x: [1 < y < 3 for y in x]", ([1, 2, 3],), [False, True, False]),
        ("lambda x: [y for y in ([7] if 1 < x < 9 else [])]", (3,), [7]),
        ("lambda x: 1 < (y := x) < 4 and y", (3,), 3),
        ("lambda x, n=2, *r, k=3, **m: (x, n, r, k, sorted(m))", (1,), (1, 2, (), 3, [])),
        ("lambda x: [a + c for a, (b, *c) in x]", ([([1], (2, 3, 4))],), [[1, 3, 4]]),
        ("lambda x: {**x, 'b': 2}", ({"a": 1},), {"a": 1, "b": 2}),
        ("lambda x: f'{x!r:>6}|{x:{4}.1f}'", (2,), "     2| 2.0"),
        ("lambda x: '%d of %s%%' % (x, [x])", (2,), "2 of [2]%"),
        ("lambda x: list(map(lambda v, w: v - w, x, reversed(x)))", ([1, 5],), [-4, 4]),
        ("lambda x: sorted(x, key=lambda p: -p[1])", ([(1, 2), (3, 4)],), [(3, 4), (1, 2)]),
        ("lambda x: max(x, key=lambda p: -p, default=0)", ([3, 1, 2],), 1),
        ("lambda x: isinstance(x, (int, float)) and not isinstance(x, str)", (2,), True),
        ("lambda x: python2_divide(x, 2)", (7,), 3),
        ("lambda x: python2_divide(x, 2.0)", (7,), 3.5),
    ],
)
def test_expressions(text, args, expected):
    assert made(text)(*args) == expected
