"""Random functions of the running Python: none comes back as another function."""

import ast
import json
import marshal
import types
import warnings

from secure_serial.errors import SecureSerialError
from secure_serial.lambdas import lift
from secure_serial.lambdas.own import version
from secure_serial.lambdas.tree import copied, digest, normal
from tools.lambdas.dump import answers, dumped
from tools.lambdas.expressions import sources
from tools.lambdas.measure import function_of, measure


def test_random_lambdas_lift_to_the_same_function_or_are_refused():
    texts = sources(150, 20261122)
    with warnings.catch_warnings():
        rows = json.loads(dumped(json.dumps(texts)))
        result = measure(texts, rows, version())
    assert result["wrong"] == []
    assert result["lifted"] >= 0.99 * result["total"]


def test_the_normal_form_of_a_normal_form_is_itself_and_no_tree_is_changed():
    for text in sources(150, 20261125):
        tree = ast.parse(text, mode="eval").body
        before = ast.dump(tree)
        once = normal(tree)
        assert ast.dump(tree) == before
        assert ast.dump(normal(copied(once))) == ast.dump(once)
        assert digest(once) == digest(tree)


def test_flipped_operations_never_come_back_as_the_old_function():
    """A changed byte of the code changes the function, or it is refused, or changes nothing."""
    function = lambda x, y: (x + y if x > y else x - y) * 2  # noqa: E731
    code = function.__code__
    clean = lift(marshal.dumps(code))
    raw = code.co_code
    changed = 0
    for place in range(0, len(raw), 2):
        for delta in (1, 2, 16):
            data = bytearray(raw)
            data[place + 1] = (data[place + 1] + delta) % 256
            broken = code.replace(co_code=bytes(data))
            try:
                lifted = lift(marshal.dumps(broken))
            except SecureSerialError:
                changed += 1
                continue
            if lifted.digest != clean.digest:
                changed += 1
                # Operators were exchanged: the tree says what the bytes say.
                live = types.FunctionType(broken, {})
                assert answers(function_of(lifted)) == answers(live)
    assert changed > len(raw) / 2
