"""Some seconds of changed streams and texts; each ends in a function or in one of our errors.

`python3 tasks.py fuzz` takes minutes.
"""

import pytest

from tools.lambdas.fuzz import fuzz


@pytest.mark.slow
def test_changed_streams_end_in_our_errors_or_in_the_same_function():
    made = fuzz(8, "one", [])
    assert made.faults == []
    # Nothing of it may be idle: streams are refused and lifted, texts too, functions are called.
    for what in ("BadStream", "CannotLift", "lifted", "same answers", "changed text refused"):
        assert made.counts[what] > 0
