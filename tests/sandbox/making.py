"""Restricted functions from source, for tests."""

from secure_serial.lambdas.understood import from_source
from secure_serial.sandbox.allowance import Allowance
from secure_serial.sandbox.facades.ops import NUMPY
from secure_serial.sandbox.function import build
from secure_serial.sandbox.restrict import restrict


def made(text, ops=NUMPY, **bounds):
    return build(restrict(from_source(text)), ops, Allowance(**bounds))
