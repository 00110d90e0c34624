"""What tests of the sandbox share."""

import ast

import pytest

from secure_serial.lambdas.understood import Understood
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.function import build
from secure_serial.sandbox.restrict import restrict


@pytest.fixture
def directly():
    """Restricted straight from Python's own parser: more than the lifter gives may come later."""

    def made(text, defaults=(), kwdefaults=None, closure=None, ops=NUMPY, **bounds):
        node = ast.parse(text).body[0]
        tree = node.value if isinstance(node, ast.Expr) else node
        found = Understood(
            tree, defaults, kwdefaults or {}, closure or {}, (), "sha256:0", "source"
        )
        return build(restrict(found), ops, Allowance(**bounds))

    return made
