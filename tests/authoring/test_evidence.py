"""What evidence is worth once the source has changed, and how it is written into a policy."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest

from secure_serial.authoring.evidence import Standing, standing, toml
from secure_serial.policy.model import Evidence, Policy
from secure_serial.policy.source import parse_policy

TODAY = "ab" * 32
FOUND = Evidence("bandit 1.9.4", TODAY, 3, date(2026, 11, 22))


@pytest.mark.parametrize(
    ("evidence", "source", "worth"),
    [
        (None, TODAY, Standing.MISSING),
        (None, "", Standing.MISSING),
        (FOUND, TODAY, Standing.GOOD),
        (FOUND, "cd" * 32, Standing.STALE),
        (FOUND, TODAY[:-1], Standing.STALE),
        # What cannot be read today is not what was looked over.
        (FOUND, "", Standing.STALE),
        (FOUND._replace(source_sha256=""), "", Standing.STALE),
    ],
)
def test_evidence_holds_for_the_very_source_alone(evidence, source, worth):
    assert standing(evidence, source) is worth


def test_the_line_is_read_as_what_was_written():
    table = tomllib.loads(toml(FOUND))["evidence"]
    assert Evidence(**table) == FOUND


def test_a_policy_takes_the_line():
    rule = f'[[allow]]\nid = "ours"\nsymbols = ["acme.layers.Block"]\n{toml(FOUND)}\n'
    policy = parse_policy(f"schema = 1\nrequire_evidence = true\n{rule}")
    assert isinstance(policy, Policy)
    assert policy.rules[0].evidence == FOUND
