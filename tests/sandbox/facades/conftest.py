"""A meter around each test, as a restricted function has one around each call."""

import pytest

from secure_serial.sandbox import meter
from secure_serial.sandbox.allowance import Allowance


@pytest.fixture
def account():
    """The meter of a call that is under way."""
    made = meter.Meter(Allowance())
    token = meter._meter.set(made)
    yield made
    meter._meter.reset(token)
