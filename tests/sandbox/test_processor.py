"""Costly operations on the worst values: the steps of a call end before two seconds of computing.

By counts, not by the clock: each element of a result is charged what it was measured to cost.
"""

import numpy as np
import pytest

from secure_serial.errors import SandboxError

from .making import made

#: Nanoseconds of one element, the worst values given, and of a step (some ten microseconds).
STEP = 10_000
WORST = {
    "np.fmod(s, 1e-308)": 7_000,
    "np.mod(s, 1e-308)": 1_200,
    "np.floor_divide(s, 1e-308)": 1_200,
    "s % 1e-308": 1_200,
    "s // 1e-308": 1_200,
    "np.power(i, i)": 200,
    "i ** i": 200,
    "np.power(s, 1.37)": 70,
    "h * h": 55,
    "h + 1": 55,
    "np.multiply(h, h)": 55,
    "np.square(h)": 55,
    "s.astype('float16')": 55,
    "h.astype('float32')": 55,
}


@pytest.mark.parametrize("expression", WORST)
def test_elements_are_charged_what_they_cost(expression):
    count = 60_000
    s = np.full(count, 1e308)
    given = (s, s.astype("f2"), np.arange(1, count + 1))
    wanted = count * WORST[expression] // STEP
    function = f"lambda s, h, i: {expression}"
    made(function, steps=4 * wanted + 2000)(*given)
    with pytest.raises(SandboxError, match="steps"):
        made(function, steps=wanted - 1)(*given)
