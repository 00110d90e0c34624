"""Random functions; each ends in a plain value or in one of our errors."""

import pytest

resource = pytest.importorskip("resource")


@pytest.mark.slow
def test_random_functions_end_in_plain_values_or_in_our_errors():
    from tools.sandbox.fuzz import fuzz

    made = fuzz(8, "one")
    assert made.faults == []
    # Nothing of it may be idle: functions are refused before they run, while they do, and run.
    for what in ("SS503", "SS504", "SS502", "a value"):
        assert made.counts[what] > 0
